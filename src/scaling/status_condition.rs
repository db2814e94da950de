//! One entry of `status.conditions`, and its message on one line.

use serde::{Deserialize, Deserializer};

/// Maximum length of a shown message, in bytes. It fits on a few lines.
const MAX_MESSAGE: usize = 300;

/// Maximum length of a message in memory, in bytes. It is more than is shown, because spaces are not shown.
const MAX_KEPT_MESSAGE: usize = 1024;

/// One entry of `status.conditions`.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct StatusCondition {
    /// `Progressing`
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`
    pub status: String,
    /// The reason as one word, for programs.
    pub reason: String,
    /// The reason as a sentence, for people.
    #[serde(deserialize_with = "beginning")]
    pub message: String,
    /// The time of the last change to any field; a ReplicaSet or a pod has none.
    pub last_update_time: String,
}

/// Reads a message, and keeps its first [`MAX_KEPT_MESSAGE`] bytes.
pub fn beginning<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let mut text = String::deserialize(deserializer)?;
    text.truncate(text.floor_char_boundary(MAX_KEPT_MESSAGE));
    text.shrink_to_fit();
    Ok(text)
}

/// `: message` on one line and cut to [`MAX_MESSAGE`] bytes; an empty text for an empty message.
pub fn message_suffix(message: &str) -> String {
    let words: Vec<_> = message.split_whitespace().collect();
    let text = words.join(" ");
    match text.len() {
        0 => String::new(),
        1..=MAX_MESSAGE => format!(": {text}"),
        _ => format!(": {}…", &text[..text.floor_char_boundary(MAX_MESSAGE)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_truncated() {
        assert_eq!(message_suffix(&"ü".repeat(500)).len(), 2 + 300 + "…".len());
        assert_eq!(message_suffix(" \n"), "");
        let condition = serde_json::json!({"type": "Ready", "message": "ü".repeat(1000)});
        let condition: StatusCondition = serde_json::from_value(condition).unwrap();
        assert_eq!(condition.message, "ü".repeat(512));
    }
}

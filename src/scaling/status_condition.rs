//! One entry of `status.conditions`, and its message on one line.

use serde::Deserialize;

/// Maximum length of a shown message, in bytes. It fits on a few lines.
const MAX_MESSAGE: usize = 300;

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
    pub message: String,
    /// The time of the last change to any field; a ReplicaSet or a pod has none.
    pub last_update_time: String,
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
    }
}

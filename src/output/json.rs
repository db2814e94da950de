//! `-o json` as kubectl prints it: four spaces, sorted keys, Go's escapes.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// The object with a newline at its end.
pub fn print(object: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer =
        Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    // A Value has only string keys and finite numbers, and a Vec takes everything: no way to fail.
    let _ = object.serialize(&mut serializer);
    let text = String::from_utf8_lossy(&bytes);
    let mut escaped = String::with_capacity(text.len() + 1);
    // As Go's encoder, which has HTML in mind. They can stand in strings only.
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                escaped.push_str(&format!("\\u{:04x}", character as u32));
            }
            other => escaped.push(other),
        }
    }
    escaped.push('\n');
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_printed_as_by_kubectl() {
        let object = serde_json::json!({"b": [1, {}], "a": "<&>\u{2028}\"\n", "c": []});
        assert_eq!(
            print(&object),
            "{\n    \"a\": \"\\u003c\\u0026\\u003e\\u2028\\\"\\n\",\n    \"b\": [\n        1,\n        \
             {}\n    ],\n    \"c\": []\n}\n"
        );
    }
}

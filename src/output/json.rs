//! JSON as kubectl prints it: sorted keys, Go's escapes and numbers.

use serde_json::Value;

use crate::text::go;

/// `-o json`: indented by four spaces, with a newline at the end.
pub fn print(object: &Value) -> String {
    let mut text = indented(object);
    text.push('\n');
    text
}

/// JSON indented by four spaces, without a newline at the end.
pub fn indented(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, Some(0));
    text
}

/// JSON on one line.
pub fn compact(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, None);
    text
}

/// `depth` is the level of indentation; `None` for one line.
fn write(text: &mut String, value: &Value, depth: Option<usize>) {
    let inner = depth.map(|depth| depth + 1);
    match value {
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                text.push(if at > 0 { ',' } else { '[' });
                start_line(text, inner);
                write(text, item, inner);
            }
            start_line(text, depth);
            text.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            for (at, (key, value)) in map.iter().enumerate() {
                text.push(if at > 0 { ',' } else { '{' });
                start_line(text, inner);
                string(text, key);
                text.push_str(if depth.is_some() { ": " } else { ":" });
                write(text, value, inner);
            }
            start_line(text, depth);
            text.push('}');
        }
        Value::String(content) => string(text, content),
        Value::Number(number) => text.push_str(&go::numeric(number, go::json_float)),
        other => text.push_str(&other.to_string()),
    }
}

fn start_line(text: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        text.push('\n');
        text.extend(std::iter::repeat_n("    ", depth));
    }
}

/// Writes a string as Go's encoder does, with the characters of HTML escaped.
fn string(text: &mut String, content: &str) {
    for character in Value::from(content).to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", character as u32));
            }
            other => text.push(other),
        }
    }
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
        assert_eq!(
            compact(&object),
            "{\"a\":\"\\u003c\\u0026\\u003e\\u2028\\\"\\n\",\"b\":[1,{}],\"c\":[]}"
        );
    }

    #[test]
    fn numbers_are_printed_as_by_kubectl() {
        for (text, expected) in [
            ("3.0", "3"),
            ("1e6", "1000000"),
            ("12345678901.25", "12345678901.25"),
            ("1.5e20", "150000000000000000000"),
            ("1.5e21", "1.5e+21"),
            ("0.0000012", "0.0000012"),
            ("1.2e-7", "1.2e-7"),
            ("1e-10", "1e-10"),
            ("-1.5e22", "-1.5e+22"),
            ("12345678901234567890", "12345678901234567000"),
            ("9223372036854775807", "9223372036854775807"),
        ] {
            assert_eq!(compact(&serde_json::from_str(text).unwrap()), expected);
        }
    }
}

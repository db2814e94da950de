//! `-o kyaml`: YAML in flow style with quoted strings (sigs.k8s.io/yaml/kyaml).

use std::fmt::Write as _;

use serde_json::Value;

use crate::text::go;

/// Prints a document: `---`, the object and a newline.
pub fn print(object: &Value) -> String {
    let mut text = "---\n".to_owned();
    write(&mut text, object, 0);
    text.push('\n');
    text
}

fn write(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push_str("{\n");
            for (key, value) in map {
                start_line(text, indent + 1);
                match needs_quotes(key) {
                    true => quoted(text, key, None),
                    false => text.push_str(key),
                }
                text.push_str(": ");
                write(text, value, indent + 1);
                text.push_str(",\n");
            }
            start_line(text, indent);
            text.push('}');
        }
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Array(items) if items.iter().all(is_collection) => {
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "[" });
                write(text, item, indent);
            }
            text.push(']');
        }
        Value::Array(items) => {
            text.push_str("[\n");
            for item in items {
                start_line(text, indent + 1);
                write(text, item, indent + 1);
                text.push_str(",\n");
            }
            start_line(text, indent);
            text.push(']');
        }
        Value::Object(_) => text.push_str("{}"),
        Value::String(string) => quoted(text, string, Some(indent + 1)),
        Value::Number(number) => text.push_str(&go::numeric(number, go::json_float)),
        other => text.push_str(&other.to_string()),
    }
}

fn is_collection(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

fn start_line(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n("  ", indent));
}

/// Writes a string in quotes. Without `indent` it is a key, on one line. A value is folded at its line
/// breaks.
fn quoted(text: &mut String, string: &str, indent: Option<usize>) {
    let is_key = indent.is_none();
    let indent = indent.filter(|_| string.contains('\n'));
    text.push('"');
    let mut at_start = false;
    if indent.is_some() {
        text.push_str("\\\n");
        at_start = true;
    }
    for character in string.chars() {
        if let Some(indent) = indent.filter(|_| at_start) {
            start_line(text, indent);
            // The backslash keeps a space or tab at the beginning of a line; the space puts the other
            // lines in the same column. All other white space is escaped below. kubectl escapes it
            // twice, which changes the value.
            text.push(if matches!(character, ' ' | '\t') { '\\' } else { ' ' });
        }
        at_start = character == '\n';
        match character {
            '\t' if !is_key => text.push('\t'),
            other => escaped(text, other),
        }
        if indent.is_some() && at_start {
            text.push_str("\\\n");
        }
    }
    if let Some(indent) = indent {
        if !at_start {
            text.push_str("\\\n");
        }
        start_line(text, indent);
    }
    text.push('"');
}

fn escaped(text: &mut String, character: char) {
    let short = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{b}' => "\\v",
        '\0' => "\\0",
        '\u{1b}' => "\\e",
        '\u{85}' => "\\N",
        '\u{a0}' => "\\_",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        printable if go::is_printable(printable) => return text.push(printable),
        other => {
            let code = other as u32;
            // Writing to a String cannot fail.
            let _ = match code {
                ..0x20 | 0x7f => write!(text, "\\x{code:02x}"),
                ..0x10000 => write!(text, "\\u{code:04x}"),
                _ => write!(text, "\\U{code:08x}"),
            };
            return;
        }
    };
    text.push_str(short);
}

/// True if a YAML reader could take the key for another type.
fn needs_quotes(key: &str) -> bool {
    let last = key.chars().count().saturating_sub(1);
    let is_allowed = |(at, c): (usize, char)| {
        c.is_alphanumeric() || c == '_' || "-./".contains(c) && at > 0 && at < last
    };
    key.is_empty() || !key.chars().enumerate().all(is_allowed) || looks_like_other_type(key)
}

fn looks_like_other_type(key: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "y", "yes", "on", "false", "n", "no", "off"];
    let digits = key.replace('_', "");
    WORDS.contains(&key.to_lowercase().as_str())
        || go::parse_bool(key).is_ok()
        || go::parse_int(&digits).is_ok()
        || is_float(&digits)
        || is_date(key)
}

/// True for a date: `2026-11-24`, `2026-1-2`. A time has a colon, which needs quotes already.
fn is_date(text: &str) -> bool {
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = text.split('-').filter(is_number).collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let lengths = (year.len(), month.len(), day.len());
    let month = month.parse::<u8>().ok().and_then(|month| time::Month::try_from(month).ok());
    match (lengths, year.parse(), month, day.parse()) {
        ((4, 1..=2, 1..=2), Ok(year), Some(month), Ok(day)) => {
            text.matches('-').count() == 2
                && time::Date::from_calendar_date(year, month, day).is_ok()
        }
        _ => false,
    }
}

/// True if Go's `strconv.ParseFloat` reads the text. Signs are left out, since a key that begins with
/// one is quoted already.
fn is_float(text: &str) -> bool {
    let lower = text.to_lowercase();
    if let Some(hexadecimal) = lower.strip_prefix("0x") {
        return hexadecimal.split_once('p').is_some_and(|(mantissa, exponent)| {
            let mantissa = mantissa.replacen('.', "", 1);
            let exponent = exponent.strip_prefix('-').unwrap_or(exponent);
            !mantissa.is_empty()
                && mantissa.bytes().all(|byte| byte.is_ascii_hexdigit())
                && !exponent.is_empty()
                && exponent.bytes().all(|byte| byte.is_ascii_digit())
        });
    }
    // Rust reads the same texts, but Go refuses those that are out of range.
    matches!(lower.as_str(), "inf" | "infinity" | "nan")
        || lower.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_printed_as_by_kubectl() {
        let text = include_str!("../../tests/fixtures/formats/kyaml.json");
        let rows: Vec<(Value, String)> = serde_json::from_str(text).unwrap();
        assert!(rows.len() > 30, "{}", rows.len());
        let wrong: Vec<_> =
            rows.iter().filter(|(object, expected)| print(object) != *expected).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

//! Objects as `-o yaml` prints them: keys in go-yaml's natural order, lists not indented below
//! their key, scalars as its emitter writes them.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::scalar::{self, Position};
use crate::text::go;

/// go-yaml's limit for a simple key. A longer key is written as `? key`.
const MAX_SIMPLE_KEY: usize = 128;

/// Prints a document, with a newline at its end.
pub fn print(document: &Value) -> String {
    let mut text = String::new();
    match document {
        Value::Object(map) if !map.is_empty() => mapping(&mut text, map, 0, false),
        Value::Array(items) if !items.is_empty() => sequence(&mut text, items, 0, false),
        other => {
            scalar(&mut text, other, 0);
            text.push('\n');
        }
    }
    text
}

/// Prints a mapping. With `inline`, the first entry continues the line, after the `- ` of a list.
fn mapping(text: &mut String, map: &Map<String, Value>, indent: usize, inline: bool) {
    let mut entries: Vec<_> = map.iter().collect();
    sort(&mut entries);
    for (position, (key, value)) in entries.into_iter().enumerate() {
        if position > 0 || !inline {
            start_line(text, indent);
        }
        if key.chars().count() <= MAX_SIMPLE_KEY && !key.contains('\n') {
            scalar::write(text, key, Position::key());
            text.push(':');
            value_of_simple_key(text, value, indent);
        } else {
            text.push_str("? ");
            scalar::write(text, key, Position::value(indent + 2));
            text.push('\n');
            start_line(text, indent);
            text.push_str(": ");
            continued(text, value, indent);
        }
    }
}

fn value_of_simple_key(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            mapping(text, map, indent + 2, false);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            sequence(text, items, indent, false);
        }
        other => {
            text.push(' ');
            scalar(text, other, indent + 2);
            text.push('\n');
        }
    }
}

fn sequence(text: &mut String, items: &[Value], indent: usize, inline: bool) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 || !inline {
            start_line(text, indent);
        }
        text.push_str("- ");
        continued(text, item, indent);
    }
}

/// Prints a value after `- `, or after the `: ` of a long key. It starts on the same line.
fn continued(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => mapping(text, map, indent + 2, true),
        Value::Array(items) if !items.is_empty() => sequence(text, items, indent + 2, true),
        other => {
            scalar(text, other, indent + 2);
            text.push('\n');
        }
    }
}

fn scalar(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(string) => scalar::write(text, string, Position::value(indent)),
        Value::Object(_) => text.push_str("{}"),
        Value::Array(_) => text.push_str("[]"),
        Value::Number(number) => text.push_str(&self::number(number)),
        other => text.push_str(&other.to_string()),
    }
}

/// Formats a number. kubectl converts it to JSON first, where a number without a point and exponent
/// is an integer.
fn number(number: &serde_json::Number) -> String {
    let json = go::numeric(number, go::json_float);
    let is_integer = json.parse::<u64>().is_ok() || json.parse::<i64>().is_ok();
    if is_integer { json } else { go::numeric(number, go::float) }
}

fn start_line(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// Sorts the entries by [`natural_order`].
///
/// go-yaml's order is not transitive for some keys (`a2` < `a10` < `a1b` < `a2`), and the standard
/// library's sort may panic for such an order. A merge sort never panics. Up to 12 keys are sorted
/// by insertion as in Go, so that even such keys have Go's order.
fn sort(entries: &mut [(&String, &Value)]) {
    const FEW: usize = 12;
    if entries.len() <= FEW {
        for end in 1..entries.len() {
            let mut at = end;
            while at > 0 && natural_order(entries[at].0, entries[at - 1].0) == Ordering::Less {
                entries.swap(at, at - 1);
                at -= 1;
            }
        }
        return;
    }
    let (left, right) = entries.split_at_mut(entries.len() / 2);
    sort(left);
    sort(right);
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let from_right = natural_order(second.0, first.0) == Ordering::Less;
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    let merged: Vec<_> = merged.into_iter().copied().collect();
    entries.copy_from_slice(&merged);
}

/// go-yaml's natural order of keys: `a2` before `a10`, and other characters before letters.
fn natural_order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = (0..a.len().min(b.len())).find(|&at| a[at] != b[at]) else {
        return a.len().cmp(&b.len());
    };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => return a[at].cmp(&b[at]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero inside a number is a digit of it. Zeros at its start are ignored.
    let inside_number = (a[at] == '0' || b[at] == '0')
        && a[..at].iter().rev().take_while(|c| c.is_numeric()).any(|c| *c != '0');
    let number = |text: &[char]| {
        let digits: Vec<_> = text[at..].iter().map_while(|c| c.to_digit(10)).collect();
        let start = u64::from(inside_number);
        let value = digits
            .iter()
            .fold(start, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(*digit)));
        (value, digits.len())
    };
    number(&a).cmp(&number(&b)).then(a[at].cmp(&b[at]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_printed_as_by_kubectl() {
        let object = json!({
            "kind": "Deployment",
            "spec": {"replicas": 3, "args": ["--worker", {"b": 1, "a": [[1, "x"], []]}], "empty": {}, "none": null},
            "metadata": {"labels": {"a10": "1", "a2": "yes", "app.kubernetes.io/name": "locust"}, "when": "2026-11-23T16:48:32Z"},
            "text": "one\ntwo\n",
        });
        let expected = "\
kind: Deployment
metadata:
  labels:
    a2: \"yes\"
    a10: \"1\"
    app.kubernetes.io/name: locust
  when: \"2026-11-23T16:48:32Z\"
spec:
  args:
  - --worker
  - a:
    - - 1
      - x
    - []
    b: 1
  empty: {}
  none: null
  replicas: 3
text: |
  one
  two
";
        assert_eq!(print(&object), expected);
    }

    #[test]
    fn numbers_are_printed_as_by_kubectl() {
        for (text, expected) in [
            ("3.0", "3"),
            ("1234567.5", "1.2345675e+06"),
            ("1.5e20", "1.5e+20"),
            ("0.00001234", "1.234e-05"),
            ("12345678901234567890", "12345678901234567000"),
            ("-5", "-5"),
        ] {
            assert_eq!(print(&serde_json::from_str(text).unwrap()), format!("{expected}\n"));
        }
    }

    #[test]
    fn keys_are_in_natural_order() {
        let order = |keys: &[&str]| {
            let map: Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!(1))).collect();
            let text = print(&Value::Object(map));
            text.lines().map(|line| line.trim_end_matches(": 1").to_owned()).collect::<Vec<_>>()
        };
        let keys = [".x", "A", "a", "a-1", "a1.5", "a02", "a2", "a10", "b"];
        assert_eq!(order(&keys), [".x", "A", "a", "a-1", "a1.5", "a2", "a02", "a10", "b"]);
        let many: Vec<String> = (0..100).map(|number| format!("k{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(order(&many), many);
        // The order of these keys is not transitive.
        let odd: Vec<String> =
            (0..60).flat_map(|n| [format!("a{n}"), format!("a{n}b"), format!("a0{n}")]).collect();
        assert_eq!(order(&odd.iter().map(String::as_str).collect::<Vec<_>>()).len(), 180);
    }
}

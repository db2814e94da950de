//! The property that printed YAML has the meaning of its value, for `fuzz/` and the tests.

use serde_json::Value;

use super::print;
use super::read::{duplicate_key, parse};

/// Reads `content`, prints its value and reads it again.
///
/// # Panics
/// The second value is another one.
pub(crate) fn check_round_trip(content: &[u8]) {
    let _ = duplicate_key(content);
    let Ok(value) = parse(content) else { return };
    // The printer is for objects. go-yaml prints the text `<<` without quotes, and reads such a key as
    // a merge.
    if value.is_string() || has_merge_key(&value) {
        return;
    }
    let printed = print(&value);
    let read = parse(printed.as_bytes());
    let is_same = read.as_ref().is_ok_and(|read| is_same(read, &value));
    assert!(is_same, "{value}\n{printed}\n{read:?}");
}

fn has_merge_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_merge_key),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| key == "<<" || has_merge_key(value))
        }
        _ => false,
    }
}

/// True for equal values. Numbers are compared as floats, since kubectl prints the float 3.0 as 3.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let pairs = a.iter().zip(b);
            a.len() == b.len() && pairs.into_iter().all(|(a, b)| a.0 == b.0 && is_same(a.1, b.1))
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of YAML that the random documents consist of.
    const PIECES: [&str; 84] = [
        "a",
        "b: c",
        "fd00::",
        "[a, b]",
        "{a: b}",
        "{a: b, c}",
        "- a\n",
        "\n  - a\n  - b",
        "? a\n",
        "'x'",
        "\"y\\n\"",
        "\"\\u00e9\"",
        "|\n   t\n   u\n",
        ">-\n   t\n\n   u\n",
        "&a x",
        "*a",
        "!!str 1",
        "!!int 3",
        "!!binary aGk=",
        "!foo x",
        "~",
        "null",
        "yes",
        "0x1F",
        "1_000",
        "1e3",
        ".5",
        "-.5",
        "12:30",
        "2001-01-01",
        "#c",
        " # c",
        "\t",
        "\n",
        "\n    ",
        "  ",
        ":",
        ": ",
        "-",
        "- ",
        "?",
        "? ",
        ",",
        "[",
        "]",
        "{",
        "}",
        "'",
        "\"",
        "|",
        ">",
        "&",
        "*",
        "!",
        "%",
        "@",
        "`",
        "\\",
        "é",
        "\u{85}",
        "\u{2028}",
        "<<: {q: 1}",
        "<<: *a",
        "---",
        "...",
        "\r\n",
        "a:",
        "[a: b]",
        "{? a : b}",
        "{: b}",
        "[-]",
        "{a:}",
        "\u{feff}",
        "|# c\n   x\n",
        "|2\n    x\n",
        "|+\n   x\n\n",
        "\"a\n   b\"",
        "'a\n\n   b'",
        "+1",
        "!<tag:yaml.org,2002:int> 5",
        "!!set {a}",
        "\"\\/\"",
        "18446744073709551615",
        "%TAG ! x\n",
    ];

    #[test]
    fn random_documents_are_read_and_printed_without_a_change_of_meaning() {
        let mut random = fastrand::Rng::with_seed(16);
        for _ in 0..20_000 {
            let pieces = random.usize(1..12);
            let text: String =
                (0..pieces).map(|_| random.choice(PIECES).unwrap_or_default()).collect();
            check_round_trip(text.as_bytes());
        }
    }

    #[test]
    fn a_control_character_is_refused_before_the_text_is_scanned() {
        for place in ["a: |\n  b\0c\n", "a: 'b\0c'\n", "a: b\0c\n", "# \0\na: b\n", "\0", "&a\0 b"]
        {
            assert!(parse(place.as_bytes()).is_err(), "{place:?}");
            check_round_trip(place.as_bytes());
        }
    }

    #[test]
    fn damaged_bytes_never_panic() {
        const SEEDS: [&[u8]; 3] = [
            include_bytes!("../../../fuzz/corpus/kubeconfig/anchors.yaml"),
            include_bytes!("../../../fuzz/corpus/kubeconfig/utf16.yaml"),
            include_bytes!("../../../fuzz/corpus/manifest/documents.yaml"),
        ];
        let mut random = fastrand::Rng::with_seed(17);
        for round in 0..6000 {
            let mut bytes = SEEDS[round % 3].to_vec();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(0..bytes.len());
                match random.u8(0..4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes.insert(at, *random.choice(b"{}[]:,\"'\\-?&*!|>%#\n\t ").unwrap()),
                    2 => bytes[at] = random.u8(..),
                    _ => drop(bytes.remove(at)),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            check_round_trip(&bytes);
        }
    }
}

//! The `*-data` fields. They are checked when a file is loaded, and decoded only for the entry in
//! use.

use base64::{Engine, engine::general_purpose};

/// The rules of Go's `StdEncoding`: standard alphabet, required padding, and stray trailing bits
/// are ignored.
const ENGINE: general_purpose::GeneralPurpose = general_purpose::GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    general_purpose::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Decodes a field that has passed [`check`]. Any other text decodes to nothing.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let compact: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    ENGINE.decode(compact).unwrap_or_default()
}

/// Checks a field without decoding it.
///
/// # Errors
/// kubectl's text, with the position that Go's decoder reports.
pub(super) fn check(text: &str) -> Result<(), String> {
    match corrupt_at(text.as_bytes()) {
        None => Ok(()),
        Some(at) => Err(format!("illegal base64 data at input byte {at}")),
    }
}

/// The position of the error that Go's `encoding/base64` reports: the invalid character, or the
/// start of an incomplete last group.
fn corrupt_at(text: &[u8]) -> Option<usize> {
    let is_line_end = |byte: u8| matches!(byte, b'\r' | b'\n');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    // The number of characters in the group so far.
    let mut group = 0;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if is_line_end(byte) => {}
            _ if is_digit(byte) => group = (group + 1) % 4,
            b'=' if group >= 2 => return padding_corrupt_at(text, at, group),
            _ => return Some(at),
        }
    }
    (group != 0).then(|| text.len() - group)
}

/// Checks the padding. `at` is the first `=`, after `group` (2 or 3) characters of the last group.
fn padding_corrupt_at(text: &[u8], at: usize, group: usize) -> Option<usize> {
    let mut rest = (at + 1..text.len()).filter(|&i| !matches!(text[i], b'\r' | b'\n'));
    if group == 2 {
        match rest.next() {
            Some(second) if text[second] == b'=' => {}
            Some(other) => return Some(other - 1),
            None => return Some(text.len()),
        }
    }
    rest.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_of_an_error_is_gos() {
        // Each position is kubectl's.
        let table = [
            ("YWJj", None),
            ("YWJjZA==", None),
            ("YWJj\nZGVm\r\n", None),
            ("YR==", None),
            ("", None),
            ("%%%%", Some(0)),
            ("YQ", Some(0)),
            ("YW=j", Some(2)),
            ("YWJjZ", Some(4)),
            ("YWJjZA==YWJj", Some(8)),
            ("YWJj ZA==", Some(4)),
            ("YWJjZ===", Some(5)),
            ("YWJjZA=", Some(7)),
            ("-_-_", Some(0)),
        ];
        for (text, expected) in table {
            assert_eq!(corrupt_at(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn checked_fields_decode() {
        assert_eq!(decode("YWJj\nZGVm"), b"abcdef");
        assert_eq!(decode("YR=="), b"a");
    }
}

//! Base64 as Go's `encoding/base64` reads it.

use base64::{Engine, engine::general_purpose};

/// The rules of Go's `StdEncoding`: standard alphabet, required padding, and stray trailing bits
/// are ignored.
const ENGINE: general_purpose::GeneralPurpose = general_purpose::GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    general_purpose::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Decodes a text as Go's `StdEncoding` does. Line breaks are ignored. `None` if [`check`] would
/// refuse the text.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = text.split(|byte| matches!(byte, b'\r' | b'\n')).collect();
    ENGINE.decode(lines.concat()).ok()
}

/// Checks a text without decoding it.
///
/// # Errors
/// Go's text, with the position that its decoder reports.
pub fn check(text: &str) -> Result<(), String> {
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
            assert_eq!(decode(text.as_bytes()).is_none(), expected.is_some(), "{text:?}");
        }
    }

    #[test]
    fn line_breaks_and_stray_bits_are_ignored() {
        assert_eq!(decode(b"YWJj\nZGVm").as_deref(), Some(&b"abcdef"[..]));
        assert_eq!(decode(b"YR==").as_deref(), Some(&b"a"[..]));
    }
}

//! The `*-data` fields: checked when a file is loaded, decoded only for the entry in use.

use base64::{Engine, engine::general_purpose};

/// Standard alphabet, padding required, stray trailing bits ignored: what Go's `StdEncoding` takes.
const ENGINE: general_purpose::GeneralPurpose = general_purpose::GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    general_purpose::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Decodes a field that [`check`] has passed; anything else decodes to nothing.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let compact: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    ENGINE.decode(compact).unwrap_or_default()
}

/// Checks a field without decoding it, for every entry of a file.
///
/// # Errors
/// kubectl's text with the position that Go's decoder reports.
pub(super) fn check(text: &str) -> Result<(), String> {
    match corrupt_at(text.as_bytes()) {
        None => Ok(()),
        Some(at) => Err(format!("illegal base64 data at input byte {at}")),
    }
}

/// Where Go's `encoding/base64` would find the text corrupt: at the offending character, but at
/// the start of a last group that is cut short.
fn corrupt_at(text: &[u8]) -> Option<usize> {
    let is_line_end = |byte: u8| matches!(byte, b'\r' | b'\n');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    // How many characters the group has so far.
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

/// `at` is the first `=`, after `group` (2 or 3) characters: nothing but the padding may follow.
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
    fn corrupt_data_is_found_where_go_finds_it() {
        // Each answer is kubectl's.
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
    fn what_passes_the_check_decodes() {
        assert_eq!(decode("YWJj\nZGVm"), b"abcdef");
        assert_eq!(decode("YR=="), b"a");
    }
}

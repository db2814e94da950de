//! Integers and booleans as Go's `strconv` reads them.

use super::quote::quote;

/// `strconv.ParseInt(text, 0, 64)`: decimal, `0x`, `0o`, `0b`, a leading `0` for octal, and `_`
/// between digits, as pflag reads every integer flag.
///
/// # Errors
/// `strconv.ParseInt: parsing "…": invalid syntax` or `… value out of range`.
pub fn parse_int(text: &str) -> Result<i64, String> {
    let fail = |what: &str| format!("strconv.ParseInt: parsing {}: {what}", quote(text));
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = radix_and_digits(unsigned);
    // Underscores follow the rule of Go's integer literals: they may only follow the prefix or
    // stand between digits.
    if digits.contains('_') && !underscores_are_placed_well(unsigned) {
        return Err(fail("invalid syntax"));
    }
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(fail("invalid syntax"));
    }
    let signed = if negative { format!("-{digits}") } else { digits };
    i64::from_str_radix(&signed, radix).map_err(|_| fail("value out of range"))
}

/// `strconv.ParseUint(text, 0, 64)`: as [`parse_int`], without a sign; `None` for anything else.
pub fn parse_uint(text: &str) -> Option<u64> {
    let (radix, digits) = radix_and_digits(text);
    if digits.contains('_') && !underscores_are_placed_well(text) {
        return None;
    }
    let digits = digits.replace('_', "");
    let all_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    u64::from_str_radix(&digits, radix).ok().filter(|_| all_digits)
}

fn radix_and_digits(unsigned: &str) -> (u32, &str) {
    match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    }
}

/// Go's `underscoreOK`: every `_` is between two digits. A base prefix counts as a digit.
fn underscores_are_placed_well(unsigned: &str) -> bool {
    let hexadecimal = unsigned.starts_with("0x") || unsigned.starts_with("0X");
    let is_digit = |byte: u8| byte.is_ascii_digit() || hexadecimal && byte.is_ascii_hexdigit();
    let bytes = unsigned.as_bytes();
    let has_letter_prefix = matches!(bytes, [b'0', letter, ..] if b"xXoObB".contains(letter));
    bytes.iter().enumerate().filter(|&(_, byte)| *byte == b'_').all(|(at, _)| {
        let after_prefix = has_letter_prefix && at == 2;
        let after_digit = at > 0 && is_digit(bytes[at - 1]);
        let before_digit = bytes.get(at + 1).is_some_and(|next| is_digit(*next));
        (after_prefix || after_digit) && before_digit
    })
}

/// `strconv.ParseBool`: `1 t T TRUE true True`, `0 f F FALSE false False`.
///
/// # Errors
/// `strconv.ParseBool: parsing "…": invalid syntax`.
pub fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {}: invalid syntax", quote(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("3", Ok(3)),
            ("+3", Ok(3)),
            ("-1", Ok(-1)),
            ("0", Ok(0)),
            ("0x10", Ok(16)),
            ("0b11", Ok(3)),
            ("0o17", Ok(15)),
            ("010", Ok(8)),
            ("1_000", Ok(1000)),
            ("0x_f", Ok(15)),
            ("0_7", Ok(7)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("", Err("invalid syntax")),
            ("abc", Err("invalid syntax")),
            ("1.5", Err("invalid syntax")),
            (" 1", Err("invalid syntax")),
            ("1__0", Err("invalid syntax")),
            ("_1", Err("invalid syntax")),
            ("1_", Err("invalid syntax")),
            ("0x", Err("invalid syntax")),
            ("0b_", Err("invalid syntax")),
            ("--1", Err("invalid syntax")),
            ("-", Err("invalid syntax")),
            ("08", Err("invalid syntax")),
            ("٣", Err("invalid syntax")),
            ("99999999999999999999", Err("value out of range")),
        ] {
            let expected =
                expected.map_err(|what| format!("strconv.ParseInt: parsing \"{text}\": {what}"));
            assert_eq!(parse_int(text), expected, "{text:?}");
        }
    }

    #[test]
    fn booleans_are_read_as_go_reads_them() {
        assert_eq!(parse_bool("T"), Ok(true));
        assert_eq!(parse_bool("0"), Ok(false));
        assert_eq!(
            parse_bool("maybe"),
            Err("strconv.ParseBool: parsing \"maybe\": invalid syntax".to_owned())
        );
    }
}

//! Literals as Go's standard library reads and prints them: kubectl's flags are defined by it.
//!
//! Each error's text is the one that Go's own function gives, since kubectl prints it as it is.

use std::fmt;

mod value;

pub use value::{Numeric, float, json_float, numeric, plain, syntax};

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
    // Go takes underscores only where its own integer literals may have them: after the prefix
    // and between digits.
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

fn radix_and_digits(unsigned: &str) -> (u32, &str) {
    match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    }
}

/// The rule of Go's `underscoreOK`: every `_` stands after a digit (a base prefix counts as one)
/// and before a digit.
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

/// A length of time in nanoseconds, as `time.Duration` holds it; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration(pub i64);

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl Duration {
    /// Whole seconds; `None` when they do not fit.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(NANOS_PER_SECOND).map(Self)
    }

    /// The same as Go's type; the longest one where it does not fit.
    pub fn from_std(duration: std::time::Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }

    /// The same as a `std::time::Duration`; `None` for zero and below.
    pub fn positive(self) -> Option<std::time::Duration> {
        let nanos = u64::try_from(self.0).ok().filter(|nanos| *nanos > 0)?;
        Some(std::time::Duration::from_nanos(nanos))
    }

    /// `time.ParseDuration`: `1h15m30.5s`, `300ms`, `-1.5h`; a unit is needed except for `0`.
    ///
    /// # Errors
    /// `time: invalid duration "…"`, `time: missing unit in duration "…"` or
    /// `time: unknown unit "…" in duration "…"`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("time: invalid duration {}", quote(text));
        let (negative, mut rest) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let (nanos, after) = Self::parse_term(text, rest)?;
            total += nanos;
            if total > i128::from(i64::MAX) + i128::from(negative) {
                return Err(invalid());
            }
            rest = after;
        }
        let signed = if negative { -total } else { total };
        i64::try_from(signed).map(Self).map_err(|_| invalid())
    }

    /// One number with its unit from the front of `rest`; gives its nanoseconds and what follows.
    fn parse_term<'a>(text: &str, rest: &'a str) -> Result<(i128, &'a str), String> {
        let invalid = || format!("time: invalid duration {}", quote(text));
        let split = |from: &'a str, test: fn(char) -> bool| {
            from.split_at(from.find(|c| !test(c)).unwrap_or(from.len()))
        };
        let (whole, after) = split(rest, |c| c.is_ascii_digit());
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split(after, |c| c.is_ascii_digit()),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let (unit, after) = split(after, |c| c != '.' && !c.is_ascii_digit());
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => i128::from(NANOS_PER_SECOND),
            "m" => 60 * i128::from(NANOS_PER_SECOND),
            "h" => 3600 * i128::from(NANOS_PER_SECOND),
            "" => return Err(format!("time: missing unit in duration {}", quote(text))),
            _ => {
                return Err(format!(
                    "time: unknown unit {} in duration {}",
                    quote(unit),
                    quote(text)
                ));
            }
        };
        let whole: i128 = match whole {
            "" => 0,
            digits => i128::from(digits.parse::<u64>().map_err(|_| invalid())?),
        };
        // Go drops the digits that a nanosecond cannot hold; 18 are more than enough for an hour.
        let kept = &fraction[..fraction.len().min(18)];
        let numerator: i128 = if kept.is_empty() { 0 } else { kept.parse().unwrap_or(0) };
        let fraction_nanos = numerator * scale / 10_i128.pow(kept.len() as u32);
        Ok((whole * scale + fraction_nanos, after))
    }
}

/// `time.Duration.String`: `1m30s`, `1.5s`, `300ms`, `0s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let second = NANOS_PER_SECOND.unsigned_abs();
        let decimal = |value: u64, unit: u64| {
            let fraction = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
            match fraction.trim_end_matches('0') {
                "" => format!("{}", value / unit),
                fraction => format!("{}.{fraction}", value / unit),
            }
        };
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{sign}{nanos}ns"),
            1_000..1_000_000 => write!(f, "{sign}{}µs", decimal(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{sign}{}ms", decimal(nanos, 1_000_000)),
            _ => {
                let (hours, minutes) = (nanos / second / 3600, nanos / second / 60 % 60);
                let seconds = decimal(nanos % (60 * second), second);
                match (hours, minutes) {
                    (0, 0) => write!(f, "{sign}{seconds}s"),
                    (0, _) => write!(f, "{sign}{minutes}m{seconds}s"),
                    _ => write!(f, "{sign}{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

/// `strconv.Quote`, which Go puts around whatever the user typed.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                quoted.push_str(&format!("\\x{:02x}", c as u32));
            }
            c if is_printable(c) => quoted.push(c),
            c if (c as u32) < 0x10000 => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    quoted.push('"');
    quoted
}

/// `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII blank.
pub fn is_printable(character: char) -> bool {
    // Rust escapes by the same categories; but at the beginning marks too.
    matches!(character, '"' | '\'' | '\\')
        || !format!("a{character}").escape_debug().any(|escaped| escaped == '\\')
}

/// `%#U`: `U+007E '~'`.
pub fn unicode(character: char) -> String {
    let code = character as u32;
    match is_printable(character) {
        true => format!("U+{code:04X} '{character}'"),
        false => format!("U+{code:04X}"),
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

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("5s", Ok(5_000_000_000)),
            ("1m30s", Ok(90_000_000_000)),
            ("1.5h", Ok(5_400_000_000_000)),
            ("-1s", Ok(-1_000_000_000)),
            ("+300ms", Ok(300_000_000)),
            (".5s", Ok(500_000_000)),
            ("1.s", Ok(1_000_000_000)),
            ("2us", Ok(2_000)),
            ("9223372036854775807ns", Ok(i64::MAX)),
            ("-9223372036854775808ns", Ok(i64::MIN)),
            ("5", Err("time: missing unit in duration \"5\"")),
            ("abc", Err("time: invalid duration \"abc\"")),
            ("", Err("time: invalid duration \"\"")),
            ("-", Err("time: invalid duration \"-\"")),
            (".s", Err("time: invalid duration \".s\"")),
            ("3x", Err("time: unknown unit \"x\" in duration \"3x\"")),
            ("1d", Err("time: unknown unit \"d\" in duration \"1d\"")),
            ("9999999h", Err("time: invalid duration \"9999999h\"")),
            ("99999999999999999999s", Err("time: invalid duration \"99999999999999999999s\"")),
        ] {
            let expected = expected.map(Duration).map_err(str::to_owned);
            assert_eq!(Duration::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        for (nanos, expected) in [
            (0, "0s"),
            (7, "7ns"),
            (1_500, "1.5µs"),
            (300_000_000, "300ms"),
            (1_500_000_000, "1.5s"),
            (30_000_000_000, "30s"),
            (60_000_000_000, "1m0s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (-1_000_000_000, "-1s"),
        ] {
            assert_eq!(Duration(nanos).to_string(), expected);
        }
    }
}

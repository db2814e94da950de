//! The types of plain scalars in YAML 1.1: booleans, numbers, dates and null, by the rules of
//! go-yaml 2 (`resolve.go`).

use crate::text::go;

/// The type of a scalar, with its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ScalarType {
    Null,
    Bool(bool),
    Int(i64),
    /// A number that is too large for `Int`.
    Uint(u64),
    /// It may be infinite or NaN.
    Float(f64),
    Timestamp,
    Text,
}

impl ScalarType {
    /// The type of a plain scalar without a tag.
    pub fn of(text: &str) -> Self {
        match text.bytes().next() {
            None => Self::Null,
            Some(b'~' | b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => {
                word(text)
            }
            Some(b'.') => {
                special_float(text).or_else(|| float(text)).map_or(Self::Text, Self::Float)
            }
            Some(b'+' | b'-' | b'0'..=b'9') => number(text),
            _ => Self::Text,
        }
    }
}

/// True if YAML 1.1 reads the plain text as a string, and not as another type.
pub(super) fn is_plain_string(text: &str) -> bool {
    ScalarType::of(text) == ScalarType::Text && !is_base_60(text)
}

/// A boolean or null. Other mixed cases, such as `yEs`, are text.
fn word(text: &str) -> ScalarType {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            ScalarType::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            ScalarType::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => ScalarType::Null,
        _ => ScalarType::Text,
    }
}

fn special_float(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// A number or a date. Underscores in a number are ignored.
fn number(text: &str) -> ScalarType {
    if is_timestamp(text) {
        return ScalarType::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Ok(number) = go::parse_int(&plain) {
        return ScalarType::Int(number);
    }
    if let Some(number) = go::parse_uint(&plain) {
        return ScalarType::Uint(number);
    }
    // go-yaml also reads a sign after the prefix.
    if let Some(digits) = plain.strip_prefix("0b")
        && let Ok(number) = i64::from_str_radix(digits, 2)
    {
        return ScalarType::Int(number);
    }
    special_float(text).or_else(|| float(&plain)).map_or(ScalarType::Text, ScalarType::Float)
}

/// Reads `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`. A number out of range is text.
fn float(text: &str) -> Option<f64> {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    let number: f64 = text.parse().ok().filter(|_| is_mantissa && is_exponent)?;
    number.is_finite().then_some(number)
}

/// True for `1:30`, which YAML 1.1 reads as 90.
fn is_base_60(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = rest.split(':');
    let is_first = parts.next().is_some_and(|first| {
        first.starts_with(|c: char| c.is_ascii_digit())
            && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    });
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return false;
    };
    let last = last.split_once('.').map_or(*last, |(whole, _)| whole);
    let is_sixtieth =
        |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    is_first && middle.iter().copied().chain([last]).all(is_sixtieth)
}

/// True for a date such as `2026-11-23`, with or without a time of day, as Go's `time.Parse` reads
/// the formats of go-yaml 2. A time has seconds.
fn is_timestamp(text: &str) -> bool {
    let mut rest = text;
    let date = (|| {
        let year = take_number(&mut rest, 4..=4)?;
        rest = rest.strip_prefix('-')?;
        let month = take_number(&mut rest, 1..=2)?;
        rest = rest.strip_prefix('-')?;
        Some((year, month, take_number(&mut rest, 1..=2)?))
    })();
    let Some((year, month, day)) = date else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => return false,
    };
    (1..=days).contains(&day) && (rest.is_empty() || read_time(rest).is_some())
}

/// Reads a time of day: ` 15:04:05`, or `T15:04:05` with a zone. `None` if the text is anything else.
fn read_time(text: &str) -> Option<()> {
    let with_zone = text.starts_with(['T', 't']);
    let mut rest = text.strip_prefix(['T', 't', ' '])?;
    let hour = take_number(&mut rest, 1..=2)?;
    rest = rest.strip_prefix(':')?;
    let minute = take_number(&mut rest, 1..=2)?;
    rest = rest.strip_prefix(':')?;
    let second = take_number(&mut rest, 1..=2)?;
    if let Some(mut fraction) = rest.strip_prefix(['.', ','])
        && take_number(&mut fraction, 1..=usize::MAX).is_some()
    {
        rest = fraction;
    }
    let is_zone = match rest.strip_prefix(['+', '-']) {
        None => rest == if with_zone { "Z" } else { "" },
        Some(mut offset) => {
            let hours = take_number(&mut offset, 2..=2)?;
            offset = offset.strip_prefix(':')?;
            let minutes = take_number(&mut offset, 2..=2)?;
            with_zone && hours <= 24 && minutes <= 60 && offset.is_empty()
        }
    };
    (hour < 24 && minute < 60 && second < 60 && is_zone).then_some(())
}

/// Takes the digits at the start of `text` if their number is in `lengths`. A value above `u32::MAX`
/// becomes `u32::MAX`.
fn take_number(text: &mut &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if !lengths.contains(&length) {
        return None;
    }
    let (digits, rest) = text.split_at(length);
    *text = rest;
    Some(digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_have_the_types_of_go_yaml() {
        use ScalarType::{Bool, Float, Int, Null, Text, Timestamp, Uint};
        let table = [
            ("", Null),
            ("Null", Null),
            ("nULL", Text),
            ("yEs", Text),
            ("On", Bool(true)),
            ("1_", Int(1)),
            ("_1", Text),
            ("1__0", Int(10)),
            ("0x_1F", Int(31)),
            ("017", Int(15)),
            ("0o17", Int(15)),
            ("08", Float(8.0)),
            ("0b-1", Int(-1)),
            ("-0b1", Int(-1)),
            ("18446744073709551615", Uint(u64::MAX)),
            ("0xFFFFFFFFFFFFFFFF", Uint(u64::MAX)),
            ("+18446744073709551615", Float(18_446_744_073_709_551_615.0)),
            ("1e3", Float(1000.0)),
            ("1e999", Text),
            ("1.", Float(1.0)),
            (".5", Float(0.5)),
            (".5_0", Text),
            ("-.5", Float(-0.5)),
            ("-.INF", Float(f64::NEG_INFINITY)),
            ("1.2.3", Text),
            ("-", Text),
            ("2001-1-2", Timestamp),
            ("2001-02-29", Text),
            ("2004-02-29", Timestamp),
            ("2001-12-14t21:59:43.10-05:00", Timestamp),
            ("2001-12-14 21:59:43,5", Timestamp),
            ("2001-12-14T21:59Z", Text),
            ("2001-12-14T21:59:43", Text),
            ("2001-12-14 21:59:43 -5", Text),
            ("2001-12-14T24:00:00Z", Text),
            ("12:30", Text),
        ];
        for (text, expected) in table {
            assert_eq!(ScalarType::of(text), expected, "{text:?}");
        }
    }
}

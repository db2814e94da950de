//! The implicit types of plain scalars in YAML 1.1: booleans, numbers, dates and null.

use crate::text::go;

/// True if YAML 1.1 reads the plain text as a string, and not as another type.
pub(super) fn is_plain_string(text: &str) -> bool {
    const OTHERS: [&str; 39] = [
        "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO",
        "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF",
        ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
        "-.Inf", "-.INF",
    ];
    let first = text.chars().next();
    let may_be_number = first.is_some_and(|c| c.is_ascii_digit() || "+-.".contains(c));
    !OTHERS.contains(&text)
        && !(may_be_number
            && (is_integer(text) || is_float(text) || is_base_60(text) || is_timestamp(text)))
}

fn is_integer(text: &str) -> bool {
    let plain = text.replace('_', "");
    let plain = plain.as_str();
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let fits_unsigned =
        plain.parse::<u64>().is_ok() && !(unsigned.len() > 1 && unsigned.starts_with('0'));
    !text.starts_with('.') && (go::parse_int(plain).is_ok() || fits_unsigned)
}

/// True for `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let plain = text.replace('_', "");
    let rest = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
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
    is_mantissa && is_exponent
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

/// True for a date such as `2026-11-23`, with or without a time of day.
fn is_timestamp(text: &str) -> bool {
    let take = |text: &mut &str, lengths: std::ops::RangeInclusive<usize>| {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let fits = lengths.contains(&digits);
        *text = &text[digits..];
        fits
    };
    let skip = |text: &mut &str, set: &[char]| match text.strip_prefix(set) {
        Some(rest) => {
            *text = rest;
            true
        }
        None => false,
    };
    let mut rest = text;
    let is_date = take(&mut rest, 4..=4)
        && skip(&mut rest, &['-'])
        && take(&mut rest, 1..=2)
        && skip(&mut rest, &['-'])
        && take(&mut rest, 1..=2);
    if !is_date || rest.is_empty() {
        return is_date;
    }
    let with_zone = rest.starts_with(['T', 't']);
    let is_time = skip(&mut rest, &['T', 't', ' '])
        && take(&mut rest, 1..=2)
        && skip(&mut rest, &[':'])
        && take(&mut rest, 1..=2)
        && skip(&mut rest, &[':'])
        && take(&mut rest, 1..=2)
        && (!skip(&mut rest, &['.']) || take(&mut rest, 1..=9));
    let is_zone = match rest {
        "" => !with_zone,
        "Z" => with_zone,
        offset => with_zone && offset.len() == 6 && offset.starts_with(['+', '-']),
    };
    is_time && is_zone
}

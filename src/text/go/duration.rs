//! `time.Duration`, as Go's `time` reads and prints it.

use std::fmt;

use super::quote::quote;

/// A duration in nanoseconds, like Go's `time.Duration`. It may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration(pub i64);

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl Duration {
    /// Converts whole seconds; `None` on overflow.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(NANOS_PER_SECOND).map(Self)
    }

    /// Converts a `std::time::Duration`. The result saturates.
    pub fn from_std(duration: std::time::Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Converts to a `std::time::Duration`; `None` for zero and negative durations.
    pub fn positive(self) -> Option<std::time::Duration> {
        let nanos = u64::try_from(self.0).ok().filter(|nanos| *nanos > 0)?;
        Some(std::time::Duration::from_nanos(nanos))
    }

    /// `time.ParseDuration`: `1h15m30.5s`, `300ms`, `-1.5h`. Only `0` needs no unit.
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

    /// Reads one number with its unit from the start of `rest`. Returns its nanoseconds and the
    /// rest.
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
        // Go drops digits below a nanosecond. 18 digits are enough for an hour.
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

#[cfg(test)]
mod tests {
    use super::*;

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

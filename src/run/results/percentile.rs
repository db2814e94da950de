//! Percentiles, as exact decimals.

use std::fmt;

/// A percentile above 0 and up to 100, in millionths of a percent. Locust rounds its names to six
/// decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentile(u32);

/// Digits of a percentile behind the point.
const DECIMALS: usize = 6;

const HUNDRED: u32 = 100_000_000;

impl Percentile {
    /// The percentiles of Locust's CSV files, if the locustfile does not change
    /// `stats.PERCENTILES_TO_REPORT`.
    pub const DEFAULTS: [Self; 11] = [
        Self(50_000_000),
        Self(66_000_000),
        Self(75_000_000),
        Self(80_000_000),
        Self(90_000_000),
        Self(95_000_000),
        Self(98_000_000),
        Self(99_000_000),
        Self(99_900_000),
        Self(99_990_000),
        Self(HUNDRED),
    ];

    /// Reads a decimal such as `95` or `99.9`.
    pub fn of_percent(text: &str) -> Option<Self> {
        Self::shifted(text, 0)
    }

    /// Reads a fraction such as `0.95`.
    pub fn of_fraction(text: &str) -> Option<Self> {
        Self::shifted(text, 2)
    }

    /// Moves the decimal point to the right.
    fn shifted(text: &str, shift: usize) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = format!("{whole}{}", fraction.trim_end_matches('0'));
        let missing = (DECIMALS + shift).checked_sub(fraction.trim_end_matches('0').len())?;
        let is_plain = !whole.is_empty() && !fraction.is_empty() && whole.len() <= 3;
        if !is_plain || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let millionths: u64 = format!("{digits}{}", "0".repeat(missing)).parse().ok()?;
        let millionths = u32::try_from(millionths).ok()?;
        (1..=HUNDRED).contains(&millionths).then_some(Self(millionths))
    }
}

impl fmt::Display for Percentile {
    /// `95` or `99.9`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000_000, self.0 % 1_000_000);
        match fraction {
            0 => write!(f, "{whole}"),
            _ => write!(f, "{whole}.{}", format!("{fraction:06}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact() {
        for (text, expected) in [
            ("50", Some("50")),
            ("99.9", Some("99.9")),
            ("99.99", Some("99.99")),
            ("57.0", Some("57")),
            ("0.5", Some("0.5")),
            ("100", Some("100")),
            ("99.999999", Some("99.999999")),
            ("99.9999999", None),
            ("100.1", None),
            ("0", None),
            ("", None),
            (".5", None),
            ("5.", None),
            ("+5", None),
            ("1e1", None),
            ("9.9.9", None),
            ("4294967296", None),
        ] {
            let read = Percentile::of_percent(text).map(|one| one.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
        let same = |fraction: &str| Percentile::of_fraction(fraction).map(|one| one.to_string());
        assert_eq!(same("0.95").as_deref(), Some("95"));
        assert_eq!(same("0.999").as_deref(), Some("99.9"));
        assert_eq!(same("1.0").as_deref(), Some("100"));
        assert_eq!(same("95"), None);
    }
}

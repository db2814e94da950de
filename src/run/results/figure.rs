//! A number that keeps the text in which Locust wrote it.

use std::fmt;

use serde::{Serialize, Serializer};

/// A finite number.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    text: Box<str>,
    value: f64,
}

impl Figure {
    /// Reads a number in Python's notation: `3`, `12.5`, `1e-05`. `None` for anything else, also for
    /// `nan` and `inf`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-');
        if text.is_empty() || text.len() > 400 || !text.bytes().all(is_part) {
            return None;
        }
        let value = text.parse().ok().filter(|value: &f64| value.is_finite())?;
        Some(Self { text: text.into(), value })
    }

    pub fn of_count(count: u64) -> Self {
        Self { text: count.to_string().into(), value: count as f64 }
    }

    /// A number that locustctl has computed. It must be finite.
    pub fn of_float(value: f64) -> Self {
        Self { text: value.to_string().into(), value }
    }

    /// The number as Locust wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn value(&self) -> f64 {
        self.value
    }

    /// The number with at most this many decimals, without zeros at the end.
    pub fn rounded(&self, decimals: usize) -> String {
        let text = format!("{:.decimals$}", self.value);
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Figure {
    /// An integer stays an integer.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text.parse::<i64>() {
            Ok(integer) => serializer.serialize_i64(integer),
            Err(_) => serializer.serialize_f64(self.value),
        }
    }
}

//! Text in and out: YAML, PEM, label selectors, literals as Go writes them, similar names, bounded reading, and text
//! that is safe to show.

pub mod bounded;
pub mod go;
pub mod label_selector;
pub mod pem;
pub mod similar;
pub mod stderr;
pub mod terminal;
pub mod yaml;

use std::fmt::Display;

/// A number with its noun, whose plural ends with `s`: `1 user`, `2 users`.
pub fn quantity(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

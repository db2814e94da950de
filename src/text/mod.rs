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

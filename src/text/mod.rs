//! Text in and out: YAML, literals as Go writes them, and text that is safe to show.

pub mod go;
pub mod terminal;
pub mod yaml;

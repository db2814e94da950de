//! Text in and out: YAML, PEM, literals as Go writes them, bounded reading, and text that is safe to
//! show.

pub mod bounded;
pub mod go;
pub mod pem;
pub mod stderr;
pub mod terminal;
pub mod yaml;

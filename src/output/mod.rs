//! Printers: kubectl's lines and formats for results, kubectl's sentences for errors.

mod error;
mod format;
mod json;
mod jsonpath;
mod kyaml;
mod printer;
mod stdout;
mod template;

pub use error::{Failed, render, sentence_of};
pub use format::{Format, FormatArgs, ManagedFields, UnknownFormat};
pub use json::print as print_json;
pub use printer::{Printer, ScaleResult};
pub use stdout::write_stdout;

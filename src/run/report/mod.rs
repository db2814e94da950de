//! The reports of a test: files, and the summary on stdout.

mod escape;
mod files;
mod json;
mod junit;
mod markdown;
mod replace;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod types;

pub use files::ReportFiles;
pub use json::json;
pub use summary::summary;
pub use types::{Note, Phase, Replicas, RunReport, TestSettings};

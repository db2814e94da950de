//! The reports of a test: files, and the summary on stdout.

mod files;
mod types;

pub use files::ReportFiles;
pub use types::{Note, Phase, Replicas, RunReport, TestSettings};

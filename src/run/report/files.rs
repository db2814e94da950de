//! The files of the reports.

use std::path::PathBuf;

/// The files that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportFiles {
    /// `--html`: Locust's own report.
    pub html: Option<PathBuf>,
    /// `--csv`: the beginning of the names of four files.
    pub csv_prefix: Option<PathBuf>,
    /// `--json-file`
    pub json: Option<PathBuf>,
    /// `--junit`
    pub junit: Option<PathBuf>,
    /// `--markdown`: a file to append to.
    pub markdown: Option<PathBuf>,
}

//! The files of the reports.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::json::json;
use super::junit::junit;
use super::markdown::markdown;
use super::replace::{append, check, is_stdout, replace, resolved};
use super::types::RunReport;
use crate::text::go::os_error;

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

/// The ends of the names of Locust's CSV files.
const CSV_SUFFIXES: [&str; 4] =
    ["_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv"];

impl ReportFiles {
    /// Checks that all files can be written, without changing them.
    ///
    /// # Errors
    /// The first file that cannot be written, or that two flags name.
    pub fn check(&self) -> Result<(), String> {
        let mut paths: Vec<(&str, PathBuf)> = Vec::new();
        for (flag, path) in self.paths() {
            check(&path).map_err(|error| unwritable(flag, &path, &error))?;
            let real = resolved(&path);
            // Everything may be discarded.
            let is_same = |one: &Path| *one == real && one != Path::new("/dev/null");
            if let Some((other, _)) = paths.iter().find(|(_, one)| is_same(one)) {
                let path = path.display();
                return Err(format!("{other} and {flag} name the same file: {path}"));
            }
            paths.push((flag, real));
        }
        Ok(())
    }

    /// Writes the reports with the data that exists. Every file is tried. Without a test there is no data for
    /// `--html` and `--csv`: see [`Self::without_test`].
    ///
    /// # Errors
    /// One message for each file that could not be written.
    pub fn write(&self, report: &RunReport) -> Result<(), Vec<String>> {
        let mut errors = Vec::new();
        let mut note = |flag: &str, path: &Path, result: io::Result<()>| {
            errors.extend(result.err().map(|error| unwritable(flag, path, &error)));
        };
        if report.has_begun {
            self.write_answers(report, &mut note);
        }
        if let Some(path) = &self.json {
            note("--json-file", path, replace(path, json(report).as_bytes()));
        }
        if let Some(path) = &self.junit {
            note("--junit", path, replace(path, junit(report).as_bytes()));
        }
        if let Some(path) = &self.markdown {
            note("--markdown", path, append(path, markdown(report).as_bytes()));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Writes what Locust has answered about the test, and the samples. `note` gets the result for each file.
    fn write_answers(
        &self,
        report: &RunReport,
        note: &mut impl FnMut(&str, &Path, io::Result<()>),
    ) {
        let missing = |what: &str| {
            Err(io::Error::other(format!("the {what} of Locust could not be fetched")))
        };
        if let Some(path) = &self.html {
            let html = report.html.as_ref();
            note(
                "--html",
                path,
                html.map_or_else(|| missing("report"), |html| replace(path, html)),
            );
        }
        let Some(prefix) = &self.csv_prefix else { return };
        let history = report.history.csv();
        let results = report.results.as_ref().map(|results| &results.csv);
        let [first, others @ ..] = [
            ("_stats.csv", results.map(|csv| csv.requests.as_slice())),
            ("_stats_history.csv", Some(history.as_slice())),
            ("_failures.csv", results.map(|csv| csv.failures.as_slice())),
            ("_exceptions.csv", results.map(|csv| csv.exceptions.as_slice())),
        ];
        // The results are read together, so one error is enough.
        let path = with_suffix(prefix, first.0);
        let written = first.1.map(|text| replace(&path, text));
        note("--csv", &path, written.unwrap_or_else(|| missing("results")));
        for (suffix, content) in others {
            let path = with_suffix(prefix, suffix);
            content.into_iter().for_each(|text| note("--csv", &path, replace(&path, text)));
        }
    }

    /// The sentence on the files that are not written because no test has begun; `None` if no such file was
    /// asked for.
    pub fn without_test(&self) -> Option<String> {
        let flags = [("--html", self.html.is_some()), ("--csv", self.csv_prefix.is_some())];
        let is_set = flags.into_iter().filter(|(_, is_set)| *is_set);
        let names: Vec<_> = is_set.map(|(flag, _)| flag).collect();
        (!names.is_empty()).then(|| {
            format!("the test did not begin, so there are no results for {}", names.join(" and "))
        })
    }

    /// The first file that is stdout, with its flag.
    pub fn on_stdout(&self) -> Option<(&'static str, PathBuf)> {
        self.paths().into_iter().find(|(_, path)| is_stdout(path))
    }

    /// True if Locust's own report was asked for. It has about 1 MB.
    pub fn needs_html(&self) -> bool {
        self.html.is_some()
    }

    /// The paths with their flags.
    fn paths(&self) -> Vec<(&'static str, PathBuf)> {
        let one = |flag, path: &Option<PathBuf>| path.clone().map(|path| (flag, path));
        let csv = self
            .csv_prefix
            .iter()
            .flat_map(|prefix| CSV_SUFFIXES.map(|suffix| ("--csv", with_suffix(prefix, suffix))));
        one("--html", &self.html)
            .into_iter()
            .chain(csv)
            .chain(one("--json-file", &self.json))
            .chain(one("--junit", &self.junit))
            .chain(one("--markdown", &self.markdown))
            .collect()
    }
}

fn with_suffix(prefix: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(suffix);
    PathBuf::from(name)
}

fn unwritable(flag: &str, path: &Path, error: &io::Error) -> String {
    format!("{flag}: cannot write {}: {}", path.display(), os_error(error))
}

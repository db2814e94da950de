//! Targets from manifests: `-f` (files, patterns, directories, URLs, stdin) and `-k`.
//!
//! There are two steps, as in kubectl. [`Sources::check`] finds the files and reports every error in
//! the flags. [`read()`] reads the files. The rules and the errors are those of cli-runtime's
//! `resource` package.

mod builder_output;
mod error;
mod filenames;
mod glob;
mod join;
mod json;
mod kustomize;
mod object;
mod paths;
mod read;
mod resolve;
mod sources;
mod stream;
mod url;

pub use error::Error;
pub use filenames::split as split_filenames;
pub use object::Document;
#[cfg(test)]
pub use object::Object;
pub use read::{parse, read};
pub use resolve::{ListErrors, ManifestRules, resolve_manifests};
pub use sources::{Source, Sources};

use crate::text::go::quote;
use crate::text::label_selector::LabelSelector;

/// Reads the value of `-l` as kubectl does for the objects of manifests.
///
/// # Errors
/// kubectl's text: `the provided selector "…" is not valid: …`.
pub fn label_selector(text: &str) -> Result<LabelSelector, String> {
    LabelSelector::parse(text)
        .map_err(|problem| format!("the provided selector {} is not valid: {problem}", quote(text)))
}

#[cfg(test)]
mod tests;

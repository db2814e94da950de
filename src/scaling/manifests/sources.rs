//! The flags `-f`, `-k` and `-R`, and what they name.

use std::path::PathBuf;

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Each `-f`, split at commas ([`split_filenames`]).
    pub filenames: Vec<String>,
    /// `-k`; an empty one counts as none.
    pub kustomize: Option<String>,
    /// `-R`
    pub recursive: bool,
}

impl Sources {
    /// Whether neither `-f` nor `-k` names anything.
    pub fn is_empty(&self) -> bool {
        self.filenames.is_empty() && self.kustomize.as_deref().unwrap_or_default().is_empty()
    }
}

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `-`
    Stdin,
    /// `http://` or `https://`, as it was typed.
    Url(String),
    /// A file, typed or found.
    File(PathBuf),
    /// A directory with a kustomization, or whatever else `kustomize build` takes.
    Kustomization(String),
}

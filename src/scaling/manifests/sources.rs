//! The flags `-f`, `-k` and `-R`, and the sources that they name.

use std::path::PathBuf;

/// The values of the flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The names of all `-f`, already split at commas.
    pub filenames: Vec<String>,
    /// `-k`; an empty text counts as absent.
    pub kustomize: Option<String>,
    /// `-R`
    pub recursive: bool,
}

impl Sources {
    /// True if neither `-f` nor `-k` names a source.
    pub fn is_empty(&self) -> bool {
        self.filenames.is_empty() && self.kustomize.as_deref().unwrap_or_default().is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `-`
    Stdin,
    /// A URL, `http://` or `https://`, as it was typed.
    Url(String),
    /// A file that was typed or found in a directory.
    File(PathBuf),
    /// A directory with a kustomization, or another argument of `kustomize build`.
    Kustomization(String),
}

//! Errors of reading manifests.

use crate::cluster::api::Failure;

/// The reason why a manifest has no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text, without kubectl's `error: `.
    #[error("{0}")]
    Text(String),
    /// A URL could not be read. kubectl shows this text only if there are several errors. A single one
    /// looks like the error for an API server that cannot be reached.
    #[error("Get {url:?}: {failure}")]
    Unreachable {
        /// The URL, as it was typed.
        url: String,
        failure: Failure,
    },
}

impl Error {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

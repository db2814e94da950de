//! Errors of reading manifests.

use crate::cluster::api::Failure;

/// Why there is no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The whole text, without kubectl's `error: `.
    #[error("{0}")]
    Text(String),
    /// A URL could not be read. kubectl reports a single one of these as it reports an API server
    /// that cannot be reached, and this text only among others.
    #[error("Get {url:?}: {failure}")]
    Unreachable {
        /// As it was typed.
        url: String,
        /// What went wrong on the way.
        failure: Failure,
    },
}

impl Error {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

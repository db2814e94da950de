//! Resource types, by the words that users have for them.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::cluster::api::{Client, Discovery, Error, Resource};
use crate::text::go;

/// A type that the server does not have, in kubectl's words: without group and version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server doesn't have a resource type {}", go::quote(.0))]
pub struct UnknownType(pub String);

/// Finds types: the built-in ones without a request, all others by asking the server what it has.
pub struct Types<'a> {
    client: &'a Client,
    discovery: OnceCell<Discovery>,
}

impl<'a> Types<'a> {
    /// Asks nothing yet.
    pub fn new(client: &'a Client) -> Self {
        Self { client, discovery: OnceCell::new() }
    }

    /// The type that `token` means.
    ///
    /// # Errors
    /// [`UnknownType`], or [`Error`] when the server could not be asked.
    pub async fn find(&self, token: &str) -> anyhow::Result<Arc<Resource>> {
        if let Some(found) = Resource::find_built_in(token) {
            return Ok(found);
        }
        let found = self.discovery().await?.find(token);
        let shown = token.split('.').next().unwrap_or(token);
        Ok(found.ok_or_else(|| UnknownType(shown.to_owned()))?)
    }

    /// The type of an object's `apiVersion` and `kind`.
    ///
    /// # Errors
    /// [`Error`] when the server could not be asked.
    pub async fn of_kind(
        &self,
        api_version: &str,
        kind: &str,
    ) -> Result<Option<Arc<Resource>>, Error> {
        match Resource::built_in_of_kind(api_version, kind) {
            Some(found) => Ok(Some(found)),
            None => Ok(self.discovery().await?.by_kind(api_version, kind)),
        }
    }

    /// The types of a category like `all`; `None` for a token that is none.
    ///
    /// # Errors
    /// [`Error`] when the server could not be asked.
    pub async fn category(&self, token: &str) -> Result<Option<Vec<Arc<Resource>>>, Error> {
        if Resource::find_built_in(token).is_some() {
            return Ok(None);
        }
        Ok(self.discovery().await?.category(token))
    }

    /// What the server has; asked for once.
    async fn discovery(&self) -> Result<&Discovery, Error> {
        self.discovery.get_or_try_init(|| Discovery::fetch(self.client)).await
    }
}

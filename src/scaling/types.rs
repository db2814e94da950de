//! Looks up resource types by the words that users type.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::cluster::api::{Client, Discovery, Error, Resource};
use crate::text::go;
use crate::text::similar::closest;

/// The server does not have this type. As in kubectl, the text has no group and no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server doesn't have a resource type {}", go::quote(.name))]
pub struct UnknownType {
    /// The type as typed, without group and version.
    pub name: String,
    /// A type with a scale subresource whose name is similar.
    pub similar: Option<String>,
}

/// Looks up types: built-in types without a request, other types by discovery.
pub struct Types<'a> {
    client: &'a Client,
    discovery: OnceCell<Discovery>,
}

impl<'a> Types<'a> {
    /// Sends no request yet.
    pub fn new(client: &'a Client) -> Self {
        Self { client, discovery: OnceCell::new() }
    }

    /// The type for a word like `deploy`, `sts` or `locusttests.locust.io`.
    ///
    /// # Errors
    /// [`UnknownType`], or [`Error`] if discovery failed.
    pub async fn find(&self, token: &str) -> anyhow::Result<Arc<Resource>> {
        if let Some(found) = Resource::find_built_in(token) {
            return Ok(found);
        }
        let discovery = self.discovery().await?;
        let shown = token.split('.').next().unwrap_or(token);
        Ok(discovery.find(token).ok_or_else(|| UnknownType {
            name: shown.to_owned(),
            similar: similar(shown, discovery),
        })?)
    }

    /// The type for the `apiVersion` and `kind` of an object.
    ///
    /// # Errors
    /// [`Error`] if discovery failed.
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

    /// The types of a category like `all`; `None` if the word is no category.
    ///
    /// # Errors
    /// [`Error`] if discovery failed.
    pub async fn category(&self, token: &str) -> Result<Option<Vec<Arc<Resource>>>, Error> {
        if Resource::find_built_in(token).is_some() {
            return Ok(None);
        }
        Ok(self.discovery().await?.category(token))
    }

    /// The types of the server. They are read once.
    async fn discovery(&self) -> Result<&Discovery, Error> {
        self.discovery.get_or_try_init(|| Discovery::fetch(self.client)).await
    }
}

/// The most similar name of a type with a scale subresource.
fn similar(typed: &str, discovery: &Discovery) -> Option<String> {
    let names = discovery
        .scalable()
        .into_iter()
        .flat_map(|resource| [resource.singular.to_lowercase(), resource.plural.to_lowercase()]);
    let short_names = ["deploy", "sts", "rs", "rc"].into_iter().map(str::to_owned);
    closest(&typed.to_lowercase(), names.chain(short_names))
}

//! LIST: all objects of a type in a namespace, in pages.

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::exchange::{Reply, Request};
use super::scale::read_object;
use super::{About, Error, Resource};
use crate::text::go;

/// Objects in one page, to begin with: few enough that those of usual size fit into the largest
/// answer that is read.
const PAGE: usize = 250;

/// More than any cluster that Kubernetes supports; a server that never ends its list is stopped.
const MOST_OBJECTS: usize = 200_000;

/// How often a list is begun once more because the server has forgotten its first pages.
const MOST_RESTARTS: u32 = 4;

/// Which objects to list.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// Their type.
    pub resource: &'a Resource,
    /// Their namespace; of no meaning where the type has none.
    pub namespace: &'a str,
    /// A label selector, for the server to judge.
    pub labels: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<T>>,
}

#[derive(Deserialize, Default)]
struct PageMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
    /// The same in all pages.
    #[serde(rename = "resourceVersion", default)]
    resource_version: String,
}

/// Nothing but what all objects have; a server that does not know the form sends whole objects.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
                             application/json";

#[derive(Deserialize)]
struct Named {
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

impl Client {
    /// The names of the objects, in the server's order. The server is asked for no more of them.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn names(&self, listing: Listing<'_>) -> Result<Vec<String>, Error> {
        let (items, _) = self.list_as::<Named>(listing, Some(METADATA_ONLY)).await?;
        Ok(items.into_iter().map(|item| item.metadata.name).collect())
    }

    /// Lists objects, in the server's order. What `T` does not ask for is not kept. The items have
    /// neither kind nor apiVersion: the list has them for all.
    ///
    /// A page that is too large to be read is asked for again with half as many objects. When the
    /// server has forgotten what it gave the first pages from (410), the list is begun once more.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn list<T: DeserializeOwned>(&self, listing: Listing<'_>) -> Result<Vec<T>, Error> {
        Ok(self.list_with_version(listing).await?.0)
    }

    /// As [`Self::list`], with the version at which a watch goes on from there.
    pub(super) async fn list_with_version<T: DeserializeOwned>(
        &self,
        listing: Listing<'_>,
    ) -> Result<(Vec<T>, String), Error> {
        self.list_as(listing, None).await
    }

    async fn list_as<T: DeserializeOwned>(
        &self,
        listing: Listing<'_>,
        accept: Option<&'static str>,
    ) -> Result<(Vec<T>, String), Error> {
        let (mut items, mut pages) = (Vec::new(), 0);
        let (mut limit, mut restarts) = (PAGE, 0);
        let mut next: Option<String> = None;
        loop {
            let page = match self.page::<T>(listing, accept, limit, next.as_deref()).await {
                Err(error) if error.is_too_large() && limit > 1 => {
                    limit /= 2;
                    continue;
                }
                Err(Error::Status(status))
                    if status.code == 410 && next.is_some() && restarts < MOST_RESTARTS =>
                {
                    items.clear();
                    (next, restarts, pages) = (None, restarts + 1, 0);
                    continue;
                }
                result => result?,
            };
            items.extend(page.items.unwrap_or_default());
            pages += 1;
            next = page.metadata.next.filter(|next| !next.is_empty());
            if next.is_none() {
                return Ok((items, page.metadata.resource_version));
            }
            // A page may be empty, and others follow.
            if items.len().max(pages) > MOST_OBJECTS {
                let resource = &listing.resource.plural;
                return Err(Error::Unreadable(format!(
                    "the server's list of {resource} does not end: {} so far",
                    items.len()
                )));
            }
        }
    }

    async fn page<T: DeserializeOwned>(
        &self,
        listing: Listing<'_>,
        accept: Option<&'static str>,
        limit: usize,
        next: Option<&str>,
    ) -> Result<Page<T>, Error> {
        let resource = listing.resource;
        let about =
            About { verb: "list", resource: resource.plural.to_string(), name: String::new() };
        let limit = limit.to_string();
        let query: Vec<_> =
            [("labelSelector", listing.labels), ("limit", Some(&limit)), ("continue", next)]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect();
        let path = resource.collection(listing.namespace);
        let request = Request {
            method: Method::GET,
            path: &path,
            query: &query,
            content: None,
            accept,
            about: &about,
        };
        let reply = self.send(request).await?;
        read_page(&reply, &about).map_err(|error| explain(error, listing))
    }
}

fn read_page<T: DeserializeOwned>(reply: &Reply, about: &About) -> Result<Page<T>, Error> {
    if reply.is_success()
        && let Ok(page) = serde_json::from_slice::<Page<T>>(&reply.body)
        && page.items.is_some()
    {
        return Ok(page);
    }
    // What is wrong with it is told as for one object.
    let object = read_object(reply, about)?;
    if object["items"].is_null()
        && object["kind"].as_str().is_some_and(|kind| kind.ends_with("List"))
    {
        return Ok(Page { metadata: PageMetadata::default(), items: None });
    }
    Err(Error::Unreadable(format!(
        "the server's list of {} cannot be read: it is a {}",
        about.resource,
        go::quote(object["kind"].as_str().unwrap_or_default())
    )))
}

/// As `cli-runtime/pkg/resource/selector.go`: the message says what was looked for.
fn explain(error: Error, listing: Listing<'_>) -> Error {
    let Error::Status(mut status) = error else { return error };
    if !matches!(status.reason.as_str(), "BadRequest" | "NotFound") {
        return Error::Status(status);
    }
    let Resource { group, version, plural, .. } = listing.resource;
    let what = go::quote(&format!("{group}/{version}, Resource={plural}"));
    status.message = match listing.labels {
        None => format!("Unable to list {what}: {}", status.message),
        Some(labels) => format!(
            "Unable to find {what} that match label selector {}, field selector \"\": {}",
            go::quote(labels),
            status.message
        ),
    };
    Error::Status(status)
}

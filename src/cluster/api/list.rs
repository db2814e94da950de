//! LIST: all objects of a type in a namespace, page by page.

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::exchange::{Reply, Request};
use super::scale::read_object;
use super::{Error, RequestSubject, Resource};
use crate::text::go;

/// The number of objects in the first page. A page of objects of usual size stays below the size
/// limit of a reply.
const PAGE_SIZE: usize = 250;

/// More than any cluster that Kubernetes supports. It stops a list that never ends.
const MAX_OBJECTS: usize = 200_000;

/// The number of times that a list is started again after the server has forgotten its first pages
/// (410).
const MAX_RESTARTS: u32 = 4;

/// The objects to list.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    pub resource: &'a Resource,
    /// The namespace; empty for all namespaces. Ignored for a type without namespaces.
    pub namespace: &'a str,
    /// A label selector, which the server checks.
    pub labels: Option<&'a str>,
}

/// Selects the objects of a list that are kept in memory. The others are dropped when their page is read.
pub(super) struct ListFilter<'a, T> {
    pub is_kept: Box<dyn Fn(&T) -> bool + Send + Sync + 'a>,
    /// The list ends when it has this number of objects.
    pub max_objects: usize,
}

impl<T> Default for ListFilter<'_, T> {
    /// All objects, however many there are.
    fn default() -> Self {
        Self { is_kept: Box::new(|_| true), max_objects: usize::MAX }
    }
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
    /// The resource version of the list, the same on all pages.
    #[serde(rename = "resourceVersion", default)]
    resource_version: String,
}

/// Asks for the metadata only. A server that does not know the form sends whole objects.
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
    /// The names of the objects, in the server's order. The request asks for metadata only.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn names(&self, listing: Listing<'_>) -> Result<Vec<String>, Error> {
        let (items, _) =
            self.list_as::<Named>(listing, Some(METADATA_ONLY), &ListFilter::default()).await?;
        Ok(items.into_iter().map(|item| item.metadata.name).collect())
    }

    /// Lists objects, in the server's order. Only the fields of `T` are kept. The items have
    /// neither kind nor apiVersion: the list has them for all.
    ///
    /// A page that is too large is requested again with half as many objects. The list starts again
    /// when the server has forgotten its first pages (410).
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn list<T: DeserializeOwned>(&self, listing: Listing<'_>) -> Result<Vec<T>, Error> {
        self.list_where(listing, |_| true).await
    }

    /// Does the same as [`Self::list`], and keeps only the objects for which `is_kept` is true.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn list_where<T: DeserializeOwned>(
        &self,
        listing: Listing<'_>,
        is_kept: impl Fn(&T) -> bool + Send + Sync,
    ) -> Result<Vec<T>, Error> {
        let kept = ListFilter { is_kept: Box::new(is_kept), ..ListFilter::default() };
        Ok(self.list_with_version(listing, &kept).await?.0)
    }

    /// Lists the objects to keep, and returns the resource version from which a watch can continue.
    pub(super) async fn list_with_version<T: DeserializeOwned>(
        &self,
        listing: Listing<'_>,
        kept: &ListFilter<'_, T>,
    ) -> Result<(Vec<T>, String), Error> {
        self.list_as(listing, None, kept).await
    }

    async fn list_as<T: DeserializeOwned>(
        &self,
        listing: Listing<'_>,
        accept: Option<&'static str>,
        kept: &ListFilter<'_, T>,
    ) -> Result<(Vec<T>, String), Error> {
        let (mut items, mut count, mut pages) = (Vec::new(), 0, 0);
        let (mut limit, mut restarts) = (PAGE_SIZE, 0);
        let mut next: Option<String> = None;
        loop {
            let page = match self.page::<T>(listing, accept, limit, next.as_deref()).await {
                Err(error) if error.is_too_large() && limit > 1 => {
                    limit /= 2;
                    continue;
                }
                Err(Error::Status(status))
                    if status.code == 410 && next.is_some() && restarts < MAX_RESTARTS =>
                {
                    items.clear();
                    (next, restarts, count, pages) = (None, restarts + 1, 0, 0);
                    continue;
                }
                result => result?,
            };
            let listed = page.items.unwrap_or_default();
            count += listed.len();
            pages += 1;
            let room = kept.max_objects.saturating_sub(items.len());
            items.extend(listed.into_iter().filter(&kept.is_kept).take(room));
            next = page.metadata.next.filter(|next| !next.is_empty());
            if next.is_none() || items.len() >= kept.max_objects {
                return Ok((items, page.metadata.resource_version));
            }
            // A page may be empty, and others follow.
            if count.max(pages) > MAX_OBJECTS {
                let resource = &listing.resource.plural;
                return Err(Error::Unreadable(format!(
                    "the server's list of {resource} does not end: {count} objects so far"
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
        let subject = RequestSubject {
            verb: "list",
            resource: resource.plural.to_string(),
            name: String::new(),
        };
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
            subject: &subject,
        };
        let reply = self.send(request).await?;
        read_page(&reply, &subject).map_err(|error| explain(error, listing))
    }
}

fn read_page<T: DeserializeOwned>(
    reply: &Reply,
    subject: &RequestSubject,
) -> Result<Page<T>, Error> {
    if reply.is_success()
        && let Ok(page) = serde_json::from_slice::<Page<T>>(&reply.body)
        && page.items.is_some()
    {
        return Ok(page);
    }
    // The error is the same as for one object.
    let object = read_object(reply, subject)?;
    if object["items"].is_null()
        && object["kind"].as_str().is_some_and(|kind| kind.ends_with("List"))
    {
        return Ok(Page { metadata: PageMetadata::default(), items: None });
    }
    Err(Error::Unreadable(format!(
        "the server's list of {} cannot be read: it is a {}",
        subject.resource,
        go::quote(object["kind"].as_str().unwrap_or_default())
    )))
}

/// Adds the type and the selector to the message, as `cli-runtime/pkg/resource/selector.go` does.
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

//! Reading and writing whole objects.

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::exchange::Request;
use super::scale::read_object;
use super::{Error, PatchKind, RequestSubject};

impl Client {
    /// Reads the whole object at `path`.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn get_object(&self, path: &str, subject: &RequestSubject) -> Result<Value, Error> {
        self.exchange(Method::GET, path, None, subject).await
    }

    /// Creates an object in the collection at `path`, and returns it as the server stored it.
    ///
    /// # Errors
    /// Any of [`Error`]. The server refuses a name that exists with the reason `AlreadyExists`.
    pub async fn create_object(
        &self,
        path: &str,
        object: &Value,
        subject: &RequestSubject,
    ) -> Result<Value, Error> {
        self.exchange(Method::POST, path, Some(("application/json", object)), subject).await
    }

    /// Replaces the object at `path`. The server refuses it with [`super::Status::is_conflict`] if
    /// `metadata.resourceVersion` is not the present one.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn replace_object(
        &self,
        path: &str,
        object: &Value,
        subject: &RequestSubject,
    ) -> Result<Value, Error> {
        self.exchange(Method::PUT, path, Some(("application/json", object)), subject).await
    }

    /// Merges `patch` into the object at `path` (RFC 7396). A `metadata.resourceVersion` in the patch
    /// is a condition, as in [`Self::replace_object`].
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn merge_object(
        &self,
        path: &str,
        patch: &Value,
        subject: &RequestSubject,
    ) -> Result<Value, Error> {
        let content = Some((PatchKind::Merge.media_type(), patch));
        self.exchange(Method::PATCH, path, content, subject).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        content: Option<(&'static str, &Value)>,
        subject: &RequestSubject,
    ) -> Result<Value, Error> {
        let content = content.map(|(media_type, body)| (media_type, body.to_string().into_bytes()));
        let request = Request { method, path, query: &[], content, accept: None, subject };
        read_object(&self.send(request).await?, subject)
    }
}

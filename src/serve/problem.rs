//! Errors as RFC 9457 problem documents.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::text::terminal::harmless;

/// The progress of a change that was made, although the request failed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PartialResult {
    /// The count before.
    pub old: Option<i64>,
    /// The requested count, as confirmed by the API server.
    pub new: i64,
    /// The number of ready replicas, if known.
    pub ready: Option<i64>,
}

/// The error of a request.
#[derive(Debug, Clone)]
pub struct Problem(Box<Content>);

#[derive(Debug, Clone, Serialize)]
struct Content {
    /// The reason phrase of the status code.
    title: &'static str,
    /// The HTTP status code.
    status: u16,
    /// An explanation for people.
    detail: String,
    /// A word for programs: the reason of Kubernetes, such as `Forbidden`, or one of that form.
    reason: String,
    /// The current count, if it differs from the required one.
    #[serde(skip_serializing_if = "Option::is_none", rename = "currentReplicas")]
    current: Option<i64>,
    /// The progress of a change that was made although the request failed.
    #[serde(flatten)]
    partial_result: Option<PartialResult>,
    /// Value of `Retry-After`, in seconds.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// An error with this status. `reason` and `detail` may contain texts of the cluster, of Locust and of
    /// the client.
    pub fn new(status: StatusCode, reason: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Content {
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: harmless(&detail.into()),
            reason: harmless(reason),
            current: None,
            partial_result: None,
            retry_after: None,
        }))
    }

    /// A body that cannot be read now, because the memory for bodies is in use.
    pub fn busy_with_bodies() -> Self {
        let detail = "The server receives too many bodies at the same time. Try again in a second.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "TooManyBodies", detail).with_retry_after(1)
    }

    /// Adds the current count.
    pub fn with_current(mut self, current: Option<i64>) -> Self {
        self.0.current = current;
        self
    }

    /// The current count, if it differs from the required one.
    pub fn current(&self) -> Option<i64> {
        self.0.current
    }

    /// Adds the progress of a change that was made.
    pub fn with_partial_result(mut self, partial_result: PartialResult) -> Self {
        self.0.partial_result = Some(partial_result);
        self
    }

    /// Adds `Retry-After`, in seconds.
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The HTTP status code.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The reason phrase of the status code.
    pub fn title(&self) -> &'static str {
        self.0.title
    }

    /// The explanation for people.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
}

/// The document. The response also has the problem as an extension, so that a page can show it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after {
            headers.insert(axum::http::header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

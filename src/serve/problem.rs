//! Errors as RFC 9457 problem documents.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// How far a change has come that was made, though not all that was asked for is true.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Standing {
    /// The count before.
    pub old: Option<i64>,
    /// The count that was asked for, and confirmed by the server.
    pub new: i64,
    /// Replicas that are ready, where that is known.
    pub ready: Option<i64>,
}

/// What went wrong with a request.
#[derive(Debug, Clone)]
pub struct Problem(Box<Content>);

#[derive(Debug, Clone, Serialize)]
struct Content {
    /// What sort of problem it is, in a few words: the phrase of the status code.
    title: &'static str,
    /// The HTTP status code.
    status: u16,
    /// What was tried, what was wrong, what to do; for people.
    detail: String,
    /// For programs: Kubernetes' reason, as `Forbidden`, or one of that form.
    reason: String,
    /// The count that stands there, where the problem is that it is not the expected one.
    #[serde(skip_serializing_if = "Option::is_none", rename = "currentReplicas")]
    current: Option<i64>,
    /// What came of a change that was made all the same.
    #[serde(flatten)]
    standing: Option<Standing>,
    /// Seconds after which another try makes sense.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem with the reason in Kubernetes' manner.
    pub fn new(status: StatusCode, reason: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Content {
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            reason: reason.to_owned(),
            current: None,
            standing: None,
            retry_after: None,
        }))
    }

    /// With the count that stands there.
    pub fn with_current(mut self, current: Option<i64>) -> Self {
        self.0.current = current;
        self
    }

    /// The count that stands there, where the problem is that it is not the expected one.
    pub fn current(&self) -> Option<i64> {
        self.0.current
    }

    /// With what was done all the same.
    pub fn with_standing(mut self, standing: Standing) -> Self {
        self.0.standing = Some(standing);
        self
    }

    /// With a time after which to try again, in seconds; goes into `Retry-After`.
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The HTTP status code.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// For people.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
}

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
        response
    }
}

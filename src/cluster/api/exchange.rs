//! One exchange with the server: the request, the reply, and the time limit.

use std::time::Duration;

use reqwest::Method;
#[cfg(test)]
use reqwest::header::HeaderValue;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};

use super::event::Event;
use super::subject::RequestSubject;
use super::trace::Trace;
use crate::cluster::body::{Budget, WholeBody};
use crate::text::go;

/// Longer than the API server's own limit of one minute: it ends only requests that would hang.
const SAFETY_TIMEOUT: Duration = Duration::from_secs(90);

/// The longest `Retry-After` that the client obeys. A longer one is reported as the refusal that it
/// came with.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The time limit of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// No flag was given: 90 seconds. The request has no `timeout` parameter.
    Safety,
    /// `--request-timeout=0`
    Never,
    /// `--request-timeout`. The request also has it as the `timeout` parameter. A negative duration is sent
    /// to the server, and sets no limit here, as in client-go.
    After(go::Duration),
}

impl Timeout {
    pub(super) fn limit(self) -> Option<Duration> {
        match self {
            Self::Safety => Some(SAFETY_TIMEOUT),
            Self::Never => None,
            Self::After(duration) => duration.positive(),
        }
    }

    pub(super) fn parameter(self) -> Option<String> {
        match self {
            Self::After(duration) => Some(duration.to_string()),
            Self::Safety | Self::Never => None,
        }
    }
}

/// The settings of a client, besides the cluster and the credentials.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The limit of each request.
    pub timeout: Timeout,
    /// The log of requests and replies.
    pub trace: Trace,
    /// Receives the events of the client.
    pub on_event: fn(Event<'_>),
    /// The budget of the replies in memory.
    pub budget: &'static Budget,
}

/// One request, without the headers that all requests have.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    /// The path from the server's root, already escaped.
    pub path: &'a str,
    /// Query parameters, not yet escaped.
    pub query: &'a [(&'a str, &'a str)],
    /// The media type and the body.
    pub content: Option<(&'static str, Vec<u8>)>,
    /// The media types that the reply may have; `None` for JSON.
    pub accept: Option<&'static str>,
    /// The subject, for messages.
    pub subject: &'a RequestSubject,
}

/// A whole reply, with any status except a redirect.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    pub headers: HeaderMap,
    /// The uncompressed body, at most 8 MiB.
    pub body: WholeBody,
}

impl Reply {
    /// The media type with its parameters; empty without one.
    pub fn content_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The media type in lower case, without parameters; empty without one (RFC 9110, 8.3.1).
    pub fn media_type(&self) -> String {
        let media_type = self.content_type().split(';').next().unwrap_or_default();
        media_type.trim().to_ascii_lowercase()
    }

    /// True for a status of 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The pause that the server asks for with `Retry-After`, in whole seconds. A date is ignored,
    /// as in client-go.
    pub fn requested_pause(&self) -> Option<Duration> {
        if self.status != 429 && self.status < 500 {
            return None;
        }
        self.retry_after().filter(|pause| *pause <= MAX_RETRY_AFTER)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    #[cfg(test)]
    pub(super) fn for_test(status: u16, content_type: &str, body: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        Self { status, headers, body: body.as_bytes().to_vec().into() }
    }
}

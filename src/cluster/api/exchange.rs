//! One exchange with the server: the request, the reply, and the time limit.

use std::time::Duration;

use reqwest::Method;
#[cfg(test)]
use reqwest::header::HeaderValue;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};

use super::about::About;
use super::event::Event;
use super::trace::Trace;
use crate::text::go;

/// Longer than the API server's own limit of one minute, so that it only ends what would
/// otherwise hang for ever.
const SAFETY_TIMEOUT: Duration = Duration::from_secs(90);

/// A server that asks for a longer pause is not waited for: its refusal is reported instead.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long one request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// Nothing was asked for: 90 seconds, of which the server is not told.
    Safety,
    /// `--request-timeout=0`
    Never,
    /// `--request-timeout`; the server is told as well, in the `timeout` parameter. A negative
    /// one is only told, as client-go does.
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

/// What a client is made with, besides the cluster and the credentials.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// For each request.
    pub timeout: Timeout,
    /// Where each exchange is logged.
    pub trace: Trace,
    /// Receives the events of the client.
    pub on_event: fn(Event<'_>),
}

/// One request, without what goes with all of them.
#[derive(Debug)]
pub struct Request<'a> {
    /// HTTP method.
    pub method: Method,
    /// From the server's root, already escaped.
    pub path: &'a str,
    /// Query parameters, not yet escaped.
    pub query: &'a [(&'a str, &'a str)],
    /// Media type and body.
    pub content: Option<(&'static str, Vec<u8>)>,
    /// Media types of the answer, where it may be another than JSON.
    pub accept: Option<&'static str>,
    /// For messages.
    pub about: &'a About,
}

/// A whole answer of any status but a redirect.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// As received.
    pub headers: HeaderMap,
    /// Uncompressed; at most 8 MiB.
    pub body: Vec<u8>,
}

impl Reply {
    /// The media type, with its parameters; empty when there is none.
    pub fn content_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the server agreed (2xx).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The pause that the server asks for with `Retry-After` in whole seconds; a date is not read, as
    /// in client-go.
    pub fn asked_pause(&self) -> Option<Duration> {
        if self.status != 429 && self.status < 500 {
            return None;
        }
        self.retry_after().filter(|pause| *pause <= LONGEST_PAUSE)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    #[cfg(test)]
    pub(super) fn for_test(status: u16, content_type: &str, body: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        Self { status, headers, body: body.as_bytes().to_vec() }
    }
}

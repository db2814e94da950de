//! Faults that a test injects: what can go wrong between a client and a cluster.

use std::time::Duration;

use serde_json::{Value, json};

/// A fault for the next matching requests.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Match only requests with this method.
    pub method: Option<String>,
    /// Match only requests with this text in the path and query.
    pub path_contains: Option<String>,
    /// How many requests it happens to.
    pub times: usize,
    /// The effect of the fault.
    pub action: Action,
}

/// The effect of a fault.
#[derive(Debug, Clone)]
pub enum Action {
    /// The request is handled when the faults are cleared.
    Hold,
    /// The request is handled immediately, and the response is sent when the faults are cleared.
    HoldAnswer,
    /// The request is handled after this delay.
    Delay(Duration),
    /// The request is handled immediately, and the response is sent after this delay.
    DelayAnswer(Duration),
    /// The connection is closed, and the request is not applied.
    CloseBefore,
    /// The request is applied, and the connection is closed without a response.
    CloseAfter,
    /// This response is sent, and the request is not applied.
    Answer {
        status: u16,
        /// Header names and values.
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// The request is applied, and this status is sent with a short text, as by a gateway that has
    /// timed out.
    AnswerAfter(u16),
    /// The request is applied, and the body of the response breaks off in the middle.
    TruncatedBody,
    /// A watch sends its headers immediately, and its events only after this time, as through a proxy
    /// that buffers them.
    HoldWatch(Duration),
    /// A watch ends cleanly after this time, as when its server shuts down.
    EndWatch(Duration),
    /// A watch breaks in the middle of a line after this time.
    BreakWatch(Duration),
    /// A body of this many bytes is sent. It is never held in memory, and the request is not
    /// applied.
    Oversized(u64),
    /// Another client scales the addressed object to this count just before the request is handled.
    Rival(i64),
    /// Another client adds one replica to the addressed object just before the request is handled.
    RivalIncrement,
}

impl Fault {
    /// The number of times for a fault that happens to every matching request.
    pub const ALWAYS: usize = usize::MAX;

    /// A fault that happens once, to the next request.
    pub fn once(action: Action) -> Self {
        Self { method: None, path_contains: None, times: 1, action }
    }

    /// Happens this many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Happens only to requests with this method.
    #[must_use]
    pub fn on(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Happens only to requests with this text in the path and query.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        Self { path_contains: Some(path.to_owned()), ..self }
    }

    fn matches(&self, method: &str, path_and_query: &str) -> bool {
        self.times > 0
            && self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.path_contains.as_ref().is_none_or(|part| path_and_query.contains(part.as_str()))
    }
}

impl Action {
    /// 409 Conflict, as when another client has just written the object.
    pub fn conflict() -> Self {
        Self::status(
            409,
            "Conflict",
            "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again",
            None,
        )
    }

    /// 429, optionally with `Retry-After` in seconds.
    pub fn too_many_requests(retry_after: Option<u64>) -> Self {
        Self::status(
            429,
            "TooManyRequests",
            "too many requests, please try again later",
            retry_after,
        )
    }

    /// 500, optionally with `Retry-After` in seconds.
    pub fn internal_error(retry_after: Option<u64>) -> Self {
        Self::status(
            500,
            "InternalError",
            "Internal error occurred: etcdserver: request timed out",
            retry_after,
        )
    }

    /// 503, optionally with `Retry-After` in seconds.
    pub fn unavailable(retry_after: Option<u64>) -> Self {
        Self::status(
            503,
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
            retry_after,
        )
    }

    /// An error page as a proxy sends it.
    pub fn html(status: u16) -> Self {
        let body = format!(
            "<html><head><title>{status}</title></head><body><h1>{status} from the proxy</h1></body></html>\n"
        );
        let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
        Self::Answer { status, headers, body: body.into_bytes() }
    }

    /// 302 to another address.
    pub fn redirect(location: &str) -> Self {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Self::Answer { status: 302, headers, body: Vec::new() }
    }

    fn status(code: u16, reason: &str, message: &str, retry_after: Option<u64>) -> Self {
        let details =
            retry_after.map_or_else(|| json!({}), |after| json!({ "retryAfterSeconds": after }));
        let body: Value = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "details": details, "code": code,
        });
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(retry_after.map(|after| ("retry-after".to_owned(), after.to_string())));
        Self::Answer { status: code, headers, body: body.to_string().into_bytes() }
    }
}

/// The action of the first matching fault. It uses up one of the fault's times.
pub(super) fn take(faults: &mut Vec<Fault>, method: &str, path_and_query: &str) -> Option<Action> {
    let fault = faults.iter_mut().find(|fault| fault.matches(method, path_and_query))?;
    if fault.times != Fault::ALWAYS {
        fault.times -= 1;
    }
    let action = fault.action.clone();
    faults.retain(|fault| fault.times > 0);
    Some(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_applies_only_to_matching_requests_and_only_n_times() {
        let mut faults = vec![Fault::once(Action::CloseBefore).on("PATCH").at("/scale").times(2)];
        assert!(take(&mut faults, "GET", "/x/scale").is_none());
        assert!(take(&mut faults, "PATCH", "/x").is_none());
        assert!(take(&mut faults, "PATCH", "/x/scale").is_some());
        assert!(take(&mut faults, "PATCH", "/x/scale").is_some());
        assert!(take(&mut faults, "PATCH", "/x/scale").is_none());
    }
}

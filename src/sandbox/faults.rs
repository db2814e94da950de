//! Faults that a test orders: what can go wrong between a client and a cluster.

use std::time::Duration;

use serde_json::{Value, json};

/// What is to happen to the next matching requests.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Only requests with this method.
    pub method: Option<String>,
    /// Only requests whose path and query contain this.
    pub path_contains: Option<String>,
    /// How many requests it happens to.
    pub times: usize,
    /// What happens.
    pub action: Action,
}

/// What a fault does.
#[derive(Debug, Clone)]
pub enum Action {
    /// The request waits, and is then handled.
    Delay(Duration),
    /// The request is handled at once, its answer waits.
    DelayAnswer(Duration),
    /// The connection is dropped; the request is not applied.
    CloseBefore,
    /// The request is applied, then the connection is dropped without an answer.
    CloseAfter,
    /// This answer is given; the request is not applied.
    Answer {
        /// Status code.
        status: u16,
        /// Header names and values.
        headers: Vec<(String, String)>,
        /// Body.
        body: Vec<u8>,
    },
    /// The request is applied; this status is answered, with a text, as by a gateway that gave
    /// up waiting.
    AnswerAfter(u16),
    /// The request is applied; its answer breaks off in the middle.
    TruncatedBody,
    /// A watch is answered at once, but tells nothing before this time, as by a proxy that holds
    /// it back; then all of it.
    HoldWatch(Duration),
    /// A watch ends after this time, as it does when its server goes away in good order.
    EndWatch(Duration),
    /// A watch breaks after this time, in the middle of a line.
    BreakWatch(Duration),
    /// A body of this many bytes, which is never held in memory; the request is not applied.
    Oversized(u64),
    /// Just before the request is handled, somebody else scales the addressed object to this.
    Rival(i64),
    /// Just before the request is handled, somebody else scales the addressed object up by one.
    RivalIncrement,
}

impl Fault {
    /// Happens to every matching request from now on.
    pub const ALWAYS: usize = usize::MAX;

    /// Happens to the next request, whatever it is.
    pub fn once(action: Action) -> Self {
        Self { method: None, path_contains: None, times: 1, action }
    }

    /// Happens so many times instead.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Happens to requests with this method only.
    #[must_use]
    pub fn on(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Happens to requests whose path and query contain this only.
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
    /// 409 Conflict, as when somebody else has just written the object.
    pub fn conflict() -> Self {
        Self::status(
            409,
            "Conflict",
            "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again",
            None,
        )
    }

    /// 429, with `Retry-After` in seconds or without.
    pub fn too_many_requests(retry_after: Option<u64>) -> Self {
        Self::status(
            429,
            "TooManyRequests",
            "too many requests, please try again later",
            retry_after,
        )
    }

    /// 500, with `Retry-After` in seconds or without.
    pub fn internal_error(retry_after: Option<u64>) -> Self {
        Self::status(
            500,
            "InternalError",
            "Internal error occurred: etcdserver: request timed out",
            retry_after,
        )
    }

    /// 503, with `Retry-After` in seconds or without.
    pub fn unavailable(retry_after: Option<u64>) -> Self {
        Self::status(
            503,
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
            retry_after,
        )
    }

    /// A page such as a proxy gives.
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

/// What is to happen to this request; the first fault that matches is used up by it.
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
    fn a_fault_waits_for_its_request_and_is_used_up() {
        let mut faults = vec![Fault::once(Action::CloseBefore).on("PATCH").at("/scale").times(2)];
        assert!(take(&mut faults, "GET", "/x/scale").is_none());
        assert!(take(&mut faults, "PATCH", "/x").is_none());
        assert!(take(&mut faults, "PATCH", "/x/scale").is_some());
        assert!(take(&mut faults, "PATCH", "/x/scale").is_some());
        assert!(take(&mut faults, "PATCH", "/x/scale").is_none());
    }
}

//! The API's error object, `meta/v1 Status`, and its replacement for replies without one, as of a
//! proxy on the way to the server.

use std::time::Duration;

use serde::Deserialize;

use super::RequestSubject;
use super::exchange::Reply;
use crate::text::go;
use crate::text::terminal::masked;

/// A refusal by the API server.
#[derive(Debug, Clone, Deserialize, Default, PartialEq, Eq)]
pub struct Status {
    /// `Failure`, in every Status that reports an error.
    #[serde(default)]
    status: String,
    /// The text for people.
    #[serde(default)]
    pub message: String,
    /// The code for programs, such as `NotFound`; empty without one.
    #[serde(default)]
    pub reason: String,
    /// The object of the refusal; `None` or empty when the server does not name one.
    #[serde(default)]
    pub details: Option<Details>,
    /// The HTTP status code.
    #[serde(default)]
    pub code: u16,
    /// The pause that the server asks for before the next attempt.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// The object of a [`Status`].
#[derive(Debug, Clone, Deserialize, Default, PartialEq, Eq)]
pub struct Details {
    /// The object's name.
    #[serde(default)]
    pub name: String,
    /// The object's kind or resource.
    #[serde(default)]
    pub kind: String,
    /// The individual problems.
    #[serde(default)]
    pub causes: Vec<Cause>,
}

/// One problem.
#[derive(Debug, Clone, Deserialize, Default, PartialEq, Eq)]
pub struct Cause {
    /// The text for people.
    #[serde(default)]
    pub message: String,
    /// The field, such as `spec.replicas`.
    #[serde(default)]
    pub field: String,
}

impl Status {
    /// The refusal in a reply that is not 2xx: the Status in its body, or else the text that
    /// client-go's `NewGenericServerResponse` has for its code.
    pub fn from_reply(reply: &Reply, subject: &RequestSubject) -> Self {
        let own = Self::decode(&reply.body).filter(|status| status.status == "Failure");
        let status = own.unwrap_or_else(|| Self::generic(reply, subject));
        // The status line always has a code. Proxies and old servers leave it out of the body.
        Self { retry_after: reply.requested_pause(), code: reply.status, ..status }
    }

    /// The refusal in a reply that is not 2xx, by its code alone. client-go does the same where it
    /// does not decode the body.
    pub(super) fn ignoring_body(reply: &Reply, subject: &RequestSubject) -> Self {
        Self { retry_after: reply.requested_pause(), ..Self::generic(reply, subject) }
    }

    /// Reads a `Status` object, of a failure or a success; `None` for anything else.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
        }
        let kind: Kind = serde_json::from_slice(body).ok()?;
        (kind.kind == "Status").then(|| serde_json::from_slice(body).ok())?
    }

    fn generic(reply: &Reply, subject: &RequestSubject) -> Self {
        let media_type = reply.media_type();
        let is_text = media_type.is_empty() || media_type.starts_with("text/");
        let text = String::from_utf8_lossy(&reply.body);
        let text = masked(text.trim());
        let text = text.as_ref();
        let text_or = |otherwise: &str| if is_text { text } else { otherwise }.to_owned();
        let (reason, message) = match reply.status {
            400 => ("BadRequest", "the server rejected our request for an unknown reason".into()),
            401 => (
                "Unauthorized",
                "the server has asked for the client to provide credentials".into(),
            ),
            403 => ("Forbidden", text_or("unknown")),
            404 => ("NotFound", "the server could not find the requested resource".into()),
            405 => (
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource".into(),
            ),
            406 => ("NotAcceptable", text_or("unknown")),
            409 => ("Conflict", "the server reported a conflict".into()),
            415 => ("UnsupportedMediaType", text_or("unknown")),
            422 => {
                ("Invalid", "the server rejected our request due to an error in our request".into())
            }
            429 => (
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later"
                    .into(),
            ),
            503 => (
                "ServiceUnavailable",
                "the server is currently unable to handle the request".into(),
            ),
            504 => (
                "Timeout",
                "the server was unable to return a response in the time allotted, \
                 but may still be processing the request"
                    .into(),
            ),
            500.. => ("InternalError", Self::server_error(text)),
            other => (
                "",
                format!(
                    "the server responded with the status code {other} but did not return more information"
                ),
            ),
        };
        let message = match subject.resource.as_str() {
            "" => message,
            resource => format!("{message} ({} {resource} {})", subject.verb, subject.name),
        };
        let mut status = Self::bare(reply.status, reason, message);
        if reply.status == 422 {
            // kubectl prints the details of this code, and not the message.
            let kind = subject.resource.split('.').next().unwrap_or_default().to_owned();
            let cause = Cause { message: text_or("unknown"), field: String::new() };
            let name = subject.name.clone();
            status.details = Some(Details { name, kind, causes: vec![cause] });
        }
        status
    }

    fn bare(code: u16, reason: &str, message: String) -> Self {
        Self {
            status: "Failure".into(),
            message,
            reason: reason.into(),
            details: None,
            code,
            retry_after: None,
        }
    }

    fn server_error(text: &str) -> String {
        let shown = match text {
            "" => "unknown",
            text => &text[..text.floor_char_boundary(2048)],
        };
        format!(
            "an error on the server ({}) has prevented the request from succeeding",
            go::quote(shown)
        )
    }

    /// True for a failed `test` of a JSON Patch. The API server answers it with 422 and no details;
    /// every other 422 names at least a cause.
    pub fn is_failed_test(&self) -> bool {
        let has_no_details =
            self.details.as_ref().is_none_or(|details| *details == Details::default());
        self.code == 422 && self.reason == "Invalid" && has_no_details
    }

    /// True if another client changed the object in between (optimistic locking).
    pub fn is_conflict(&self) -> bool {
        self.code == 409 && self.reason == "Conflict"
    }

    /// True if the object, its namespace or its type does not exist.
    pub fn is_not_found(&self) -> bool {
        self.reason == "NotFound"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, content_type: &str, body: &str) -> Reply {
        Reply::for_test(status, content_type, body)
    }

    fn request_subject() -> RequestSubject {
        RequestSubject { verb: "patch", resource: "deployments".into(), name: "a".into() }
    }

    #[test]
    fn a_reply_without_a_status_gets_client_gos_text_for_its_code() {
        for (code, content_type, body, reason, message) in [
            (
                400,
                "text/plain",
                "x",
                "BadRequest",
                "the server rejected our request for an unknown reason (patch deployments a)",
            ),
            (
                401,
                "text/html",
                "<html>",
                "Unauthorized",
                "the server has asked for the client to provide credentials (patch deployments a)",
            ),
            (403, "text/plain", "no!\n", "Forbidden", "no! (patch deployments a)"),
            (403, "application/json", "{}", "Forbidden", "unknown (patch deployments a)"),
            (
                404,
                "text/plain",
                "404 page not found\n",
                "NotFound",
                "the server could not find the requested resource (patch deployments a)",
            ),
            (
                500,
                "text/html",
                "<h1>\"oops\"</h1>",
                "InternalError",
                "an error on the server (\"<h1>\\\"oops\\\"</h1>\") has prevented the request from succeeding (patch deployments a)",
            ),
            (
                502,
                "text/html",
                "",
                "InternalError",
                "an error on the server (\"unknown\") has prevented the request from succeeding (patch deployments a)",
            ),
            (
                418,
                "text/plain",
                "",
                "",
                "the server responded with the status code 418 but did not return more information (patch deployments a)",
            ),
        ] {
            let status = Status::from_reply(&reply(code, content_type, body), &request_subject());
            assert_eq!(
                (status.reason.as_str(), status.message.as_str()),
                (reason, message),
                "{code}"
            );
        }
    }

    #[test]
    fn a_422_without_a_status_names_the_object_and_is_not_a_failed_precondition() {
        for (content_type, body, cause) in [
            ("text/plain", "oh no\n", "oh no"),
            ("Text/Plain; charset=utf-8", "oh no", "oh no"),
            ("application/json", r#"{"reason":"Invalid","code":422}"#, "unknown"),
        ] {
            let status = Status::from_reply(&reply(422, content_type, body), &request_subject());
            assert!(!status.is_failed_test());
            let details = status.details.unwrap();
            assert_eq!((&*details.kind, &*details.name), ("deployments", "a"));
            assert_eq!(details.causes[0].message, cause, "{body}");
        }
    }

    #[test]
    fn the_status_line_counts_and_not_the_body() {
        for body in [
            r#"{"kind":"Status","status":"Failure"}"#,
            r#"{"kind":"Status","status":"Failure","code":404}"#,
        ] {
            let reply = reply(500, "application/json", body);
            assert_eq!(Status::from_reply(&reply, &request_subject()).code, 500);
        }
    }

    #[test]
    fn only_a_422_without_details_is_a_failed_test() {
        let failed = r#"{"kind":"Status","status":"Failure","message":"m","reason":"Invalid","details":{},"code":422}"#;
        let negative = r#"{"kind":"Status","status":"Failure","message":"m","reason":"Invalid",
            "details":{"name":"a","kind":"Scale","causes":[{"message":"c","field":"spec.replicas"}]},"code":422}"#;
        let parse =
            |body| Status::from_reply(&reply(422, "application/json", body), &request_subject());
        assert!(parse(failed).is_failed_test());
        assert!(!parse(negative).is_failed_test());
    }

    #[test]
    fn a_long_error_page_is_cut_between_characters() {
        let page = "ü".repeat(5000);
        let status = Status::from_reply(&reply(500, "text/html", &page), &request_subject());
        assert!(status.message.len() < 2200, "{}", status.message.len());
    }
}

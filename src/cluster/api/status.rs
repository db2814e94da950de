//! The API's error answer: `meta/v1 Status`, and what stands in for it when a server, or a proxy
//! on the way, answers with something else.

use std::time::Duration;

use serde::Deserialize;

use super::About;
use super::exchange::Reply;
use crate::text::go;

/// A refusal, as the API server words it.
#[derive(Debug, Clone, Deserialize, Default, PartialEq, Eq)]
pub struct Status {
    /// `Failure`, in every Status that reports an error.
    #[serde(default)]
    status: String,
    /// For people.
    #[serde(default)]
    pub message: String,
    /// For programs, as `NotFound`; empty when the server gives none.
    #[serde(default)]
    pub reason: String,
    /// What it is about; absent from the answer or empty when the server does not say.
    #[serde(default)]
    pub details: Option<Details>,
    /// The HTTP status code.
    #[serde(default)]
    pub code: u16,
    /// How long the server asks to wait before the next try.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// What a [`Status`] is about.
#[derive(Debug, Clone, Deserialize, Default, PartialEq, Eq)]
pub struct Details {
    /// Name of the object.
    #[serde(default)]
    pub name: String,
    /// Kind or resource of the object.
    #[serde(default)]
    pub kind: String,
    /// Each single thing that is wrong.
    #[serde(default)]
    pub causes: Vec<Cause>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Deserialize, Default, PartialEq, Eq)]
pub struct Cause {
    /// For people.
    #[serde(default)]
    pub message: String,
    /// The field, as `spec.replicas`.
    #[serde(default)]
    pub field: String,
}

impl Status {
    /// The error that a non-2xx answer stands for: its own Status when it is one, otherwise what
    /// client-go's `NewGenericServerResponse` makes of the code.
    pub fn from_reply(reply: &Reply, about: &About) -> Self {
        let own = Self::decode(&reply.body).filter(|status| status.status == "Failure");
        let status = own.unwrap_or_else(|| Self::generic(reply, about));
        // Only the status line is sure to be there; proxies and old servers leave the code out.
        Self { retry_after: reply.asked_pause(), code: reply.status, ..status }
    }

    /// The error that a non-2xx answer stands for by its code alone, as where client-go only looks
    /// at the answer's bytes.
    pub(super) fn ignoring_body(reply: &Reply, about: &About) -> Self {
        Self { retry_after: reply.asked_pause(), ..Self::generic(reply, about) }
    }

    /// A `Status` object of any outcome; `None` when the text is something else.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
        }
        let kind: Kind = serde_json::from_slice(body).ok()?;
        (kind.kind == "Status").then(|| serde_json::from_slice(body).ok())?
    }

    fn generic(reply: &Reply, about: &About) -> Self {
        let is_text = reply.content_type().starts_with("text/");
        let text = String::from_utf8_lossy(&reply.body);
        let text = text.trim();
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
        let message = match about.resource.as_str() {
            "" => message,
            resource => format!("{message} ({} {resource} {})", about.verb, about.name),
        };
        Self::bare(reply.status, reason, message)
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

    /// A failed `test` of a JSON Patch. The API server answers it with 422 and says nothing about
    /// it at all, where every other 422 names at least a cause.
    pub fn is_failed_test(&self) -> bool {
        let nothing_said =
            self.details.as_ref().is_none_or(|details| *details == Details::default());
        self.code == 422 && self.reason == "Invalid" && nothing_said
    }

    /// Somebody else changed the object in between (optimistic locking).
    pub fn is_conflict(&self) -> bool {
        self.code == 409 && self.reason == "Conflict"
    }

    /// The object, its namespace or its type does not exist.
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

    fn about() -> About {
        About { verb: "patch", resource: "deployments".into(), name: "a".into() }
    }

    #[test]
    fn an_answer_without_a_status_gets_client_gos_text_for_its_code() {
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
            let status = Status::from_reply(&reply(code, content_type, body), &about());
            assert_eq!(
                (status.reason.as_str(), status.message.as_str()),
                (reason, message),
                "{code}"
            );
        }
    }

    #[test]
    fn the_status_line_counts_whatever_the_body_says() {
        for body in [
            r#"{"kind":"Status","status":"Failure"}"#,
            r#"{"kind":"Status","status":"Failure","code":404}"#,
        ] {
            let reply = reply(500, "application/json", body);
            assert_eq!(Status::from_reply(&reply, &about()).code, 500);
        }
    }

    #[test]
    fn only_a_failed_test_is_a_422_that_says_nothing() {
        let failed = r#"{"kind":"Status","status":"Failure","message":"m","reason":"Invalid","details":{},"code":422}"#;
        let negative = r#"{"kind":"Status","status":"Failure","message":"m","reason":"Invalid",
            "details":{"name":"a","kind":"Scale","causes":[{"message":"c","field":"spec.replicas"}]},"code":422}"#;
        let parse = |body| Status::from_reply(&reply(422, "application/json", body), &about());
        assert!(parse(failed).is_failed_test());
        assert!(!parse(negative).is_failed_test());
    }

    #[test]
    fn a_long_error_page_is_cut_between_characters() {
        let page = "ü".repeat(5000);
        let status = Status::from_reply(&reply(500, "text/html", &page), &about());
        assert!(status.message.len() < 2200, "{}", status.message.len());
    }
}

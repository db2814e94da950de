//! Limits on the body of a request.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use hyper::body::Body as _;

use super::super::memory::REQUEST_BODIES;
use super::super::problem::Problem;
use crate::cluster::body::{BodyError, WholeBody, read_within};

/// Limit on the size of a body, in bytes.
pub(super) const MAX_BODY: u64 = 16 * 1024;

/// Reads the whole body into memory. This is also done before a refusal: over HTTP/2, an answer to a
/// request with an unread body is followed by a reset, and then some clients lose the answer.
///
/// # Errors
/// 413 if the body is too large, 408 if it does not arrive, 503 if too many bodies are in memory.
pub(super) async fn read(request: &mut Request) -> Result<(), Problem> {
    check_length(request.headers())?;
    let body = std::mem::take(request.body_mut());
    match read_within(body, MAX_BODY as usize, &REQUEST_BODIES).await {
        Ok(body) => *request.body_mut() = whole(body),
        Err(BodyError::TooLarge) => return Err(too_large()),
        Err(BodyError::OverBudget) => return Err(Problem::busy_with_bodies()),
        Err(BodyError::Broken(_)) => {
            let detail = "The body did not arrive completely in time.";
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "Timeout", detail));
        }
    }
    Ok(())
}

/// A body that gives its bytes back to the budget when it has been read.
fn whole(body: WholeBody) -> Body {
    Body::from(Bytes::from_owner(body))
}

fn too_large() -> Problem {
    let detail = "The body is larger than 16 KB.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", detail)
}

pub(super) fn check_length(headers: &HeaderMap) -> Result<(), Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > MAX_BODY => Err(too_large()),
        _ => Ok(()),
    }
}

/// Allows only JSON and URL-encoded forms; other pages cannot send JSON without a CORS preflight. A
/// request without a body needs no media type.
pub(super) fn check_media_type(request: &Request) -> Result<(), Problem> {
    let allowed = ["application/json", "application/x-www-form-urlencoded"];
    let is_allowed = match request.headers().get(CONTENT_TYPE) {
        Some(media_type) => {
            let text = media_type.to_str().unwrap_or_default();
            let essence = text.split(';').next().unwrap_or_default().trim();
            allowed.iter().any(|allowed| essence.eq_ignore_ascii_case(allowed))
        }
        None => request.body().is_end_stream(),
    };
    match is_allowed {
        true => Ok(()),
        false => {
            let code = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let detail = "The body must be JSON: send Content-Type: application/json.";
            Err(Problem::new(code, "UnsupportedMediaType", detail))
        }
    }
}

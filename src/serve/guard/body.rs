//! What a request carries.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;
use hyper::body::Body as _;

use super::super::problem::Problem;

/// A body may have so many bytes.
pub(super) const LARGEST_BODY: u64 = 16 * 1024;

/// Reads the body as a whole, so that routes have all of it; and before a refusal too, for over
/// HTTP/2 an answer to a request whose body is not read is followed by a reset, with which some
/// clients lose the answer.
///
/// # Errors
/// 413 for one that is too large, 408 for one that does not arrive.
pub(super) async fn read(request: &mut Request) -> Result<(), Problem> {
    check_length(request.headers())?;
    let body = std::mem::take(request.body_mut());
    match to_bytes(body, LARGEST_BODY as usize).await {
        Ok(bytes) => *request.body_mut() = Body::from(bytes),
        Err(error) if is_too_large(&error) => return Err(too_large()),
        Err(_) => {
            let detail = "The body did not arrive in time, or not as a whole.";
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "Timeout", detail));
        }
    }
    Ok(())
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.is::<LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn too_large() -> Problem {
    let detail = "The body is larger than 16 KB.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", detail)
}

pub(super) fn check_length(headers: &HeaderMap) -> Result<(), Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > LARGEST_BODY => Err(too_large()),
        _ => Ok(()),
    }
}

/// What other pages' forms cannot send, or can send only as ours do. Without a body there is
/// nothing to name; a script of another page can leave the name out too.
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

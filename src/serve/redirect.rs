//! Redirects.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Redirects after a POST: the next request is a GET.
pub(super) fn see_other(to: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, to)
}

/// Redirects the same request to another address.
pub(super) fn temporary(to: &str) -> Response {
    redirect(StatusCode::TEMPORARY_REDIRECT, to)
}

fn redirect(code: StatusCode, to: &str) -> Response {
    let mut response = code.into_response();
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

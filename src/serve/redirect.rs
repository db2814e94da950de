//! Leading a browser elsewhere.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// After what was sent: the next request is a GET.
pub(super) fn see_other(to: &str) -> Response {
    lead(StatusCode::SEE_OTHER, to)
}

/// What was asked for stands elsewhere: the same request, there.
pub(super) fn temporary(to: &str) -> Response {
    lead(StatusCode::TEMPORARY_REDIRECT, to)
}

fn lead(code: StatusCode, to: &str) -> Response {
    let mut response = code.into_response();
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

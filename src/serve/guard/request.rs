//! The parts of a request that the guard reads, and the guard's own answers.

use axum::extract::Request;
use axum::http::header::{HOST, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::super::problem::Problem;
use crate::text::terminal::harmless;

/// The request's method and path, for the audit log.
pub fn action(request: &Request) -> String {
    let path: String = harmless(request.uri().path()).chars().take(100).collect();
    format!("{} {path}", request.method())
}

/// The requested host and port. HTTP/2 and the absolute form of HTTP/1 have it in the URI.
///
/// # Errors
/// 400 if there is no host, or more than one.
pub fn host_of(request: &Request) -> Result<&str, Problem> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (request.uri().authority(), hosts.next(), hosts.next()) {
        (Some(authority), _, None) => Some(authority.as_str()),
        (None, Some(host), None) => host.to_str().ok(),
        _ => None,
    };
    host.ok_or_else(|| {
        let detail = "The request must have exactly one Host header.";
        Problem::new(StatusCode::BAD_REQUEST, "BadRequest", detail)
    })
}

/// True if the method changes nothing.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The token of an `Authorization: Bearer` header.
pub(super) fn bearer_token(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

pub(super) fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail)
}

/// The answer for a refused request. A 401 names the scheme, as RFC 9110 requires.
pub(super) fn refusal_response(problem: Problem) -> Response {
    let is_unauthorized = problem.status() == StatusCode::UNAUTHORIZED;
    let mut response = problem.into_response();
    if is_unauthorized {
        let scheme = HeaderValue::from_static("Bearer realm=\"locustctl\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    response
}

/// The answer for a request without the peer that the listener adds to each request.
pub(super) fn no_peer() -> Response {
    let detail = "The client's address is not known.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", detail).into_response()
}

//! Rules for requests that are relayed to Locust, which has no such rules.

use axum::extract::Request;
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::super::caller::Proof;
use super::super::problem::Problem;
use super::origin;
use super::request::{host_of, is_safe};
use super::scheme::Scheme;

const SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");

/// The paths that change a test although the request is a GET. Flask answers HEAD with the same
/// function. Locust 2.47 needs a POST for them.
const CHANGES_BY_GET: [&str; 2] = ["/stop", "/stats/reset"];

/// Access of other sites' pages to Locust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrossSite {
    /// Only Locust's own page may start, stop and change a test.
    Refused,
    Allowed,
}

/// Checks a request of an authenticated caller.
///
/// # Errors
/// 400 for a path with a backslash, 403 for the script of a service worker, and 403 for a change that
/// comes from another site, or may come from one.
pub(super) fn check(
    request: &Request,
    scheme: Scheme,
    proof: Proof,
    cross_site: CrossSite,
) -> Result<(), Problem> {
    refuse_backslash(request.uri().path())?;
    refuse_service_worker(request.headers())?;
    let is_checked = cross_site == CrossSite::Refused && proof != Proof::Bearer;
    if is_checked && is_change(request.method(), request.uri().path()) {
        return check_origin(request, scheme, proof);
    }
    Ok(())
}

/// URL parsers read a backslash as a slash, and Locust does not.
fn refuse_backslash(path: &str) -> Result<(), Problem> {
    if path.contains('\\') {
        let detail = "The path contains a backslash. Send it as %5C.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "BadRequest", detail));
    }
    Ok(())
}

/// A service worker of Locust's page would answer for all of the server's addresses, also for the
/// login form. Browsers mark a request for such a script with the header `Service-Worker: script`
/// (Service Workers, W3C, section "Service Worker Script Request").
fn refuse_service_worker(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(SERVICE_WORKER) {
        let detail = "Service workers are not allowed here: they could read the tokens of users who \
                      sign in.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "ServiceWorker", detail));
    }
    Ok(())
}

/// True if the request starts, stops or changes a test, or may do so.
fn is_change(method: &Method, path: &str) -> bool {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let is_change_by_get =
        || CHANGES_BY_GET.iter().any(|end| path.trim_end_matches('/').ends_with(end));
    match *method {
        Method::GET | Method::HEAD => is_change_by_get(),
        _ => !is_safe(method),
    }
}

fn check_origin(request: &Request, scheme: Scheme, proof: Proof) -> Result<(), Problem> {
    let (headers, host) = (request.headers(), host_of(request)?);
    let checked = match is_safe(request.method()) {
        true => origin::check_navigation(headers, host, scheme, proof),
        false => origin::check(headers, host, scheme, proof),
    };
    checked.map_err(|_| {
        let detail = "The request comes from another site. Only Locust's own page may start, stop and \
                      change a test. Send a token (Authorization: Bearer), or start serve with \
                      --allow-cross-site.";
        Problem::new(StatusCode::FORBIDDEN, "CrossSite", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_recognized_by_method_and_path() {
        for (method, path, expected) in [
            (Method::POST, "/swarm", true),
            (Method::DELETE, "/custom", true),
            (Method::GET, "/stop", true),
            (Method::HEAD, "/stop", true),
            (Method::GET, "/%73top", true),
            (Method::GET, "//stop/", true),
            (Method::GET, "/locust/stop", true),
            (Method::GET, "/stats%2Freset", true),
            (Method::GET, "/stats/reset", true),
            (Method::OPTIONS, "/stop", false),
            (Method::GET, "/nonstop", false),
            (Method::GET, "/stats/requests", false),
            (Method::GET, "/", false),
        ] {
            assert_eq!(is_change(&method, path), expected, "{method} {path}");
        }
    }
}

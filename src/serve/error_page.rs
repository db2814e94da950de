//! Errors as HTML pages, for browsers that navigate.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::page;
use super::problem::Problem;

/// The addresses whose answers are always JSON, relative to the server's own addresses.
const API: &str = "api/";

/// True if the client is a browser that navigates.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The middleware around all addresses: it replaces the problem document of an error by a page.
/// `mount` is the path of the server's own addresses, seen from the root.
pub(super) async fn error_pages(
    State(mount): State<&'static str>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let is_api = path.strip_prefix(mount).is_some_and(|path| path.starts_with(API));
    let is_page = accepts_html(request.headers()) && !is_api;
    let root = root(request.uri().path(), mount);
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>().filter(|_| is_page) else {
        return response;
    };
    let (title, is_reachable) = match problem.status() {
        StatusCode::NOT_FOUND => ("Page not found", true),
        StatusCode::METHOD_NOT_ALLOWED => ("Method not allowed", true),
        StatusCode::MISDIRECTED_REQUEST => ("Host name not allowed", false),
        _ => (problem.title(), true),
    };
    *response.body_mut() = Body::from(page::error(&root, title, problem.detail(), is_reachable));
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// The path from a page at `path` to the server's own addresses. A proxy may mount the server below a
/// path that it does not know.
fn root(path: &str, mount: &str) -> String {
    let depth = path.matches('/').count().saturating_sub(1);
    match format!("{}{mount}", "../".repeat(depth)) {
        root if root.is_empty() => "./".to_owned(),
        root => root,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_of_an_error_page_are_relative_to_the_requested_address() {
        for (path, mount, expected) in [
            ("/nothing", "", "./"),
            ("/a/b/c", "", "../../"),
            ("/nothing", "-/locustctl/", "-/locustctl/"),
            ("/-/locustctl/x", "-/locustctl/", "../../-/locustctl/"),
        ] {
            assert_eq!(root(path, mount), expected, "{path}");
        }
    }
}

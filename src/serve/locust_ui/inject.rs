//! Inserts the panel into Locust's page.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, Method, StatusCode};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyDataStream, BodyExt};
use percent_encoding::percent_decode_str;

use super::super::error_page::accepts_html;

/// Limit on the size of Locust's page, in bytes. The page has 2 KB when a test begins and grows by
/// 300 KB per hour. A larger page is relayed unchanged.
const MAX_PAGE: usize = 16 * 1024 * 1024;

/// The path of the report. It gets no panel, because it is a file to keep.
const REPORT: &str = "/stats/report";

/// True if the answer may be Locust's page: the request is for its address, or comes from a browser that
/// navigates.
pub(super) fn may_be_page(
    method: &Method,
    path: &str,
    base_path: &str,
    headers: &HeaderMap,
) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
        && (path == base_path || accepts_html(headers))
        && !headers.contains_key(RANGE)
        && !percent_decode_str(path).decode_utf8_lossy().ends_with(REPORT)
}

/// True if the panel can be inserted into the answer.
pub(super) fn may_hold_panel(status: StatusCode, headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    status == StatusCode::OK
        && media_type.is_some_and(|media_type| media_type.starts_with("text/html"))
        && !headers.contains_key(CONTENT_ENCODING)
}

pub(super) enum Page {
    WithPanel(Vec<u8>),
    Unchanged(Body),
}

/// Reads the body, and inserts the panel's script if it is Locust's page.
///
/// # Errors
/// The body is incomplete.
pub(super) async fn with_panel(
    mut body: reqwest::Body,
    script: &str,
) -> Result<Page, reqwest::Error> {
    let mut start = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        start.extend_from_slice(&data);
        if start.len() > MAX_PAGE {
            let start = stream::iter([Ok(Bytes::from(start))]);
            let whole = start.chain(BodyDataStream::new(body));
            return Ok(Page::Unchanged(Body::from_stream(whole)));
        }
    }
    Ok(match insert(&start, script) {
        Some(page) => Page::WithPanel(page),
        None => Page::Unchanged(Body::from(start)),
    })
}

/// Inserts the script; `None` if this is not Locust's page, but for example its login.
fn insert(page: &[u8], script: &str) -> Option<Vec<u8>> {
    find(page, b"id=\"root\"")?;
    find(page, b"window.templateArgs")?;
    let end = find(page, b"</body>")?;
    let element = format!("<script type=\"module\" src=\"{script}\"></script>");
    Some([&page[..end], element.as_bytes(), &page[end..]].concat())
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::ACCEPT;

    use super::*;

    const PAGE: &str = "<html><body><div id=\"root\"></div><script>window.templateArgs = {}</script></body></html><!-- </body> -->";

    #[tokio::test]
    async fn the_panel_is_inserted_only_at_the_end_of_locusts_page() {
        let panel = |page: &'static str| async move {
            match with_panel(page.into(), "p.js").await.unwrap() {
                Page::WithPanel(page) => Some(String::from_utf8(page).unwrap()),
                Page::Unchanged(body) => {
                    let same = body.collect().await.unwrap().to_bytes();
                    assert_eq!(same, page.as_bytes());
                    None
                }
            }
        };
        let expected =
            PAGE.replacen("</body>", "<script type=\"module\" src=\"p.js\"></script></body>", 1);
        assert_eq!(panel(PAGE).await, Some(expected));
        for other in [
            "",
            "<html><body><div id=\"root\"></div><script>window.authArgs = {}</script></body></html>",
            "<html><body><script>window.templateArgs = {}</script></body></html>",
            "<div id=\"root\"></div><script>window.templateArgs = {}</script>",
        ] {
            assert_eq!(panel(other).await, None, "{other}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_relayed_unchanged() {
        let large = format!("{PAGE}{}", "x".repeat(MAX_PAGE));
        let Page::Unchanged(body) = with_panel(large.clone().into(), "p.js").await.unwrap() else {
            panic!("the body was changed");
        };
        assert_eq!(body.collect().await.unwrap().to_bytes(), large.as_bytes());
    }

    #[test]
    fn only_pages_for_a_browser_are_searched() {
        let headers = |accept: &'static str| {
            HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))])
        };
        let html = "text/html,application/xhtml+xml,*/*;q=0.8";
        for (method, path, accept, expected) in [
            (Method::GET, "/locust/", "*/*", true),
            (Method::HEAD, "/locust/", html, true),
            (Method::GET, "/extend", html, true),
            (Method::GET, "/stats/report", html, false),
            (Method::GET, "/locust/stats/report", html, false),
            (Method::GET, "/stats/%72eport", html, false),
            (Method::GET, "/stats/requests", "*/*", false),
            (Method::POST, "/locust/", html, false),
        ] {
            let is_expected = may_be_page(&method, path, "/locust/", &headers(accept));
            assert_eq!(is_expected, expected, "{method} {path}");
        }
        let mut part = headers(html);
        part.insert(RANGE, HeaderValue::from_static("bytes=0-9"));
        assert!(!may_be_page(&Method::GET, "/", "/", &part));
    }
}

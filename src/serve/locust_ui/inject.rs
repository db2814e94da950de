//! Inserts the panel into Locust's page.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, Method, StatusCode};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyDataStream, BodyExt};
use percent_encoding::percent_decode_str;

use super::super::error_page::accepts_html;

/// The marks of Locust's page. All are in the first 2 KB.
const MARKS: [&[u8]; 2] = [b"id=\"root\"", b"window.templateArgs"];

/// The panel's element comes before this.
const END: &[u8] = b"</body>";

/// Limit on the part of a page that is searched for the marks, in bytes. A page grows by 300 KB per hour of a
/// test, so it is not read as a whole.
const MAX_START: usize = 64 * 1024;

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

/// The beginning of a body, which is enough to recognise Locust's page.
pub(super) struct PageStart {
    /// True if the panel belongs in the body.
    pub is_page: bool,
    received: Bytes,
    rest: reqwest::Body,
}

/// Reads the beginning of a body, until it is clear if the body is Locust's page.
///
/// # Errors
/// The body is incomplete.
pub(super) async fn read_start(mut rest: reqwest::Body) -> Result<PageStart, reqwest::Error> {
    let mut received = Vec::new();
    let is_page = loop {
        if let Some(is_page) = is_page(&received) {
            break is_page;
        }
        let Some(frame) = rest.frame().await else { break false };
        let Ok(data) = frame?.into_data() else { continue };
        received.extend_from_slice(&data);
    };
    Ok(PageStart { is_page, received: received.into(), rest })
}

/// Tells if a body with this beginning is Locust's page, and not for example its login. `None` if more of
/// the body is needed.
fn is_page(start: &[u8]) -> Option<bool> {
    let end = find(start, END);
    let head = &start[..end.unwrap_or(start.len())];
    let is_page = MARKS.iter().all(|mark| find(head, mark).is_some());
    (is_page || end.is_some() || start.len() > MAX_START).then_some(is_page)
}

impl PageStart {
    /// The body as Locust sends it.
    pub(super) fn unchanged(self) -> Body {
        let received = stream::iter([Ok(self.received)]);
        Body::from_stream(received.chain(BodyDataStream::new(self.rest)))
    }

    /// The body with the panel, changed while it streams.
    pub(super) fn with_panel(self, panel: Panel) -> Body {
        let parts = stream::iter([Ok(self.received)]).chain(BodyDataStream::new(self.rest));
        let parts = stream::unfold(Some((parts, panel)), |state| async {
            let (mut parts, mut panel) = state?;
            Some(match parts.next().await {
                Some(Ok(part)) => (Ok(panel.insert(part)), Some((parts, panel))),
                Some(Err(error)) => (Err(error), None),
                None => (Ok(panel.finish()), None),
            })
        });
        Body::from_stream(parts)
    }
}

/// Inserts the panel's element into a page that arrives in parts.
pub(super) struct Panel {
    element: String,
    is_inserted: bool,
    /// The end of the last part, if [`END`] may begin there.
    held: Bytes,
}

impl Panel {
    /// `script` is the path of the panel's script.
    pub(super) fn new(script: &str) -> Self {
        let element = format!("<script type=\"module\" src=\"{script}\"></script>");
        Self { element, is_inserted: false, held: Bytes::new() }
    }

    /// The number of bytes that the page grows by.
    pub(super) fn len(&self) -> usize {
        self.element.len()
    }

    /// Takes the next part of the page, and returns what can be sent. The element comes before the first
    /// [`END`].
    fn insert(&mut self, part: Bytes) -> Bytes {
        if self.is_inserted {
            return part;
        }
        let held = std::mem::take(&mut self.held);
        let mut part = match held.is_empty() {
            true => part,
            false => [held, part].concat().into(),
        };
        if let Some(at) = find(&part, END) {
            self.is_inserted = true;
            return [&part[..at], self.element.as_bytes(), &part[at..]].concat().into();
        }
        let is_begun = |length: &usize| part.ends_with(&END[..*length]);
        let begun = (1..END.len()).rev().find(is_begun).unwrap_or_default();
        self.held = part.split_off(part.len() - begun);
        part
    }

    /// The end of the page. A page without [`END`] gets the element there.
    fn finish(self) -> Bytes {
        match self.is_inserted {
            true => Bytes::new(),
            false => [self.held, self.element.into()].concat().into(),
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        from += text[from..].iter().position(|byte| Some(byte) == wanted.first())?;
        if text[from..].starts_with(wanted) {
            return Some(from);
        }
        from += 1;
    }
}

/// Inserts the panel into a page that arrives as a whole and in pieces; for `fuzz/`.
///
/// # Panics
/// The results differ, or another part of the page has changed.
pub fn try_page(content: &[u8]) {
    let _ = is_page(content);
    let insert = |size: usize| {
        let mut panel = Panel::new("p.js");
        let parts = content.chunks(size).map(|part| panel.insert(Bytes::copy_from_slice(part)));
        let mut page = parts.collect::<Vec<_>>().concat();
        page.extend_from_slice(&panel.finish());
        page
    };
    let expected = insert(content.len().max(1));
    let (element, at) = (Panel::new("p.js").element, find(content, END).unwrap_or(content.len()));
    assert_eq!(expected, [&content[..at], element.as_bytes(), &content[at..]].concat());
    for size in [1, 3, 6, 7, 8] {
        assert_eq!(insert(size), expected, "in pieces of {size}");
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::http::HeaderValue;
    use axum::http::header::ACCEPT;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    const PAGE: &str = "<html><body><div id=\"root\"></div><script>window.templateArgs = {}</script></body></html><!-- </body> -->";

    /// A body that arrives in these parts.
    fn body(parts: Vec<String>) -> reqwest::Body {
        let parts = parts.into_iter().map(|part| Ok(Frame::data(Bytes::from(part))));
        reqwest::Body::wrap(StreamBody::new(stream::iter(
            parts.collect::<Vec<Result<_, Infallible>>>(),
        )))
    }

    /// The text of a body after the panel was inserted; `None` if it got no panel.
    async fn panel(parts: Vec<String>) -> Option<String> {
        let original = parts.concat();
        let start = read_start(body(parts)).await.unwrap();
        let is_page = start.is_page;
        let changed = match is_page {
            true => start.with_panel(Panel::new("p.js")),
            false => start.unchanged(),
        };
        let text = String::from_utf8(changed.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        assert!(is_page || text == original);
        is_page.then_some(text)
    }

    #[tokio::test]
    async fn the_panel_is_inserted_only_at_the_end_of_locusts_page() {
        let expected =
            PAGE.replacen("</body>", "<script type=\"module\" src=\"p.js\"></script></body>", 1);
        for size in 1..PAGE.len() {
            let parts = PAGE.as_bytes().chunks(size);
            let parts = parts.map(|part| String::from_utf8(part.to_vec()).unwrap()).collect();
            assert_eq!(panel(parts).await.as_ref(), Some(&expected), "in parts of {size} bytes");
        }
        for other in [
            "",
            "<html><body><div id=\"root\"></div><script>window.authArgs = {}</script></body></html>",
            "<html><body><script>window.templateArgs = {}</script></body></html>",
            "<div id=\"root\"></div></body><script>window.templateArgs = {}</script>",
        ] {
            assert_eq!(panel(vec![other.to_owned()]).await, None, "{other}");
        }
    }

    #[tokio::test]
    async fn a_page_without_an_end_gets_the_panel_at_its_end() {
        let (page, _) = PAGE.split_once("/body>").unwrap();
        let expected = format!("{page}<script type=\"module\" src=\"p.js\"></script>");
        assert_eq!(panel(vec![page.to_owned()]).await, Some(expected));
    }

    #[tokio::test]
    async fn marks_far_behind_the_beginning_are_not_searched() {
        assert_eq!(panel(vec![" ".repeat(MAX_START + 1), PAGE.to_owned()]).await, None);
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

//! In front of Locust's own web UI: everything is passed on as it is, and Locust's page gets a panel
//! for the workers. Our addresses are all below `/-/locustctl/`.

mod gate;
mod headers;
mod inject;
mod login;
mod upstream;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, ETAG, LAST_MODIFIED, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::timeout;
use tower_service::Service;

use self::gate::{Gate, gate};
use self::headers::Asker;
use self::inject::{Page, accepts_html, is_page_wanted, may_hold_panel, with_panel};
use self::login::Logins;
use self::upstream::{Upstream, is_start};
use super::app::App;
use super::caller::Peer;
use super::guard::{self, Guard};
use super::page;
use super::problem::Problem;
use super::redirect::temporary;
use super::root::Root;
use super::routes::word;
use crate::locust::{Content, Error, LONGEST_SILENCE, LocustLocation, Outgoing, Relay, Route};
use crate::text::terminal::printable;

/// Where our addresses begin, seen from the root.
pub const MOUNT: &str = "-/locustctl/";

/// By way of the API server, bodies are passed on whole. Locust's own forms have a few hundred bytes.
const LARGEST_WHOLE_BODY: usize = 1024 * 1024;

/// For Locust's page to begin.
const PAGE_LIMIT: Duration = Duration::from_secs(20);

/// Makes our routes known below [`MOUNT`], and passes all other addresses on to Locust. `guarded` puts
/// the guard around our routes; `is_loopback` tells that only this machine can reach us.
///
/// # Errors
/// The system's trust roots cannot be had.
pub fn in_front(
    app: &Arc<App>,
    guard: &Arc<Guard>,
    is_loopback: bool,
    routes: Router,
    guarded: impl FnOnce(Router) -> Router,
) -> Result<Router> {
    let LocustLocation { address, login } = &app.locust.location;
    let relay = Relay::new(address, login).context("preparing to ask Locust")?;
    let upstream = Arc::new(Upstream::new(Arc::clone(app), relay));
    let gated = routes.layer(from_fn_with_state(
        Arc::new(Gate {
            guard: Arc::clone(guard),
            upstream: Arc::clone(&upstream),
            logins: Logins::default(),
            is_loopback,
        }),
        gate,
    ));
    let front = Front { guard: Arc::clone(guard), upstream, ours: guarded(gated) };
    Ok(Router::new().fallback(dispatch).with_state(Arc::new(front)))
}

struct Front {
    guard: Arc<Guard>,
    upstream: Arc<Upstream>,
    ours: Router,
}

async fn dispatch(State(front): State<Arc<Front>>, mut request: Request) -> Response {
    let path = request.uri().path();
    if let Some(below) = path.strip_prefix('/').and_then(|path| path.strip_prefix(MOUNT)) {
        let uri = with_path(request.uri(), below);
        *request.uri_mut() = uri;
        return front.ours(request).await;
    }
    match path {
        // What is below must be relative to it.
        "/-/locustctl" => temporary("locustctl/"),
        "/rescale-form" => temporary(MOUNT),
        "/rescale" => {
            request.extensions_mut().insert(Root(MOUNT));
            front.ours(request).await
        }
        _ => {
            let (method, began) = (word(request.method()), Instant::now());
            let response = front.pass_on(request).await;
            let code = response.status().as_u16();
            front.upstream.app.metrics.answered("locust", method, code, began.elapsed());
            response
        }
    }
}

/// The same address with another path, which is given without its slash.
fn with_path(uri: &Uri, path: &str) -> Uri {
    let mut parts = uri.clone().into_parts();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    parts.path_and_query = format!("/{path}{query}").parse().ok();
    // It was part of an address before.
    Uri::from_parts(parts).unwrap_or_default()
}

impl Front {
    async fn ours(&self, request: Request) -> Response {
        match self.ours.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn pass_on(&self, request: Request) -> Response {
        let asker = match self.guard.let_pass(&request) {
            Ok(peer) => peer,
            Err(refusal) => return *refusal,
        };
        let Some(place) = self.upstream.place() else {
            self.upstream.app.live.look_again();
            let target = &self.upstream.app.target;
            let detail = format!(
                "No Locust was found for {target}. Say where its master is by --locust=URL or \
                 --locust=service/NAME:PORT."
            );
            let is_html = accepts_html(request.headers());
            return away(is_html, &script(request.uri().path()), &detail);
        };
        let base = place.base_path();
        if let Some(elsewhere) = beside(&request, base) {
            return elsewhere;
        }
        let is_page =
            is_page_wanted(request.method(), request.uri().path(), base, request.headers());
        let visit = Visit {
            method: request.method().clone(),
            is_html: accepts_html(request.headers()),
            host: guard::host_of(&request).unwrap_or_default().to_owned(),
            own_cookie: self.guard.cookie_name().to_owned(),
            script: script(request.uri().path()),
            is_page,
        };
        let outgoing = match self.outgoing(request, asker, &place, &visit).await {
            Ok(outgoing) => outgoing,
            Err(problem) => return guard::secured(problem.into_response()),
        };
        let start = self.upstream.start_in(&outgoing, base);
        // Who waits for a page is told soon; what else is asked for may take its time, as a stop does.
        let limit = if is_page { PAGE_LIMIT } else { LONGEST_SILENCE };
        match timeout(limit, self.upstream.send(&place, outgoing)).await {
            Ok(Ok(response)) => match self.upstream.remember(start, response).await {
                Ok(response) => visit.answer(response, &place).await,
                Err(why) => visit.away(&why),
            },
            Ok(Err(error)) => visit.away(&explain(&error)),
            Err(_) => visit.away("Locust does not answer in time."),
        }
    }

    async fn outgoing(
        &self,
        request: Request,
        peer: Peer,
        place: &Route,
        visit: &Visit,
    ) -> Result<Outgoing, Problem> {
        let asker = Asker {
            host: &visit.host,
            from: peer.address.ip().to_canonical(),
            is_tls: peer.is_tls,
            own_cookie: self.guard.cookie_name(),
            owns_authorization: self.guard.owns_authorization(),
        };
        let mut headers = headers::outgoing(request.headers(), &asker, place);
        let (path, query) = (request.uri().path().to_owned(), request.uri().query());
        let query = query.map(str::to_owned);
        let mut method = request.method().clone();
        if visit.is_page {
            // What is compressed cannot be added to; and the length is that of the page with the
            // panel, which only the whole page tells.
            headers.remove(ACCEPT_ENCODING);
            method = Method::GET;
        }
        let body = request.into_body();
        let content = match place {
            _ if body.is_end_stream() => Content::Whole(Bytes::new()),
            Route::Direct(base) if !is_start(&method, &path, base.path()) => {
                Content::Streamed(reqwest::Body::wrap(Upload(Mutex::new(body))))
            }
            Route::Direct(_) | Route::Service { .. } => {
                let whole = to_bytes(body, LARGEST_WHOLE_BODY).await.map_err(|_| {
                    let detail = "The body is larger than 1 MB, or did not arrive.";
                    let code = StatusCode::PAYLOAD_TOO_LARGE;
                    Problem::new(code, "RequestEntityTooLarge", detail)
                })?;
                Content::Whole(whole)
            }
        };
        Ok(Outgoing { method, path, query, headers, content })
    }
}

/// What is to be kept of a request for its answer.
struct Visit {
    method: Method,
    /// Somebody looks at the answer in a browser.
    is_html: bool,
    /// The name under which the browser knows us.
    host: String,
    own_cookie: String,
    /// The panel's script, seen from the address that was asked for.
    script: String,
    is_page: bool,
}

impl Visit {
    async fn answer(&self, response: Response<reqwest::Body>, place: &Route) -> Response {
        let (mut parts, body) = response.into_parts();
        headers::incoming(&mut parts.headers, &self.host, &self.own_cookie, place);
        if !self.is_page || !may_hold_panel(parts.status, &parts.headers) {
            return Response::from_parts(parts, Body::new(body));
        }
        let body = match with_panel(body, &self.script).await {
            Ok(Page::WithPanel(page)) => {
                for name in [ETAG, LAST_MODIFIED] {
                    parts.headers.remove(name);
                }
                parts.headers.insert(CONTENT_LENGTH, page.len().into());
                Body::from(page)
            }
            Ok(Page::Unchanged(body)) => body,
            Err(error) => return self.away(&format!("Locust's page broke off: {error}")),
        };
        let body = if self.method == Method::HEAD { Body::empty() } else { body };
        Response::from_parts(parts, body)
    }

    fn away(&self, detail: &str) -> Response {
        away(self.is_html, &self.script, detail)
    }
}

/// Locust is not there. Its page's place is taken by one that says so, with the panel.
fn away(is_html: bool, script: &str, detail: &str) -> Response {
    let code = StatusCode::BAD_GATEWAY;
    let mut response = match is_html {
        true => page::away(script, detail),
        false => Problem::new(code, "LocustSilent", detail).into_response(),
    };
    *response.status_mut() = code;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    guard::secured(response)
}

/// The answer where Locust has a base path and something beside it is asked for: what leads to its
/// page, or that there is nothing.
fn beside(request: &Request, base: &str) -> Option<Response> {
    let (path, query) = (request.uri().path(), request.uri().query());
    if path.starts_with(base) {
        return None;
    }
    let without_slash = base.trim_end_matches('/');
    // Relative, for we may be reached below another path than we know of.
    let to = match path {
        "/" => Some(without_slash.trim_start_matches('/')),
        path if path == without_slash => without_slash.rsplit('/').next(),
        _ => None,
    };
    if let Some(to) = to {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        return Some(temporary(&format!("{to}/{query}")));
    }
    let detail = format!("There is nothing at this address; Locust is at {base}.");
    let problem = Problem::new(StatusCode::NOT_FOUND, "NotFound", detail);
    Some(guard::secured(problem.into_response()))
}

/// Relative, for Locust may be reached below another path than we know of.
fn script(path: &str) -> String {
    let depth = path.matches('/').count().saturating_sub(1);
    format!("{}{MOUNT}assets/panel.js", "../".repeat(depth))
}

fn explain(error: &Error) -> String {
    printable(&format!("Locust does not answer: {error}"))
}

/// A request's body on its way through. The HTTP library wants what threads can share, and a body
/// is read by one alone.
struct Upload(Mutex<Body>);

impl hyper::body::Body for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let body = self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner);
        std::pin::Pin::new(body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::LOCATION;

    use super::*;

    #[test]
    fn the_script_is_found_from_every_page() {
        for (path, expected) in [
            ("/", "-/locustctl/assets/panel.js"),
            ("/extend", "-/locustctl/assets/panel.js"),
            ("/locust/", "../-/locustctl/assets/panel.js"),
            ("/a/b/c", "../../-/locustctl/assets/panel.js"),
        ] {
            assert_eq!(script(path), expected);
        }
    }

    #[test]
    fn beside_a_base_path_there_is_only_the_way_to_it() {
        let beside = |uri: &str| {
            let request = Request::get(uri).body(Body::empty()).unwrap();
            let response = beside(&request, "/load/test/")?;
            let to = response.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
            Some((response.status().as_u16(), to))
        };
        assert_eq!(beside("/load/test/stats/requests"), None);
        assert_eq!(beside("/?done=3"), Some((307, Some("load/test/?done=3".to_owned()))));
        assert_eq!(beside("/load/test"), Some((307, Some("test/".to_owned()))));
        assert_eq!(beside("/load/tests"), Some((404, None)));
    }

    #[test]
    fn what_is_ours_keeps_its_query() {
        for (uri, below, expected) in [
            ("/-/locustctl/api/scale?wait=1m", "api/scale", "/api/scale?wait=1m"),
            ("/-/locustctl/", "", "/"),
            ("http://h:1/-/locustctl/?done=3", "", "http://h:1/?done=3"),
        ] {
            assert_eq!(with_path(&uri.parse().unwrap(), below), expected);
        }
    }
}

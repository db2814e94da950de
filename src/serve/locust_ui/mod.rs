//! Locust's web UI behind the server: requests are relayed to Locust, and Locust's page gets the
//! workers panel. The server's own addresses are below `/-/locustctl/`.

mod framing;
mod gate;
mod headers;
mod inject;
mod login;
mod upload;
mod upstream;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use hyper::body::Body as _;
use tokio::time::timeout;
use tower_service::Service;

use self::gate::{Gate, gate};
use self::headers::Client;
pub use self::inject::try_page;
use self::inject::{Panel, may_be_page, may_hold_panel, read_start};
use self::login::Logins;
use self::upload::Upload;
use self::upstream::{Upstream, is_start};
use super::app::App;
use super::caller::Peer;
use super::error_page::accepts_html;
use super::guard::{self, Guard};
use super::memory::RELAYED_BODIES;
use super::page;
use super::problem::Problem;
use super::redirect::temporary;
use super::root::Root;
use super::routes::method_label;
use crate::cluster::body::{BodyError, TimeLimits, TimedBody, read_within};
use crate::locust::{
    Content, Error, LocustLocation, MAX_ANSWER, MAX_SILENCE, Outgoing, Relay, Route,
};
use crate::text::terminal::printable;

/// The path of the server's own addresses, seen from the root.
pub const MOUNT: &str = "-/locustctl/";

/// Limit on the size of a body that is buffered, in bytes. Bodies are buffered on the way through the
/// API server. Locust's own forms have a few hundred bytes.
const MAX_BUFFERED_BODY: usize = 1024 * 1024;

/// Time limit for Locust to answer a request for its page.
const PAGE_LIMIT: Duration = Duration::from_secs(20);

/// Time limit for the beginning of the page to arrive.
const PAGE_START_LIMIT: Duration = Duration::from_secs(20);

/// Mounts the routes below [`MOUNT`], and relays all other requests to Locust. `guarded` puts the guard
/// around the routes. `is_loopback` tells that only this machine can reach the server.
///
/// # Errors
/// The HTTP client cannot be created, for example without the system's root certificates.
pub(super) fn in_front(
    app: &Arc<App>,
    guard: &Arc<Guard>,
    is_loopback: bool,
    routes: Router,
    guarded: impl FnOnce(Router) -> Router,
) -> Result<Router> {
    let LocustLocation { address, login } = &app.backend.locust.location;
    let relay = Relay::new(address, login).context("creating the client for Locust")?;
    let upstream = Arc::new(Upstream::new(Arc::clone(&app.backend), relay));
    let gated = routes.layer(from_fn_with_state(
        Arc::new(Gate {
            guard: Arc::clone(guard),
            backend: Arc::clone(&app.backend),
            upstream: Arc::clone(&upstream),
            logins: Logins::default(),
            is_loopback,
        }),
        gate,
    ));
    let front = LocustFront {
        app: Arc::clone(app),
        guard: Arc::clone(guard),
        upstream,
        own_routes: guarded(gated),
    };
    Ok(Router::new().fallback(dispatch).with_state(Arc::new(front)))
}

struct LocustFront {
    app: Arc<App>,
    guard: Arc<Guard>,
    upstream: Arc<Upstream>,
    own_routes: Router,
}

async fn dispatch(State(front): State<Arc<LocustFront>>, mut request: Request) -> Response {
    let path = request.uri().path();
    if let Some(below) = path.strip_prefix('/').and_then(|path| path.strip_prefix(MOUNT)) {
        let uri = with_path(request.uri(), below);
        *request.uri_mut() = uri;
        return front.serve_own(request).await;
    }
    match path {
        // The links of the page are relative, so the path needs a slash at its end.
        "/-/locustctl" => temporary("locustctl/"),
        "/rescale-form" => temporary(MOUNT),
        "/rescale" => {
            request.extensions_mut().insert(Root(MOUNT));
            front.serve_own(request).await
        }
        _ => {
            let (method, began) = (method_label(request.method()), Instant::now());
            let response = front.relay(request).await;
            let code = response.status().as_u16();
            front.app.metrics.request_answered("locust", method, code, began.elapsed());
            response
        }
    }
}

/// Replaces the path of a URI. `path` has no leading slash.
fn with_path(uri: &Uri, path: &str) -> Uri {
    let mut parts = uri.clone().into_parts();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    parts.path_and_query = format!("/{path}{query}").parse().ok();
    // The path comes from a valid URI.
    Uri::from_parts(parts).unwrap_or_default()
}

impl LocustFront {
    async fn serve_own(&self, request: Request) -> Response {
        match self.own_routes.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// The route to Locust. If none is known, this waits for the result of a search, for at most one second.
    async fn route(&self) -> Option<Route> {
        let route = self.upstream.route();
        if route.is_some() {
            return route;
        }
        let live = &self.app.backend.live;
        live.request_look();
        live.wait_for_look().await;
        self.upstream.route()
    }

    /// The reason why there is no route to Locust.
    fn reason(&self) -> String {
        let (live, target) = (&self.app.backend.live, &self.app.backend.target);
        let problem = live.now().snapshot.locust.as_ref().map(|locust| locust.problem.clone());
        match problem.filter(|problem| !problem.is_empty()) {
            Some(problem) => printable(&problem),
            None if live.is_locust_absent() => format!(
                "No Locust was found for {target}. Set the address of its master with --locust=URL \
                 or --locust=service/NAME[:PORT]."
            ),
            None => format!(
                "locustctl has not reached the Locust of {target} yet. Try again. If the problem persists, see \
                 the log of locustctl serve."
            ),
        }
    }

    async fn relay(&self, request: Request) -> Response {
        let peer = match self.guard.admit_to_locust(&request) {
            Ok(peer) => peer,
            Err(refusal) => return *refusal,
        };
        let Some(route) = self.route().await else {
            let detail = self.reason();
            let is_html = accepts_html(request.headers());
            return unreachable(is_html, &script(request.uri().path()), &detail);
        };
        let base = route.base_path();
        if let Some(response) = outside_base_path(&request, base) {
            return response;
        }
        let is_page = may_be_page(request.method(), request.uri().path(), base, request.headers());
        let context = RelayContext {
            method: request.method().clone(),
            is_html: accepts_html(request.headers()),
            host: guard::host_of(&request).unwrap_or_default().to_owned(),
            guard: Arc::clone(&self.guard),
            script: script(request.uri().path()),
            is_page,
        };
        let outgoing = match self.outgoing(request, peer, &route, &context).await {
            Ok(outgoing) => outgoing,
            Err(problem) => return guard::secured(problem.into_response()),
        };
        let start = self.upstream.start_in(&outgoing, base);
        // A page must answer soon. Other requests, such as the stop of a test, may take longer.
        let time_limit = if is_page { PAGE_LIMIT } else { MAX_SILENCE };
        let answered = timeout(time_limit, async {
            let response = self.upstream.send(&route, outgoing).await;
            self.upstream.remember(start, response.map_err(|error| explain(&error))?).await
        });
        match answered.await {
            Ok(Ok(response)) => context.answer(response, &route).await,
            Ok(Err(why)) => context.unreachable(&why),
            Err(_) => context.unreachable("Locust did not answer in time."),
        }
    }

    async fn outgoing(
        &self,
        request: Request,
        peer: Peer,
        route: &Route,
        context: &RelayContext,
    ) -> Result<Outgoing, Problem> {
        let client = Client {
            host: &context.host,
            from: peer.address.ip().to_canonical(),
            is_tls: self.guard.is_https(request.headers(), peer),
            own_cookie: self.guard.cookie(),
            owns_authorization: self.guard.owns_authorization(),
        };
        let mut headers = headers::outgoing(request.headers(), &client, route);
        let (path, query) = (request.uri().path().to_owned(), request.uri().query());
        let query = query.map(str::to_owned);
        let mut method = request.method().clone();
        if context.is_page {
            // The panel cannot be inserted into a compressed page. A HEAD request needs the whole page
            // too, because the Content-Length includes the panel.
            headers.remove(ACCEPT_ENCODING);
            method = Method::GET;
        }
        let body = request.into_body();
        let content = match route {
            _ if body.is_end_stream() => Content::Whole(Bytes::new()),
            Route::Direct(base) if !is_start(&method, &path, base.path()) => {
                Content::Streamed(reqwest::Body::wrap(Upload::new(body)))
            }
            Route::Direct(_) | Route::Proxied { .. } => {
                let whole = read_within(body, MAX_BUFFERED_BODY, &RELAYED_BODIES).await;
                Content::Whole(Bytes::from_owner(whole.map_err(unread)?))
            }
        };
        Ok(Outgoing { method, path, query, headers, content })
    }
}

/// The parts of a relayed request that are needed for its answer.
struct RelayContext {
    method: Method,
    /// True if the client accepts HTML.
    is_html: bool,
    host: String,
    guard: Arc<Guard>,
    /// The path of the panel's script, relative to the requested address.
    script: String,
    is_page: bool,
}

impl RelayContext {
    async fn answer(&self, response: Response<reqwest::Body>, route: &Route) -> Response {
        let (mut parts, body) = response.into_parts();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            // The relayed request has no `Upgrade`.
            return self
                .unreachable("Locust switched to another protocol without a request for it.");
        }
        headers::incoming(&mut parts.headers, &self.host, self.guard.cookie(), route);
        let limits = TimeLimits::whole(MAX_ANSWER);
        if !self.is_page || !may_hold_panel(parts.status, &parts.headers) {
            let body = TimedBody::new(body, limits);
            return Response::from_parts(parts, Body::new(body));
        }
        let start = match timeout(PAGE_START_LIMIT, read_start(body)).await {
            Ok(Ok(start)) => start,
            Ok(Err(error)) => {
                return self.unreachable(&format!("Locust's page is incomplete: {error}"));
            }
            Err(_) => return self.unreachable("Locust's page did not arrive in time."),
        };
        let body = match start.is_page {
            true => {
                let panel = Panel::new(&self.script);
                framing::forbid_other_sites(&mut parts.headers);
                headers::lengthen(&mut parts.headers, panel.len());
                start.with_panel(panel)
            }
            false => start.unchanged(),
        };
        let body = match self.method == Method::HEAD {
            true => Body::empty(),
            false => Body::new(TimedBody::new(body, limits)),
        };
        Response::from_parts(parts, body)
    }

    fn unreachable(&self, detail: &str) -> Response {
        unreachable(self.is_html, &self.script, detail)
    }
}

/// The answer to a request whose body cannot be relayed.
fn unread(error: BodyError<axum::Error>) -> Problem {
    let code = StatusCode::PAYLOAD_TOO_LARGE;
    match error {
        BodyError::OverBudget => Problem::busy_with_bodies(),
        BodyError::TooLarge | BodyError::Broken(_) => {
            let detail = "The body is larger than 1 MB, or did not arrive.";
            Problem::new(code, "RequestEntityTooLarge", detail)
        }
    }
}

/// The answer if Locust does not answer. A browser gets a page that contains the panel.
fn unreachable(is_html: bool, script: &str, detail: &str) -> Response {
    let code = StatusCode::BAD_GATEWAY;
    let mut response = match is_html {
        true => page::locust_unreachable(script, detail),
        false => Problem::new(code, "LocustSilent", detail).into_response(),
    };
    *response.status_mut() = code;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    guard::secured(response)
}

/// The answer for an address outside the base path of Locust: a redirect to its page, or a 404.
/// `None` for an address inside.
fn outside_base_path(request: &Request, base: &str) -> Option<Response> {
    let (path, query) = (request.uri().path(), request.uri().query());
    if path.starts_with(base) {
        return None;
    }
    let without_slash = base.trim_end_matches('/');
    // Relative, because a proxy may mount the server below a path that it does not know.
    let to = match path {
        "/" => Some(without_slash.trim_start_matches('/')),
        path if path == without_slash => without_slash.rsplit('/').next(),
        _ => None,
    };
    if let Some(to) = to {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        return Some(temporary(&format!("{to}/{query}")));
    }
    let detail = format!("There is no page at this address; Locust is at {base}.");
    let problem = Problem::new(StatusCode::NOT_FOUND, "NotFound", detail);
    Some(guard::secured(problem.into_response()))
}

/// The path of the panel's script, relative to `path`. A proxy may mount the server below a path that
/// it does not know.
fn script(path: &str) -> String {
    let depth = path.matches('/').count().saturating_sub(1);
    format!("{}{MOUNT}assets/panel.js", "../".repeat(depth))
}

fn explain(error: &Error) -> String {
    printable(&format!("Locust does not answer: {error}"))
}

#[cfg(test)]
mod tests {
    use axum::http::header::LOCATION;

    use super::*;

    #[test]
    fn the_path_of_the_script_is_relative_to_the_page() {
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
    fn outside_the_base_path_there_are_only_redirects_to_it() {
        let outside = |uri: &str| {
            let request = Request::get(uri).body(Body::empty()).unwrap();
            let response = outside_base_path(&request, "/load/test/")?;
            let to = response.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
            Some((response.status().as_u16(), to))
        };
        assert_eq!(outside("/load/test/stats/requests"), None);
        assert_eq!(outside("/?done=3"), Some((307, Some("load/test/?done=3".to_owned()))));
        assert_eq!(outside("/load/test"), Some((307, Some("test/".to_owned()))));
        assert_eq!(outside("/load/tests"), Some((404, None)));
    }

    #[test]
    fn addresses_of_serve_keep_their_query() {
        for (uri, below, expected) in [
            ("/-/locustctl/api/scale?wait=1m", "api/scale", "/api/scale?wait=1m"),
            ("/-/locustctl/", "", "/"),
            ("http://h:1/-/locustctl/?done=3", "", "http://h:1/?done=3"),
        ] {
            assert_eq!(with_path(&uri.parse().unwrap(), below), expected);
        }
    }
}

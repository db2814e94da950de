//! Sends relayed requests to Locust's web UI.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{ACCEPT, COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use reqwest::Body;
use tokio::time::{Instant, timeout};

use super::super::backend::Backend;
use super::login::LoginCheck;
use crate::locust::{
    Address, Content, Error, KnownStart, Outgoing, Relay, Route, Start, asks_for_login, is_json,
};

/// Time limit for the check of a login.
const CHECK_LIMIT: Duration = Duration::from_secs(5);

/// Limit on the size of Locust's answer to a start, in bytes. It has a few hundred bytes.
const MAX_ANSWER_TO_START: usize = 64 * 1024;

/// The route to Locust.
pub(super) struct Upstream {
    backend: Arc<Backend>,
    relay: Relay,
}

impl Upstream {
    pub(super) fn new(backend: Arc<Backend>, relay: Relay) -> Self {
        Self { backend, relay }
    }

    /// The route to Locust; `None` until it is found.
    pub(super) fn route(&self) -> Option<Route> {
        let address = match &self.backend.locust.location.address {
            Address::Auto => self.backend.live.locust_address()?,
            address => address.clone(),
        };
        Route::new(&address, &self.backend.target.namespace)
    }

    /// The start of a test in this request; `None` for any other request.
    pub(super) fn start_in(&self, outgoing: &Outgoing, base: &str) -> Option<RelayedStart> {
        let Content::Whole(form) = &outgoing.content else { return None };
        if !is_start(&outgoing.method, &outgoing.path, base) {
            return None;
        }
        let run_time_before = self.backend.live.run_time();
        Some(RelayedStart { start: Start::parse(form), run_time_before })
    }

    /// Remembers a start that Locust has accepted, because it tells how many users the test should
    /// have. Returns the answer unchanged.
    ///
    /// # Errors
    /// The answer is incomplete, or larger than an answer of Locust.
    pub(super) async fn remember(
        &self,
        relayed: Option<RelayedStart>,
        response: Response<Body>,
    ) -> Result<Response<Body>, String> {
        let Some(RelayedStart { start, run_time_before }) = relayed else { return Ok(response) };
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_TO_START).collect().await;
        let body =
            body.map_err(|error| format!("Locust's answer is incomplete: {error}"))?.to_bytes();
        if parts.status == StatusCode::OK && is_success(&body) {
            let at = Instant::now();
            match start {
                Some(start) => {
                    let known = KnownStart { start, at, run_time_before, logged_at: None };
                    self.backend.remember_start(known);
                }
                None => self.backend.forget_start(at),
            }
            self.backend.live.request_look();
        }
        Ok(Response::from_parts(parts, body.into()))
    }

    /// Relays a request.
    ///
    /// # Errors
    /// Locust does not answer.
    pub(super) async fn send(
        &self,
        route: &Route,
        outgoing: Outgoing,
    ) -> Result<Response<Body>, Error> {
        self.relay.send(&self.backend.client, route, outgoing).await
    }

    /// Checks if Locust accepts this cookie, or a request without a cookie.
    pub(super) async fn check_login(&self, cookie: Option<HeaderValue>) -> LoginCheck {
        let Some(route) = self.route() else { return LoginCheck::Silent };
        // Locust before 2.26 does not have the first path.
        for path in ["worker-count", "stats/requests"] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            headers.extend(cookie.clone().map(|cookie| (COOKIE, cookie)));
            let outgoing = Outgoing {
                method: Method::GET,
                path: format!("{}{path}", route.base_path()),
                query: None,
                headers,
                content: Content::Whole(Bytes::new()),
            };
            match timeout(CHECK_LIMIT, self.send(&route, outgoing)).await {
                Ok(Ok(response)) => match response.status().as_u16() {
                    200 if is_json(response.headers()) => return LoginCheck::Admitted,
                    status if asks_for_login(status) => return LoginCheck::Refused,
                    404 => {}
                    _ => return LoginCheck::Silent,
                },
                _ => return LoginCheck::Silent,
            }
        }
        LoginCheck::Silent
    }
}

pub(super) struct RelayedStart {
    /// The numbers of the form; `None` if it has none, as for a LoadTestShape.
    start: Option<Start>,
    /// The run time in Locust's page before the start, in seconds.
    run_time_before: Option<u64>,
}

/// True if the request starts a test, or edits a running one.
pub(super) fn is_start(method: &Method, path: &str, base: &str) -> bool {
    *method == Method::POST && path.strip_prefix(base) == Some("swarm")
}

/// True if Locust accepted the start. It also answers 200 to a refused start.
fn is_success(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|answer| answer["success"] == true)
}

//! Locust's web UI, wherever it is found.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{ACCEPT, COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use reqwest::Body;
use tokio::time::{Instant, timeout};

use super::super::app::App;
use super::login::Answer;
use crate::locust::{
    Address, Content, Error, KnownStart, Outgoing, Relay, Route, Start, asks_for_login, is_json,
};

/// Locust answers at once; what takes longer will not come.
const QUICK: Duration = Duration::from_secs(5);

/// Locust's answer to a start has a few hundred bytes.
const LARGEST_ANSWER_TO_START: usize = 64 * 1024;

/// Locust, as requests are passed on to it.
pub(super) struct Upstream {
    pub app: Arc<App>,
    relay: Relay,
}

impl Upstream {
    pub(super) fn new(app: Arc<App>, relay: Relay) -> Self {
        Self { app, relay }
    }

    /// Where Locust is; `None` as long as it is not found.
    pub(super) fn place(&self) -> Option<Route> {
        let address = match &self.app.locust.location.address {
            Address::Auto => self.app.live.locust_address()?,
            address => address.clone(),
        };
        Route::new(&address, &self.app.target.namespace)
    }

    /// The start of a test that this request asks Locust for; `None` for any other request.
    pub(super) fn start_in(&self, outgoing: &Outgoing, base: &str) -> Option<RelayedStart> {
        let Content::Whole(form) = &outgoing.content else { return None };
        if !is_start(&outgoing.method, &outgoing.path, base) {
            return None;
        }
        let run_time_before = self.app.live.run_time();
        Some(RelayedStart { start: Start::parse(form), run_time_before })
    }

    /// Remembers a start that Locust has accepted: from now on it is known what the test wants. Gives
    /// the answer as it was.
    ///
    /// # Errors
    /// The answer breaks off, or is larger than Locust's.
    pub(super) async fn remember(
        &self,
        relayed: Option<RelayedStart>,
        response: Response<Body>,
    ) -> Result<Response<Body>, String> {
        let Some(RelayedStart { start, run_time_before }) = relayed else { return Ok(response) };
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER_TO_START).collect().await;
        let body = body.map_err(|error| format!("Locust's answer broke off: {error}"))?.to_bytes();
        if parts.status == StatusCode::OK && is_success(&body) {
            let at = Instant::now();
            match start {
                Some(start) => {
                    let known = KnownStart { start, at, run_time_before, logged_at: None };
                    self.app.remember_start(known);
                }
                None => self.app.forget_start(at),
            }
            self.app.live.look_again();
        }
        Ok(Response::from_parts(parts, body.into()))
    }

    /// Passes a request on.
    ///
    /// # Errors
    /// There is no answer of Locust's.
    pub(super) async fn send(
        &self,
        place: &Route,
        outgoing: Outgoing,
    ) -> Result<Response<Body>, Error> {
        self.relay.send(&self.app.client, place, outgoing).await
    }

    /// Whether Locust lets somebody with this cookie in.
    pub(super) async fn tries(&self, cookie: Option<HeaderValue>) -> Answer {
        let Some(place) = self.place() else { return Answer::Silent };
        // Releases before 2.26 do not have the first.
        for path in ["worker-count", "stats/requests"] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            headers.extend(cookie.clone().map(|cookie| (COOKIE, cookie)));
            let outgoing = Outgoing {
                method: Method::GET,
                path: format!("{}{path}", place.base_path()),
                query: None,
                headers,
                content: Content::Whole(Bytes::new()),
            };
            match timeout(QUICK, self.send(&place, outgoing)).await {
                Ok(Ok(response)) => match response.status().as_u16() {
                    200 if is_json(response.headers()) => return Answer::Admitted,
                    status if asks_for_login(status) => return Answer::Refused,
                    404 => {}
                    _ => return Answer::Silent,
                },
                _ => return Answer::Silent,
            }
        }
        Answer::Silent
    }
}

/// A start that is passed on.
pub(super) struct RelayedStart {
    /// Its numbers; `None` where the form has none, as for a LoadTestShape.
    start: Option<Start>,
    /// The run time in Locust's page before.
    run_time_before: Option<u64>,
}

/// This request starts a test, or edits a running one.
pub(super) fn is_start(method: &Method, path: &str, base: &str) -> bool {
    *method == Method::POST && path.strip_prefix(base) == Some("swarm")
}

/// Locust answers 200 also to a start that it refuses.
fn is_success(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|answer| answer["success"] == true)
}

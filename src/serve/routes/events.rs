//! `GET /api/events`: the state as it changes, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until};

use super::super::app::App;
use super::super::caller::{Caller, Proof};
use super::super::guard::Guard;
use super::super::live::Frame;
use super::super::metrics::Viewer;
use super::super::problem::Problem;

/// So often something is sent, that proxies on the way do not take the stream for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Then the viewer comes back by itself, and has to show again who it is.
const LASTS: Duration = Duration::from_secs(60 * 60);

/// The same, where only Locust can tell who it is.
const LASTS_BY_LOCUST: Duration = Duration::from_secs(60);

/// Who is not let in any more is not told anything any more.
const RECHECK: Duration = Duration::from_secs(2);

/// After a broken connection the viewer waits for 2 seconds.
const RETRY: &str = "retry: 2000\n\n";

/// Nothing is told, but something is sent.
const STILL_HERE: &str = ": still here\n\n";

/// One viewer. Nothing is kept for it: a slow one gets the latest state when it has read the one
/// before.
struct Following {
    frames: watch::Receiver<Arc<Frame>>,
    is_stopping: watch::Receiver<bool>,
    /// The state that it has already, as `Last-Event-ID` says.
    has: Option<String>,
    until: Instant,
    is_first: bool,
    admission: Admission,
    checks: Interval,
    _viewer: Viewer,
    _room: OwnedSemaphorePermit,
}

/// By what the viewer was let in.
struct Admission {
    guard: Arc<Guard>,
    proof: Proof,
    headers: HeaderMap,
}

impl Admission {
    fn holds(&self) -> bool {
        self.guard.still_admits(self.proof, &self.headers)
    }
}

/// The whole state at once, unless the viewer has it already, and then each time it changes.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Extension(guard): Extension<Arc<Guard>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let Ok(room) = Arc::clone(&app.viewers).try_acquire_owned() else {
        let detail = "Too many viewers follow the events already; try again later.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "TooManyViewers", detail);
        return problem.with_retry_after(5).into_response();
    };
    let has = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let proof = caller.proof;
    let lasts = if proof == Proof::Locust { LASTS_BY_LOCUST } else { LASTS };
    let mut checks = interval_at(Instant::now() + RECHECK, RECHECK);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let following = Following {
        frames: app.live.subscribe(),
        is_stopping: app.is_stopping.clone(),
        has,
        until: Instant::now() + lasts,
        is_first: true,
        admission: Admission { guard, proof, headers },
        checks,
        _viewer: app.metrics.viewer(),
        _room: room,
    };
    let events = stream::unfold(following, |mut following| async {
        let event = following.next().await?;
        Some((Ok::<_, Infallible>(event), following))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    // nginx would hold the events back.
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    response
}

impl Following {
    async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.is_first) {
            let frame = Arc::clone(&self.frames.borrow_and_update());
            return Some(match self.has.take().is_some_and(|id| id == frame.id) {
                true => Bytes::from_static(RETRY.as_bytes()),
                false => Bytes::from([RETRY.as_bytes(), &frame.event].concat()),
            });
        }
        let quiet = sleep(KEEP_ALIVE);
        tokio::pin!(quiet);
        loop {
            tokio::select! {
                changed = self.frames.changed() => {
                    changed.ok()?;
                    return Some(self.frames.borrow_and_update().event.clone());
                }
                _ = self.checks.tick() => if !self.admission.holds() { return None },
                () = &mut quiet => return Some(Bytes::from_static(STILL_HERE.as_bytes())),
                () = sleep_until(self.until) => return None,
                _ = self.is_stopping.wait_for(|is_stopping| *is_stopping) => return None,
            }
        }
    }
}

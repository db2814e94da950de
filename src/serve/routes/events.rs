//! `GET /api/events`: the state and the samples as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until};

use super::super::app::App;
use super::super::caller::{Caller, Peer, Proof};
use super::super::guard::Guard;
use super::super::live::Frame;
use super::super::metrics::Viewer;
use super::super::viewers::ViewerPermit;

/// Time between two comments in a quiet stream. They keep proxies from closing it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Longest life of a stream. Then the viewer reconnects and authenticates again.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Maximum life of a stream if Locust authenticates its viewer.
const LIFETIME_WITH_LOCUST_LOGIN: Duration = Duration::from_secs(60);

/// How often to check that the viewer is still authorised.
const RECHECK: Duration = Duration::from_secs(2);

/// Tells the viewer to wait 2 s before it reconnects.
const RETRY: &str = "retry: 2000\n\n";

/// A comment. Viewers ignore it.
const COMMENT: &str = ": keep-alive\n\n";

/// The stream of one viewer. States are not queued: a slow viewer gets the latest state when it has
/// read the one before.
struct EventStream {
    frames: watch::Receiver<Arc<Frame>>,
    /// The event of the latest sample.
    samples: watch::Receiver<Bytes>,
    is_stopping: watch::Receiver<bool>,
    /// The id of the state that the viewer already has, from `Last-Event-ID`.
    last_event_id: Option<String>,
    end: Instant,
    is_first: bool,
    admission: Admission,
    checks: Interval,
    _viewer: Viewer,
    _permit: ViewerPermit,
}

/// The authentication of the viewer.
struct Admission {
    guard: Arc<Guard>,
    proof: Proof,
    headers: HeaderMap,
    peer: Peer,
}

impl Admission {
    fn is_valid(&self) -> bool {
        self.guard.still_admits(self.proof, &self.headers, self.peer)
    }
}

/// Sends the whole state immediately, unless the viewer has it already, and the latest sample. Then
/// sends every new state and sample.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Extension(guard): Extension<Arc<Guard>>,
    Extension(caller): Extension<Caller>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let permit = match app.viewers.acquire(&caller) {
        Ok(permit) => permit,
        Err(problem) => return problem.into_response(),
    };
    let last_event_id =
        headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let proof = caller.proof;
    let lifetime = if proof == Proof::Locust { LIFETIME_WITH_LOCUST_LOGIN } else { LIFETIME };
    let mut samples = app.samples.subscribe();
    samples.mark_changed();
    let mut checks = interval_at(Instant::now() + RECHECK, RECHECK);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The subscription requests a look at Locust.
    let frames = app.backend.live.subscribe();
    app.backend.live.wait_for_fresh_look().await;
    let events = EventStream {
        frames,
        samples,
        is_stopping: app.is_stopping.clone(),
        last_event_id,
        end: Instant::now() + lifetime,
        is_first: true,
        admission: Admission { guard, proof, headers, peer },
        checks,
        _viewer: app.metrics.viewer(),
        _permit: permit,
    };
    let events = stream::unfold(events, |mut events| async {
        let event = events.next().await?;
        Some((Ok::<_, Infallible>(event), events))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    // Keeps nginx from buffering the events.
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    response
}

impl EventStream {
    async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.is_first) {
            let frame = Arc::clone(&self.frames.borrow_and_update());
            return Some(match self.last_event_id.take().is_some_and(|id| id == frame.id) {
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
                changed = self.samples.changed() => {
                    changed.ok()?;
                    let event = self.samples.borrow_and_update().clone();
                    if !event.is_empty() {
                        return Some(event);
                    }
                }
                _ = self.checks.tick() => if !self.admission.is_valid() { return None },
                () = &mut quiet => return Some(Bytes::from_static(COMMENT.as_bytes())),
                () = sleep_until(self.end) => return None,
                _ = self.is_stopping.wait_for(|is_stopping| *is_stopping) => return None,
            }
        }
    }
}

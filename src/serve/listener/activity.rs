//! The requests that are open on one connection, for its idle timeout.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The requests on one connection, and their answers.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<RequestCounts>,
    /// Notifies when the first request opens or the last one closes: another limit may apply then.
    changed: Notify,
    /// Notifies when the connection must make room for another one.
    evicted: Notify,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct RequestCounts {
    /// True after the first request.
    pub has_requests: bool,
    /// Requests whose answers are not yet handed over completely.
    pub open: usize,
    /// Open requests whose client waits for the server. For the others, the server waits until the
    /// client has read more of the answer.
    working: usize,
    /// Time of the last change of these counts.
    last: Instant,
}

/// The reason why a connection has no open request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Idleness {
    /// Nothing was asked.
    Silent,
    /// All requests were answered.
    Answered,
}

/// One request and its answer. Dropping it closes the request.
#[derive(Debug)]
pub(super) struct Exchange {
    activity: Activity,
    is_working: bool,
}

impl Activity {
    /// Creates the counts of a connection without requests.
    pub(super) fn new() -> Self {
        let state =
            RequestCounts { has_requests: false, open: 0, working: 0, last: Instant::now() };
        let (changed, evicted) = (Notify::new(), Notify::new());
        Self(Arc::new(Shared { state: Mutex::new(state), changed, evicted }))
    }

    /// Counts a new request.
    pub(super) fn begin(&self) -> Exchange {
        let mut state = self.lock();
        state.has_requests = true;
        state.open += 1;
        state.working += 1;
        state.last = Instant::now();
        if state.open == 1 {
            self.0.changed.notify_one();
        }
        Exchange { activity: self.clone(), is_working: true }
    }

    /// The reason why the connection may be evicted, and since when. Connections without any request come first.
    /// `None` if a request is open.
    pub(super) fn idleness(&self) -> Option<(Idleness, Instant)> {
        let state = self.lock();
        let idleness = if state.has_requests { Idleness::Answered } else { Idleness::Silent };
        (state.open == 0).then_some((idleness, state.last))
    }

    /// Ends the connection, unless a request comes before its task notices.
    pub(super) fn evict(&self) {
        self.0.evicted.notify_one();
    }

    /// Waits until the connection must end, because no request is open and others need the room.
    pub(super) async fn evicted(&self) {
        loop {
            self.0.evicted.notified().await;
            if self.lock().open == 0 {
                return;
            }
        }
    }

    /// Waits until nothing has happened for the time that `limit` gives for the present counts, and
    /// no client waits for the server. The time before the call is not included.
    pub(super) async fn idle(&self, limit: impl Fn(RequestCounts) -> Duration) {
        let began = Instant::now();
        loop {
            let state = *self.lock();
            let last = if state.working > 0 { Instant::now() } else { state.last.max(began) };
            let end = last + limit(state);
            if end <= Instant::now() {
                return;
            }
            let _ = timeout_at(end, self.0.changed.notified()).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, RequestCounts> {
        self.0.state.lock()
    }
}

impl Exchange {
    /// Tracks the answer to its end.
    pub(super) fn follow(self, body: Body) -> Body {
        // hyper never polls an empty body.
        match body.is_end_stream() {
            true => body,
            false => Body::new(TrackedBody { body, exchange: self }),
        }
    }

    fn set_working(&mut self, is_working: bool) {
        let mut state = self.activity.lock();
        state.last = Instant::now();
        match (std::mem::replace(&mut self.is_working, is_working), is_working) {
            (false, true) => state.working += 1,
            (true, false) => state.working -= 1,
            _ => {}
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.set_working(false);
        let mut state = self.activity.lock();
        state.open -= 1;
        if state.open == 0 {
            self.activity.0.changed.notify_one();
        }
    }
}

/// The body of an answer that is being sent.
struct TrackedBody {
    body: Body,
    exchange: Exchange,
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.exchange.set_working(frame.is_pending());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

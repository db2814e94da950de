//! What goes on on one connection: whether anything is asked there, and who waits for whom.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The requests on one connection, and their answers.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// That something is open, or nothing more: another limit may hold then.
    turned: Notify,
}

/// How it stands with them.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// Whether anything was ever asked.
    pub has_begun: bool,
    /// Requests whose answers are not wholly handed over.
    pub open: usize,
    /// Of them those for which the client waits. For the others we wait: it has to take what it
    /// has asked for, and there is no more of the answer until it has.
    working: usize,
    /// When anything of that changed last.
    last: Instant,
}

/// One request, and its answer; over when dropped.
#[derive(Debug)]
pub(super) struct Exchange {
    activity: Activity,
    is_working: bool,
}

impl Activity {
    /// Nothing was asked yet.
    pub(super) fn new() -> Self {
        let state = State { has_begun: false, open: 0, working: 0, last: Instant::now() };
        Self(Arc::new(Shared { state: Mutex::new(state), turned: Notify::new() }))
    }

    /// A request has come.
    pub(super) fn begin(&self) -> Exchange {
        let mut state = self.lock();
        state.has_begun = true;
        state.open += 1;
        state.working += 1;
        state.last = Instant::now();
        if state.open == 1 {
            self.0.turned.notify_one();
        }
        Exchange { activity: self.clone(), is_working: true }
    }

    /// Waits until, from now on, nothing has happened for so long as is borne with, and nobody
    /// waits for us.
    pub(super) async fn rest(&self, limit: impl Fn(State) -> Duration) {
        let began = Instant::now();
        loop {
            let state = *self.lock();
            let last = if state.working > 0 { Instant::now() } else { state.last.max(began) };
            let end = last + limit(state);
            if end <= Instant::now() {
                return;
            }
            let _ = timeout_at(end, self.0.turned.notified()).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// Follows the answer to its end.
    pub(super) fn follow(self, body: Body) -> Body {
        // Nothing of an empty one is ever asked for.
        match body.is_end_stream() {
            true => body,
            false => Body::new(Followed { body, exchange: self }),
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
            self.activity.0.turned.notify_one();
        }
    }
}

/// An answer on its way.
struct Followed {
    body: Body,
    exchange: Exchange,
}

impl HttpBody for Followed {
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

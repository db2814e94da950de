//! The state that connections, controllers and handles share.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use tokio::time::{Duration, Instant, sleep_until};

use super::{
    controller::Controllers, faults::Fault, identity::Accounts, locust::Locusts, resources::Types,
    store::Store,
};

/// Requests remembered for tests; the oldest are forgotten first.
const MOST_REQUESTS: usize = 4096;

/// Everything behind the one lock.
#[derive(Debug)]
pub(super) struct State {
    pub store: Store,
    pub accounts: Accounts,
    pub faults: Vec<Fault>,
    pub controllers: Controllers,
    pub controllers_paused: bool,
    pub latency: Duration,
    pub requests: VecDeque<SeenRequest>,
    pub next_request: u64,
    pub server: String,
    pub types: Types,
    /// The Locusts that run in the cluster.
    pub locusts: Locusts,
    /// Whether clients get discovery group version by group version only.
    pub legacy_discovery: bool,
}

/// One request, as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// `GET`, `PATCH`, …
    pub method: String,
    /// As it stood in the request.
    pub path_and_query: String,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of it.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 1.
    pub connection: u64,
    /// The name that the client asked for in the TLS handshake (SNI).
    pub server_name: Option<String>,
    /// Whether it came over HTTP/2.
    pub http2: bool,
    /// The answer's status; `None` as long as there is none, or when there never was one.
    pub status: Option<u16>,
    pub(super) number: u64,
}

impl SeenRequest {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Method and path, as one line of a log.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path_and_query)
    }
}

/// The lock, and nothing else.
#[derive(Debug)]
pub(super) struct Shared(Mutex<State>);

impl Shared {
    pub(super) fn new(state: State) -> Self {
        Self(Mutex::new(state))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    /// Remembers a request; the number is for [`Self::answered`].
    pub(super) fn remember(&mut self, mut request: SeenRequest) -> u64 {
        self.next_request += 1;
        request.number = self.next_request;
        self.requests.push_back(request);
        if self.requests.len() > MOST_REQUESTS {
            self.requests.pop_front();
        }
        self.next_request
    }

    pub(super) fn answered(&mut self, number: u64, status: u16) {
        if let Some(request) = self.requests.iter_mut().find(|request| request.number == number) {
            request.status = Some(status);
        }
    }
}

/// Runs the controllers after every change and whenever a pod is due.
pub(super) async fn run_controllers(shared: Arc<Shared>) {
    let mut changes = shared.lock().store.subscribe();
    loop {
        let due = {
            let mut state = shared.lock();
            let state = &mut *state;
            let due = if state.controllers_paused {
                None
            } else {
                state.controllers.settle(&mut state.store, Instant::now())
            };
            state.locusts.follow(&state.store);
            // The controllers' own changes need no second look.
            changes.borrow_and_update();
            due
        };
        let timer = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = timer => {}
        }
    }
}

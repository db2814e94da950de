//! The state that is shared by connections, controllers and handles.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::watch,
    time::{Duration, Instant, sleep_until},
};

use super::{
    controller::Controllers, faults::Fault, identity::Accounts, locust::Locusts, resources::Types,
    store::Store,
};

/// How many requests are recorded for tests. The oldest are dropped first.
const MAX_REQUESTS: usize = 4096;

/// The state of the cluster, protected by one lock.
#[derive(Debug)]
pub(super) struct ClusterState {
    pub store: Store,
    pub accounts: Accounts,
    pub faults: Vec<Fault>,
    /// Notifies the held requests when the faults are cleared.
    pub faults_cleared: watch::Sender<()>,
    pub controllers: Controllers,
    pub controllers_paused: bool,
    pub latency: Duration,
    pub requests: VecDeque<RecordedRequest>,
    pub next_request: u64,
    pub server: String,
    pub types: Types,
    /// The Locust masters in the cluster.
    pub locusts: Locusts,
    /// Do not serve aggregated discovery.
    pub legacy_discovery: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// `GET`, `PATCH`, …
    pub method: String,
    /// Path and query as the client sent them.
    pub path_and_query: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of the body.
    pub body: Vec<u8>,
    /// The number of the connection, from 1.
    pub connection: u64,
    /// The name that the client asked for in the TLS handshake (SNI).
    pub server_name: Option<String>,
    /// True for HTTP/2.
    pub http2: bool,
    /// The status of the response. `None` until the response is sent.
    pub status: Option<u16>,
    pub(super) number: u64,
}

impl RecordedRequest {
    /// The first header with this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Method and path, as a line of a log.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path_and_query)
    }
}

/// The lock around the state.
#[derive(Debug)]
pub(super) struct Shared(Mutex<ClusterState>);

impl Shared {
    pub(super) fn new(state: ClusterState) -> Self {
        Self(Mutex::new(state))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ClusterState> {
        self.0.lock()
    }
}

impl ClusterState {
    /// Records a request. Returns its number for [`Self::answered`].
    pub(super) fn record(&mut self, mut request: RecordedRequest) -> u64 {
        self.next_request += 1;
        request.number = self.next_request;
        self.requests.push_back(request);
        if self.requests.len() > MAX_REQUESTS {
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

/// Runs the controllers after every change, and when a pod becomes ready.
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
            // The controllers' own changes are handled already.
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

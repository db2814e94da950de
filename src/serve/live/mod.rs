//! What is known of the target now: one state, fed by one watch, read by everybody.

mod feed;
mod ledger;
mod state;
mod swarm;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, watch};

pub use feed::{follow, follow_autoscalers};
pub use ledger::Entry;
pub use swarm::follow_swarm;

use self::state::State;
use super::snapshot::{Limits, Snapshot, TargetInfo, Users};
use crate::locust::{Address, Look, WorkerPods};

/// Changes that come within this time are told in one go.
const GATHERED: Duration = Duration::from_millis(50);

/// One state, as it goes to the viewers: made once for all of them.
#[derive(Debug)]
pub struct Frame {
    /// What it is.
    pub snapshot: Snapshot,
    /// Names this state, also after a restart of the server.
    pub id: String,
    /// The whole event for the stream of events.
    pub event: Bytes,
    number: u64,
}

/// A change from here that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// In the history.
    pub id: u64,
    number: u64,
}

/// The state, and who is told when it changes.
#[derive(Debug)]
pub struct Live {
    state: Mutex<State>,
    is_dirty: Notify,
    frames: watch::Sender<Arc<Frame>>,
    /// A change from here has ended.
    has_ended: Notify,
    /// The target was read when so many changes from here had ended.
    looked: watch::Sender<u64>,
    /// Somebody looks who did not before.
    is_wanted: Notify,
    /// Where Locust was found.
    locust_address: Mutex<Option<Address>>,
    /// The last look at Locust at which the running test had all its users.
    steady: Mutex<Option<Look>>,
    run_time: Mutex<Option<u64>>,
    /// Tells the states of this process from those of another.
    run: String,
}

impl Live {
    /// Nothing is known yet.
    pub fn new(target: TargetInfo, limits: Limits) -> Self {
        let state = State::new(target, limits);
        let run = format!("{:08x}", fastrand::u32(..));
        let frame = Arc::new(frame(state.snapshot(), &run, 0));
        Self {
            state: Mutex::new(state),
            is_dirty: Notify::new(),
            frames: watch::Sender::new(frame),
            has_ended: Notify::new(),
            looked: watch::Sender::new(0),
            is_wanted: Notify::new(),
            locust_address: Mutex::default(),
            steady: Mutex::default(),
            run_time: Mutex::default(),
            run,
        }
    }

    /// The state that was told last.
    pub fn now(&self) -> Arc<Frame> {
        Arc::clone(&self.frames.borrow())
    }

    /// Is told each state from now on; whoever is slow gets the latest one alone.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Frame>> {
        let frames = self.frames.subscribe();
        self.is_wanted.notify_one();
        frames
    }

    /// What was wrong with a running test's users was put right.
    pub fn users_are_back(&self, users: Users) {
        self.lock().ledger.put_right(users);
        self.tell();
        self.look_again();
    }

    /// Where Locust was found, if it was.
    pub fn locust_address(&self) -> Option<Address> {
        self.locust_address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn found_locust(&self, address: Option<Address>) {
        *self.locust_address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// Somebody wants to know how it is at Locust now.
    pub fn look_again(&self) {
        self.is_wanted.notify_one();
    }

    /// The pods of the workers; `None` where they are not known, or not yet.
    pub fn worker_pods(&self) -> Option<WorkerPods> {
        self.lock().worker_pods()
    }

    /// The last look at Locust at which the running test had all its users.
    pub fn steady(&self) -> Option<Look> {
        self.steady.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The run time in Locust's page, as it was seen last.
    pub fn run_time(&self) -> Option<u64> {
        *self.run_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_run_time(&self, run_time: Option<u64>) {
        *self.run_time.lock().unwrap_or_else(PoisonError::into_inner) = run_time;
    }

    fn set_steady(&self, look: Option<&Look>) {
        *self.steady.lock().unwrap_or_else(PoisonError::into_inner) = look.cloned();
    }

    /// A running test was given its users back although nothing was changed here.
    pub fn kept(&self, users: Users) {
        {
            let mut state = self.lock();
            let count = state.desired();
            state.ledger.kept(count, users);
        }
        self.tell();
    }

    /// What a change from here meant for a running test; told at once, so that whoever waited for
    /// it finds it. `id` is that of its history.
    pub fn users(&self, id: u64, users: Users) {
        self.lock().ledger.users(id, users);
        self.tell();
    }

    /// Tells the state as it changes, until dropped.
    pub async fn publish(&self) {
        loop {
            self.is_dirty.notified().await;
            tokio::time::sleep(GATHERED).await;
            self.tell();
        }
    }

    /// A change is about to be made from here.
    pub fn begin(&self) {
        self.lock().ledger.begin();
    }

    /// What became of it; tells it at once, so that whoever made it finds it.
    pub fn end(&self, entry: Entry) -> Ended {
        let ended = {
            let mut state = self.lock();
            let id = state.end(entry);
            Ended { id, number: state.ended() }
        };
        self.tell();
        self.has_ended.notify_one();
        ended
    }

    /// Waits until the target was read after this change.
    pub async fn read_after(&self, ended: Ended) {
        // It cannot be closed as long as we are there.
        let _ = self.looked.subscribe().wait_for(|looked| *looked >= ended.number).await;
    }

    fn looked(&self, ended: u64) {
        self.lock().looked(ended);
        self.tell();
        self.looked.send_replace(ended);
    }

    fn tell(&self) {
        let snapshot = self.lock().snapshot();
        self.frames.send_if_modified(|last| {
            let is_new = last.snapshot != snapshot;
            if is_new {
                *last = Arc::new(frame(snapshot, &self.run, last.number + 1));
            }
            is_new
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.is_dirty.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn frame(snapshot: Snapshot, run: &str, number: u64) -> Frame {
    let id = format!("{run}-{number}");
    // A snapshot is plain data: there is nothing in it that JSON cannot hold.
    let data = serde_json::to_string(&snapshot).unwrap_or_default();
    let event = Bytes::from(format!("id: {id}\nevent: state\ndata: {data}\n\n"));
    Frame { snapshot, id, event, number }
}

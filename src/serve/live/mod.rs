//! The state of the target: one state, kept up to date by [`super::follow`] and read by all requests.

mod labels;
mod ledger;
mod looks;
mod same_change;
mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

pub(super) use self::ledger::HistoryEntry;
pub(super) use self::state::{MAX_PODS_KEPT, TargetState};

use self::looks::Looks;
use super::record::Record;
use super::snapshot::{ConnectionState, Limits, Snapshot, TargetInfo, UserCheck};
use crate::locust::{Address, Look, WorkerPods};

/// Changes within this time are published together.
const PUBLISH_DELAY: Duration = Duration::from_millis(50);

/// One published state. It is serialized once for all viewers.
#[derive(Debug)]
pub(super) struct Frame {
    pub snapshot: Snapshot,
    /// Identifies this state. It differs after a restart of the server.
    pub id: String,
    /// The complete server-sent event.
    pub event: Bytes,
    number: u64,
}

/// A change made here that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EndedChange {
    /// Its id in the history.
    pub id: u64,
    number: u64,
}

/// The current state, with its subscribers.
#[derive(Debug)]
pub(super) struct Live {
    state: Mutex<TargetState>,
    is_dirty: Notify,
    frames: watch::Sender<Arc<Frame>>,
    /// Notifies when the target must be read, for example because a change made here has ended.
    read_requested: Notify,
    /// Notifies when the history has changed.
    history_changed: Notify,
    /// The number of ended changes that the last read of the target reflects.
    read_changes: watch::Sender<u64>,
    looks: Looks,
    locust_address: Mutex<Option<Address>>,
    is_locust_absent: AtomicBool,
    /// The last look at Locust at which the running test had all its users.
    steady: Mutex<Option<Look>>,
    /// The run time in Locust's page, in seconds.
    run_time: Mutex<Option<u64>>,
    /// A random part of the ids. It differs between processes.
    process_id: String,
}

impl Live {
    pub(super) fn new(target: TargetInfo, limits: Limits) -> Self {
        let state = TargetState::new(target, limits);
        let process_id = format!("{:08x}", fastrand::u32(..));
        let frame = Arc::new(frame(state.snapshot(), &process_id, 0));
        Self {
            state: Mutex::new(state),
            is_dirty: Notify::new(),
            frames: watch::Sender::new(frame),
            read_requested: Notify::new(),
            history_changed: Notify::new(),
            read_changes: watch::Sender::new(0),
            looks: Looks::default(),
            locust_address: Mutex::default(),
            is_locust_absent: AtomicBool::default(),
            steady: Mutex::default(),
            run_time: Mutex::default(),
            process_id,
        }
    }

    /// The state that was published last.
    pub(super) fn now(&self) -> Arc<Frame> {
        Arc::clone(&self.frames.borrow())
    }

    /// Subscribes to all later states. A slow subscriber gets only the latest one.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Frame>> {
        let frames = self.frames.subscribe();
        self.looks.request();
        frames
    }

    pub(super) fn has_subscribers(&self) -> bool {
        self.frames.receiver_count() > 0
    }

    /// Requests a new look at Locust soon.
    pub(super) fn request_look(&self) {
        self.looks.request();
    }

    /// The state for an answer that shows Locust's test. If the last look at Locust is some seconds old, a
    /// new one is requested and waited for, for at most one second.
    pub(super) async fn with_fresh_look(&self) -> Arc<Frame> {
        if self.looks.is_stale() {
            self.request_look();
        }
        self.wait_for_fresh_look().await;
        self.now()
    }

    /// Waits for a look that was just requested, if the last one is some seconds old. Without a Locust
    /// there is nothing to wait for.
    pub(super) async fn wait_for_fresh_look(&self) {
        let has_locust = self.lock().swarm.is_some();
        if has_locust {
            self.looks.wait_until_fresh().await;
        }
    }

    /// Waits for the end of a requested look, for at most one second. Does not wait if the last look is only a few
    /// seconds old.
    pub(super) async fn wait_for_look(&self) {
        self.looks.wait_until_fresh().await;
    }

    /// Notes that Locust has answered now.
    pub(super) fn note_locust_answer(&self) {
        self.lock().locust_answered = Some(Instant::now());
    }

    /// The last search has found no Locust of these workers.
    pub(super) fn is_locust_absent(&self) -> bool {
        self.is_locust_absent.load(Ordering::Relaxed)
    }

    pub(super) fn set_locust_absent(&self, is_absent: bool) {
        self.is_locust_absent.store(is_absent, Ordering::Relaxed);
    }

    /// Time of Locust's last answer. `None` if it has not answered yet.
    pub(super) fn locust_answered(&self) -> Option<Instant> {
        self.lock().locust_answered
    }

    /// Notes the end of a look at Locust, and publishes its result.
    pub(super) fn note_look(&self) {
        self.publish_now();
        self.looks.note_end();
    }

    /// Waits until a look at Locust is requested.
    pub(super) async fn look_requested(&self) {
        self.looks.requested().await;
    }

    /// The address of the found Locust.
    pub(super) fn locust_address(&self) -> Option<Address> {
        self.locust_address.lock().clone()
    }

    pub(super) fn set_locust_address(&self, address: Option<Address>) {
        *self.locust_address.lock() = address;
    }

    /// The last look at Locust at which the running test had all its users.
    pub(super) fn steady(&self) -> Option<Look> {
        self.steady.lock().clone()
    }

    pub(super) fn set_steady(&self, look: Option<&Look>) {
        *self.steady.lock() = look.cloned();
    }

    /// The last known run time in Locust's page, in seconds.
    pub(super) fn run_time(&self) -> Option<u64> {
        *self.run_time.lock()
    }

    pub(super) fn set_run_time(&self, run_time: Option<u64>) {
        *self.run_time.lock() = run_time;
    }

    /// The pods of the workers; `None` if they are not known, or not yet.
    pub(super) fn worker_pods(&self) -> Option<WorkerPods> {
        self.lock().worker_pods()
    }

    /// The pods of the workers, if exactly `count` of them are ready.
    ///
    /// # Errors
    /// The pods are not known, or another number of them is ready.
    pub(super) fn ready_worker_pods(&self, count: i64) -> Result<WorkerPods, String> {
        let pods = self.worker_pods().ok_or_else(|| "the pods are not known".to_owned())?;
        let ready = pods.ready_count();
        match i64::try_from(ready) == Ok(count) {
            true => Ok(pods),
            false => Err(format!("{ready} instead of {count} pods are ready")),
        }
    }

    pub(super) fn connection_state(&self) -> ConnectionState {
        self.lock().connection_state()
    }

    /// The time since which the API server does not answer; `None` if it answers.
    pub(super) fn lost_since(&self) -> Option<String> {
        self.lock().lost_since()
    }

    /// Notes that the users of a test with a problem were redistributed.
    pub(super) fn record_repair(&self, users: UserCheck) {
        self.lock().ledger.record_repair(users);
        self.publish_now();
        self.request_look();
    }

    /// Notes a rebalance of a running test without a change made here.
    pub(super) fn record_automatic_rebalance(&self, users: UserCheck) {
        {
            let mut state = self.lock();
            let count = state.desired();
            state.ledger.record_automatic_rebalance(count, users);
        }
        self.publish_now();
    }

    /// Sets the users of a running test after the change with this history id. The state is
    /// published immediately, so that the waiting request finds it.
    pub(super) fn set_users(&self, id: u64, users: UserCheck) {
        self.lock().ledger.set_users(id, users);
        self.publish_now();
    }

    /// Adds the changes that other processes have stored, and returns all of them, the latest first.
    pub(super) fn merge_history(&self, stored: Vec<Record>) -> Vec<Record> {
        let merged = self.lock().ledger.merge(stored);
        self.publish_now();
        merged
    }

    /// Waits until the history has changed.
    pub(super) async fn history_changed(&self) {
        self.history_changed.notified().await;
    }

    /// Sets the text on the page about the place of the history; empty if there is nothing to say.
    pub(super) fn set_history_note(&self, note: &'static str) {
        self.change(|state| state.history_note = note);
    }

    /// The uid of the target; empty if it is not known.
    pub(super) fn target_uid(&self) -> String {
        self.lock().uid().to_owned()
    }

    /// Publishes the state when it has changed; never ends.
    pub(super) async fn publish(&self) {
        loop {
            self.is_dirty.notified().await;
            tokio::time::sleep(PUBLISH_DELAY).await;
            self.publish_now();
        }
    }

    pub(super) fn begin_change(&self) {
        self.lock().ledger.begin();
    }

    /// Notes the end of a change. The state is published immediately, so that the caller finds it.
    pub(super) fn end_change(&self, entry: HistoryEntry) -> EndedChange {
        let ended = {
            let mut state = self.lock();
            let id = state.end_change(entry);
            EndedChange { id, number: state.ended_changes() }
        };
        self.publish_now();
        self.request_read();
        ended
    }

    /// Requests a new read of the target.
    pub(super) fn request_read(&self) {
        self.read_requested.notify_one();
    }

    /// Waits until a read of the target is requested.
    pub(super) async fn read_requested(&self) {
        self.read_requested.notified().await;
    }

    /// The number of updates of the target so far; see [`TargetState::set_target_from_read`].
    pub(super) fn updates(&self) -> u64 {
        self.lock().updates()
    }

    /// The number of changes that have ended.
    pub(super) fn ended_changes(&self) -> u64 {
        self.lock().ended_changes()
    }

    /// Waits until the target was read after this change.
    pub(super) async fn wait_for_read_after(&self, ended: EndedChange) {
        // The sender lives as long as `self`, so there is no error.
        let _ = self.read_changes.subscribe().wait_for(|read| *read >= ended.number).await;
    }

    /// Notes that the target was read when this number of changes had ended.
    pub(super) fn set_read_changes(&self, ended: u64) {
        self.lock().set_read_changes(ended);
        self.publish_now();
        self.read_changes.send_replace(ended);
    }

    /// Changes the state. It is published soon.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut TargetState) -> T) -> T {
        let result = change(&mut self.lock());
        self.is_dirty.notify_one();
        result
    }

    fn publish_now(&self) {
        let snapshot = self.lock().snapshot();
        self.frames.send_if_modified(|last| {
            let is_new = last.snapshot != snapshot;
            if last.snapshot.history != snapshot.history {
                self.history_changed.notify_one();
            }
            if is_new {
                *last = Arc::new(frame(snapshot, &self.process_id, last.number + 1));
            }
            is_new
        });
    }

    fn lock(&self) -> MutexGuard<'_, TargetState> {
        self.state.lock()
    }
}

fn frame(snapshot: Snapshot, process_id: &str, number: u64) -> Frame {
    let id = format!("{process_id}-{number}");
    // Serializing cannot fail: a snapshot is plain data.
    let data = serde_json::to_string(&snapshot).unwrap_or_default();
    let event = Bytes::from(format!("id: {id}\nevent: state\ndata: {data}\n\n"));
    Frame { snapshot, id, event, number }
}

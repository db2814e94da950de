//! Follows the target and its pods with one watch each. Errors are shown on the page, those of the
//! target also in the log. The watch is retried.

use std::pin::pin;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::super::live::{Live, MAX_PODS_KEPT, TargetState};
use super::super::log::{log, now};
use super::super::metrics::Metrics;
use super::super::snapshot::ConnectionState;
use crate::cluster::api::{Client, Error, Watch, WatchEvent, WatchTarget};
use crate::scaling::{
    PODS, Pod, Target, Workload, WorkloadKind, counts_of, label_selector, readiness_of_scale,
    workload_of,
};

/// Shorter interruptions of a watch are not shown.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// First pause before a retry, if the target does not exist or the API server refuses the watch. The
/// pause doubles with each retry, up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Time between two reads of the scale, for types that cannot be watched.
const SCALE_PERIOD: Duration = Duration::from_secs(2);

/// Follows the target and its pods; never ends.
pub(crate) async fn follow_cluster(
    client: &Client,
    target: &Target,
    live: &Live,
    metrics: &Metrics,
) {
    let (selector, selector_changes) = watch::channel(None);
    let follower = Follower { client, target, live, metrics, selector };
    let follow_target = async {
        match WorkloadKind::of(&target.resource) {
            Some(kind) => {
                tokio::join!(follower.watch_target(kind), follower.read_on_request(kind));
            }
            None => follower.read_scale().await,
        }
    };
    tokio::join!(follow_target, follower.watch_pods(selector_changes));
}

struct Follower<'a> {
    client: &'a Client,
    target: &'a Target,
    live: &'a Live,
    metrics: &'a Metrics,
    selector: watch::Sender<Option<String>>,
}

impl Follower<'_> {
    async fn watch_target(&self, kind: WorkloadKind) {
        let mut pause = MIN_PAUSE;
        loop {
            let watched = WatchTarget {
                resource: &self.target.resource,
                namespace: &self.target.namespace,
                name: Some(&self.target.name),
                labels: None,
            };
            let mut watch = self.client.watch::<Workload>(watched);
            let stop_reason = loop {
                let updates = self.live.updates();
                match self.next(&mut watch, |error| self.set_lost(error)).await {
                    Ok(WatchEvent::Present(objects)) => {
                        let object = objects.first();
                        if !self.set_target_from_read(kind, object, updates) {
                            self.live.request_read();
                        }
                        if object.is_none() {
                            break None;
                        }
                    }
                    Ok(WatchEvent::Changed(object)) => self.set_target_from_watch(kind, &object),
                    Ok(WatchEvent::Deleted(object)) => {
                        if self.update(|state| state.set_deleted(&object)) {
                            self.set_selector(None);
                        }
                    }
                    Ok(WatchEvent::Interrupted(error)) => self.set_lost(&error),
                    Ok(WatchEvent::Resumed) => self.set_connected(),
                    Err(error) => break Some(error),
                }
                pause = MIN_PAUSE;
            };
            if let Some(error) = stop_reason {
                self.set_refused(&error);
            }
            self.metrics.watch_restarted();
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Returns the next event. Skips an interruption shorter than [`SHOW_AFTER`]. Calls `lost` once
    /// for a longer one, and keeps waiting.
    async fn next<T: DeserializeOwned>(
        &self,
        watch: &mut Watch<'_, T>,
        lost: impl Fn(&Error),
    ) -> Result<WatchEvent<T>, Error> {
        let error = match watch.next().await? {
            WatchEvent::Interrupted(error) => error,
            event => return Ok(event),
        };
        self.metrics.watch_restarted();
        let report_at = Instant::now() + SHOW_AFTER;
        loop {
            let mut next = pin!(watch.next());
            let event = tokio::select! {
                event = &mut next => event?,
                () = sleep_until(report_at) => {
                    lost(&error);
                    next.await?
                }
            };
            match event {
                WatchEvent::Interrupted(_) if Instant::now() < report_at => {}
                event => return Ok(event),
            }
        }
    }

    /// Reads the target after each change that serve made, because the watch may be late or interrupted.
    /// After etcd was restored from a backup, a watch from a newer resource version sends no events.
    async fn read_on_request(&self, kind: WorkloadKind) {
        loop {
            self.live.read_requested().await;
            let mut pause = MIN_PAUSE;
            loop {
                let ended_changes = self.live.ended_changes();
                match self.read(kind).await {
                    Ok(()) => break self.live.set_read_changes(ended_changes),
                    // The watch reports the error.
                    Err(_) => sleep(pause).await,
                }
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }

    async fn read(&self, kind: WorkloadKind) -> Result<(), Error> {
        loop {
            let updates = self.live.updates();
            let object = match workload_of(self.client, self.target).await {
                Ok(object) => Some(object),
                Err(error) if error.status().is_some_and(|status| status.is_not_found()) => None,
                Err(error) => return Err(error),
            };
            if self.set_target_from_read(kind, object.as_ref(), updates) {
                return Ok(());
            }
            // Another update came during the read. If both have an object, the other one is newer. Without an
            // object there is no resource version, so the target is read again.
            let is_missing = self.live.connection_state() == ConnectionState::TargetMissing;
            if object.is_some() && !is_missing {
                return Ok(());
            }
        }
    }

    async fn read_scale(&self) {
        loop {
            let ended_changes = self.live.ended_changes();
            match counts_of(self.client, self.target).await {
                Ok(scale) => {
                    self.set_selector(
                        Some(&scale.selector).filter(|text| !text.is_empty()).cloned(),
                    );
                    let now = readiness_of_scale(&scale, scale.replicas.into());
                    self.update(|state| state.set_counts(&now));
                    self.live.set_read_changes(ended_changes);
                }
                Err(error) if error.status().is_some_and(|status| status.is_not_found()) => {
                    self.set_selector(None);
                    self.update(TargetState::set_missing);
                }
                Err(error) if error.is_transient() => self.set_lost(&error),
                Err(error) => self.set_refused(&error),
            }
            sleep(SCALE_PERIOD).await;
        }
    }

    fn set_target_from_watch(&self, kind: WorkloadKind, object: &Workload) {
        if self.update(|state| state.set_target_from_watch(kind, object)) {
            self.set_selector(label_selector(&object.spec.selector));
        }
    }

    /// Takes the result of a read that began after `updates` updates; `None` if the target did not exist.
    /// Returns false if another update came during the read, and the result may be older.
    fn set_target_from_read(
        &self,
        kind: WorkloadKind,
        object: Option<&Workload>,
        updates: u64,
    ) -> bool {
        let is_present = self.update(|state| match object {
            Some(object) => state.set_target_from_read(kind, object, updates),
            None => state.set_missing_from_read(updates),
        });
        if is_present {
            self.set_selector(object.and_then(|object| label_selector(&object.spec.selector)));
        }
        is_present
    }

    /// Updates the state after a response. Logs the target if the connection is new or restored, and if
    /// the target does not exist.
    fn update<T>(&self, update: impl FnOnce(&mut TargetState) -> T) -> T {
        let before = self.live.connection_state();
        let result = self.live.change(update);
        match self.live.connection_state() {
            now if now == before => {}
            ConnectionState::Connected => log(&format!("watching {}", self.target)),
            ConnectionState::TargetMissing => {
                log(&format!("{} does not exist; serve keeps looking for it", self.target));
            }
            _ => {}
        }
        result
    }

    fn set_connected(&self) {
        self.update(|state| state.set_connection_state(ConnectionState::Connected, ""));
    }

    fn set_lost(&self, error: &Error) {
        let server = &self.live.now().snapshot.target.cluster;
        let since = self.live.lost_since().unwrap_or_else(now);
        let text = format!(
            "The cluster's API server {server} has not answered since {since}: {error}. The page shows \
             the last known state. serve retries by itself."
        );
        self.set_connection_state(ConnectionState::Lost, &text);
    }

    fn set_refused(&self, error: &Error) {
        let is_forbidden = error.status().is_some_and(|status| status.code == 403);
        let advice = if is_forbidden { " Grant serve this right." } else { "" };
        let target = &self.target;
        let text = format!("serve cannot read {target}: {error}.{advice} serve retries by itself.");
        self.set_connection_state(ConnectionState::Refused, &text);
    }

    fn set_connection_state(&self, state: ConnectionState, message: &str) {
        if self.live.connection_state() != state {
            log(message);
        }
        self.live.change(|target| target.set_connection_state(state, message));
    }

    fn set_selector(&self, selector: Option<String>) {
        self.selector.send_if_modified(|old| {
            let is_new = *old != selector;
            *old = selector;
            is_new
        });
    }

    async fn watch_pods(&self, mut selector_changes: watch::Receiver<Option<String>>) {
        loop {
            let selector = selector_changes.borrow_and_update().clone();
            let watching = async {
                match &selector {
                    Some(selector) => self.watch_selected(selector).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = watching => {}
                changed = selector_changes.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn watch_selected(&self, selector: &str) {
        let mut pause = MIN_PAUSE;
        loop {
            let watched = WatchTarget {
                resource: &PODS,
                namespace: &self.target.namespace,
                name: None,
                labels: Some(selector),
            };
            let watch = self.client.watch::<Pod>(watched);
            let mut watch = watch.keeping(|pod| pod.is_of(self.target), MAX_PODS_KEPT);
            let set_error = |error: &Error| {
                let text = format!("The pods cannot be read: {error}");
                self.live.change(|state| state.set_pods_error(Some(text)));
            };
            let error = loop {
                match self.next(&mut watch, set_error).await {
                    Ok(WatchEvent::Present(pods)) => {
                        self.live.change(|state| state.set_pods(pods));
                    }
                    Ok(WatchEvent::Changed(pod)) if pod.is_of(self.target) => {
                        self.live.change(|state| state.set_pod(pod));
                    }
                    Ok(WatchEvent::Changed(_)) => {}
                    Ok(WatchEvent::Deleted(pod)) => {
                        self.live.change(|state| state.remove_pod(&pod));
                    }
                    Ok(WatchEvent::Interrupted(error)) => set_error(&error),
                    Ok(WatchEvent::Resumed) => {
                        self.live.change(|state| state.set_pods_error(None));
                    }
                    Err(error) => break error,
                }
                pause = MIN_PAUSE;
            };
            set_error(&error);
            self.metrics.watch_restarted();
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

//! The state of the target, before it is published.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::Instant;

use super::super::log::now;
use super::super::snapshot::{
    self, Connection, ConnectionState, Limits, MAX_PODS, Outcome, Replicas, Snapshot, Swarm,
    TargetInfo,
};
use super::labels::{pod_style, status_summary};
use super::ledger::{HistoryEntry, Ledger};
use crate::locust::WorkerPods;
use crate::scaling::{
    Autoscaler, Pod, Readiness, StartFailure, Workload, WorkloadKind, readiness, start_failures,
};
use crate::text::terminal::harmless;

/// Limit on the pods in memory.
pub(crate) const MAX_PODS_KEPT: usize = 5000;

/// Limit on deleted pods in memory.
const MAX_DELETED_PODS: usize = 500;

#[derive(Debug)]
pub(crate) struct TargetState {
    target: TargetInfo,
    limits: Limits,
    connection: Connection,
    replicas: Option<Replicas>,
    /// The resource version of the object with these counts; `None` if it is not known.
    version: Option<u64>,
    /// The uid of the target; empty if it is not known.
    uid: String,
    /// The number of updates of the target: by reads, by events, and by reads that did not find it.
    updates: u64,
    /// The number of changes made here that have ended.
    ended_changes: u64,
    /// The number of ended changes that the last read of the target reflects.
    read_changes: u64,
    /// The count that the API server has confirmed since that read.
    confirmed: Option<i64>,
    pods: BTreeMap<String, Pod>,
    /// True after the first list of the pods.
    are_pods_listed: bool,
    /// Deleted pods, the latest last. Their workers may still be connected to Locust.
    deleted_pods: VecDeque<Pod>,
    pods_error: Option<String>,
    /// The reason why the controller cannot create pods, or has given up.
    failures: Vec<String>,
    pub(crate) autoscalers: Vec<Autoscaler>,
    pub(crate) swarm: Option<Swarm>,
    /// Time of Locust's last answer.
    pub(crate) locust_answered: Option<Instant>,
    pub(super) ledger: Ledger,
    /// A text about the place of the history; may be empty.
    pub(super) history_note: &'static str,
}

impl TargetState {
    pub(super) fn new(target: TargetInfo, limits: Limits) -> Self {
        let connection =
            Connection { state: ConnectionState::Connecting, message: String::new(), since: now() };
        Self {
            target: shown_target(target),
            limits,
            connection,
            replicas: None,
            version: None,
            uid: String::new(),
            updates: 0,
            ended_changes: 0,
            read_changes: 0,
            confirmed: None,
            pods: BTreeMap::new(),
            are_pods_listed: false,
            deleted_pods: VecDeque::new(),
            pods_error: None,
            failures: Vec::new(),
            autoscalers: Vec::new(),
            swarm: None,
            locust_answered: None,
            ledger: Ledger::default(),
            history_note: "",
        }
    }

    pub(crate) fn set_connection_state(&mut self, state: ConnectionState, message: &str) {
        let message = harmless(message);
        if (self.connection.state, &self.connection.message) != (state, &message) {
            let since = match self.connection.state == state {
                true => std::mem::take(&mut self.connection.since),
                false => now(),
            };
            self.connection = Connection { state, message, since };
        }
    }

    pub(super) fn lost_since(&self) -> Option<String> {
        (self.connection.state == ConnectionState::Lost).then(|| self.connection.since.clone())
    }

    pub(super) fn connection_state(&self) -> ConnectionState {
        self.connection.state
    }

    /// The number of updates so far, to tell if another one came during a read.
    pub(super) fn updates(&self) -> u64 {
        self.updates
    }

    /// Takes the target from a watch event. Returns false if the event is older than the last update.
    pub(crate) fn set_target_from_watch(&mut self, kind: WorkloadKind, object: &Workload) -> bool {
        let is_present = !self.is_outdated(object);
        if is_present {
            self.set_target(kind, object);
        }
        is_present
    }

    /// Takes the target from a read that began after `updates` updates. Returns false if it is older
    /// than another update that came during the read, or if the target was deleted during the read.
    ///
    /// Without such an update it is the present state, even if its resource version is lower: etcd
    /// may have been restored from a backup.
    pub(crate) fn set_target_from_read(
        &mut self,
        kind: WorkloadKind,
        object: &Workload,
        updates: u64,
    ) -> bool {
        // If the target was deleted during the read, the object may be the deleted one.
        let is_newer = self.version.is_some() && !self.is_outdated(object);
        let is_present = self.updates == updates || is_newer;
        if is_present {
            self.set_target(kind, object);
        }
        is_present
    }

    /// Notes that the target did not exist at a read that began after `updates` updates. Returns false
    /// if another update came during the read.
    pub(crate) fn set_missing_from_read(&mut self, updates: u64) -> bool {
        let is_present = self.updates == updates;
        if is_present {
            self.set_missing();
        }
        is_present
    }

    /// Notes that a watch reported the deletion of this object. Returns false if a later object of the
    /// same name was already read.
    pub(crate) fn set_deleted(&mut self, object: &Workload) -> bool {
        let is_present = !self.is_outdated(object);
        if is_present {
            self.set_missing();
        }
        is_present
    }

    fn is_outdated(&self, object: &Workload) -> bool {
        version_of(object).zip(self.version).is_some_and(|(version, present)| version < present)
    }

    fn set_target(&mut self, kind: WorkloadKind, object: &Workload) {
        (self.version, self.updates) = (version_of(object), self.updates + 1);
        self.uid.clone_from(&object.metadata.uid);
        let failure = object.replica_failure().map(|condition| &condition.message);
        let missed = object.missed_deadline().map(|condition| &condition.message);
        self.failures = failure.into_iter().chain(missed).map(|text| harmless(text)).collect();
        self.set_counts(&readiness(kind, object, object.spec.replicas));
    }

    /// Takes the counts of the target as they are now.
    pub(crate) fn set_counts(&mut self, now: &Readiness) {
        let Readiness { desired, current, ready, done, .. } = *now;
        if let Some(before) = self.replicas.filter(|before| before.desired != desired) {
            self.ledger.observe(before.desired, desired);
        }
        self.replicas = Some(Replicas { desired, current, ready, settled: done });
        self.set_connection_state(ConnectionState::Connected, "");
    }

    /// Notes that the target does not exist.
    pub(crate) fn set_missing(&mut self) {
        let TargetInfo { kind, name, namespace, .. } = &self.target;
        let text = format!("There is no {kind} {name:?} in namespace {namespace:?}.");
        self.set_connection_state(ConnectionState::TargetMissing, &text);
        self.replicas = None;
        (self.version, self.updates) = (None, self.updates + 1);
        self.uid.clear();
        self.failures.clear();
        self.pods.clear();
        self.are_pods_listed = false;
    }

    /// Takes a complete list of the pods.
    pub(crate) fn set_pods(&mut self, pods: Vec<Pod>) {
        let old = std::mem::take(&mut self.pods).into_values();
        old.for_each(|pod| self.remember_deleted(pod));
        pods.into_iter().for_each(|pod| self.set_pod(pod));
        self.are_pods_listed = true;
        self.pods_error = None;
    }

    pub(crate) fn set_pod(&mut self, pod: Pod) {
        if self.pods.len() < MAX_PODS_KEPT || self.pods.contains_key(pod.name()) {
            self.pods.insert(pod.name().to_owned(), pod);
        }
    }

    pub(crate) fn remove_pod(&mut self, pod: &Pod) {
        if let Some(pod) = self.pods.remove(pod.name()) {
            self.remember_deleted(pod);
        }
    }

    fn remember_deleted(&mut self, pod: Pod) {
        self.deleted_pods.push_back(pod);
        if self.deleted_pods.len() > MAX_DELETED_PODS {
            self.deleted_pods.pop_front();
        }
    }

    /// Sets why the pods could not be read; `None` if they were.
    pub(crate) fn set_pods_error(&mut self, error: Option<String>) {
        self.pods_error = error.map(|error| harmless(&error));
    }

    /// The pods of the workers; `None` if they are not known, or not yet.
    pub(super) fn worker_pods(&self) -> Option<WorkerPods> {
        let is_known = self.are_pods_listed && self.pods_error.is_none();
        let now = || WorkerPods::new(self.pods.values());
        is_known.then(|| now().remember(&WorkerPods::new(&self.deleted_pods)))
    }

    /// Adds a change that was made here to the history, and returns its id.
    pub(super) fn end_change(&mut self, entry: HistoryEntry) -> u64 {
        self.confirmed = match entry.outcome {
            Outcome::Scaled | Outcome::Unchanged => entry.new,
            Outcome::Unknown => None,
            // These have changed nothing.
            Outcome::Failed | Outcome::Observed => return self.ledger.end(entry),
        };
        self.ended_changes += 1;
        self.ledger.end(entry)
    }

    /// The uid of the target; empty if it is not known.
    pub(super) fn uid(&self) -> &str {
        &self.uid
    }

    pub(super) fn ended_changes(&self) -> u64 {
        self.ended_changes
    }

    /// Notes that the target was read when this number of changes had ended.
    pub(super) fn set_read_changes(&mut self, ended: u64) {
        self.read_changes = self.read_changes.max(ended);
        if self.read_changes == self.ended_changes {
            self.confirmed = None;
            self.ledger.target_was_read();
        }
    }

    /// The counts. A count that the API server has confirmed takes precedence over late events.
    fn replicas(&self) -> Option<Replicas> {
        let replicas = self.replicas?;
        Some(match self.read_changes < self.ended_changes {
            true => Replicas {
                desired: self.confirmed.unwrap_or(replicas.desired),
                settled: false,
                ..replicas
            },
            false => replicas,
        })
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let (replicas, failures) = (self.replicas(), self.start_failures());
        let lines = |line: fn(&StartFailure) -> String| {
            let of_pods = failures.iter().map(|failure| harmless(&line(failure)));
            self.failures.iter().cloned().chain(of_pods).collect::<Vec<_>>()
        };
        let start_failures = lines(ToString::to_string);
        Snapshot {
            target: self.target.clone(),
            limits: self.limits,
            connection: self.connection.clone(),
            summary: status_summary(replicas, !start_failures.is_empty(), self.are_connected()),
            replicas,
            pods: self.pods.values().take(MAX_PODS).map(shown).collect(),
            more_pods: self.pods.len().saturating_sub(MAX_PODS),
            pods_error: self.pods_error.clone(),
            start_failures,
            start_failures_in_words: lines(StartFailure::in_words),
            autoscalers: self.autoscalers.clone(),
            locust: self.swarm.clone(),
            history: self.ledger.history(),
            history_note: self.history_note,
        }
    }

    /// The desired count, if known.
    pub(super) fn desired(&self) -> Option<i64> {
        self.replicas().map(|replicas| replicas.desired)
    }

    /// The reasons why pods do not become ready. Pods that are starting are not listed.
    fn start_failures(&self) -> Vec<StartFailure> {
        let is_short = self.replicas.is_some_and(|replicas| !replicas.settled);
        match is_short {
            true => start_failures(self.pods.values().filter(|pod| pod.state().0.is_stuck())),
            false => Vec::new(),
        }
    }

    /// True if Locust, where there is one, has a connected worker for each desired pod.
    fn are_connected(&self) -> bool {
        let desired = self.desired().unwrap_or_default();
        let has_all = |swarm: &Swarm| swarm.problem.is_empty() && swarm.target_workers >= desired;
        self.swarm.as_ref().is_none_or(has_all)
    }
}

fn version_of(object: &Workload) -> Option<u64> {
    object.metadata.resource_version.parse().ok()
}

fn shown_target(target: TargetInfo) -> TargetInfo {
    TargetInfo {
        kind: harmless(&target.kind),
        name: harmless(&target.name),
        namespace: harmless(&target.namespace),
        cluster: harmless(&target.cluster),
        context: target.context.as_deref().map(harmless),
        simulated: target.simulated,
    }
}

fn shown(pod: &Pod) -> snapshot::Pod {
    let (state, message) = pod.state();
    let (text, style) = pod_style(pod.is_ready(), &state);
    snapshot::Pod {
        name: harmless(pod.name()),
        state: harmless(&state.to_string()),
        text: harmless(&text),
        style,
        ready: pod.is_ready(),
        message: harmless(&message),
        created: harmless(pod.created()),
    }
}

#[cfg(test)]
mod tests;

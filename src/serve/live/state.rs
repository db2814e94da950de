//! What is known, as it comes in.

use std::collections::{BTreeMap, VecDeque};

use super::super::log::now;
use super::super::snapshot::{
    self, Connection, Limits, Link, MOST_PODS, Outcome, Replicas, Snapshot, Swarm, TargetInfo,
};
use super::ledger::{Entry, Ledger};
use crate::locust::WorkerPods;
use crate::scaling::{Autoscaler, Pod, Readiness, Workload, WorkloadKind, readiness, troubles};
use crate::text::terminal::harmless;

/// Of a target with more pods only so many are kept.
const MOST_PODS_KEPT: usize = 5000;

/// Pods that are remembered after they have gone.
const MOST_GONE_PODS: usize = 500;

/// Everything that is known.
#[derive(Debug)]
pub(super) struct State {
    target: TargetInfo,
    limits: Limits,
    connection: Connection,
    replicas: Option<Replicas>,
    /// The object that was seen last: its uid and generation.
    seen: (String, i64),
    /// Changes from here that have ended.
    ended: u64,
    /// So many of them are surely in what is known: the target was read after them.
    looked: u64,
    /// The count that the server has confirmed since.
    confirmed: Option<i64>,
    pods: BTreeMap<String, Pod>,
    /// The pods were listed at least once.
    are_pods_listed: bool,
    /// Pods that are gone, the latest last: their workers may still be connected.
    gone_pods: VecDeque<Pod>,
    pods_unknown: Option<String>,
    /// Why its controller cannot make pods, or has given up.
    failures: Vec<String>,
    pub(super) autoscalers: Vec<Autoscaler>,
    pub(super) swarm: Option<Swarm>,
    pub(super) ledger: Ledger,
}

impl State {
    pub(super) fn new(target: TargetInfo, limits: Limits) -> Self {
        let connection =
            Connection { state: Link::Connecting, message: String::new(), since: now() };
        Self {
            target,
            limits,
            connection,
            replicas: None,
            seen: Default::default(),
            ended: 0,
            looked: 0,
            confirmed: None,
            pods: BTreeMap::new(),
            are_pods_listed: false,
            gone_pods: VecDeque::new(),
            pods_unknown: None,
            failures: Vec::new(),
            autoscalers: Vec::new(),
            swarm: None,
            ledger: Ledger::default(),
        }
    }

    pub(super) fn link(&mut self, state: Link, message: &str) {
        let message = harmless(message);
        if (self.connection.state, &self.connection.message) != (state, &message) {
            let since = match self.connection.state == state {
                true => std::mem::take(&mut self.connection.since),
                false => now(),
            };
            self.connection = Connection { state, message, since };
        }
    }

    /// Whether the cluster could be asked at all yet, and answers.
    pub(super) fn link_state(&self) -> Link {
        self.connection.state
    }

    /// The target, as a watch tells it; it may be late, after the target was read anew.
    pub(super) fn told(&mut self, kind: WorkloadKind, object: &Workload) {
        let (uid, generation) = &self.seen;
        if object.metadata.uid != *uid || object.metadata.generation >= *generation {
            self.seen(kind, object);
        }
    }

    /// The target, as it is now.
    pub(super) fn seen(&mut self, kind: WorkloadKind, object: &Workload) {
        self.seen = (object.metadata.uid.clone(), object.metadata.generation);
        let failure = object.replica_failure().map(|condition| &condition.message);
        let missed = object.missed_deadline().map(|condition| &condition.message);
        self.failures = failure.into_iter().chain(missed).map(|text| harmless(text)).collect();
        self.count(&readiness(kind, object, object.spec.replicas));
    }

    /// Its counts, as they are now.
    pub(super) fn count(&mut self, now: &Readiness) {
        let Readiness { desired, current, ready, done, .. } = *now;
        if let Some(before) = self.replicas.filter(|before| before.desired != desired) {
            self.ledger.seen(before.desired, desired);
        }
        self.replicas = Some(Replicas { desired, current, ready, settled: done });
        self.link(Link::Connected, "");
    }

    pub(super) fn missing(&mut self) {
        let TargetInfo { kind, name, namespace, .. } = &self.target;
        let text = format!("There is no {kind} {name:?} in namespace {namespace:?}.");
        self.link(Link::Missing, &text);
        self.replicas = None;
        self.seen = Default::default();
        self.failures.clear();
        self.pods.clear();
    }

    pub(super) fn all_pods(&mut self, pods: Vec<Pod>) {
        let gone = std::mem::take(&mut self.pods).into_values();
        gone.for_each(|pod| self.remember(pod));
        pods.into_iter().for_each(|pod| self.pod(pod));
        self.are_pods_listed = true;
        self.pods_unknown = None;
    }

    pub(super) fn pod(&mut self, pod: Pod) {
        if self.pods.len() < MOST_PODS_KEPT || self.pods.contains_key(pod.name()) {
            self.pods.insert(pod.name().to_owned(), pod);
        }
    }

    pub(super) fn pod_gone(&mut self, pod: &Pod) {
        if let Some(pod) = self.pods.remove(pod.name()) {
            self.remember(pod);
        }
    }

    fn remember(&mut self, pod: Pod) {
        self.gone_pods.push_back(pod);
        if self.gone_pods.len() > MOST_GONE_PODS {
            self.gone_pods.pop_front();
        }
    }

    pub(super) fn pods_unknown(&mut self, why: Option<String>) {
        self.pods_unknown = why.map(|why| harmless(&why));
    }

    /// The pods of the workers; `None` where they are not known, or not yet.
    pub(super) fn worker_pods(&self) -> Option<WorkerPods> {
        let is_known = self.are_pods_listed && self.pods_unknown.is_none();
        let now = || WorkerPods::new(self.pods.values());
        is_known.then(|| now().remember(&WorkerPods::new(&self.gone_pods)))
    }

    /// What became of a change that was made from here.
    pub(super) fn end(&mut self, entry: Entry) -> u64 {
        self.confirmed = match entry.outcome {
            Outcome::Scaled | Outcome::Unchanged => entry.new,
            Outcome::Unknown => None,
            // Nothing was changed by it.
            Outcome::Failed | Outcome::Observed => return self.ledger.end(entry),
        };
        self.ended += 1;
        self.ledger.end(entry)
    }

    /// How many changes from here have ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// The target was read when so many changes from here had ended.
    pub(super) fn looked(&mut self, ended: u64) {
        self.looked = self.looked.max(ended);
        if self.looked == self.ended {
            self.confirmed = None;
            self.ledger.looked();
        }
    }

    /// What the server has confirmed to us counts before what a watch may tell late.
    fn replicas(&self) -> Option<Replicas> {
        let replicas = self.replicas?;
        Some(match self.looked < self.ended {
            true => Replicas {
                desired: self.confirmed.unwrap_or(replicas.desired),
                settled: false,
                ..replicas
            },
            false => replicas,
        })
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            target: self.target.clone(),
            limits: self.limits,
            connection: self.connection.clone(),
            replicas: self.replicas(),
            pods: self.pods.values().take(MOST_PODS).map(shown).collect(),
            more_pods: self.pods.len().saturating_sub(MOST_PODS),
            pods_unknown: self.pods_unknown.clone(),
            troubles: self.troubles(),
            autoscalers: self.autoscalers.clone(),
            locust: self.swarm.clone(),
            history: self.ledger.history(),
        }
    }

    /// The count that is wanted, as far as it is known.
    pub(super) fn desired(&self) -> Option<i64> {
        self.replicas().map(|replicas| replicas.desired)
    }

    /// What keeps pods from being ready. Pods that have only just been made are no trouble.
    fn troubles(&self) -> Vec<String> {
        let is_short = self.replicas.is_some_and(|replicas| !replicas.settled);
        let of_pods = match is_short {
            true => troubles(self.pods.values().filter(|pod| pod.state().0.is_stuck())),
            false => Vec::new(),
        };
        self.failures.iter().cloned().chain(of_pods.iter().map(|line| harmless(line))).collect()
    }
}

fn shown(pod: &Pod) -> snapshot::Pod {
    let (state, message) = pod.state();
    snapshot::Pod {
        name: harmless(pod.name()),
        state: harmless(&state.to_string()),
        ready: pod.is_ready(),
        message: harmless(&message),
        created: harmless(pod.created()),
    }
}

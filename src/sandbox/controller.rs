//! The controllers, as far as a client can see their work.
//!
//! One pass visits each object that is affected by a change, and does one step for it. So a watch
//! sees the same sequence of values as from a real controller manager: first the observed
//! generation, then the desired count, then the pods, then their readiness.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{
    deployments, jobs, object, operators, pods, replicasets, rollouts, statefulsets,
    store::{Change, Event, Key, Store},
};

/// When each pending pod becomes ready.
#[derive(Debug)]
pub(super) struct Controllers {
    ready_after: Duration,
    due: HashMap<String, Instant>,
    /// The changes up to this version have been handled.
    handled_version: u64,
}

impl Controllers {
    pub(super) fn new(ready_after: Duration) -> Self {
        Self { ready_after, due: HashMap::new(), handled_version: 0 }
    }

    /// Works until there is nothing to do now. Returns when there will be more.
    pub(super) fn settle(&mut self, store: &mut Store, now: Instant) -> Option<Instant> {
        // Every pass gets closer to a fixed point. The limit is for objects that contradict
        // themselves.
        for _ in 0..10_000 {
            let before = store.version();
            let work = Work::since(store, self.handled_version);
            self.handled_version = before;
            work.pass(store);
            if store.version() == before && !self.make_ready(store, now) {
                break;
            }
        }
        self.due.values().min().copied()
    }

    /// Makes some of the due pods ready. Pods never become ready all together.
    fn make_ready(&mut self, store: &mut Store, now: Instant) -> bool {
        let pod_failure = store.pod_failure.clone();
        let pending: Vec<(Key, Arc<Value>)> = store
            .list("pods", None)
            .filter(|(_, pod)| object::text(pod, "/status/phase") == "Pending")
            .filter(|(_, pod)| {
                pod_failure.as_ref().is_none_or(|pod_failure| !pod_failure.is_applied_to(pod))
            })
            .map(|(key, pod)| (key.clone(), Arc::clone(pod)))
            .collect();
        let present: HashSet<&str> = pending.iter().map(|(_, pod)| object::uid(pod)).collect();
        self.due.retain(|uid, _| present.contains(uid.as_str()));
        let mut ripe = Vec::new();
        for (key, pod) in &pending {
            let due = self
                .due
                .entry(object::uid(pod).to_owned())
                .or_insert_with(|| now + self.ready_after.max(pods::probe_delay(pod)));
            if *due <= now {
                ripe.push((*due, key, pod));
            }
        }
        ripe.sort_by_key(|(due, _, _)| *due);
        for (_, key, pod) in ripe.iter().take(ripe.len().div_ceil(8)) {
            self.due.remove(object::uid(pod));
            let failed = pod_failure.as_ref().and_then(|pod_failure| pod_failure.apply_to(pod));
            store.put(key, failed.unwrap_or_else(|| pods::made_ready(pod)));
        }
        !ripe.is_empty()
    }
}

type Step = fn(&mut Store, &Key, &Value);

/// The steps, in the order that a change takes.
const STEPS: [(&str, Step); 10] = [
    ("locusttests", operators::locust_cloud_step),
    ("locusttests.locust.io", operators::locust_io_step),
    ("deploymentconfigs", rollouts::deployment_config_step),
    ("rollouts", rollouts::step),
    ("jobs", jobs::step),
    ("deployments", deployments::step),
    ("replicasets", replicasets::step),
    ("replicationcontrollers", replicasets::step),
    ("statefulsets", statefulsets::step),
    ("daemonsets", daemon_set_step),
];

/// The objects to visit after some changes.
#[derive(Default)]
struct Work {
    keys: BTreeSet<Key>,
    is_something_gone: bool,
}

impl Work {
    fn since(store: &Store, version: u64) -> Self {
        let mut work = Self::default();
        match store.changes_after(version) {
            Ok(changes) => changes.for_each(|event| work.add(store, event)),
            // There were more changes than the store keeps.
            Err(_) => {
                work.keys = store.all().map(|(key, _)| key.clone()).collect();
                work.is_something_gone = true;
            }
        }
        work
    }

    fn add(&mut self, store: &Store, Event { key, change, object, .. }: &Event) {
        self.keys.insert(key.clone());
        match object::controller_uid(object) {
            Some(uid) => match store.key_of_uid(uid) {
                Some(owner) => _ = self.keys.insert(owner.clone()),
                None => self.is_something_gone = true,
            },
            // Any set with a matching selector may adopt the pod.
            None if key.plural == "pods" => {
                for plural in ["replicasets", "replicationcontrollers"] {
                    let owners = store.list(plural, Some(&key.namespace));
                    self.keys.extend(owners.map(|(key, _)| key.clone()));
                }
            }
            None => {}
        }
        let is_homeless = !key.namespace.is_empty()
            && store.get(&Key::new("namespaces", "", &key.namespace)).is_none();
        self.is_something_gone |= is_homeless || *change == Change::Deleted;
    }

    fn pass(&self, store: &mut Store) {
        if self.is_something_gone {
            collect_garbage(store);
        }
        for (plural, step) in STEPS {
            for key in self.keys.iter().filter(|key| key.plural == plural) {
                if let Some(object) = store.get(key).cloned() {
                    step(store, key, &object);
                }
            }
        }
    }
}

/// Removes the objects of deleted owners and namespaces.
fn collect_garbage(store: &mut Store) {
    let present: HashSet<&str> = store.all().map(|(_, object)| object::uid(object)).collect();
    let orphan = |object: &Value| {
        object::controller_uid(object).is_some_and(|owner| !present.contains(owner))
    };
    let homeless = |key: &Key| {
        !key.namespace.is_empty()
            && store.get(&Key::new("namespaces", "", &key.namespace)).is_none()
    };
    let gone: Vec<Key> = store
        .all()
        .filter(|(key, object)| orphan(object) || homeless(key))
        .map(|(key, _)| key.clone())
        .collect();
    for key in gone {
        store.remove(&key);
    }
}

/// The cluster has no nodes on which the pods of a DaemonSet could run.
fn daemon_set_step(store: &mut Store, key: &Key, set: &Value) {
    let mut set = set.clone();
    set["status"] = json!({
        "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
        "observedGeneration": set["metadata"]["generation"],
    });
    store.put(key, set);
}

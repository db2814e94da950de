//! The controllers: what the cluster does by itself after a change, as far as a client can see it.
//!
//! One pass looks at every object once and does one step for each, so that a watch sees the same
//! sequence of counts as from a real controller manager: an observed generation first, then the
//! wish, then the pods, then their readiness.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{
    deployments, object, pods, statefulsets,
    store::{Key, Store},
};

/// More pods than this are not made for one object: a count is easily mistyped.
pub(super) const MOST_PODS: i64 = 2000;

/// Objects by the uid of their controller, made once for each pass.
pub(super) struct Owned(HashMap<String, Vec<(Key, Arc<Value>)>>);

impl Owned {
    fn new(store: &Store) -> Self {
        let mut owned: HashMap<String, Vec<_>> = HashMap::new();
        for (key, object) in store.all() {
            if let Some(owner) = object::controller_uid(object) {
                owned.entry(owner.to_owned()).or_default().push((key.clone(), Arc::clone(object)));
            }
        }
        Self(owned)
    }

    /// What an object controls, of one type.
    pub(super) fn of(&self, owner: &Value, plural: &str) -> Vec<(Key, Arc<Value>)> {
        let all = self.0.get(object::uid(owner)).into_iter().flatten();
        all.filter(|(key, _)| key.plural == plural).cloned().collect()
    }
}

/// When each pending pod becomes ready.
#[derive(Debug)]
pub(super) struct Controllers {
    ready_after: Duration,
    due: HashMap<String, Instant>,
}

impl Controllers {
    pub(super) fn new(ready_after: Duration) -> Self {
        Self { ready_after, due: HashMap::new() }
    }

    /// Works until nothing is left to do now; says when there will be.
    pub(super) fn settle(&mut self, store: &mut Store, now: Instant) -> Option<Instant> {
        // Every pass moves towards a fixed point; the bound is for objects that contradict themselves.
        for _ in 0..10_000 {
            let before = store.version();
            pass(store);
            if store.version() == before && !self.make_ready(store, now) {
                break;
            }
        }
        self.due.values().min().copied()
    }

    /// Pods whose time has come, few at a time: they never become ready all at once.
    fn make_ready(&mut self, store: &mut Store, now: Instant) -> bool {
        let pending: Vec<(Key, Arc<Value>)> = store
            .list("pods", None)
            .filter(|(_, pod)| object::text(pod, "/status/phase") == "Pending")
            .map(|(key, pod)| (key.clone(), Arc::clone(pod)))
            .collect();
        let present: HashSet<&str> = pending.iter().map(|(_, pod)| object::uid(pod)).collect();
        self.due.retain(|uid, _| present.contains(uid.as_str()));
        let mut ripe = Vec::new();
        for (key, pod) in &pending {
            let due = self.due.entry(object::uid(pod).to_owned()).or_insert(now + self.ready_after);
            if *due <= now {
                ripe.push((*due, key, pod));
            }
        }
        ripe.sort_by_key(|(due, _, _)| *due);
        for (_, key, pod) in ripe.iter().take(ripe.len().div_ceil(8)) {
            self.due.remove(object::uid(pod));
            store.put(key, pods::made_ready(pod));
        }
        !ripe.is_empty()
    }
}

fn pass(store: &mut Store) {
    collect_garbage(store);
    let owned = Owned::new(store);
    type Step = fn(&mut Store, &Owned, &Key, &Value);
    let steps: [(&'static str, Step); 5] = [
        ("deployments", deployments::step),
        ("replicasets", pods::replica_set_step),
        ("replicationcontrollers", pods::replica_set_step),
        ("statefulsets", statefulsets::step),
        ("daemonsets", daemon_set_step),
    ];
    for (plural, step) in steps {
        let all: Vec<(Key, Arc<Value>)> = store
            .list(plural, None)
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect();
        for (key, object) in all {
            step(store, &owned, &key, &object);
        }
    }
}

/// Takes away what belonged to an owner or a namespace that is gone.
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

/// There are no nodes for the pods of a DaemonSet to run on.
fn daemon_set_step(store: &mut Store, _: &Owned, key: &Key, set: &Value) {
    let mut set = set.clone();
    set["status"] = json!({
        "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
        "observedGeneration": set["metadata"]["generation"],
    });
    store.put(key, set);
}

//! The store: the objects, the version counter, and the recent changes for watches.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{object, pod_failure::PodFailure, status::Failure};

/// How many changes are kept. A watch from an older version gets 410, as after a compaction of
/// etcd.
const MAX_HISTORY: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub plural: &'static str,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub(super) fn new(plural: &'static str, namespace: &str, name: &str) -> Self {
        Self { plural, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Added,
    Modified,
    Deleted,
}

/// One change of an object.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub version: u64,
    pub key: Key,
    pub change: Change,
    pub object: Arc<Value>,
    /// The object before the change: a watch with a selector must know if it was selected.
    pub before: Option<Arc<Value>>,
}

/// The objects and their history.
#[derive(Debug)]
pub(super) struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    by_uid: HashMap<String, Key>,
    /// The keys of controlled objects, by the uid of their controller.
    controlled: HashMap<String, BTreeSet<Key>>,
    version: u64,
    history: VecDeque<Event>,
    /// Changes up to this version have been dropped.
    compacted: u64,
    changed: watch::Sender<u64>,
    /// The reason why pending pods do not become ready.
    pub pod_failure: Option<PodFailure>,
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            objects: BTreeMap::new(),
            by_uid: HashMap::new(),
            controlled: HashMap::new(),
            version: 1,
            history: VecDeque::new(),
            compacted: 0,
            changed: watch::Sender::new(1),
            pod_failure: None,
        }
    }

    /// The version of the latest change.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// A receiver that is notified of every change, with its version.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// The objects of one type, in one namespace or in all, sorted by name.
    pub(super) fn list<'a>(
        &'a self,
        plural: &'static str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        self.objects.range(Key::new(plural, namespace.unwrap_or(""), "")..).take_while(
            move |(key, _)| key.plural == plural && namespace.is_none_or(|n| key.namespace == n),
        )
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.objects.iter()
    }

    pub(super) fn key_of_uid(&self, uid: &str) -> Option<&Key> {
        self.by_uid.get(uid)
    }

    /// The objects of one type that `owner` controls.
    pub(super) fn controlled_by(&self, owner: &Value, plural: &str) -> Vec<(Key, Arc<Value>)> {
        let keys = self.controlled.get(object::uid(owner)).into_iter().flatten();
        keys.filter(|key| key.plural == plural)
            .filter_map(|key| Some((key.clone(), Arc::clone(self.get(key)?))))
            .collect()
    }

    /// Stores an object with a new version. An equal object changes nothing.
    pub(super) fn put(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        let before = self.objects.get(key).cloned();
        if let Some(before) = &before {
            object["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
            if **before == object {
                return Arc::clone(before);
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        if let Some(before) = &before {
            self.remove_relations(key, before);
        }
        self.objects.insert(key.clone(), Arc::clone(&object));
        self.by_uid.insert(object::uid(&object).to_owned(), key.clone());
        if let Some(owner) = object::controller_uid(&object) {
            self.controlled.entry(owner.to_owned()).or_default().insert(key.clone());
        }
        let change = if before.is_some() { Change::Modified } else { Change::Added };
        self.record(key, change, &object, before);
        object
    }

    /// Removes an object.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.remove_relations(key, &before);
        self.version += 1;
        let mut last = (*before).clone();
        last["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let last = Arc::new(last);
        self.record(key, Change::Deleted, &last, Some(before));
        Some(last)
    }

    fn remove_relations(&mut self, key: &Key, object: &Value) {
        self.by_uid.remove(object::uid(object));
        let Some(owner) = object::controller_uid(object) else { return };
        if let Some(keys) = self.controlled.get_mut(owner) {
            keys.remove(key);
            if keys.is_empty() {
                self.controlled.remove(owner);
            }
        }
    }

    fn record(
        &mut self,
        key: &Key,
        change: Change,
        object: &Arc<Value>,
        before: Option<Arc<Value>>,
    ) {
        let object = Arc::clone(object);
        self.history.push_back(Event {
            version: self.version,
            key: key.clone(),
            change,
            object,
            before,
        });
        if self.history.len() > MAX_HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.compacted = oldest.version;
        }
        self.changed.send_replace(self.version);
    }

    /// Notifies the subscribers although nothing has changed.
    pub(super) fn wake(&self) {
        self.changed.send_replace(self.version);
    }

    /// Drops the history, as a compaction of etcd does.
    pub(super) fn compact(&mut self) {
        self.history.clear();
        self.compacted = self.version;
    }

    /// True if the history before this version is incomplete.
    pub(super) fn is_compacted(&self, version: u64) -> bool {
        version < self.compacted
    }

    /// The changes after a version. Error 410 if some of them have been dropped.
    pub(super) fn changes_after(
        &self,
        version: u64,
    ) -> Result<impl Iterator<Item = &Event>, Failure> {
        if self.is_compacted(version) {
            return Err(Failure::expired(version, self.compacted));
        }
        let first = self.history.partition_point(|event| event.version <= version);
        Ok(self.history.range(first..))
    }
}

/// The key of an object from its own metadata.
pub(super) fn key_of(plural: &'static str, object: &Value) -> Key {
    Key::new(plural, object::namespace(object), object::name(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, phase: &str) -> (Key, Value) {
        let object =
            json!({"metadata": {"name": name, "namespace": "default"}, "status": {"phase": phase}});
        (key_of("pods", &object), object)
    }

    #[test]
    fn an_equal_object_keeps_its_version() {
        let mut store = Store::new();
        let (key, object) = pod("a", "Pending");
        let first = store.put(&key, object.clone());
        assert_eq!(store.put(&key, object), first);
        let changed = store.put(&key, pod("a", "Running").1);
        assert_ne!(changed["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
        assert_eq!(store.changes_after(1).map(Iterator::count).ok(), Some(2));
    }

    #[test]
    fn a_listing_stays_within_its_namespace() {
        let mut store = Store::new();
        for (namespace, name) in [("a", "x"), ("ab", "y"), ("b", "z")] {
            let object = json!({"metadata": {"name": name, "namespace": namespace}});
            store.put(&key_of("pods", &object), object);
        }
        assert_eq!(store.list("pods", Some("a")).count(), 1);
        assert_eq!(store.list("pods", None).count(), 3);
        assert_eq!(store.list("deployments", None).count(), 0);
    }

    #[test]
    fn reading_dropped_changes_is_a_410() {
        let mut store = Store::new();
        let (key, object) = pod("a", "Pending");
        store.put(&key, object);
        store.compact();
        assert!(store.changes_after(1).is_err_and(|failure| failure.code == 410));
        assert!(store.changes_after(store.version()).is_ok());
    }
}

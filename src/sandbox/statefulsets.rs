//! StatefulSets: numbered pods that come and go one after another.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    object, pods,
    store::{Key, Store},
};

const REVISION_LABEL: &str = "controller-revision-hash";

/// One step: at most one pod comes or goes (with `Parallel`, any number), and then the status
/// changes.
pub(super) fn step(store: &mut Store, key: &Key, set: &Value) {
    let present: BTreeMap<i64, (Key, Arc<Value>)> = store
        .controlled_by(set, "pods")
        .into_iter()
        .filter_map(|(pod_key, pod)| Some((ordinal(&pod_key.name, &key.name)?, (pod_key, pod))))
        .collect();
    let revision = format!("{}-{}", key.name, object::template_hash(&set["spec"]["template"]));
    let wanted = object::number(set, "/spec/replicas").clamp(0, pods::MAX_PODS);
    let parallel = set["spec"]["podManagementPolicy"] == "Parallel";
    let all_ready = present.values().all(|(_, pod)| pods::is_ready(pod));
    let is_old = |pod: &Value| pod["metadata"]["labels"][REVISION_LABEL] != revision.as_str();
    let beyond = present.range(wanted..).next_back();
    let outdated = present.iter().rev().find(|(_, (_, pod))| all_ready && is_old(pod));
    if let Some((_, (pod_key, _))) = beyond.or(outdated) {
        store.remove(pod_key);
    } else if all_ready || parallel {
        let missing = (0..wanted).filter(|ordinal| !present.contains_key(ordinal));
        for ordinal in missing.take(if parallel { usize::MAX } else { 1 }) {
            create(store, key, set, ordinal, &revision);
        }
    }
    write_status(store, key, set, &present, &revision);
}

fn ordinal(pod: &str, set: &str) -> Option<i64> {
    pod.strip_prefix(set)?.strip_prefix('-')?.parse().ok()
}

fn create(store: &mut Store, key: &Key, set: &Value, ordinal: i64, revision: &str) {
    let name = format!("{}-{ordinal}", key.name);
    let mut pod = pods::from_template(set, &name);
    let labels = object::member(&mut pod["metadata"], "labels");
    labels.insert(REVISION_LABEL.to_owned(), json!(revision));
    labels.insert("statefulset.kubernetes.io/pod-name".to_owned(), json!(name));
    labels.insert("apps.kubernetes.io/pod-index".to_owned(), json!(ordinal.to_string()));
    pod["spec"]["hostname"] = json!(name);
    store.put(&Key::new("pods", &key.namespace, &name), pod);
}

fn write_status(
    store: &mut Store,
    key: &Key,
    set: &Value,
    present: &BTreeMap<i64, (Key, Arc<Value>)>,
    revision: &str,
) {
    let count =
        |wanted: &dyn Fn(&Value) -> bool| present.values().filter(|(_, pod)| wanted(pod)).count();
    let ready = count(&pods::is_ready);
    let updated = count(&|pod| pod["metadata"]["labels"][REVISION_LABEL] == revision);
    let before = &set["status"]["currentRevision"];
    let current =
        if updated == present.len() || before.is_null() { json!(revision) } else { before.clone() };
    let mut set = set.clone();
    set["status"] = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": present.len(),
        "availableReplicas": ready, "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
    let current_count = if current == revision { updated } else { present.len() - updated };
    for (field, count) in
        [("readyReplicas", ready), ("updatedReplicas", updated), ("currentReplicas", current_count)]
    {
        if count > 0 {
            set["status"][field] = json!(count);
        }
    }
    store.put(key, set);
}

//! ReplicaSets and ReplicationControllers: they only keep a number of pods.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    object, pod_count,
    pod_failure::PodFailure,
    pods,
    store::{Key, Store},
};

/// One step towards the desired count: either pods come or go, or the status changes.
pub(super) fn step(store: &mut Store, key: &Key, set: &Value) {
    let present = store.controlled_by(set, "pods");
    let adopted = adopt(store, set, key);
    let wanted = object::number(set, "/spec/replicas").clamp(0, pods::MAX_PODS);
    let wanted = usize::try_from(wanted).unwrap_or(0);
    if adopted {
        return;
    }
    if present.len() < wanted
        && let Some(refusal) = store
            .pod_failure
            .as_ref()
            .and_then(|pod_failure| pod_failure.quota_condition(present.len()))
    {
        let mut set = set.clone();
        set["status"] = status(&set, &present);
        set["status"]["conditions"] = json!([refusal]);
        store.put(key, set);
    } else if present.len() < wanted {
        let max_pods = store.pod_failure.as_ref().and_then(PodFailure::max_pods).unwrap_or(wanted);
        pod_count::create(store, key, set, wanted.min(max_pods).saturating_sub(present.len()));
    } else if present.len() > wanted {
        let surplus = present.len() - wanted;
        pod_count::remove(store, present, surplus);
    } else {
        let mut set = set.clone();
        set["status"] = status(&set, &present);
        store.put(key, set);
    }
}

/// True if the selector of this type is a map of labels, without `matchLabels`.
pub(super) fn has_plain_selector(plural: &str) -> bool {
    matches!(plural, "replicationcontrollers" | "deploymentconfigs")
}

/// Adopts the pods that match the selector and have no controller.
fn adopt(store: &mut Store, set: &Value, key: &Key) -> bool {
    let selector = &set["spec"]["selector"];
    let labels = if has_plain_selector(key.plural) { selector } else { &selector["matchLabels"] };
    let Some(labels) = labels.as_object().filter(|labels| !labels.is_empty()) else {
        return false;
    };
    let fits =
        |pod: &Value| labels.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value);
    let free: Vec<(Key, Arc<Value>)> = store
        .list("pods", Some(&key.namespace))
        .filter(|(_, pod)| object::controller_uid(pod).is_none() && fits(pod))
        .map(|(key, pod)| (key.clone(), Arc::clone(pod)))
        .collect();
    for (key, pod) in &free {
        let mut pod = (**pod).clone();
        pod["metadata"]["ownerReferences"] = json!([object::owner_reference(set)]);
        store.put(key, pod);
    }
    !free.is_empty()
}

fn status(set: &Value, pods: &[(Key, Arc<Value>)]) -> Value {
    let ready = pods.iter().filter(|(_, pod)| pods::is_ready(pod)).count();
    let mut status = Map::new();
    status.insert("replicas".to_owned(), json!(pods.len()));
    let counts = [
        ("fullyLabeledReplicas", pods.len()),
        ("readyReplicas", ready),
        ("availableReplicas", ready),
    ];
    for (field, count) in counts {
        if count > 0 {
            status.insert(field.to_owned(), json!(count));
        }
    }
    status.insert("observedGeneration".to_owned(), set["metadata"]["generation"].clone());
    Value::Object(status)
}

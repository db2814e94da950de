//! Deployments: one ReplicaSet for each pod template, and a status that sums them up.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    object,
    store::{Key, Store},
};

const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// One step: sets the counts of the ReplicaSets, and a status from their state before the step.
pub(super) fn step(store: &mut Store, key: &Key, deployment: &Value) {
    let sets = store.controlled_by(deployment, "replicasets");
    let current = sets.iter().position(|(_, set)| has_template_of(set, deployment));
    let Some(current) = current else {
        create_replica_set(store, key, deployment, &sets);
        return;
    };
    let mut updated = deployment.clone();
    updated["status"] = status(deployment, &sets, current);
    let revision = revision_of_current(&sets, current);
    object::member(&mut updated["metadata"], "annotations")
        .insert(REVISION.to_owned(), json!(revision));
    let wanted = object::number(deployment, "/spec/replicas");
    let complete = object::number(&sets[current].1, "/status/availableReplicas") >= wanted;
    let recreate = object::text(deployment, "/spec/strategy/type") == "Recreate";
    for (index, (set_key, set)) in sets.iter().enumerate() {
        let count = object::number(set, "/spec/replicas");
        let count = if index == current {
            wanted
        } else if complete || recreate {
            0
        } else {
            count
        };
        let revision = (index == current).then_some(revision.as_str());
        adjust_set(store, set_key, set, count, revision);
    }
    store.put(key, updated);
}

/// The current set has the highest revision. A set that becomes current again gets a new revision.
fn revision_of_current(sets: &[(Key, Arc<Value>)], current: usize) -> String {
    let others = sets.iter().enumerate().filter(|(index, _)| *index != current);
    let highest = others.map(|(_, (_, set))| revision(set)).max().unwrap_or(0);
    let own = revision(&sets[current].1);
    if own > highest { own } else { highest + 1 }.to_string()
}

fn revision(set: &Value) -> u64 {
    object::text(set, "/metadata/annotations/deployment.kubernetes.io~1revision")
        .parse()
        .unwrap_or(0)
}

fn adjust_set(store: &mut Store, key: &Key, set: &Value, count: i64, revision: Option<&str>) {
    let mut adjusted = set.clone();
    if object::number(set, "/spec/replicas") != count {
        adjusted = object::with_count(set, "replicas", count);
    }
    if let Some(revision) = revision {
        let annotations = object::member(&mut adjusted["metadata"], "annotations");
        annotations.insert(REVISION.to_owned(), json!(revision));
    }
    store.put(key, adjusted);
}

/// True if the set has the Deployment's template, apart from the label with the hash.
fn has_template_of(set: &Value, deployment: &Value) -> bool {
    let mut template = set["spec"]["template"].clone();
    object::member(&mut template["metadata"], "labels").remove(HASH);
    let mut wanted = deployment["spec"]["template"].clone();
    object::member(&mut wanted["metadata"], "labels");
    template["metadata"]["labels"] == wanted["metadata"]["labels"]
        && template["metadata"]["annotations"] == wanted["metadata"]["annotations"]
        && template["spec"] == wanted["spec"]
}

fn create_replica_set(
    store: &mut Store,
    key: &Key,
    deployment: &Value,
    sets: &[(Key, Arc<Value>)],
) {
    let hash = object::template_hash(&deployment["spec"]["template"]);
    let name = format!("{}-{hash}", key.name);
    let highest = sets.iter().map(|(_, set)| revision(set)).max().unwrap_or(0);
    let revision = json!((highest + 1).to_string());
    let mut template = deployment["spec"]["template"].clone();
    object::member(&mut template["metadata"], "labels").insert(HASH.to_owned(), json!(hash));
    let mut selector = deployment["spec"]["selector"].clone();
    object::member(&mut selector, "matchLabels").insert(HASH.to_owned(), json!(hash));
    let set = json!({
        "kind": "ReplicaSet", "apiVersion": "apps/v1",
        "metadata": {
            "name": name, "namespace": key.namespace, "uid": object::new_uid(), "generation": 1,
            "creationTimestamp": object::now(), "labels": template["metadata"]["labels"],
            "annotations": { REVISION: revision }, "ownerReferences": [object::owner_reference(deployment)],
        },
        "spec": { "replicas": deployment["spec"]["replicas"], "selector": selector, "template": template },
        "status": { "replicas": 0 },
    });
    store.put(&Key::new("replicasets", &key.namespace, &name), set);
    let mut updated = deployment.clone();
    object::member(&mut updated["metadata"], "annotations").insert(REVISION.to_owned(), revision);
    let message = format!("Created new replica set \"{name}\"");
    set_condition(
        object::member(&mut updated, "status"),
        "Progressing",
        "True",
        "NewReplicaSetCreated",
        &message,
    );
    store.put(key, updated);
}

fn status(deployment: &Value, sets: &[(Key, Arc<Value>)], current: usize) -> Value {
    let sum = |pointer: &str| sets.iter().map(|(_, set)| object::number(set, pointer)).sum::<i64>();
    let wanted = object::number(deployment, "/spec/replicas");
    let (replicas, available) = (sum("/status/replicas"), sum("/status/availableReplicas"));
    let updated = object::number(&sets[current].1, "/status/replicas");
    let unavailable = sum("/spec/replicas") - available;
    let mut status = Map::new();
    status.insert("observedGeneration".to_owned(), deployment["metadata"]["generation"].clone());
    let counts = [
        ("replicas", replicas),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("/status/readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", unavailable),
    ];
    for (field, count) in counts {
        if count > 0 {
            status.insert(field.to_owned(), json!(count));
        }
    }
    status.insert("terminatingReplicas".to_owned(), json!(0));
    let before = deployment["status"]["conditions"].clone();
    status.insert("conditions".to_owned(), if before.is_array() { before } else { json!([]) });
    if available >= wanted - max_unavailable(deployment, wanted) {
        let message = "Deployment has minimum availability.";
        set_condition(&mut status, "Available", "True", "MinimumReplicasAvailable", message);
    } else {
        let message = "Deployment does not have minimum availability.";
        set_condition(&mut status, "Available", "False", "MinimumReplicasUnavailable", message);
    }
    let settled = progress_reason(deployment) == "NewReplicaSetAvailable" && replicas == updated;
    let name = object::name(&sets[current].1);
    if updated == wanted && replicas == wanted && available >= wanted {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        set_condition(&mut status, "Progressing", "True", "NewReplicaSetAvailable", &message);
    } else if !settled && updated > 0 {
        let message = format!("ReplicaSet \"{name}\" is progressing.");
        set_condition(&mut status, "Progressing", "True", "ReplicaSetUpdated", &message);
    }
    copy_failure(&mut status, &sets[current].1);
    Value::Object(status)
}

/// Copies the condition `ReplicaFailure` from the ReplicaSet to the Deployment.
fn copy_failure(status: &mut Map<String, Value>, set: &Value) {
    let is_failure = |condition: &&Value| condition["type"] == "ReplicaFailure";
    let conditions = set["status"]["conditions"].as_array().into_iter().flatten();
    if let Some(failure) = conditions.clone().find(is_failure) {
        let text = |field: &str| failure[field].as_str().unwrap_or_default();
        set_condition(status, "ReplicaFailure", "True", text("reason"), text("message"));
    } else if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        conditions.retain(|condition| condition["type"] != "ReplicaFailure");
    }
}

fn progress_reason(deployment: &Value) -> &str {
    let conditions = deployment["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .filter(|c| c["type"] == "Progressing")
        .find_map(|c| c["reason"].as_str())
        .unwrap_or("")
}

/// `maxUnavailable` as a number. A percentage is rounded down.
fn max_unavailable(deployment: &Value, wanted: i64) -> i64 {
    match &deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] {
        Value::String(text) => {
            text.trim_end_matches('%').parse::<i64>().map_or(0, |percent| wanted * percent / 100)
        }
        other => other.as_i64().unwrap_or(0),
    }
}

/// Sets a condition. If it changes, it moves to the end of the list, as in the real controller.
fn set_condition(
    status: &mut Map<String, Value>,
    kind: &str,
    state: &str,
    reason: &str,
    message: &str,
) {
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    let Some(conditions) = conditions.as_array_mut() else { return };
    let now = object::now();
    let mut since = now.clone();
    if let Some(index) = conditions.iter().position(|condition| condition["type"] == kind) {
        let present = &conditions[index];
        if present["status"] == state
            && present["reason"] == reason
            && present["message"] == message
        {
            return;
        }
        if present["status"] == state {
            since = object::text(present, "/lastTransitionTime").to_owned();
        }
        conditions.remove(index);
    }
    conditions.push(json!({
        "type": kind, "status": state, "lastUpdateTime": now, "lastTransitionTime": since,
        "reason": reason, "message": message,
    }));
}

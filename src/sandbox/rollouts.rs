//! Argo Rollouts and OpenShift's DeploymentConfigs: each has one set of pods for its template.

use serde_json::{Value, json};

use super::{
    object, selector,
    store::{Key, Store},
};

/// One step of a Rollout: one ReplicaSet for its template, and a status.
pub(super) fn step(store: &mut Store, key: &Key, rollout: &Value) {
    const LABEL: &str = "rollouts-pod-template-hash";
    let hash = object::template_hash(&rollout["spec"]["template"]);
    let name = format!("{}-{hash}", key.name);
    let mut template = rollout["spec"]["template"].clone();
    object::member(&mut template["metadata"], "labels").insert(LABEL.to_owned(), json!(hash));
    let mut selector = rollout["spec"]["selector"].clone();
    object::member(&mut selector, "matchLabels").insert(LABEL.to_owned(), json!(hash));
    let set = json!({
        "kind": "ReplicaSet", "apiVersion": "apps/v1",
        "metadata": { "labels": template["metadata"]["labels"] },
        "spec": { "selector": selector, "template": template },
    });
    let counts = keep_one_set(store, key, rollout, "replicasets", &name, set);
    let mut rollout = rollout.clone();
    let generation = rollout["metadata"]["generation"].to_string();
    rollout["status"] = json!({
        "observedGeneration": generation, "currentPodHash": hash, "stableRS": hash,
        "replicas": counts.present, "updatedReplicas": counts.present,
        "readyReplicas": counts.ready, "availableReplicas": counts.ready,
        "HPAReplicas": counts.present, "selector": selector::written(&rollout["spec"]["selector"]),
    });
    store.put(key, rollout);
}

/// One step of a DeploymentConfig: one ReplicationController for its template, and a status.
pub(super) fn deployment_config_step(store: &mut Store, key: &Key, config: &Value) {
    const HASH: &str = "sandbox/template-hash";
    let hash = object::template_hash(&config["spec"]["template"]);
    let before = &config["status"];
    let is_new = object::text(config, "/metadata/annotations/sandbox~1template-hash") != hash;
    let version = object::number(before, "/latestVersion") + i64::from(is_new);
    let name = format!("{}-{version}", key.name);
    let labels = json!({ "deploymentconfig": key.name, "deployment": name });
    let mut template = config["spec"]["template"].clone();
    let mut selector = config["spec"]["selector"].clone();
    for (label, value) in labels.as_object().into_iter().flatten() {
        object::member(&mut template["metadata"], "labels").insert(label.clone(), value.clone());
        if let Some(selector) = selector.as_object_mut() {
            selector.insert(label.clone(), value.clone());
        }
    }
    let controller = json!({
        "kind": "ReplicationController", "apiVersion": "v1",
        "metadata": { "labels": template["metadata"]["labels"] },
        "spec": { "selector": selector, "template": template },
    });
    let counts = keep_one_set(store, key, config, "replicationcontrollers", &name, controller);
    let mut config = config.clone();
    object::member(&mut config["metadata"], "annotations").insert(HASH.to_owned(), json!(hash));
    config["status"] = json!({
        "observedGeneration": config["metadata"]["generation"], "latestVersion": version,
        "replicas": counts.present, "updatedReplicas": counts.present,
        "readyReplicas": counts.ready, "availableReplicas": counts.ready,
        "unavailableReplicas": counts.present - counts.ready,
    });
    store.put(key, config);
}

/// The pods of a set.
struct Counts {
    present: i64,
    ready: i64,
}

/// Creates the set of the owner's template, removes the others, and gives it the owner's count.
fn keep_one_set(
    store: &mut Store,
    key: &Key,
    owner: &Value,
    plural: &'static str,
    name: &str,
    mut set: Value,
) -> Counts {
    let count = object::number(owner, "/spec/replicas");
    for (other, _) in store.controlled_by(owner, plural) {
        if other.name != name {
            store.remove(&other);
        }
    }
    let set_key = Key::new(plural, &key.namespace, name);
    if let Some(present) = store.get(&set_key) {
        let scaled = object::with_count(present, "replicas", count);
        let pods = |field: &str| object::number(&scaled["status"], field);
        let counts = Counts { present: pods("/replicas"), ready: pods("/readyReplicas") };
        store.put(&set_key, scaled);
        return counts;
    }
    let metadata = object::member(&mut set, "metadata");
    metadata.insert("name".to_owned(), json!(name));
    metadata.insert("namespace".to_owned(), json!(key.namespace));
    metadata.insert("uid".to_owned(), json!(object::new_uid()));
    metadata.insert("generation".to_owned(), json!(1));
    metadata.insert("creationTimestamp".to_owned(), json!(object::now()));
    metadata.insert("ownerReferences".to_owned(), json!([object::owner_reference(owner)]));
    set["spec"]["replicas"] = json!(count);
    set["status"] = json!({ "replicas": 0 });
    store.put(&set_key, set);
    Counts { present: 0, ready: 0 }
}

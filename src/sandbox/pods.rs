//! Pods: created from a template, and made ready.

use std::time::Duration;

use serde_json::{Value, json};

use super::object;

/// The time before which a pod with a readiness probe is not ready: the longest
/// `initialDelaySeconds` of its containers.
pub(super) fn probe_delay(pod: &Value) -> Duration {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let delays = containers.map(|one| object::number(one, "/readinessProbe/initialDelaySeconds"));
    Duration::from_secs(delays.max().unwrap_or(0).clamp(0, MAX_DELAY).unsigned_abs())
}

/// The longest delay of a readiness probe, in seconds.
const MAX_DELAY: i64 = 3600;

/// The maximum number of pods for one object, for the case of a mistyped count.
pub(super) const MAX_PODS: i64 = 2000;

/// A new pod from its owner's template. Its containers are not running yet.
pub(super) fn from_template(owner: &Value, name: &str) -> Value {
    let template = &owner["spec"]["template"];
    let mut pod = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": name, "namespace": object::namespace(owner), "uid": object::new_uid(),
            "creationTimestamp": object::now(), "ownerReferences": [object::owner_reference(owner)],
        },
        "spec": template["spec"],
        "status": { "phase": "Pending", "qosClass": "BestEffort", "startTime": object::now() },
    });
    for field in ["labels", "annotations"] {
        if template["metadata"][field].is_object() {
            pod["metadata"][field] = template["metadata"][field].clone();
        }
    }
    object::default(&mut pod["spec"], "nodeName", json!("sandbox"));
    pod["status"]["conditions"] = conditions("False");
    pod["status"]["containerStatuses"] = container_statuses(&pod, |status| {
        status["state"] = json!({ "waiting": { "reason": "ContainerCreating" } });
    });
    pod
}

/// The pod with running containers.
pub(super) fn made_ready(pod: &Value) -> Value {
    let mut pod = pod.clone();
    let started = object::now();
    pod["status"]["containerStatuses"] = container_statuses(&pod, |status| {
        status["ready"] = json!(true);
        status["started"] = json!(true);
        status["state"] = json!({ "running": { "startedAt": started } });
    });
    let address = format!("10.244.{}.{}", fastrand::u8(..), fastrand::u8(1..));
    pod["status"]["phase"] = json!("Running");
    pod["status"]["conditions"] = conditions("True");
    pod["status"]["podIP"] = json!(address);
    pod["status"]["podIPs"] = json!([{ "ip": address }]);
    pod
}

fn conditions(ready: &str) -> Value {
    let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": object::now() });
    json!([
        condition("Initialized", "True"),
        condition("Ready", ready),
        condition("ContainersReady", ready),
        condition("PodScheduled", "True"),
    ])
}

pub(super) fn container_statuses(pod: &Value, finish: impl Fn(&mut Value)) -> Value {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let statuses = containers.map(|container| {
        let mut status = json!({
            "name": container["name"], "image": container["image"], "imageID": "", "lastState": {},
            "ready": false, "started": false, "restartCount": 0,
        });
        finish(&mut status);
        status
    });
    statuses.collect()
}

/// The version of the pod's last change. Newer pods have higher versions.
pub(super) fn version(pod: &Value) -> u64 {
    object::text(pod, "/metadata/resourceVersion").parse().unwrap_or(0)
}

pub(super) fn is_ready(pod: &Value) -> bool {
    object::has_condition(pod, "Ready")
}

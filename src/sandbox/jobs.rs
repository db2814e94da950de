//! Jobs: pods that run side by side. The pods here never end by themselves, as Locust's do.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    object, pod_count, pod_spec, pods,
    store::{Key, Store},
};

const UID_LABEL: &str = "batch.kubernetes.io/controller-uid";
const NAME_LABEL: &str = "batch.kubernetes.io/job-name";

/// Fills in the fields that a client may leave out, and the selector, which the server generates.
///
/// The rules are those of `SetDefaults_Job` in `pkg/apis/batch/v1/defaults.go`: without
/// `parallelism` and `completions`, both are 1.
pub(super) fn set_defaults(job: &mut Value) {
    let (name, uid) = (object::name(job).to_owned(), object::uid(job).to_owned());
    object::member(job, "spec");
    let spec = &mut job["spec"];
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        spec["completions"] = json!(1);
    }
    object::default(spec, "parallelism", json!(1));
    object::default(spec, "backoffLimit", json!(6));
    object::default(spec, "completionMode", json!("NonIndexed"));
    object::default(spec, "suspend", json!(false));
    object::default(spec, "selector", json!({ "matchLabels": { UID_LABEL: uid } }));
    object::member(spec, "template");
    let template = &mut spec["template"];
    object::member(template, "metadata");
    let labels = object::member(&mut template["metadata"], "labels");
    for (label, value) in
        [(UID_LABEL, &uid), (NAME_LABEL, &name), ("controller-uid", &uid), ("job-name", &name)]
    {
        labels.entry(label).or_insert_with(|| json!(value));
    }
    object::member(template, "spec");
    pod_spec::set_defaults(&mut template["spec"], "Never");
}

/// One step towards the desired count: either pods come or go, or the status changes.
pub(super) fn step(store: &mut Store, key: &Key, job: &Value) {
    let present = store.controlled_by(job, "pods");
    let wanted = wanted(job);
    if present.len() < wanted {
        pod_count::create(store, key, job, wanted - present.len());
    } else if present.len() > wanted {
        let surplus = present.len() - wanted;
        pod_count::remove(store, present, surplus);
    } else {
        write_status(store, key, job, &present);
    }
}

/// The number of pods: `parallelism`, but not more than there are completions to reach.
fn wanted(job: &Value) -> usize {
    let spec = &job["spec"];
    if spec["suspend"] == json!(true) {
        return 0;
    }
    let parallelism = spec["parallelism"].as_i64().unwrap_or(1);
    let completions = spec["completions"].as_i64().unwrap_or(i64::MAX);
    usize::try_from(parallelism.min(completions).clamp(0, pods::MAX_PODS)).unwrap_or(0)
}

fn write_status(store: &mut Store, key: &Key, job: &Value, present: &[(Key, Arc<Value>)]) {
    let ready = present.iter().filter(|(_, pod)| pods::is_ready(pod)).count();
    let mut job = job.clone();
    let started = &job["status"]["startTime"];
    let started = if started.is_string() { started.clone() } else { json!(object::now()) };
    job["status"] = json!({
        "startTime": started, "ready": ready, "terminating": 0, "uncountedTerminatedPods": {},
    });
    if !present.is_empty() {
        job["status"]["active"] = json!(present.len());
    }
    store.put(key, job);
}

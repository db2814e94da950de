//! Jobs, and the Jobs that run the workers of a LocustTest.

use serde_json::Value;

use super::Target;
use super::workload::{Metadata, Spec, Status, Workload};
use crate::cluster::api::{Client, Error, Resource};

/// Sentences about a Job whose pods may end, or will not start.
pub(super) fn notes_about(target: &Target, object: &Value) -> Vec<String> {
    if !is_job(&target.resource) {
        return Vec::new();
    }
    let spec = &object["spec"];
    let mut notes = Vec::new();
    if job_has_ended(object) {
        notes.push(format!("{target} has ended, so it starts no more pods"));
    } else if spec["suspend"] == true {
        notes.push(format!("{target} is suspended, so it runs no pods"));
    }
    if let Some(completions) = spec["completions"].as_i64() {
        notes.push(format!(
            "{target} ends after {completions} completions, so fewer pods than requested may run"
        ));
    }
    notes
}

fn is_job(resource: &Resource) -> bool {
    (&*resource.group, &*resource.plural) == ("batch", "jobs")
}

/// The Job is complete, or has failed.
pub fn job_has_ended(job: &Value) -> bool {
    let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    let mut ended = conditions.filter(|one| one["type"] == "Complete" || one["type"] == "Failed");
    ended.any(|one| one["status"] == "True")
}

/// A Job as a workload.
pub(super) fn as_workload(job: &Value) -> Workload {
    let (spec, status) = (&job["spec"], &job["status"]);
    let count = |value: &Value| value.as_i64().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let max_pods = match spec["completions"].as_i64() {
        _ if job_has_ended(job) || spec["suspend"] == true => Some(0),
        Some(completions) => Some((completions - count(&status["succeeded"])).max(0)),
        None => None,
    };
    Workload {
        metadata: Metadata {
            name: text(&job["metadata"]["name"]),
            deletion_timestamp: job["metadata"]["deletionTimestamp"].as_str().map(str::to_owned),
            resource_version: text(&job["metadata"]["resourceVersion"]),
            ..Metadata::default()
        },
        spec: Spec {
            replicas: spec["parallelism"].as_i64().unwrap_or(1),
            selector: spec["selector"].clone(),
            ..Spec::default()
        },
        status: Status {
            replicas: count(&status["active"]),
            ready_replicas: count(&status["ready"]),
            max_pods,
            ..Status::default()
        },
    }
}

/// A LocustTest as a workload: its pods are those of the Job `NAME-worker`, which its operator makes.
///
/// # Errors
/// The Job cannot be read. It is no error if it does not exist yet.
pub(super) async fn of_locust_test(
    client: &Client,
    target: &Target,
    test: &Value,
) -> Result<Workload, Error> {
    let name = format!("{}-worker", target.name);
    let job = Target { resource: Resource::jobs().into(), name, ..target.clone() };
    let job = match client.get_object(&job.path(), &job.request_subject("get")).await {
        Ok(job) => as_workload(&job),
        Err(Error::Status(status)) if status.is_not_found() => Workload::default(),
        Err(error) => return Err(error),
    };
    let metadata = Metadata {
        deletion_timestamp: test["metadata"]["deletionTimestamp"].as_str().map(str::to_owned),
        resource_version: test["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        ..Metadata::default()
    };
    // Without this field, it is the test of the other operator, which sets the Job once.
    let replicas = test["spec"]["workers"].as_i64().unwrap_or(job.spec.replicas);
    Ok(Workload { metadata, spec: Spec { replicas, ..job.spec }, status: job.status })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(spec: Value, status: Value) -> Value {
        json!({"metadata": {"name": "a"}, "spec": spec, "status": status})
    }

    #[test]
    fn a_job_runs_at_most_the_pods_that_are_left_to_complete() {
        let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        for (spec, status, expected) in [
            (json!({"parallelism": 3}), json!({"active": 2, "ready": 1}), (3, 2, 1, None)),
            (json!({}), json!({}), (1, 0, 0, None)),
            (
                json!({"parallelism": 3, "completions": 2}),
                json!({"succeeded": 1, "active": 1}),
                (3, 1, 0, Some(1)),
            ),
            (json!({"parallelism": 3, "suspend": true}), json!({}), (3, 0, 0, Some(0))),
            (json!({"parallelism": 3}), complete, (3, 0, 0, Some(0))),
        ] {
            let Workload { spec, status, .. } = as_workload(&job(spec, status));
            let counts = (spec.replicas, status.replicas, status.ready_replicas, status.max_pods);
            assert_eq!(counts, expected);
        }
    }
}

//! Reads the object that runs pods, or only its counts.

use super::count_location::{CountLocation, ignores_changes};
use super::job;
use super::target::Target;
use super::workload::{Workload, label_selector};
use crate::cluster::api::{Client, Error, Scale};

/// Reads the workload of a target.
///
/// # Errors
/// The request failed, or the answer is not such an object.
pub async fn workload_of(client: &Client, target: &Target) -> Result<Workload, Error> {
    let object = client.get_object(&target.path(), &target.request_subject("get")).await?;
    match CountLocation::of(&target.resource) {
        CountLocation::Field("workers") => {
            return job::of_locust_test(client, target, &object).await;
        }
        CountLocation::Field(_) => return Ok(job::as_workload(&object)),
        CountLocation::Scale if ignores_changes(&target.resource) => {
            return job::of_locust_test(client, target, &object).await;
        }
        CountLocation::Scale => {}
    }
    if !target.resource.has_replicas_in_spec() {
        return Ok(Workload::of_custom_resource(&object));
    }
    serde_json::from_value(object).map_err(|error| {
        Error::Unreadable(format!("the server's answer for {target} cannot be read: {error}"))
    })
}

/// Reads the counts of a type that is not built in: from its scale subresource, or from the object if it
/// has none.
///
/// # Errors
/// Those of [`workload_of`], and a count that is not a number of replicas.
pub async fn counts_of(client: &Client, target: &Target) -> Result<Scale, Error> {
    if CountLocation::of(&target.resource) == CountLocation::Scale
        && !ignores_changes(&target.resource)
    {
        return client.get_scale(&target.path(), &target.request_subject("get")).await;
    }
    let Workload { metadata, spec, status } = workload_of(client, target).await?;
    let replicas = i32::try_from(spec.replicas).ok().filter(|count| *count >= 0);
    let replicas = replicas.ok_or_else(|| {
        let count = spec.replicas;
        Error::Unreadable(format!(
            "{target} has {count} in spec.replicas, which is not a number of replicas"
        ))
    })?;
    Ok(Scale {
        replicas,
        current: status.replicas,
        selector: label_selector(&spec.selector).unwrap_or_default(),
        resource_version: metadata.resource_version,
        ready: Some(status.ready_replicas),
        max_pods: status.max_pods,
    })
}

//! Reading the pods of a target.

use super::pod::{PODS, Pod};
use crate::cluster::api::{Client, Error, Listing};
use crate::scaling::read_workload::workload_of;
use crate::scaling::target::Target;
use crate::scaling::workload::label_selector;

/// A target with the pods that its controller owns, in any state.
#[derive(Debug, Default)]
pub struct OwnPods {
    /// `spec.replicas` of the target.
    pub replicas: i64,
    pub pods: Vec<Pod>,
}

/// Reads a target and lists the pods that its controller owns.
///
/// # Errors
/// The target cannot be read, or its pods cannot be listed.
pub async fn pods_of(client: &Client, target: &Target) -> Result<OwnPods, Error> {
    let workload = workload_of(client, target).await?;
    let replicas = workload.spec.replicas;
    let Some(selector) = label_selector(&workload.spec.selector) else {
        return Ok(OwnPods { replicas, pods: Vec::new() });
    };
    let listing =
        Listing { resource: &PODS, namespace: &target.namespace, labels: Some(&selector) };
    let pods = client.list_where(listing, |pod: &Pod| pod.is_of(target)).await?;
    Ok(OwnPods { replicas, pods })
}

/// Lists the pods with the labels of `selector`.
///
/// # Errors
/// Any of [`Error`].
pub async fn list(client: &Client, namespace: &str, selector: &str) -> Result<Vec<Pod>, Error> {
    client.list(Listing { resource: &PODS, namespace, labels: Some(selector) }).await
}

//! Pods, as far as a scale looks at them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::reasons::shortened;
use crate::cluster::api::{self, Client, Listing, Resource};
use crate::scaling::target::Target;
use crate::scaling::workload::{Condition, label_selector, workload_of};

/// The type of pods.
pub const PODS: Resource = Resource {
    group: std::borrow::Cow::Borrowed(""),
    version: std::borrow::Cow::Borrowed("v1"),
    plural: std::borrow::Cow::Borrowed("pods"),
    singular: std::borrow::Cow::Borrowed("pod"),
    kind: std::borrow::Cow::Borrowed("Pod"),
    namespaced: true,
};

/// Lists the pods that `selector` selects.
///
/// # Errors
/// Any of [`api::Error`].
pub(super) async fn list(
    client: &Client,
    namespace: &str,
    selector: &str,
) -> Result<Vec<Pod>, api::Error> {
    client.list(Listing { resource: &PODS, namespace, labels: Some(selector) }).await
}

/// A target with the pods that its controller owns, in whatever state they are.
#[derive(Debug, Default)]
pub struct OwnPods {
    /// `spec.replicas` of the target.
    pub replicas: i64,
    /// Its pods.
    pub pods: Vec<Pod>,
}

/// Reads a target and lists the pods that its controller owns.
///
/// # Errors
/// The target or its pods cannot be read.
pub async fn pods_of(client: &Client, target: &Target) -> Result<OwnPods, api::Error> {
    let object = workload_of(client, target).await?;
    let replicas = object.spec.replicas;
    let Some(selector) = label_selector(&object.spec.selector) else {
        return Ok(OwnPods { replicas, pods: Vec::new() });
    };
    let mut pods = list(client, &target.namespace, &selector).await?;
    pods.retain(|pod| pod.is_of(target));
    Ok(OwnPods { replicas, pods })
}

/// What is kept of a pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: String,
    creation_timestamp: String,
    deletion_timestamp: Option<String>,
    labels: BTreeMap<String, String>,
    owner_references: Vec<OwnerReference>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnerReference {
    kind: String,
    name: String,
    controller: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    hostname: String,
    host_network: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: String,
    reason: String,
    message: String,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<Container>,
    container_statuses: Vec<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
    message: String,
}

impl Pod {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The host name inside its containers; `None` with `hostNetwork`, where it is the node's.
    pub fn host(&self) -> Option<&str> {
        let Spec { hostname, host_network } = &self.spec;
        match hostname.as_str() {
            _ if *host_network => None,
            "" => Some(self.name()),
            hostname => Some(hostname),
        }
    }

    /// The target's controller owns it: by its owner reference, never by its name, since the API
    /// server cuts long names. A Deployment owns pods by its ReplicaSets, whose names are its own
    /// and the pod's template hash (Deployment controller, `getNewReplicaSet`). For other types
    /// only the selector is known.
    pub fn is_of(&self, target: &Target) -> bool {
        let Some(owner) = self.metadata.owner_references.iter().find(|owner| owner.controller)
        else {
            return !target.resource.has_replicas_in_spec();
        };
        match &*target.resource.kind {
            "Deployment" => {
                let hash = self.metadata.labels.get("pod-template-hash");
                let is_set = |hash: &String| owner.name == format!("{}-{hash}", target.name);
                owner.kind == "ReplicaSet" && hash.is_some_and(is_set)
            }
            kind if target.resource.has_replicas_in_spec() => {
                owner.kind == kind && owner.name == target.name
            }
            _ => true,
        }
    }

    /// When it was made, RFC 3339; empty when the server does not say.
    pub fn created(&self) -> &str {
        &self.metadata.creation_timestamp
    }

    /// Whether it is ready, and not about to leave.
    pub fn is_ready(&self) -> bool {
        self.metadata.deletion_timestamp.is_none() && self.is("Ready")
    }

    /// How it is, as `kubectl get pods` puts it: the phase, or why it does not start; and what
    /// there is to say of that.
    pub fn state(&self) -> (&str, String) {
        if self.metadata.deletion_timestamp.is_some() {
            return ("Terminating", String::new());
        }
        let (state, message) = self.trouble().unwrap_or((&self.status.phase, ""));
        (state, shortened(message).trim_start_matches(": ").to_owned())
    }

    fn is(&self, kind: &str) -> bool {
        self.status.conditions.iter().any(|c| c.kind == kind && c.status == "True")
    }

    /// What keeps it from being ready; `None` when nothing does, or when it is leaving.
    pub(super) fn trouble(&self) -> Option<(&str, &str)> {
        let Status { phase, reason, message, conditions, .. } = &self.status;
        if self.metadata.deletion_timestamp.is_some() || self.is("Ready") || phase == "Succeeded" {
            return None;
        }
        if phase == "Failed" {
            return Some((if reason.is_empty() { "Failed" } else { reason }, message));
        }
        let unscheduled =
            conditions.iter().find(|c| c.kind == "PodScheduled" && c.status == "False");
        if let Some(condition) = unscheduled {
            return Some((&condition.reason, &condition.message));
        }
        let containers =
            self.status.init_container_statuses.iter().chain(&self.status.container_statuses);
        let waiting = containers.filter_map(|container| container.state.waiting.as_ref());
        // That others wait for an init container, or for nothing special, tells the least.
        let (usual, telling): (Vec<_>, Vec<_>) = waiting.partition(|waiting| {
            matches!(waiting.reason.as_str(), "PodInitializing" | "ContainerCreating" | "")
        });
        match (telling.first(), usual.first()) {
            (Some(waiting), _) => Some((&waiting.reason, &waiting.message)),
            (None, Some(waiting)) if !waiting.reason.is_empty() => Some((&waiting.reason, "")),
            _ if phase == "Running" => Some(("running, but not ready", "")),
            _ => Some((phase, "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(metadata: Value) -> Pod {
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    fn owned(kind: &str, name: &str, hash: &str) -> Pod {
        pod(json!({"name": "x", "labels": {"pod-template-hash": hash},
            "ownerReferences": [{"kind": kind, "name": name, "controller": true}]}))
    }

    #[test]
    fn a_pod_belongs_to_its_owner_whatever_its_name_begins_with() {
        let target = Target::for_test("locust-slave");
        let hash = "7d6d865b5d";
        for (kind, name, expected) in [
            ("ReplicaSet", "locust-slave-7d6d865b5d", true),
            ("ReplicaSet", "locust-slave-big-7d6d865b5d", false),
            ("ReplicaSet", "locust-slave", false),
            ("StatefulSet", "locust-slave", false),
        ] {
            assert_eq!(owned(kind, name, hash).is_of(&target), expected, "{kind} {name}");
        }
        let resource = Resource::find_built_in("statefulset").unwrap();
        let set = Target { resource, ..target.clone() };
        assert!(owned("StatefulSet", "locust-slave", "").is_of(&set));
        assert!(!pod(json!({"name": "locust-slave-x2x9k"})).is_of(&target), "nobody owns it");
    }

    #[test]
    fn a_pods_host_is_its_name_unless_it_says_otherwise() {
        let host = |spec: Value| {
            let pod: Pod =
                serde_json::from_value(json!({"metadata": {"name": "w-0"}, "spec": spec})).unwrap();
            pod.host().map(str::to_owned)
        };
        assert_eq!(host(json!({})).as_deref(), Some("w-0"));
        assert_eq!(host(json!({"hostname": "w"})).as_deref(), Some("w"));
        assert_eq!(host(json!({"hostNetwork": true})), None);
    }
}

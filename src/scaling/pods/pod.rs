//! The fields of a pod that scaling needs.

use serde::{Deserialize, Deserializer};

use super::state::PodState;
use crate::cluster::api::Resource;
use crate::scaling::status_condition::{StatusCondition, beginning, message_suffix};
use crate::scaling::target::Target;

/// The resource type of pods.
pub const PODS: Resource = Resource {
    group: std::borrow::Cow::Borrowed(""),
    version: std::borrow::Cow::Borrowed("v1"),
    plural: std::borrow::Cow::Borrowed("pods"),
    singular: std::borrow::Cow::Borrowed("pod"),
    kind: std::borrow::Cow::Borrowed("Pod"),
    namespaced: true,
};

/// A pod. Thousands of them may be in memory, so nothing else of the object is kept.
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
    labels: Labels,
    #[serde(rename = "ownerReferences", deserialize_with = "controller")]
    owner: Option<OwnerReference>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Labels {
    pod_template_hash: Option<String>,
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
    #[serde(deserialize_with = "beginning")]
    message: String,
    #[serde(deserialize_with = "used_conditions")]
    conditions: Vec<StatusCondition>,
    /// The containers that wait.
    #[serde(deserialize_with = "waiting")]
    init_container_statuses: Vec<Waiting>,
    #[serde(deserialize_with = "waiting")]
    container_statuses: Vec<Waiting>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    state: ContainerState,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    waiting: Option<Waiting>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
    #[serde(deserialize_with = "beginning")]
    message: String,
}

/// Reads the owner that is the pod's controller.
fn controller<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OwnerReference>, D::Error> {
    let all = Vec::<OwnerReference>::deserialize(deserializer)?;
    Ok(all.into_iter().find(|owner| owner.controller))
}

/// Reads the conditions that [`Pod::state`] and [`Pod::is_ready`] use.
fn used_conditions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<StatusCondition>, D::Error> {
    let mut all = Vec::<StatusCondition>::deserialize(deserializer)?;
    all.retain(|condition| matches!(condition.kind.as_str(), "Ready" | "PodScheduled"));
    all.shrink_to_fit();
    Ok(all)
}

/// Reads why containers wait.
fn waiting<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Waiting>, D::Error> {
    let all = Vec::<Container>::deserialize(deserializer)?;
    Ok(all.into_iter().filter_map(|container| container.state.waiting).collect())
}

impl Pod {
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The host name inside the containers. `None` with `hostNetwork`: there it is the node's name.
    pub fn host(&self) -> Option<&str> {
        let Spec { hostname, host_network } = &self.spec;
        match hostname.as_str() {
            _ if *host_network => None,
            "" => Some(self.name()),
            hostname => Some(hostname),
        }
    }

    /// True if the target's controller owns this pod, by its owner reference. The name of a pod
    /// says nothing, since the API server cuts long names. A Deployment owns pods through its
    /// ReplicaSets. The name of a ReplicaSet is the Deployment's name and the pod's template hash
    /// (Deployment controller, `getNewReplicaSet`). In a type that is not built in, every pod with
    /// matching labels counts as owned.
    pub fn is_of(&self, target: &Target) -> bool {
        let Some(owner) = &self.metadata.owner else {
            return !target.resource.has_replicas_in_spec();
        };
        match &*target.resource.kind {
            "Deployment" => {
                let hash = self.metadata.labels.pod_template_hash.as_ref();
                let is_set = |hash: &String| owner.name == format!("{}-{hash}", target.name);
                owner.kind == "ReplicaSet" && hash.is_some_and(is_set)
            }
            kind if target.resource.has_replicas_in_spec() => {
                owner.kind == kind && owner.name == target.name
            }
            _ => true,
        }
    }

    /// The creation time, RFC 3339; empty if the server does not report it.
    pub fn created(&self) -> &str {
        &self.metadata.creation_timestamp
    }

    /// True if the pod is ready and is not being deleted.
    pub fn is_ready(&self) -> bool {
        !self.is_terminating() && self.is("Ready")
    }

    /// True if the pod is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// The state, and a message about it; the message may be empty.
    pub fn state(&self) -> (PodState, String) {
        if self.is_terminating() {
            return (PodState::Terminating, String::new());
        }
        let phase = || (PodState::new(&self.status.phase), "");
        let (state, message) = self.start_failure().unwrap_or_else(phase);
        (state, message_suffix(message).trim_start_matches(": ").to_owned())
    }

    fn is(&self, kind: &str) -> bool {
        self.status.conditions.iter().any(|c| c.kind == kind && c.status == "True")
    }

    /// The reason why the pod is not ready, with a message. `None` if it is ready, has ended without an error,
    /// or is being deleted.
    pub(super) fn start_failure(&self) -> Option<(PodState, &str)> {
        let Status { phase, reason, message, conditions, .. } = &self.status;
        if self.is_terminating() || self.is("Ready") || phase == "Succeeded" {
            return None;
        }
        if phase == "Failed" {
            let reason = if reason.is_empty() { "Failed" } else { reason };
            return Some((PodState::Stuck(reason.to_owned()), message));
        }
        let unscheduled =
            conditions.iter().find(|c| c.kind == "PodScheduled" && c.status == "False");
        if let Some(condition) = unscheduled {
            return Some((PodState::new(&condition.reason), &condition.message));
        }
        let waiting =
            self.status.init_container_statuses.iter().chain(&self.status.container_statuses);
        // A container that only waits for an init container or for its image explains the least.
        let (starting, failing): (Vec<_>, Vec<_>) = waiting.partition(|waiting| {
            matches!(waiting.reason.as_str(), "PodInitializing" | "ContainerCreating" | "")
        });
        match (failing.first(), starting.first()) {
            (Some(waiting), _) => Some((PodState::new(&waiting.reason), &waiting.message)),
            (None, Some(waiting)) if !waiting.reason.is_empty() => {
                Some((PodState::new(&waiting.reason), ""))
            }
            _ if phase == "Running" => Some((PodState::NotReady, "")),
            _ => Some((PodState::new(phase), "")),
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
    fn a_pod_belongs_to_the_target_of_its_owner_reference() {
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
        assert!(!pod(json!({"name": "locust-slave-x2x9k"})).is_of(&target), "it has no owner");
    }

    #[test]
    fn the_host_of_a_pod_is_its_name_or_its_hostname_field() {
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

//! Reasons that keep pods from starting, for tests.

use serde_json::{Value, json};

use super::{object, pods};

/// The reason why pending pods do not become ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodFailure {
    /// Their image cannot be pulled.
    ImagePull,
    /// No node has room for them.
    Unschedulable,
    /// A quota limits the pods of a ReplicaSet to this many.
    Quota(usize),
}

impl PodFailure {
    /// The pod with this failure in its status. `None` if the failure does not concern pods.
    pub(super) fn apply_to(&self, pod: &Value) -> Option<Value> {
        let mut pod = pod.clone();
        match self {
            Self::ImagePull => {
                let image = object::text(&pod, "/spec/containers/0/image").to_owned();
                let message =
                    format!("Back-off pulling image \"{image}\": ErrImagePull: not found");
                pod["status"]["containerStatuses"] = pods::container_statuses(&pod, |status| {
                    status["state"] =
                        json!({ "waiting": { "reason": "ImagePullBackOff", "message": message } });
                });
            }
            Self::Unschedulable => {
                pod["status"]["conditions"] = json!([{
                    "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "lastProbeTime": null, "lastTransitionTime": object::now(),
                    "message": "0/1 nodes are available: 1 Insufficient cpu.",
                }]);
                if let Some(status) = pod["status"].as_object_mut() {
                    status.remove("containerStatuses");
                }
            }
            Self::Quota(_) => return None,
        }
        Some(pod)
    }

    /// True if the pod has this failure in its status.
    pub(super) fn is_applied_to(&self, pod: &Value) -> bool {
        let status = &pod["status"];
        match self {
            Self::ImagePull => {
                let waiting = &status["containerStatuses"][0]["state"]["waiting"];
                waiting["reason"] == "ImagePullBackOff"
            }
            Self::Unschedulable => status["conditions"][0]["reason"] == "Unschedulable",
            Self::Quota(_) => false,
        }
    }

    /// The maximum number of pods of a ReplicaSet.
    pub(super) fn max_pods(&self) -> Option<usize> {
        match self {
            Self::Quota(max_pods) => Some(*max_pods),
            Self::ImagePull | Self::Unschedulable => None,
        }
    }

    /// The condition of a ReplicaSet that has `present` pods and may not create more.
    pub(super) fn quota_condition(&self, present: usize) -> Option<Value> {
        let max_pods = self.max_pods()?;
        (present >= max_pods).then(|| {
            json!({
                "type": "ReplicaFailure", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
                "reason": "FailedCreate",
                "message": format!(
                    "pods \"pod\" is forbidden: exceeded quota: pods, requested: pods=1, used: pods={max_pods}, limited: pods={max_pods}"
                ),
            })
        })
    }
}

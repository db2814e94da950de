//! What keeps pods from starting, when a test orders it.

use serde_json::{Value, json};

use super::{object, pods};

/// What is wrong with the pods that are not ready yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Their image cannot be pulled.
    ImagePull,
    /// No node has room for them.
    Unschedulable,
    /// A quota allows a ReplicaSet only so many.
    Quota(usize),
}

impl Trouble {
    /// The pod as the trouble leaves it; `None` when it leaves it alone.
    pub(super) fn strike(&self, pod: &Value) -> Option<Value> {
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

    /// Whether a pod is in this trouble already.
    pub(super) fn has_struck(&self, pod: &Value) -> bool {
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

    /// How many pods a ReplicaSet may have.
    pub(super) fn most_pods(&self) -> Option<usize> {
        match self {
            Self::Quota(most) => Some(*most),
            Self::ImagePull | Self::Unschedulable => None,
        }
    }

    /// The condition of a ReplicaSet that may not have more pods than these.
    pub(super) fn refuses(&self, present: usize) -> Option<Value> {
        let most = self.most_pods()?;
        (present >= most).then(|| {
            json!({
                "type": "ReplicaFailure", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
                "reason": "FailedCreate",
                "message": format!(
                    "pods \"pod\" is forbidden: exceeded quota: pods, requested: pods=1, used: pods={most}, limited: pods={most}"
                ),
            })
        })
    }
}

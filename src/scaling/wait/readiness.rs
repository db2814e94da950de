//! Decides from one object if its pods are ready.
//!
//! The rules are those of `kubectl rollout status` (`polymorphichelpers/rollout_status.go`), but only
//! those about scaling: a partition or `OnDelete`, which hold up the update of a StatefulSet, do not
//! hold up the wait.

use crate::cluster::api::{Resource, Scale};
use crate::scaling::workload::Workload;
use crate::text::quantity;

/// The built-in kinds. They have a known status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadKind {
    /// apps/v1 Deployment
    Deployment,
    /// apps/v1 StatefulSet
    StatefulSet,
    /// ReplicaSet or ReplicationController: all pods have the same template.
    Set,
}

impl WorkloadKind {
    /// The kind of a built-in type; `None` for another type. For other types, only the scale is known.
    pub fn of(resource: &Resource) -> Option<Self> {
        if !resource.has_replicas_in_spec() {
            return None;
        }
        Some(match &*resource.kind {
            "Deployment" => Self::Deployment,
            "StatefulSet" => Self::StatefulSet,
            _ => Self::Set,
        })
    }
}

/// The replica counts of a target, compared with the requested count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The count that the target was scaled to. Pods that will not run are left out.
    pub requested: i64,
    /// `spec.replicas`. If it differs from `requested`, another client has scaled the target.
    pub desired: i64,
    /// Pods that exist.
    pub current: i64,
    /// Pods made from the current template. `None` if they are not counted or do not matter.
    pub updated: Option<i64>,
    /// Pods that are ready. `None` if only the scale is known.
    pub ready: Option<i64>,
    /// Pods that have been ready for `minReadySeconds`. `None` if they are not counted.
    pub available: Option<i64>,
    /// The controller has seen the new number.
    pub observed: bool,
    /// Nothing is left to wait for.
    pub done: bool,
}

/// The readiness of an object of a built-in kind.
pub fn readiness(kind: WorkloadKind, object: &Workload, requested: i64) -> Readiness {
    let (spec, status) = (&object.spec, &object.status);
    // A paused rollout does not replace the old pods, but the pods still become ready.
    let updated =
        (kind == WorkloadKind::Deployment && !spec.paused).then_some(status.updated_replicas);
    // Old clusters do not count the available pods of a StatefulSet.
    let has_available = kind != WorkloadKind::StatefulSet || spec.min_ready_seconds > 0;
    let available = has_available.then_some(status.available_replicas);
    let observed = status.observed_generation >= object.metadata.generation;
    Readiness {
        requested,
        desired: spec.replicas,
        current: status.replicas,
        updated,
        ready: Some(status.ready_replicas),
        available,
        observed,
        done: false,
    }
    .decided()
}

/// The readiness of a custom resource, from its scale. Pods that will not run are not waited for.
pub fn readiness_of_scale(scale: &Scale, requested: i64) -> Readiness {
    let max_pods = scale.max_pods.unwrap_or(i64::MAX);
    Readiness {
        requested: requested.min(max_pods),
        desired: i64::from(scale.replicas).min(max_pods),
        current: scale.current,
        updated: None,
        ready: scale.ready,
        available: None,
        observed: true,
        done: false,
    }
    .decided()
}

impl Readiness {
    fn decided(mut self) -> Self {
        let enough = |count: Option<i64>| count.is_none_or(|count| count >= self.requested);
        self.done = self.observed
            && self.desired == self.requested
            && self.current == self.requested
            && enough(self.updated)
            && enough(self.ready)
            && enough(self.available);
        self
    }

    /// The number of ready pods, at most `requested`; for a progress bar.
    pub fn fulfilled(&self) -> i64 {
        self.ready.unwrap_or(self.current).clamp(0, self.requested)
    }

    /// `1 of 3 replicas are ready`
    pub fn text(&self) -> String {
        self.sentence("are", "exist", "exists")
    }

    /// `1 of 3 replicas were ready`
    pub fn past_text(&self) -> String {
        self.sentence("were", "existed", "existed")
    }

    fn sentence(&self, are: &str, exist: &str, exists: &str) -> String {
        let Self { requested, current, .. } = *self;
        if current > requested {
            let exist = if current == 1 { exists } else { exist };
            return format!("{} {exist} instead of {requested}", quantity(current, "replica"));
        }
        let Some(ready) = self.ready else {
            return format!("{current} of {requested} replicas {exist}");
        };
        let all = format!("{ready} of {requested} replicas {are} ready");
        if self.done || ready < requested {
            return all;
        }
        match (self.updated, self.available) {
            _ if !self.observed => format!("{all}, the controller has not seen the new number yet"),
            (Some(updated), _) if updated < requested => format!("{all}, {updated} updated"),
            (_, Some(available)) if available < requested => {
                format!("{all}, {available} available")
            }
            _ => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judge(kind: WorkloadKind, spec: Value, status: Value, requested: i64) -> Readiness {
        let object = json!({"metadata": {"generation": 2}, "spec": spec, "status": status});
        readiness(kind, &serde_json::from_value(object).unwrap(), requested)
    }

    #[test]
    fn the_noun_after_of_is_plural_for_every_number() {
        let status = json!({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1,
            "readyReplicas": 1, "availableReplicas": 1});
        let now = judge(WorkloadKind::Deployment, json!({"replicas": 1}), status, 1);
        assert_eq!(now.text(), "1 of 1 replicas are ready");
    }

    #[test]
    fn a_deployment_is_done_when_all_pods_are_updated_and_available_and_no_old_pod_is_left() {
        for (observed, current, updated, ready, available, done, text) in [
            (2, 3, 3, 3, 3, true, "3 of 3 replicas are ready"),
            (
                1,
                3,
                3,
                3,
                3,
                false,
                "3 of 3 replicas are ready, the controller has not seen the new number yet",
            ),
            (2, 1, 1, 1, 1, false, "1 of 3 replicas are ready"),
            (2, 3, 3, 1, 1, false, "1 of 3 replicas are ready"),
            (2, 3, 2, 3, 3, false, "3 of 3 replicas are ready, 2 updated"),
            (2, 3, 3, 3, 2, false, "3 of 3 replicas are ready, 2 available"),
            (2, 4, 3, 3, 3, false, "4 replicas exist instead of 3"),
        ] {
            let status = json!({"observedGeneration": observed, "replicas": current,
                "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": available});
            let is = judge(WorkloadKind::Deployment, json!({"replicas": 3}), status.clone(), 3);
            assert_eq!((is.done, is.text().as_str()), (done, text), "{status}");
        }
    }

    #[test]
    fn zero_is_reached_when_no_pod_is_left() {
        for kind in [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::Set] {
            let left = json!({"observedGeneration": 2, "replicas": 1, "readyReplicas": 1});
            let is = judge(kind, json!({"replicas": 0}), left, 0);
            let text = "1 replica exists instead of 0";
            assert_eq!((is.done, is.text().as_str()), (false, text), "{kind:?}");
            let is = judge(kind, json!({"replicas": 0}), json!({"observedGeneration": 2}), 0);
            assert!(is.done, "{kind:?}");
            let is = judge(kind, json!({"replicas": 0}), json!({}), 0);
            assert!(!is.done, "{kind:?}: the controller has not seen it yet");
        }
    }

    #[test]
    fn a_wait_ignores_an_unfinished_rollout() {
        let spec = |extra: Value| {
            let mut spec = json!({"replicas": 3});
            spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            spec
        };
        let ready = |extra: Value| {
            let mut status = json!({"observedGeneration": 2, "replicas": 3, "readyReplicas": 3});
            status.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            status
        };
        for (kind, spec, status, done) in [
            // A partition or OnDelete holds up the update.
            (
                WorkloadKind::StatefulSet,
                spec(json!({})),
                ready(json!({"updatedReplicas": 1})),
                true,
            ),
            // An old cluster does not count availableReplicas.
            (WorkloadKind::StatefulSet, spec(json!({})), ready(json!({})), true),
            (
                WorkloadKind::StatefulSet,
                spec(json!({"minReadySeconds": 9})),
                ready(json!({})),
                false,
            ),
            (WorkloadKind::Set, spec(json!({})), ready(json!({})), false),
            (WorkloadKind::Set, spec(json!({})), ready(json!({"availableReplicas": 3})), true),
            (
                WorkloadKind::Deployment,
                spec(json!({"paused": true})),
                ready(json!({"availableReplicas": 3})),
                true,
            ),
        ] {
            let is = judge(kind, spec.clone(), status.clone(), 3);
            assert_eq!(is.done, done, "{kind:?} {spec} {status}");
        }
    }

    #[test]
    fn a_count_that_another_client_changed_is_never_done() {
        let status = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3,
            "readyReplicas": 3, "availableReplicas": 3});
        let is = judge(WorkloadKind::Deployment, json!({"replicas": 5}), status, 3);
        assert_eq!((is.desired, is.done), (5, false));
    }

    #[test]
    fn a_custom_resource_is_done_when_its_scale_has_the_count() {
        for (current, done, text) in [
            (1, false, "1 of 3 replicas exist"),
            (3, true, "3 of 3 replicas exist"),
            (4, false, "4 replicas exist instead of 3"),
        ] {
            let scale = Scale {
                replicas: 3,
                current,
                selector: String::new(),
                ready: None,
                max_pods: None,
                resource_version: String::new(),
            };
            let is = readiness_of_scale(&scale, 3);
            assert_eq!((is.done, is.text().as_str()), (done, text));
        }
    }
}

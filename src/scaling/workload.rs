//! The object that runs pods: its desired replica count, its status, and its selector.

use serde::Deserialize;
use serde_json::Value;

use super::status_condition::StatusCondition;
use crate::text::terminal::on_one_line;

/// A Deployment, StatefulSet, ReplicaSet or ReplicationController. The status tells its progress.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Workload {
    pub metadata: Metadata,
    pub spec: Spec,
    pub status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    pub name: String,
    /// A number that rises with each change of an object of this type (KEP-5504).
    #[serde(rename = "resourceVersion")]
    pub resource_version: String,
    /// Rises by one with each change of the spec.
    pub generation: i64,
    /// A unique name of this object, also among later objects of the same name.
    pub uid: String,
    /// The time at which the object was deleted (RFC 3339), if its finalizers still hold it. Its
    /// controller starts no pods any more.
    #[serde(rename = "deletionTimestamp")]
    pub deletion_timestamp: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    pub replicas: i64,
    /// A user has paused the rollout of the Deployment.
    pub paused: bool,
    /// The number of seconds that a pod must be ready to count as available.
    pub min_ready_seconds: i64,
    /// The labels of its pods; see [`label_selector`].
    pub selector: Value,
}

/// The server leaves out the counts that are zero.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    /// The generation that the controller has seen.
    pub observed_generation: i64,
    /// Pods that exist.
    pub replicas: i64,
    /// Pods made from the current template.
    pub updated_replicas: i64,
    pub ready_replicas: i64,
    /// Pods that have been ready for `minReadySeconds`.
    pub available_replicas: i64,
    pub conditions: Vec<StatusCondition>,
    /// The most pods that will run, if that can be fewer than wanted: a Job may have ended.
    #[serde(skip)]
    pub max_pods: Option<i64>,
}

impl Workload {
    /// The fields of a custom resource that have the same type as in a Deployment. A custom
    /// resource may give another meaning to any field: in Argo's Rollout the
    /// `observedGeneration` is a string.
    pub(super) fn of_custom_resource(object: &Value) -> Self {
        let (spec, status) = (&object["spec"], &object["status"]);
        let count = |value: &Value| value.as_i64().unwrap_or_default();
        let deletion_timestamp = object["metadata"]["deletionTimestamp"].as_str();
        Self {
            metadata: Metadata {
                deletion_timestamp: deletion_timestamp.map(str::to_owned),
                ..Metadata::default()
            },
            spec: Spec {
                replicas: count(&spec["replicas"]),
                selector: spec["selector"].clone(),
                ..Spec::default()
            },
            status: Status {
                replicas: count(&status["replicas"]),
                updated_replicas: count(&status["updatedReplicas"]),
                ready_replicas: count(&status["readyReplicas"]),
                ..Status::default()
            },
        }
    }

    /// The time at which the deletion began, on one line; `None` if the object is not being deleted.
    pub fn deleted_since(&self) -> Option<String> {
        self.metadata.deletion_timestamp.as_deref().map(|since| on_one_line(since).into_owned())
    }

    /// The reason why the controller cannot create pods, for example because a quota is used up.
    pub fn replica_failure(&self) -> Option<&StatusCondition> {
        self.condition("ReplicaFailure").filter(|condition| condition.status == "True")
    }

    /// The rollout of a Deployment has taken longer than `progressDeadlineSeconds`.
    pub fn missed_deadline(&self) -> Option<&StatusCondition> {
        self.condition("Progressing").filter(|condition| {
            condition.status == "False" && condition.reason == "ProgressDeadlineExceeded"
        })
    }

    fn condition(&self, kind: &str) -> Option<&StatusCondition> {
        self.status.conditions.iter().find(|condition| condition.kind == kind)
    }
}

/// The selector of a workload in the syntax of the query parameter `labelSelector`. `None` if it is
/// empty or has an unknown operator. The selector of a ReplicationController is a plain map of labels.
pub fn label_selector(selector: &Value) -> Option<String> {
    let is_plain = selector["matchLabels"].is_null() && selector["matchExpressions"].is_null();
    let labels = if is_plain { selector } else { &selector["matchLabels"] };
    let equal = labels.as_object().into_iter().flatten();
    let mut terms = equal
        .map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect::<Option<Vec<_>>>()?;
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str()?;
        let values = expression["values"].as_array().into_iter().flatten();
        let values: Vec<_> = values.filter_map(Value::as_str).collect();
        let values = values.join(",");
        terms.push(match expression["operator"].as_str()? {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    Some(terms.join(",")).filter(|selector| !selector.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_are_written_in_the_syntax_of_a_query() {
        for (selector, expected) in [
            (json!({"matchLabels": {"a": "b", "c": "d"}}), Some("a=b,c=d")),
            (json!({"a": "b"}), Some("a=b")),
            (
                json!({"matchLabels": {"a": "b"}, "matchExpressions": [
                    {"key": "x", "operator": "In", "values": ["1", "2"]},
                    {"key": "y", "operator": "NotIn", "values": ["3"]},
                    {"key": "z", "operator": "Exists"},
                    {"key": "w", "operator": "DoesNotExist"},
                ]}),
                Some("a=b,x in (1,2),y notin (3),z,!w"),
            ),
            (json!({"matchExpressions": [{"key": "x", "operator": "Gt"}]}), None),
            (json!({"a": 1}), None),
            (json!({}), None),
            (Value::Null, None),
        ] {
            assert_eq!(label_selector(&selector).as_deref(), expected, "{selector}");
        }
    }

    #[test]
    fn a_custom_resource_field_of_the_wrong_type_is_ignored() {
        let rollout = json!({"spec": {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}},
            "status": {"observedGeneration": "7", "readyReplicas": 2, "replicas": "3"}});
        let workload = Workload::of_custom_resource(&rollout);
        let Status { replicas, ready_replicas, .. } = workload.status;
        assert_eq!((workload.spec.replicas, replicas, ready_replicas), (3, 0, 2));
        assert_eq!(label_selector(&workload.spec.selector).as_deref(), Some("a=b"));
    }

    #[test]
    fn counts_that_the_server_leaves_out_are_zero() {
        let workload: Workload =
            serde_json::from_value(json!({"metadata": {"name": "a"}, "spec": {}})).unwrap();
        assert_eq!((workload.spec.replicas, workload.status.replicas), (0, 0));
    }
}

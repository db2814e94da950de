//! Autoscalers of the target (`scaleTargetRef`). They also change its replica count.

use serde::Serialize;
use serde_json::Value;

use super::Target;
use crate::cluster::api::{Client, Error, RequestSubject, escape_segment};
use crate::text::go;

/// KEDA's annotation that pauses a ScaledObject at the current count.
const PAUSED: &str = "autoscaling.keda.sh/paused";

/// KEDA's annotation that scales the target to a count, and then pauses the ScaledObject.
const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

/// An autoscaler that manages a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Autoscaler {
    /// `HorizontalPodAutoscaler` or `ScaledObject`.
    pub kind: &'static str,
    pub name: String,
    /// Minimum number of replicas.
    pub min: i64,
    /// Maximum number of replicas.
    pub max: i64,
    /// The number of replicas without activity, below `min` (KEDA).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<i64>,
    /// A user has paused the autoscaler (KEDA).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

/// A pause of KEDA, by the rules of its `NeedToBePausedByAnnotation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Pause {
    /// The autoscaler changes nothing.
    Paused,
    /// The autoscaler sets this count once, and then pauses.
    Pending {
        /// `None` if the annotation has no number.
        replicas: Option<i64>,
    },
}

impl Autoscaler {
    /// A sentence about the effect of the autoscaler on `target`.
    pub fn effect(&self, target: &Target) -> String {
        let Self { kind, name, min, max, idle, pause } = self;
        let range = match idle {
            Some(idle) => {
                format!("between {min} and {max} replicas, or at {idle} without activity")
            }
            None => format!("between {min} and {max} replicas"),
        };
        match pause {
            None => {
                format!("{kind} {name:?} keeps {target} {range}, so it may undo a manual scale")
            }
            Some(Pause::Paused) => format!(
                "{kind} {name:?} is paused and does not scale {target}; once resumed, it keeps {target} {range}"
            ),
            Some(Pause::Pending { replicas: Some(replicas) }) => {
                format!("{kind} {name:?} will scale {target} to {replicas} replicas and then pause")
            }
            Some(Pause::Pending { replicas: None }) => format!(
                "{kind} {name:?} has an annotation {PAUSED_REPLICAS} without a number; it may change {target}"
            ),
        }
    }

    /// True if it may change the count.
    pub fn is_active(&self) -> bool {
        self.pause != Some(Pause::Paused)
    }

    /// True if it may change this count. A HorizontalPodAutoscaler leaves a target at zero alone
    /// (`horizontal.go`, `ScalingDisabled`), unless zero is its own minimum.
    pub fn may_undo(&self, count: i64) -> bool {
        let leaves_zero = self.kind == "HorizontalPodAutoscaler" && self.min > 0;
        self.is_active() && !(count == 0 && leaves_zero)
    }
}

/// The result of a search for autoscalers.
#[derive(Debug, Default)]
pub struct Autoscalers {
    /// The autoscalers that manage the target.
    pub found: Vec<Autoscaler>,
    /// The resources that could not be listed, each with its error.
    pub list_errors: Vec<(&'static str, Error)>,
}

impl Autoscalers {
    /// Combines this search with the previous one. If a kind could not be listed now, its previous
    /// autoscalers stay.
    pub fn merge_with(self, previous: &[Autoscaler]) -> Vec<Autoscaler> {
        let is_unknown = |name: &str| {
            let kind = KINDS.iter().find(|kind| kind.name == name);
            kind.is_some_and(|kind| {
                self.list_errors.iter().any(|(plural, _)| *plural == kind.plural)
            })
        };
        let kept: Vec<_> = previous.iter().filter(|one| is_unknown(one.kind)).cloned().collect();
        self.found.into_iter().chain(kept).collect()
    }
}

/// One kind of autoscaler. `min` and `max` each hold the name of a spec field and its default value.
#[derive(Debug)]
struct AutoscalerKind {
    name: &'static str,
    plural: &'static str,
    group_version: &'static str,
    min: (&'static str, i64),
    max: (&'static str, i64),
}

/// KEDA comes first. It creates a HorizontalPodAutoscaler for each ScaledObject, and [`is_made_by`]
/// then skips these.
const KINDS: [AutoscalerKind; 2] = [
    AutoscalerKind {
        name: "ScaledObject",
        plural: "scaledobjects",
        group_version: "keda.sh/v1alpha1",
        min: ("minReplicaCount", 0),
        max: ("maxReplicaCount", 100),
    },
    AutoscalerKind {
        name: "HorizontalPodAutoscaler",
        plural: "horizontalpodautoscalers",
        group_version: "autoscaling/v2",
        min: ("minReplicas", 1),
        max: ("maxReplicas", 0),
    },
];

/// The autoscalers of a namespace.
#[derive(Debug, Default)]
pub struct AutoscalerLists {
    /// The objects of each kind.
    lists: Vec<(&'static AutoscalerKind, Value)>,
    list_errors: Vec<(&'static str, Error)>,
}

impl AutoscalerLists {
    /// Sends one LIST for each kind. A kind that the cluster does not have is no error.
    pub async fn read(client: &Client, namespace: &str) -> Self {
        let mut read = Self::default();
        for kind in &KINDS {
            match list(client, namespace, kind).await {
                Ok(list) => read.lists.push((kind, list)),
                Err(error) if error.status().is_some_and(|status| status.is_not_found()) => {}
                Err(error) => read.list_errors.push((kind.plural, error)),
            }
        }
        read
    }

    /// The autoscalers that manage a target of the namespace.
    pub fn of(&self, target: &Target) -> Vec<Autoscaler> {
        let mut found = Vec::new();
        for (kind, list) in &self.lists {
            let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let managing = items.iter().filter(|item| manages(item, target));
            let others = managing.filter(|item| !is_made_by(item, &found));
            let others: Vec<_> = others.map(|item| read(item, kind)).collect();
            found.extend(others);
        }
        found
    }
}

/// Finds the autoscalers of a target, with one LIST for each kind. A kind that the cluster does not
/// have is no error.
pub async fn autoscalers(client: &Client, target: &Target) -> Autoscalers {
    let lists = AutoscalerLists::read(client, &target.namespace).await;
    Autoscalers { found: lists.of(target), list_errors: lists.list_errors }
}

async fn list(client: &Client, namespace: &str, kind: &AutoscalerKind) -> Result<Value, Error> {
    let AutoscalerKind { group_version, plural, .. } = kind;
    let namespace = escape_segment(namespace);
    let path = format!("/apis/{group_version}/namespaces/{namespace}/{plural}");
    let subject =
        RequestSubject { verb: "list", resource: (*plural).to_owned(), name: String::new() };
    client.get_object(&path, &subject).await
}

fn manages(item: &Value, target: &Target) -> bool {
    let reference = &item["spec"]["scaleTargetRef"];
    // KEDA's default kind is the Deployment. The group is often left out.
    let kind = reference["kind"].as_str().unwrap_or("Deployment");
    let group = reference["apiVersion"].as_str().and_then(|version| version.split_once('/'));
    reference["name"] == target.name.as_str()
        && kind == target.resource.kind
        && group.is_none_or(|(group, _)| group == target.resource.group)
}

fn is_made_by(item: &Value, found: &[Autoscaler]) -> bool {
    let owners = item["metadata"]["ownerReferences"].as_array().map(Vec::as_slice);
    owners.unwrap_or_default().iter().any(|owner| {
        found.iter().any(|one| owner["kind"] == one.kind && owner["name"] == one.name.as_str())
    })
}

fn pause(item: &Value) -> Option<Pause> {
    let annotations = &item["metadata"]["annotations"];
    if let Some(replicas) = annotations[PAUSED_REPLICAS].as_str() {
        return Some(match item["status"]["pausedReplicaCount"].is_null() {
            true => Pause::Pending { replicas: replicas.parse().ok() },
            false => Pause::Paused,
        });
    }
    // Any value that is not a boolean also pauses it.
    let is_paused = annotations[PAUSED].as_str().is_some_and(|it| go::parse_bool(it) != Ok(false));
    is_paused.then_some(Pause::Paused)
}

fn read(item: &Value, kind: &AutoscalerKind) -> Autoscaler {
    let count = |(field, default): (&str, i64)| item["spec"][field].as_i64().unwrap_or(default);
    Autoscaler {
        kind: kind.name,
        name: item["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        min: count(kind.min),
        max: count(kind.max),
        idle: item["spec"]["idleReplicaCount"].as_i64(),
        pause: pause(item),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_autoscaler_manages_the_target_of_its_reference() {
        let target = Target::for_test("locust-slave");
        for (reference, expected) in [
            (json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "locust-slave"}), true),
            (json!({"kind": "Deployment", "name": "locust-slave"}), true),
            (json!({"name": "locust-slave"}), true),
            (json!({"kind": "StatefulSet", "name": "locust-slave"}), false),
            (json!({"apiVersion": "x.io/v1", "kind": "Deployment", "name": "locust-slave"}), false),
            (json!({"kind": "Deployment", "name": "other"}), false),
            (Value::Null, false),
        ] {
            let item = json!({"spec": {"scaleTargetRef": reference}});
            assert_eq!(manages(&item, &target), expected, "{item}");
        }
    }

    #[test]
    fn keda_annotations_pause_a_scaled_object() {
        let target = Target::for_test("a");
        for (annotations, status, expected) in [
            (
                json!({}),
                json!({}),
                "keeps deployment.apps/a between 1 and 5 replicas, or at 0 without activity, so it may undo a manual scale",
            ),
            (
                json!({PAUSED: "false"}),
                json!({}),
                "keeps deployment.apps/a between 1 and 5 replicas, or at 0 without activity, so it may undo a manual scale",
            ),
            (
                json!({PAUSED: "true"}),
                json!({}),
                "is paused and does not scale deployment.apps/a; once resumed, it keeps deployment.apps/a between 1 and 5 replicas, or at 0 without activity",
            ),
            (
                json!({PAUSED: "maybe"}),
                json!({}),
                "is paused and does not scale deployment.apps/a; once resumed, it keeps deployment.apps/a between 1 and 5 replicas, or at 0 without activity",
            ),
            (
                json!({PAUSED: "false", PAUSED_REPLICAS: "3"}),
                json!({"pausedReplicaCount": 3}),
                "is paused and does not scale deployment.apps/a; once resumed, it keeps deployment.apps/a between 1 and 5 replicas, or at 0 without activity",
            ),
            (
                json!({PAUSED_REPLICAS: "3"}),
                json!({}),
                "will scale deployment.apps/a to 3 replicas and then pause",
            ),
            (
                json!({PAUSED_REPLICAS: "x"}),
                json!({}),
                "has an annotation autoscaling.keda.sh/paused-replicas without a number; it may change deployment.apps/a",
            ),
        ] {
            let item = json!({"metadata": {"name": "so", "annotations": annotations}, "status": status,
                "spec": {"minReplicaCount": 1, "maxReplicaCount": 5, "idleReplicaCount": 0}});
            let found = read(&item, &KINDS[0]);
            assert_eq!(found.effect(&target), format!("ScaledObject \"so\" {expected}"), "{item}");
        }
    }

    #[test]
    fn autoscalers_are_kept_while_their_kind_cannot_be_listed() {
        let one = |kind: &'static str| Autoscaler {
            kind,
            name: "one".to_owned(),
            min: 1,
            max: 5,
            idle: None,
            pause: None,
        };
        let both = [one("ScaledObject"), one("HorizontalPodAutoscaler")];
        let error = || Error::Unreadable("the server's reply cannot be read".to_owned());
        let unlisted = |plurals: &[&'static str]| Autoscalers {
            found: Vec::new(),
            list_errors: plurals.iter().map(|plural| (*plural, error())).collect(),
        };
        let all = ["scaledobjects", "horizontalpodautoscalers"];
        assert_eq!(unlisted(&all).merge_with(&both), both);
        assert_eq!(unlisted(&all[1..]).merge_with(&both), both[1..]);
        assert_eq!(unlisted(&[]).merge_with(&both), []);
    }
}

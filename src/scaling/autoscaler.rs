//! Autoscalers of the target (`scaleTargetRef`). They also change its replica count.

use serde::Serialize;
use serde_json::Value;

use super::Target;
use crate::cluster::api::{About, Client, Error, escape_segment};

/// An autoscaler that manages a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Autoscaler {
    /// `HorizontalPodAutoscaler` or `ScaledObject`.
    pub kind: &'static str,
    pub name: String,
    /// Minimum number of replicas.
    pub min: i64,
    /// Maximum number of replicas.
    pub max: i64,
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

/// Finds the autoscalers of a target, with one LIST for each kind. A kind that the cluster does not
/// have is no error.
pub async fn autoscalers(client: &Client, target: &Target) -> Autoscalers {
    let mut result = Autoscalers::default();
    for kind in &KINDS {
        match list(client, &target.namespace, kind).await {
            Ok(list) => {
                let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
                let managing = items.iter().filter(|item| manages(item, target));
                let others = managing.filter(|item| !is_made_by(item, &result.found));
                let found: Vec<_> = others.map(|item| read(item, kind)).collect();
                result.found.extend(found);
            }
            Err(error) if error.status().is_some_and(|status| status.is_not_found()) => {}
            Err(error) => result.list_errors.push((kind.plural, error)),
        }
    }
    result
}

async fn list(client: &Client, namespace: &str, kind: &AutoscalerKind) -> Result<Value, Error> {
    let AutoscalerKind { group_version, plural, .. } = kind;
    let namespace = escape_segment(namespace);
    let path = format!("/apis/{group_version}/namespaces/{namespace}/{plural}");
    let about = About { verb: "list", resource: (*plural).to_owned(), name: String::new() };
    client.get_object(&path, &about).await
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

fn read(item: &Value, kind: &AutoscalerKind) -> Autoscaler {
    let count = |(field, default): (&str, i64)| item["spec"][field].as_i64().unwrap_or(default);
    Autoscaler {
        kind: kind.name,
        name: item["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        min: count(kind.min),
        max: count(kind.max),
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
    fn autoscalers_are_kept_while_their_kind_cannot_be_listed() {
        let one = |kind: &'static str| Autoscaler { kind, name: "one".to_owned(), min: 1, max: 5 };
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

//! Autoscalers whose `scaleTargetRef` is the target: they change the replica count too.

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
    /// The fewest replicas that it keeps.
    pub min: i64,
    /// The most replicas that it keeps.
    pub max: i64,
}

/// The result of a search for autoscalers.
#[derive(Debug, Default)]
pub struct Autoscalers {
    /// The autoscalers that manage the target.
    pub found: Vec<Autoscaler>,
    /// The resources that could not be listed, each with the error.
    pub unknown: Vec<(&'static str, Error)>,
}

impl Autoscalers {
    /// The autoscalers that were found now. If a kind could not be listed, its autoscalers in `before`
    /// are kept.
    pub fn after(self, before: &[Autoscaler]) -> Vec<Autoscaler> {
        let is_unknown = |kind: &str| {
            let source = SOURCES.iter().find(|source| source.kind == kind);
            source.is_some_and(|source| {
                self.unknown.iter().any(|(plural, _)| *plural == source.plural)
            })
        };
        let kept: Vec<_> = before.iter().filter(|one| is_unknown(one.kind)).cloned().collect();
        self.found.into_iter().chain(kept).collect()
    }
}

/// One kind of autoscaler. `min` and `max` are the names of its fields, each with its default.
struct Source {
    kind: &'static str,
    plural: &'static str,
    group_version: &'static str,
    min: (&'static str, i64),
    max: (&'static str, i64),
}

/// KEDA comes first, because it creates a HorizontalPodAutoscaler for each ScaledObject.
const SOURCES: [Source; 2] = [
    Source {
        kind: "ScaledObject",
        plural: "scaledobjects",
        group_version: "keda.sh/v1alpha1",
        min: ("minReplicaCount", 0),
        max: ("maxReplicaCount", 100),
    },
    Source {
        kind: "HorizontalPodAutoscaler",
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
    for source in &SOURCES {
        match list(client, &target.namespace, source).await {
            Ok(list) => {
                let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
                let managing = items.iter().filter(|item| manages(item, target));
                let others = managing.filter(|item| !is_made_by(item, &result.found));
                let found: Vec<_> = others.map(|item| read(item, source)).collect();
                result.found.extend(found);
            }
            Err(error) if error.status().is_some_and(|status| status.is_not_found()) => {}
            Err(error) => result.unknown.push((source.plural, error)),
        }
    }
    result
}

async fn list(client: &Client, namespace: &str, source: &Source) -> Result<Value, Error> {
    let Source { group_version, plural, .. } = source;
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

fn read(item: &Value, source: &Source) -> Autoscaler {
    let count = |(field, default): (&str, i64)| item["spec"][field].as_i64().unwrap_or(default);
    Autoscaler {
        kind: source.kind,
        name: item["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        min: count(source.min),
        max: count(source.max),
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
        let away = || Error::Unreadable("the API server does not answer".to_owned());
        let unknown = |plurals: &[&'static str]| Autoscalers {
            found: Vec::new(),
            unknown: plurals.iter().map(|plural| (*plural, away())).collect(),
        };
        let all = ["scaledobjects", "horizontalpodautoscalers"];
        assert_eq!(unknown(&all).after(&both), both);
        assert_eq!(unknown(&all[1..]).after(&both), both[1..]);
        assert_eq!(unknown(&[]).after(&both), []);
    }
}

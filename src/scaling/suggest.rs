//! Suggestions for a target that does not exist: objects with a similar name, or Locust workers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::Target;
use crate::cluster::api::{Client, Discovery, Listing, Resource, ScaleSupport};
use crate::text::terminal::on_one_line;

/// Time limit of the LIST for the suggestions.
const LIMIT: Duration = Duration::from_secs(2);

/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 3;

/// Why an object is suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Its name is similar to the given one.
    Name,
    /// It looks like the workers of a Locust load test.
    Workers,
}

/// An existing object, of the same type and in the same namespace as the missing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub target: Target,
    /// Why it is suggested.
    pub likeness: Likeness,
}

/// The result of the search for an object that the server did not find.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// The object is there after all. Mostly, only its scale subresource is missing.
    pub exists: bool,
    /// The objects to suggest.
    pub similar: Vec<Suggestion>,
}

#[derive(Deserialize)]
struct Candidate {
    metadata: Metadata,
    #[serde(default)]
    spec: Value,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, Value>,
}

/// Objects to suggest in place of `missing`: objects with a similar name. If there is none and the
/// missing name looks like one of workers, objects that look like Locust workers. It takes one LIST;
/// there are no suggestions if the LIST fails or takes longer than [`LIMIT`], or if `missing` is in it. A
/// name that cannot be typed is not suggested.
pub async fn suggest(client: &Client, missing: &Target) -> Suggestions {
    let Target { resource, namespace, name } = missing;
    let listing = Listing { resource, namespace, labels: None };
    let list = tokio::time::timeout(LIMIT, client.list::<Candidate>(listing)).await;
    let Ok(Ok(mut candidates)) = list else { return Suggestions::default() };
    if candidates.iter().any(|candidate| candidate.metadata.name == *name) {
        return Suggestions { exists: true, similar: Vec::new() };
    }
    candidates.retain(|candidate| !candidate.metadata.name.contains(is_untypable));
    let suggestion = |candidate: &Candidate, likeness| {
        let target = Target::new(resource.clone(), namespace, &candidate.metadata.name).ok()?;
        Some(Suggestion { target, likeness })
    };
    let mut close: Vec<_> = candidates
        .iter()
        .filter_map(|candidate| Some((distance(name, &candidate.metadata.name)?, candidate)))
        .collect();
    close.sort_by_key(|(distance, _)| *distance);
    let close = close.into_iter().filter_map(|(_, one)| suggestion(one, Likeness::Name));
    let workers = candidates.iter().filter(|candidate| candidate.looks_like_workers());
    let workers = workers.filter_map(|candidate| suggestion(candidate, Likeness::Workers));
    let mut similar: Vec<_> = close.take(MAX_SUGGESTIONS).collect();
    if similar.is_empty() && is_name_of_workers(name) {
        similar.extend(workers.take(MAX_SUGGESTIONS));
    }
    Suggestions { exists: false, similar }
}

/// The versions of a type that have a scale subresource; see [`Discovery::scale_support`]. `None` if
/// discovery fails or takes longer than [`LIMIT`].
pub async fn scale_support(client: &Client, resource: &Resource) -> Option<ScaleSupport> {
    let discovery = tokio::time::timeout(LIMIT, Discovery::fetch(client)).await.ok()?.ok()?;
    Some(discovery.scale_support(resource))
}

/// True for characters that the names of a real cluster never have.
fn is_untypable(c: char) -> bool {
    c.is_whitespace() || on_one_line(c.encode_utf8(&mut [0; 4])).len() > c.len_utf8()
}

/// The number of typing errors between two names. `None` if there are more than a fourth of the
/// length, or more than three.
fn distance(given: &str, name: &str) -> Option<usize> {
    if given.len() > 253 || name.len() > 253 {
        return None;
    }
    let distance = strsim::damerau_levenshtein(given, name);
    (distance <= (given.len() / 4).clamp(1, 3)).then_some(distance)
}

fn is_name_of_workers(name: &str) -> bool {
    ["locust", "worker", "slave"].iter().any(|word| name.contains(word))
}

impl Candidate {
    /// True if the name, the labels or the command look like those of Locust workers in tutorials and
    /// Helm charts.
    fn looks_like_workers(&self) -> bool {
        let name = self.metadata.name.as_str();
        let is_worker = |word: &str| word.contains("worker") || word.contains("slave");
        if name.contains("master") {
            return false;
        }
        (name.contains("locust") && is_worker(name))
            || self.has_labels_of_workers(is_worker)
            || self.starts_a_worker()
    }

    fn has_labels_of_workers(&self, is_worker: impl Fn(&str) -> bool) -> bool {
        let labels = self.metadata.labels.values().filter_map(Value::as_str);
        let (mut is_locust, mut is_for_workers) = (false, false);
        for label in labels {
            is_locust |= label.contains("locust");
            is_for_workers |= is_worker(label);
        }
        is_locust && is_for_workers
    }

    fn starts_a_worker(&self) -> bool {
        let containers = self.spec["template"]["spec"]["containers"].as_array();
        containers.into_iter().flatten().any(|container| {
            let words =
                ["command", "args"].into_iter().filter_map(|list| container[list].as_array());
            let mut words = words.flatten().filter_map(Value::as_str);
            let has_flag = words.any(|word| word.contains("--worker") || word.contains("--slave"));
            let variables = container["env"].as_array().into_iter().flatten();
            let has_variable = variables
                .filter_map(|variable| variable["name"].as_str())
                .any(|name| matches!(name, "LOCUST_MODE_WORKER" | "LOCUST_MASTER_NODE_HOST"));
            let is_locust =
                container["image"].as_str().is_some_and(|image| image.contains("locust"));
            has_variable || (is_locust && has_flag)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_with_a_few_typing_errors_are_similar() {
        for (given, name, expected) in [
            ("locust-slave", "locust-slaves", Some(1)),
            ("locust-slvae", "locust-slave", Some(1)),
            ("lcust-slve", "locust-slave", Some(2)),
            ("locust-slave", "locust-master", None),
            ("locust-slave", "locust-worker", None),
            ("web", "wep", Some(1)),
            ("web", "db", None),
            ("a", "bb", None),
        ] {
            assert_eq!(distance(given, name), expected, "{given} {name}");
        }
    }

    #[test]
    fn workers_are_recognized_by_name_label_or_command() {
        let args = |args: Value| json!({"template": {"spec": {"containers": [args]}}});
        for (name, labels, spec, expected) in [
            ("locust-worker", json!({}), json!({}), true),
            ("locust-slave", json!({}), json!({}), true),
            ("load-locust-worker", json!({}), json!({}), true),
            ("locust-master", json!({"app": "locust-worker"}), json!({}), false),
            ("load", json!({"role": "locust-slave"}), json!({}), true),
            ("load", json!({"name": "locust", "role": "worker"}), json!({}), true),
            (
                "load",
                json!({"app.kubernetes.io/name": "locust", "component": "worker"}),
                json!({}),
                true,
            ),
            ("load", json!({"role": "worker"}), json!({}), false),
            (
                "load",
                json!({}),
                args(json!({"image": "locustio/locust:2.47", "args": ["-f", "x.py", "--worker"]})),
                true,
            ),
            ("load", json!({}), args(json!({"env": [{"name": "LOCUST_MODE_WORKER"}]})), true),
            ("load", json!({}), args(json!({"image": "nginx", "args": ["--worker"]})), false),
            ("web", json!({}), json!({"template": 1}), false),
        ] {
            let item = json!({"metadata": {"name": name, "labels": labels}, "spec": spec});
            let candidate = Candidate::deserialize(&item).unwrap();
            assert_eq!(candidate.looks_like_workers(), expected, "{item}");
        }
    }
}

//! Suggestions for a target that does not exist: objects with a similar name.

use std::time::Duration;

use serde::Deserialize;

use super::Target;
use crate::cluster::api::{Client, Discovery, Listing, Resource, ScaleSupport};
use crate::text::terminal::on_one_line;

/// Time limit of the LIST for the suggestions.
const LIMIT: Duration = Duration::from_secs(2);

/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 3;

/// The result of the search for an object that the server did not find.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// The object is there after all. Mostly, only its scale subresource is missing.
    pub exists: bool,
    /// The objects to suggest.
    pub similar: Vec<Target>,
}

#[derive(Deserialize)]
struct Candidate {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

/// Objects to suggest in place of `missing`: objects of the same type with a similar name. It takes one
/// LIST; there are no suggestions if the LIST fails or takes longer than [`LIMIT`], or if `missing` is in
/// it. A name that cannot be typed is not suggested.
pub async fn suggest(client: &Client, missing: &Target) -> Suggestions {
    let Target { resource, namespace, name } = missing;
    let listing = Listing { resource, namespace, labels: None };
    let list = tokio::time::timeout(LIMIT, client.list::<Candidate>(listing)).await;
    let Ok(Ok(mut candidates)) = list else { return Suggestions::default() };
    if candidates.iter().any(|candidate| candidate.metadata.name == *name) {
        return Suggestions { exists: true, similar: Vec::new() };
    }
    candidates.retain(|candidate| !candidate.metadata.name.contains(is_untypable));
    let mut close: Vec<_> = candidates
        .iter()
        .filter_map(|candidate| Some((distance(name, &candidate.metadata.name)?, candidate)))
        .collect();
    close.sort_by_key(|(distance, _)| *distance);
    let targets = close.into_iter().filter_map(|(_, candidate)| {
        Target::new(resource.clone(), namespace, &candidate.metadata.name).ok()
    });
    Suggestions { exists: false, similar: targets.take(MAX_SUGGESTIONS).collect() }
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

#[cfg(test)]
mod tests {
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
}

//! The replies of API discovery, in the legacy and the aggregated format.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use crate::cluster::api::resource::{Resource, escape_segment};

/// The types of one version of a group.
#[derive(Debug, Default)]
pub struct GroupVersion {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    /// True if the group prefers this version.
    pub preferred: bool,
    pub types: Vec<Type>,
}

/// One type, with its short names and categories.
#[derive(Debug)]
pub struct Type {
    pub resource: Arc<Resource>,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    /// True if it has a scale subresource.
    pub is_scalable: bool,
}

impl GroupVersion {
    /// `apps/v1`, or `v1` for the core group.
    pub fn name(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// The path of its `APIResourceList` in legacy discovery.
    pub fn path(&self) -> String {
        match self.group.as_str() {
            "" => format!("/api/{}", escape_segment(&self.version)),
            group => format!("/apis/{}/{}", escape_segment(group), escape_segment(&self.version)),
        }
    }

    /// Finds the type of a kind. The kind may also be all in lower case. If several types match, the
    /// last one wins, as in `meta.DefaultRESTMapper`.
    pub fn type_by_kind(&self, kind: &str) -> Option<Arc<Resource>> {
        let is_kind =
            |resource: &Resource| resource.kind == kind || resource.kind.to_lowercase() == kind;
        let found = self.types.iter().rev().find(|known| is_kind(&known.resource))?;
        Some(Arc::clone(&found.resource))
    }

    /// Adds the types of an `APIResourceList`.
    pub fn fill(&mut self, list: ResourceList) {
        let is_scale = |entry: &ResourceEntry| entry.name.strip_suffix("/scale").map(str::to_owned);
        let scalable: HashSet<String> = list.resources.iter().filter_map(is_scale).collect();
        for entry in list.resources {
            self.push(TypeFields {
                is_scalable: scalable.contains(&entry.name),
                plural: entry.name,
                singular: entry.singular_name,
                kind: entry.kind,
                namespaced: entry.namespaced,
                short_names: entry.short_names,
                categories: entry.categories,
            });
        }
    }

    fn push(&mut self, names: TypeFields) {
        // A name with a slash is a subresource. A type without a kind has no objects.
        if names.plural.is_empty() || names.plural.contains('/') || names.kind.is_empty() {
            return;
        }
        let singular = match names.singular.as_str() {
            "" => names.kind.to_lowercase(),
            _ => names.singular,
        };
        let resource = Resource {
            group: Cow::Owned(self.group.clone()),
            version: Cow::Owned(self.version.clone()),
            plural: Cow::Owned(names.plural),
            singular: Cow::Owned(singular),
            kind: Cow::Owned(names.kind),
            namespaced: names.namespaced,
        };
        let TypeFields { short_names, categories, is_scalable, .. } = names;
        let resource = Arc::new(resource);
        self.types.push(Type { resource, short_names, categories, is_scalable });
    }
}

/// The fields of a type that exist in both formats.
struct TypeFields {
    plural: String,
    singular: String,
    kind: String,
    namespaced: bool,
    short_names: Vec<String>,
    categories: Vec<String>,
    is_scalable: bool,
}

/// Reads `null` as the default value. Go writes `null` for an empty list.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// `meta/v1 APIVersions`, the reply of `/api`.
#[derive(Debug, Deserialize)]
pub struct CoreVersions {
    #[serde(default, deserialize_with = "null_as_default")]
    versions: Vec<String>,
}

impl CoreVersions {
    /// The versions of the core group, without types.
    pub fn group_versions(self) -> Vec<GroupVersion> {
        let versions = self.versions.into_iter().enumerate();
        versions
            .map(|(at, version)| GroupVersion { version, preferred: at == 0, ..Default::default() })
            .collect()
    }
}

/// `meta/v1 APIGroupList`, the reply of `/apis`.
#[derive(Debug, Deserialize)]
pub struct GroupList {
    #[serde(default, deserialize_with = "null_as_default")]
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    versions: Vec<Version>,
    #[serde(default, deserialize_with = "null_as_default")]
    preferred_version: Version,
}

#[derive(Debug, Default, Deserialize)]
struct Version {
    #[serde(default, deserialize_with = "null_as_default")]
    version: String,
}

impl GroupList {
    /// The versions of all groups, without types.
    pub fn group_versions(self) -> Vec<GroupVersion> {
        let versions_of = |group: Group| {
            let (name, preferred) = (group.name, group.preferred_version.version);
            group.versions.into_iter().map(move |Version { version }| GroupVersion {
                group: name.clone(),
                preferred: version == preferred,
                version,
                types: Vec::new(),
            })
        };
        self.groups.into_iter().flat_map(versions_of).collect()
    }
}

/// `meta/v1 APIResourceList`, the types of one group version.
#[derive(Debug, Default, Deserialize)]
pub struct ResourceList {
    #[serde(default, deserialize_with = "null_as_default")]
    resources: Vec<ResourceEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceEntry {
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    singular_name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    kind: String,
    #[serde(default, deserialize_with = "null_as_default")]
    namespaced: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    short_names: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    categories: Vec<String>,
}

/// `apidiscovery.k8s.io APIGroupDiscoveryList`, the reply of `/api` and `/apis` in the aggregated
/// format. `v2beta1` has the same fields as `v2`.
#[derive(Debug, Deserialize)]
pub struct AggregatedGroupList {
    #[serde(default, deserialize_with = "null_as_default")]
    items: Vec<AggregatedGroup>,
}

#[derive(Debug, Deserialize)]
struct AggregatedGroup {
    #[serde(default, deserialize_with = "null_as_default")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "null_as_default")]
    versions: Vec<AggregatedVersion>,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
}

#[derive(Debug, Deserialize)]
struct AggregatedVersion {
    #[serde(default, deserialize_with = "null_as_default")]
    version: String,
    #[serde(default, deserialize_with = "null_as_default")]
    freshness: String,
    #[serde(default, deserialize_with = "null_as_default")]
    resources: Vec<AggregatedResource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AggregatedResource {
    #[serde(default, deserialize_with = "null_as_default")]
    resource: String,
    #[serde(default, deserialize_with = "null_as_default")]
    singular_resource: String,
    #[serde(default, deserialize_with = "null_as_default")]
    response_kind: ResponseKind,
    #[serde(default, deserialize_with = "null_as_default")]
    scope: String,
    #[serde(default, deserialize_with = "null_as_default")]
    short_names: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    categories: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    subresources: Vec<AggregatedSubresource>,
}

#[derive(Debug, Deserialize)]
struct AggregatedSubresource {
    #[serde(default, deserialize_with = "null_as_default")]
    subresource: String,
}

#[derive(Debug, Default, Deserialize)]
struct ResponseKind {
    #[serde(default, deserialize_with = "null_as_default")]
    kind: String,
}

impl AggregatedGroupList {
    /// The fresh group versions with their types, and the names of the stale group versions. A stale
    /// group version is never the preferred one.
    pub fn group_versions(self) -> (Vec<GroupVersion>, Vec<String>) {
        let (mut fresh, mut stale) = (Vec::new(), Vec::new());
        for group in self.items {
            let mut preferred = true;
            for version in group.versions {
                let mut group_version = GroupVersion {
                    group: group.metadata.name.clone(),
                    version: version.version,
                    preferred,
                    types: Vec::new(),
                };
                if version.freshness == "Stale" {
                    stale.push(group_version.name());
                    continue;
                }
                for entry in version.resources {
                    let mut subresources = entry.subresources.iter();
                    group_version.push(TypeFields {
                        is_scalable: subresources.any(|entry| entry.subresource == "scale"),
                        plural: entry.resource,
                        singular: entry.singular_resource,
                        kind: entry.response_kind.kind,
                        namespaced: entry.scope == "Namespaced",
                        short_names: entry.short_names,
                        categories: entry.categories,
                    });
                }
                fresh.push(group_version);
                preferred = false;
            }
        }
        (fresh, stale)
    }
}

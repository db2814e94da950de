//! The type of a user's token, by the rules of kubectl's REST mapper (client-go `restmapper`,
//! apimachinery `meta`, cli-runtime `Builder.mappingFor`). The types are in the order of discovery.
//!
//! One rule is left out: kubectl also accepts a kind with `List` behind it, a type that no server
//! has.

use std::sync::Arc;

use super::document::{GroupVersion, Type};
use crate::cluster::api::resource::Resource;
use crate::text::go;

/// A user's token, split into its parts. An empty part matches everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TypeQuery<'a> {
    name: &'a str,
    version: &'a str,
    group: &'a str,
}

impl<'a> TypeQuery<'a> {
    /// The possible readings of a token, in the order in which they are tried: `NAME.VERSION.GROUP`
    /// if there are two dots, then `NAME.GROUP`, whose group may contain dots.
    fn readings(token: &'a str) -> impl Iterator<Item = Self> {
        let (name, rest) = token.split_once('.').unwrap_or((token, ""));
        let versioned = rest.split_once('.');
        let versioned = versioned.map(|(version, group)| Self { name, version, group });
        versioned.into_iter().chain([Self { name, version: "", group: rest }])
    }
}

/// The type of a token, and the warnings about it.
pub fn find(all: &[GroupVersion], token: &str) -> (Option<Arc<Resource>>, Vec<String>) {
    let mut warnings = Vec::new();
    for query in TypeQuery::readings(token) {
        let found = by_short_name(all, query, &mut warnings);
        if let Some(found) = by_name(all, &found.as_ref().map_or(query, long_form)) {
            return (Some(found), warnings);
        }
    }
    let found = TypeQuery::readings(token).find_map(|query| by_kind(all, query));
    (found, warnings)
}

/// The types of a category, each once, in the version that its group prefers.
pub fn category(all: &[GroupVersion], token: &str) -> Option<Vec<Arc<Resource>>> {
    let found = preferred(all, |known| known.categories.iter().any(|category| category == token));
    (!found.is_empty()).then_some(found)
}

/// The types with a scale subresource, each once, in the version that its group prefers.
pub fn scalable(all: &[GroupVersion]) -> Vec<Arc<Resource>> {
    preferred(all, |known| known.is_scalable)
}

/// The versions in which a type has a scale subresource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScaleSupport {
    /// The type's own version has a scale subresource, or is not listed by the server.
    SameVersion,
    /// Only this other version of the group has a scale subresource.
    OtherVersion(Arc<Resource>),
    None,
}

/// The scale support of a type.
pub fn scale_support(all: &[GroupVersion], resource: &Resource) -> ScaleSupport {
    let is_same = |known: &&Type| {
        known.resource.group == resource.group && known.resource.plural == resource.plural
    };
    let mut versions = all.iter().flat_map(|here| &here.types).filter(is_same);
    let here = versions.clone().find(|known| known.resource.version == resource.version);
    if here.is_none_or(|known| known.is_scalable) {
        return ScaleSupport::SameVersion;
    }
    match versions.find(|known| known.is_scalable) {
        Some(known) => ScaleSupport::OtherVersion(Arc::clone(&known.resource)),
        None => ScaleSupport::None,
    }
}

fn preferred(all: &[GroupVersion], is_wanted: impl Fn(&Type) -> bool) -> Vec<Arc<Resource>> {
    let mut found: Vec<Arc<Resource>> = Vec::new();
    for known in all.iter().flat_map(|here| &here.types).filter(|known| is_wanted(known)) {
        if let Some(resource) = by_name(all, &long_form(&&known.resource))
            && !found.contains(&resource)
        {
            found.push(resource);
        }
    }
    found
}

/// The query for the type of a short name. The group's preferred version replaces the user's
/// version, as in client-go's `expandResourceShortcut`.
fn long_form<'a>(resource: &&'a Arc<Resource>) -> TypeQuery<'a> {
    TypeQuery { name: &resource.plural, version: "", group: &resource.group }
}

/// The first type with this short name, unless it is the plural or singular name of a type. Adds a
/// warning for each other type with the same short name.
fn by_short_name<'a>(
    all: &'a [GroupVersion],
    query: TypeQuery<'_>,
    warnings: &mut Vec<String>,
) -> Option<&'a Arc<Resource>> {
    let in_group = |known: &&Type| query.group.is_empty() || known.resource.group == query.group;
    let types = || all.iter().flat_map(|here| &here.types);
    let is_own_name =
        |resource: &Resource| resource.plural == query.name || resource.singular == query.name;
    if types().filter(in_group).any(|known| is_own_name(&known.resource)) {
        return None;
    }
    let is_short = |known: &&Type| known.short_names.iter().any(|short| short == query.name);
    let mut named = types().filter(in_group).filter(is_short).map(|known| &known.resource);
    let Some(first) = named.next() else {
        let begins = |known: &&Type| known.resource.group.starts_with(query.group);
        let mut named = types().filter(is_short).filter(begins).map(|known| &known.resource);
        return named.next().filter(|_| !query.group.is_empty());
    };
    for other in named {
        let is_same = other.group == first.group && other.plural == first.plural;
        let warning = format!(
            "short name {} could also match lower priority resource {}",
            go::quote(query.name),
            other.plural_with_group()
        );
        if !is_same && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    Some(first)
}

/// The type with this plural or singular name, in any case. The order is that of [`by_importance`].
fn by_name(all: &[GroupVersion], query: &TypeQuery<'_>) -> Option<Arc<Resource>> {
    let name = query.name.to_lowercase();
    let is_named = |known: &&Type| known.resource.plural == name || known.resource.singular == name;
    let in_version = |here: &&GroupVersion| match (query.group, query.version) {
        ("", "") => true,
        ("", version) => here.version == version,
        (group, "") => here.group.starts_with(group),
        (group, version) => here.group == group && here.version == version,
    };
    by_importance(all).into_iter().filter(in_version).find_map(|here| {
        // The name leads to a kind, and the kind to a type. The last one of two counts each time.
        let named = here.types.iter().rev().find(is_named)?;
        here.type_by_kind(&named.resource.kind)
    })
}

/// The type of a kind, for a token that is no name of a type. The group must be complete.
fn by_kind(all: &[GroupVersion], query: TypeQuery<'_>) -> Option<Arc<Resource>> {
    let here = |here: &&GroupVersion| {
        here.group == query.group && (query.version.is_empty() || here.version == query.version)
    };
    by_importance(all).into_iter().filter(here).find_map(|here| here.type_by_kind(query.name))
}

/// All group versions: the core group's `v1`, then group by group with the preferred version first.
fn by_importance(all: &[GroupVersion]) -> Vec<&GroupVersion> {
    let mut groups: Vec<&str> = Vec::new();
    for here in all {
        if !groups.contains(&here.group.as_str()) {
            groups.push(&here.group);
        }
    }
    let mut sorted: Vec<&GroupVersion> = all.iter().collect();
    sorted.sort_by_key(|here| {
        let is_core = here.group.is_empty() && here.version == "v1";
        let group = groups.iter().position(|group| *group == here.group);
        (!is_core, group, !here.preferred)
    });
    sorted
}

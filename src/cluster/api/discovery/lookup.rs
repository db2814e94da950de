//! Which type a word means: the rules of kubectl's REST mapper (client-go `restmapper`, apimachinery
//! `meta`, cli-runtime `Builder.mappingFor`), over the types in the order of discovery.
//!
//! One thing is left out: there, a kind with `List` behind it names a type as well, which no server has.

use std::sync::Arc;

use super::document::{GroupVersion, Type};
use crate::cluster::api::resource::Resource;
use crate::text::go;

/// What a user has typed, taken apart; an empty part is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked<'a> {
    name: &'a str,
    version: &'a str,
    group: &'a str,
}

impl<'a> Asked<'a> {
    /// What a token may mean, in the order in which it is tried: `NAME.VERSION.GROUP` when there
    /// are dots enough, then `NAME.GROUP`, whose group may have dots itself.
    fn readings(token: &'a str) -> impl Iterator<Item = Self> {
        let (name, rest) = token.split_once('.').unwrap_or((token, ""));
        let versioned = rest.split_once('.');
        let versioned = versioned.map(|(version, group)| Self { name, version, group });
        versioned.into_iter().chain([Self { name, version: "", group: rest }])
    }
}

/// The type that a token means, and the warnings that go with it.
pub fn find(all: &[GroupVersion], token: &str) -> (Option<Arc<Resource>>, Vec<String>) {
    let mut warnings = Vec::new();
    for asked in Asked::readings(token) {
        let found = by_short_name(all, asked, &mut warnings);
        if let Some(found) = by_name(all, &found.as_ref().map_or(asked, long_form)) {
            return (Some(found), warnings);
        }
    }
    let found = Asked::readings(token).find_map(|asked| by_kind(all, asked));
    (found, warnings)
}

/// The types of a category, each once and in the version that its group prefers.
pub fn category(all: &[GroupVersion], token: &str) -> Option<Vec<Arc<Resource>>> {
    let found = preferred(all, |known| known.categories.iter().any(|category| category == token));
    (!found.is_empty()).then_some(found)
}

/// The types with a scale subresource, each once and in the version that its group prefers.
pub fn scalable(all: &[GroupVersion]) -> Vec<Arc<Resource>> {
    preferred(all, |known| known.is_scalable)
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

/// A short name stands for the type in whatever version its group prefers: what was asked for is
/// dropped, as in client-go's `expandResourceShortcut`.
fn long_form<'a>(resource: &&'a Arc<Resource>) -> Asked<'a> {
    Asked { name: &resource.plural, version: "", group: &resource.group }
}

/// The first type with this short name, unless a type has it as its own name; the others that
/// share it are warned of.
fn by_short_name<'a>(
    all: &'a [GroupVersion],
    asked: Asked<'_>,
    warnings: &mut Vec<String>,
) -> Option<&'a Arc<Resource>> {
    let in_group = |known: &&Type| asked.group.is_empty() || known.resource.group == asked.group;
    let types = || all.iter().flat_map(|here| &here.types);
    let is_own_name =
        |resource: &Resource| resource.plural == asked.name || resource.singular == asked.name;
    if types().filter(in_group).any(|known| is_own_name(&known.resource)) {
        return None;
    }
    let is_short = |known: &&Type| known.short_names.iter().any(|short| short == asked.name);
    let mut named = types().filter(in_group).filter(is_short).map(|known| &known.resource);
    let Some(first) = named.next() else {
        let begins = |known: &&Type| known.resource.group.starts_with(asked.group);
        let mut named = types().filter(is_short).filter(begins).map(|known| &known.resource);
        return named.next().filter(|_| !asked.group.is_empty());
    };
    for other in named {
        let is_same = other.group == first.group && other.plural == first.plural;
        let warning = format!(
            "short name {} could also match lower priority resource {}",
            go::quote(asked.name),
            other.plural_with_group()
        );
        if !is_same && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    Some(first)
}

/// The type with this plural or singular name, in any case, in the most important place.
fn by_name(all: &[GroupVersion], asked: &Asked<'_>) -> Option<Arc<Resource>> {
    let name = asked.name.to_lowercase();
    let is_named = |known: &&Type| known.resource.plural == name || known.resource.singular == name;
    let in_version = |here: &&GroupVersion| match (asked.group, asked.version) {
        ("", "") => true,
        ("", version) => here.version == version,
        (group, "") => here.group.starts_with(group),
        (group, version) => here.group == group && here.version == version,
    };
    by_importance(all).into_iter().filter(in_version).find_map(|here| {
        // Names lead to a kind, and the kind to a type: with two of a name, or of a kind, the
        // last one counts.
        let named = here.types.iter().rev().find(is_named)?;
        here.of_kind(&named.resource.kind)
    })
}

/// The type of a kind whose name is none of a type; the group has to be whole.
fn by_kind(all: &[GroupVersion], asked: Asked<'_>) -> Option<Arc<Resource>> {
    let here = |here: &&GroupVersion| {
        here.group == asked.group && (asked.version.is_empty() || here.version == asked.version)
    };
    by_importance(all).into_iter().filter(here).find_map(|here| here.of_kind(asked.name))
}

/// The core group's `v1`, then group by group, each with its preferred version first.
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

//! Discovery, legacy and aggregated, and the server's version.

use serde_json::{Value, json};

use super::{
    resource_type::{ResourceType, Subresource},
    resources::Types,
};

const SCALE_VERBS: [&str; 3] = ["get", "patch", "update"];

/// `/version`
pub(super) fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
        "gitVersion": "v1.36.2+sandbox", "gitCommit": "", "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64",
    })
}

/// `/api`
pub(super) fn core_versions(server: &str) -> Value {
    json!({
        "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": server }],
    })
}

/// `/apis`
pub(super) fn groups(types: &Types) -> Value {
    let groups = types.groups();
    let named = groups.iter().filter(|(group, _)| !group.is_empty());
    let entries: Vec<Value> = named.map(|(group, versions)| group_entry(group, versions)).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": entries })
}

/// `/apis/apps`
pub(super) fn group(types: &Types, name: &str) -> Option<Value> {
    let groups = types.groups();
    let (_, versions) = groups.iter().find(|(group, _)| *group == name && !name.is_empty())?;
    let mut group = group_entry(name, versions);
    group["kind"] = json!("APIGroup");
    group["apiVersion"] = json!("v1");
    Some(group)
}

fn group_entry(group: &str, versions: &[&str]) -> Value {
    let entry = |version: &&str| json!({ "groupVersion": format!("{group}/{version}"), "version": version });
    let versions: Vec<Value> = versions.iter().map(entry).collect();
    json!({ "name": group, "versions": versions, "preferredVersion": versions[0] })
}

/// `/api/v1`, `/apis/apps/v1`
pub(super) fn resources(types: &Types, group: &str, version: &str) -> Value {
    let group_version = types.of(group, version).next().map(ResourceType::api_version);
    let entries: Vec<Value> = types.of(group, version).flat_map(entries).collect();
    let mut list =
        json!({ "kind": "APIResourceList", "groupVersion": group_version, "resources": entries });
    // The list of the core group has no `apiVersion`.
    if !group.is_empty() {
        list["apiVersion"] = json!("v1");
    }
    list
}

fn entries(kind: &ResourceType) -> Vec<Value> {
    let mut own = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
        "verbs": kind.verbs(), "storageVersionHash": kind.storage_hash,
    });
    add_short_names(&mut own, kind);
    let below = kind.subresources.iter().map(|subresource| {
        let mut entry = json!({
            "name": format!("{}/{}", kind.plural, subresource.name()), "singularName": "",
            "namespaced": kind.namespaced, "kind": kind.kind, "verbs": SCALE_VERBS,
        });
        if *subresource == Subresource::Scale {
            entry["group"] = json!("autoscaling");
            entry["version"] = json!("v1");
            entry["kind"] = json!("Scale");
        }
        entry
    });
    std::iter::once(own).chain(below).collect()
}

fn add_short_names(entry: &mut Value, kind: &ResourceType) {
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    if kind.in_all {
        entry["categories"] = json!(["all"]);
    }
}

/// `/api` or `/apis` for clients that accept aggregated discovery. The core group has no name.
pub(super) fn aggregated(types: &Types, core: bool) -> Value {
    let groups = types.groups();
    let groups = groups.iter().filter(|(group, _)| group.is_empty() == core);
    let items = groups.map(|(group, versions)| {
        let metadata = if core { json!({}) } else { json!({ "name": group }) };
        let versions: Vec<Value> = versions
            .iter()
            .map(|version| {
                let resources: Vec<Value> =
                    types.of(group, version).map(aggregated_entry).collect();
                json!({ "version": version, "resources": resources, "freshness": "Current" })
            })
            .collect();
        json!({ "metadata": metadata, "versions": versions })
    });
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": items.collect::<Vec<_>>(),
    })
}

fn aggregated_entry(kind: &ResourceType) -> Value {
    // Entries of built-in types leave group and version empty.
    let (group, version) = match kind.custom {
        Some(_) => (kind.group, kind.version),
        None => ("", ""),
    };
    let response_kind = |name: &str| json!({ "group": group, "version": version, "kind": name });
    let mut entry = json!({
        "resource": kind.plural, "responseKind": response_kind(kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular, "verbs": kind.verbs(),
    });
    add_short_names(&mut entry, kind);
    let below = kind.subresources.iter().map(|subresource| {
        let answers = match subresource {
            Subresource::Scale => {
                json!({ "group": "autoscaling", "version": "v1", "kind": "Scale" })
            }
            Subresource::Status => response_kind(kind.kind),
        };
        json!({ "subresource": subresource.name(), "responseKind": answers, "verbs": SCALE_VERBS })
    });
    let below: Vec<Value> = below.collect();
    if !below.is_empty() {
        entry["subresources"] = json!(below);
    }
    entry
}

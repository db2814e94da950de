//! What the cluster can do: legacy and aggregated discovery, and its version.

use serde_json::{Value, json};

use super::resources::{RESOURCES, ResourceType, Subresource};

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
pub(super) fn groups() -> Value {
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [group_entry()] })
}

/// `/apis/apps`
pub(super) fn group() -> Value {
    let mut group = group_entry();
    group["kind"] = json!("APIGroup");
    group["apiVersion"] = json!("v1");
    group
}

fn group_entry() -> Value {
    let version = json!({ "groupVersion": "apps/v1", "version": "v1" });
    json!({ "name": "apps", "versions": [version], "preferredVersion": version })
}

/// `/api/v1`, `/apis/apps/v1`
pub(super) fn resources(group: &str, version: &str) -> Value {
    let here = |r: &&ResourceType| r.group == group && r.version == version;
    let group_version = RESOURCES.iter().find(here).map(ResourceType::api_version);
    let entries: Vec<Value> = RESOURCES.iter().filter(here).flat_map(entries).collect();
    let mut list =
        json!({ "kind": "APIResourceList", "groupVersion": group_version, "resources": entries });
    // The core group's list is older than the field.
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
    name_shortly(&mut own, kind);
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

fn name_shortly(entry: &mut Value, kind: &ResourceType) {
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    if kind.in_all {
        entry["categories"] = json!(["all"]);
    }
}

/// `/api` and `/apis` for clients that accept all of it in one answer; the core group has no name.
pub(super) fn aggregated(group: &str) -> Value {
    let resources: Vec<Value> =
        RESOURCES.iter().filter(|r| r.group == group).map(aggregated_entry).collect();
    let metadata = if group.is_empty() { json!({}) } else { json!({ "name": group }) };
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": [{
            "metadata": metadata,
            "versions": [{ "version": "v1", "resources": resources, "freshness": "Current" }],
        }],
    })
}

fn aggregated_entry(kind: &ResourceType) -> Value {
    let response_kind = |name: &str| json!({ "group": "", "version": "", "kind": name });
    let mut entry = json!({
        "resource": kind.plural, "responseKind": response_kind(kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular, "verbs": kind.verbs(),
    });
    name_shortly(&mut entry, kind);
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

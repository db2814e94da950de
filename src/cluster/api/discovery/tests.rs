//! The rules of lookup, with the recorded replies of an API server of Kubernetes 1.36. The expected
//! types are those that `kubectl get TOKEN` found there.

use serde_json::{Value, json};

use super::document::{AggregatedGroupList, CoreVersions, GroupList, GroupVersion, ResourceList};
use super::{Discovery, lookup};
use crate::cluster::api::Resource;

/// The body of a recorded reply.
fn recorded(transcript: &str) -> Value {
    let mut transcript: Value = serde_json::from_str(transcript).unwrap();
    transcript["response"]["body"].take()
}

macro_rules! transcript {
    ($name:literal) => {
        recorded(include_str!(concat!("../../../../tests/fixtures/transcripts/", $name, ".json")))
    };
}

fn listed(group: &str, version: &str, preferred: bool, list: Value) -> GroupVersion {
    let (group, version) = (group.to_owned(), version.to_owned());
    let mut here = GroupVersion { group, version, preferred, types: Vec::new() };
    here.fill(serde_json::from_value::<ResourceList>(list).unwrap());
    here
}

fn aggregated(document: Value) -> (Vec<GroupVersion>, Vec<String>) {
    serde_json::from_value::<AggregatedGroupList>(document).unwrap().group_versions()
}

/// The built-in types of a real cluster, and custom ones.
fn cluster() -> Discovery {
    let swarms = transcript!("57-custom-discovery");
    let mut all = vec![listed("", "v1", true, transcript!("43-discovery-core"))];
    all.extend(aggregated(transcript!("46-discovery-aggregated")).0);
    all.push(listed("load.example.com", "v1", true, swarms.clone()));
    all.push(listed("load.example.com", "v1alpha1", false, swarms));
    Discovery::of(all, |_| {})
}

fn shown(resource: &Resource) -> String {
    format!("{} {}", resource.api_version(), resource.plural)
}

#[track_caller]
fn finds(all: &Discovery, table: &[(&str, &str)]) {
    for (token, expected) in table {
        let found = all.find(token).map_or_else(String::new, |found| shown(&found));
        assert_eq!(found, *expected, "{token}");
    }
}

#[test]
fn types_are_found_by_every_spelling_of_kubectls() {
    const DEPLOYMENTS: &str = "apps/v1 deployments";
    const SWARMS: &str = "load.example.com/v1 swarms";
    const OLD_SWARMS: &str = "load.example.com/v1alpha1 swarms";
    const CONTROLLERS: &str = "v1 replicationcontrollers";
    finds(
        &cluster(),
        &[
            ("deployments", DEPLOYMENTS),
            ("deployment", DEPLOYMENTS),
            ("Deployment", DEPLOYMENTS),
            ("DEPLOYMENTS", DEPLOYMENTS),
            ("deploy", DEPLOYMENTS),
            ("deploy.apps", DEPLOYMENTS),
            ("deployments.app", DEPLOYMENTS),
            ("deployments.", DEPLOYMENTS),
            ("deployments.v1.apps", DEPLOYMENTS),
            ("Deployment.v1.apps", DEPLOYMENTS),
            // A version without a group is looked for in all groups.
            ("deployments.v1.", DEPLOYMENTS),
            // A short name drops the version.
            ("deploy.v9.apps", DEPLOYMENTS),
            ("deployments.v9.apps", ""),
            ("Deploy", ""),
            ("deployments.extensions", ""),
            ("rc", CONTROLLERS),
            ("rc.v1.", CONTROLLERS),
            ("replicationcontrollers.v1.", CONTROLLERS),
            ("replicationcontrollers.v1", ""),
            ("sw", SWARMS),
            ("Sw", ""),
            ("swarm", SWARMS),
            ("Swarm", SWARMS),
            ("sw.load", SWARMS),
            ("swarms.load", SWARMS),
            ("swarms.load.example.com", SWARMS),
            ("sw.v1alpha1.load.example.com", SWARMS),
            ("sw.v1alpha1.", SWARMS),
            ("swarms.v1alpha1.load.example.com", OLD_SWARMS),
            ("swarm.v1alpha1.", OLD_SWARMS),
            ("swarms.v1.load", ""),
            ("swarms.v1.load.example.com.x", ""),
            ("horizontalpodautoscalers", "autoscaling/v2 horizontalpodautoscalers"),
            ("hpa.autosc", "autoscaling/v2 horizontalpodautoscalers"),
            ("horizontalpodautoscalers.v1.autoscaling", "autoscaling/v1 horizontalpodautoscalers"),
            // The core group comes before other groups.
            ("events", "v1 events"),
            ("ev", "v1 events"),
            ("events.events", "events.k8s.io/v1 events"),
            ("pods", "v1 pods"),
            ("no", "v1 nodes"),
            // Subresources are not types.
            ("pods/status", ""),
            ("scale", ""),
            ("foo", ""),
            ("", ""),
            (".", ""),
            ("..", ""),
            ("a.", ""),
        ],
    );
}

#[test]
fn a_category_gives_its_types_in_the_servers_order() {
    let plurals = |token: &str| {
        let found = cluster().category(token)?;
        Some(found.iter().map(|found| found.plural.to_string()).collect::<Vec<_>>().join(" "))
    };
    let all = "pods replicationcontrollers services daemonsets deployments replicasets \
               statefulsets horizontalpodautoscalers cronjobs jobs";
    assert_eq!(plurals("all").as_deref(), Some(all));
    for token in ["All", "deployments", "deploy", "foo", ""] {
        assert_eq!(plurals(token), None, "{token}");
    }
}

#[test]
fn types_are_known_to_be_scalable_from_both_forms() {
    let scalable = cluster().scalable();
    let plurals: Vec<_> = scalable.iter().map(|found| shown(found)).collect();
    assert_eq!(
        plurals,
        [
            "v1 replicationcontrollers",
            "apps/v1 deployments",
            "apps/v1 replicasets",
            "apps/v1 statefulsets",
            "load.example.com/v1 swarms",
        ]
    );
}

#[test]
fn a_type_is_in_a_category_once_and_in_the_preferred_version() {
    let types = json!({ "resources": [
        { "name": "a", "kind": "A", "categories": ["mine"] },
        { "name": "b", "kind": "B", "categories": ["mine"] },
    ] });
    let old = listed("g", "v1", false, types.clone());
    let all = Discovery::of(vec![old, listed("g", "v2", true, types)], |_| {});
    let found: Vec<_> = all.category("mine").unwrap().iter().map(|found| shown(found)).collect();
    assert_eq!(found, ["g/v2 a", "g/v2 b"]);
}

#[test]
fn kinds_are_found_as_manifests_name_them() {
    let all = cluster();
    for (api_version, kind, expected) in [
        ("apps/v1", "Deployment", "apps/v1 deployments"),
        ("v1", "ReplicationController", "v1 replicationcontrollers"),
        ("load.example.com/v1", "Swarm", "load.example.com/v1 swarms"),
        ("load.example.com/v1alpha1", "Swarm", "load.example.com/v1alpha1 swarms"),
        ("load.example.com/v1", "swarm", "load.example.com/v1 swarms"),
        ("load.example.com/v1", "SWARM", ""),
        ("load.example.com/v2", "Swarm", ""),
        ("apps/v1", "Swarm", ""),
        ("v1", "Deployment", ""),
        ("", "Deployment", ""),
    ] {
        let found = all.by_kind(api_version, kind);
        let found = found.map_or_else(String::new, |found| shown(&found));
        assert_eq!(found, expected, "{api_version} {kind}");
    }
    assert!(!all.by_kind("v1", "Node").unwrap().namespaced);
    assert!(all.by_kind("v1", "Pod").unwrap().namespaced);
}

#[test]
fn the_first_type_with_a_short_name_wins_and_the_others_are_reported() {
    let entry = |plural: &str, kind: &str, short: &[&str]| {
        json!({ "resources": [
        { "name": plural, "singularName": kind.to_lowercase(), "kind": kind, "namespaced": true, "shortNames": short },
    ] })
    };
    let all = [
        listed("one", "v1", true, entry("apples", "Apple", &["a", "pear"])),
        listed("one", "v2", false, entry("apples", "Apple", &["a"])),
        listed("two", "v1", true, entry("ants", "Ant", &["a"])),
        listed("two", "v2", false, entry("ants", "Ant", &["a"])),
        listed("three", "v1", true, entry("pears", "Pear", &[])),
    ];
    let warning = "short name \"a\" could also match lower priority resource ants.two";
    for (token, expected, warnings) in [
        ("a", "one/v1 apples", &[warning][..]),
        ("a.one", "one/v1 apples", &[]),
        ("a.two", "two/v1 ants", &[]),
        ("a.tw", "two/v1 ants", &[]),
        ("a.t", "two/v1 ants", &[]),
        ("a.v2.two", "two/v1 ants", &[]),
        ("apple", "one/v1 apples", &[]),
        // The name of a type wins over the short name of another.
        ("pear", "three/v1 pears", &[]),
        ("pear.one", "one/v1 apples", &[]),
    ] {
        let (found, told) = lookup::find(&all, token);
        assert_eq!(found.map(|found| shown(&found)).as_deref(), Some(expected), "{token}");
        assert_eq!(told, warnings, "{token}");
    }
}

#[test]
fn a_kind_needs_its_complete_group() {
    let list = json!({ "resources": [{ "name": "oxen", "singularName": "ox", "kind": "Cattle" }] });
    let all = Discovery::of(vec![listed("farm.example", "v1", true, list)], |_| {});
    finds(
        &all,
        &[
            ("Cattle.farm.example", "farm.example/v1 oxen"),
            ("cattle.farm.example", "farm.example/v1 oxen"),
            ("Cattle.v1.farm.example", "farm.example/v1 oxen"),
            ("Cattle.v2.farm.example", ""),
            ("Cattle.farm", ""),
            ("Cattle", ""),
            ("ox", "farm.example/v1 oxen"),
        ],
    );
}

#[test]
fn both_forms_of_discovery_say_the_same() {
    let apps = listed("apps", "v1", true, transcript!("44-discovery-apps"));
    let (all, _) = aggregated(transcript!("46-discovery-aggregated"));
    let same = all.iter().find(|here| here.group == "apps").unwrap();
    assert_eq!(format!("{apps:?}"), format!("{same:?}"));
    let groups: GroupList = serde_json::from_value(transcript!("45-discovery-groups")).unwrap();
    let names = |all: &[GroupVersion]| {
        all.iter().map(|here| (here.name(), here.preferred)).collect::<Vec<_>>()
    };
    assert_eq!(names(&groups.group_versions()), names(&all));
}

#[test]
fn stale_group_versions_are_unknown() {
    let swarms = json!([{ "resource": "swarms", "responseKind": { "kind": "Swarm" } }]);
    let (all, stale) = aggregated(json!({ "items": [{ "metadata": { "name": "g" }, "versions": [
        { "version": "v2", "freshness": "Stale", "resources": swarms },
        { "version": "v1", "freshness": "Current", "resources": swarms },
    ] }] }));
    assert_eq!(stale, ["g/v2"]);
    assert_eq!(all.len(), 1);
    assert!(all[0].preferred);
    finds(&Discovery::of(all, |_| {}), &[("swarms", "g/v1 swarms"), ("swarms.v2.g", "")]);
}

#[test]
fn empty_and_odd_documents_are_read() {
    let read = |text: &str| aggregated(serde_json::from_str(text).unwrap()).0;
    assert!(read("{}").is_empty());
    assert!(read(r#"{"items":null}"#).is_empty());
    let odd = read(
        r#"{"items":[{"metadata":null,"versions":null},{"versions":[{"version":"v1","resources":[
            {"resource":"a","responseKind":null},{"resource":"b/c","responseKind":{"kind":"B"}},
            {"resource":"","responseKind":{"kind":"C"}},
            {"resource":"../d","shortNames":null,"responseKind":{"kind":"D"}}]}]}]}"#,
    );
    assert_eq!(odd.len(), 1);
    assert!(odd[0].types.is_empty());
    let core: CoreVersions = serde_json::from_str(r#"{"versions":null}"#).unwrap();
    assert!(core.group_versions().is_empty());
    let core: CoreVersions = serde_json::from_str(r#"{"versions":["v1"]}"#).unwrap();
    assert_eq!(core.group_versions()[0].path(), "/api/v1");
}

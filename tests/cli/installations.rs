//! Locust as public repositories install it: the workers and the master are found with nothing named.
//!
//! `tests/fixtures/installations.json` has the facts of 28 repositories: labels, images, commands,
//! variables and ports. `expect` has the workers, and the master or the reason why it has no web UI.

use locustctl::sandbox::Layout;
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::layouts::{laid_out, row};
use support::locustctl;

const INSTALLATIONS: &str = include_str!("../fixtures/installations.json");

fn installations() -> Vec<Value> {
    serde_json::from_str(INSTALLATIONS).unwrap()
}

/// The cluster of an installation.
fn cluster(row: &Value) -> TestCluster {
    let list = |name: &str| row[name].as_array().unwrap().clone();
    let workloads = std::iter::once(row["workers"].clone()).chain(list("masters"));
    let objects =
        workloads.map(|one| workload(&one)).chain(list("services").into_iter().map(service));
    laid_out(Layout::new(objects).unwrap())
}

fn workload(facts: &Value) -> Value {
    let containers = facts["containers"].as_array().unwrap().iter().map(container);
    let spec = json!({"containers": containers.collect::<Vec<_>>()});
    let metadata =
        json!({"name": facts["name"], "namespace": "default", "labels": facts["labels"]});
    let kind = facts["kind"].as_str().unwrap();
    let labels = &facts["podLabels"];
    let version = match kind {
        "Pod" => {
            return json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec});
        }
        "ReplicationController" => "v1",
        "DeploymentConfig" => "apps.openshift.io/v1",
        _ => "apps/v1",
    };
    let selector = match kind {
        "Deployment" => json!({"matchLabels": labels}),
        _ => labels.clone(),
    };
    json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {
        "replicas": 1, "selector": selector,
        "template": {"metadata": {"labels": labels}, "spec": spec}}})
}

fn container(facts: &Value) -> Value {
    let mut container = json!({"name": "locust", "image": facts["image"]});
    for field in ["command", "args"] {
        if facts[field].is_array() {
            container[field] = facts[field].clone();
        }
    }
    let env = facts["env"].as_object().into_iter().flatten();
    container["env"] = env.map(|(name, value)| json!({"name": name, "value": value})).collect();
    let ports = facts["ports"].as_array().into_iter().flatten();
    let port = |port: &Value| match port[1].as_str() {
        Some(name) => json!({"containerPort": port[0], "name": name}),
        None => json!({"containerPort": port[0]}),
    };
    container["ports"] = ports.map(port).collect();
    container
}

fn service(facts: Value) -> Value {
    let port = |port: &Value| {
        let mut all = json!({"port": port["port"]});
        for (field, name) in [("name", "name"), ("target", "targetPort")] {
            if !port[field].is_null() {
                all[name] = port[field].clone();
            }
        }
        all
    };
    let ports: Vec<_> = facts["ports"].as_array().unwrap().iter().map(port).collect();
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": facts["name"], "namespace": "default"},
        "spec": {"selector": facts["selector"], "ports": ports}})
}

#[test]
fn the_workers_and_the_master_of_each_installation_are_found() {
    let rows = installations();
    assert_eq!(rows.len(), 28);
    for facts in &rows {
        let (source, expected) = (&facts["source"], &facts["expect"]);
        let cluster = cluster(facts);
        let outcome = locustctl("status").kubeconfig(cluster.kubeconfig()).run();
        assert_eq!(outcome.code, Some(0), "{source}: {outcome:?}");
        let workers = expected["workers"].as_str().unwrap();
        assert_eq!(row(&outcome, "Target"), workers, "{source}");
        let locust = row(&outcome, "Locust");
        match expected["master"].as_str() {
            Some(master) => {
                assert!(locust.starts_with(master), "{source}: {outcome:?}");
                assert_eq!(row(&outcome, "Workers"), "1 connected", "{source}: {outcome:?}");
            }
            None => assert!(locust.contains(expected["problem"].as_str().unwrap()), "{outcome:?}"),
        }
        let is_usual = workers == "deployment.apps/locust-slave";
        assert_eq!(outcome.stderr.contains("Note: deployment.apps/locust-slave"), !is_usual);
    }
}

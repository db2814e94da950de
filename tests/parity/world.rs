//! The objects in the cluster of every row. They are the same in every cluster, byte for byte.

use std::collections::BTreeMap;

use locustctl::sandbox::{Account, ClusterHandle, InitialObjects, Options};
use serde_json::{Value, json};
use support::cluster::TestCluster;

use crate::row::Environment;

/// `PLURAL/NAME` or `NAMESPACE/PLURAL/NAME`, replicas, labels.
const OBJECTS: [(&str, i64, &str); 10] = [
    ("deployments/a", 3, "app=a run=hello"),
    ("deployments/b", 1, "app=b run=hello"),
    ("deployments/c", 2, "app=c run=other"),
    ("deployments/locust-slave", 1, "app=locust"),
    ("deployments/zero", 0, "app=zero"),
    ("statefulsets/web", 2, "app=web"),
    ("replicasets/front", 3, "app=front"),
    ("replicationcontrollers/old", 3, "app=old"),
    ("swarms/big", 4, "app=big"),
    ("staging/deployments/a", 5, "app=a"),
];

/// Types without replicas, with one object of each.
const UNSCALABLE: [&str; 3] = ["daemonsets/ds1", "pods/p1", "configmaps/cm1"];

/// A cluster with all objects of the row.
pub fn build(environment: &Environment) -> TestCluster {
    let cluster = TestCluster::with(Options {
        objects: InitialObjects::Empty,
        custom_resources: true,
        pod_ready_after: std::time::Duration::from_millis(50),
        ..Options::default()
    });
    let handle = cluster.handle();
    handle.pause_controllers();
    let staging = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "staging",
        "uid": "uid-staging", "creationTimestamp": "2026-01-01T00:00:00Z"}});
    handle.put_object("/api/v1/namespaces/staging", staging);
    for (object, replicas, labels) in OBJECTS.iter().chain(&environment.objects) {
        let (path, value) = object_of(object, *replicas, labels);
        handle.put_object(&path, value);
    }
    for object in UNSCALABLE {
        let (path, value) = object_of(object, 1, "app=x");
        handle.put_object(&path, value);
    }
    for fault in &environment.faults {
        handle.inject(fault.clone());
    }
    if environment.with_controllers {
        handle.resume_controllers();
    }
    cluster
}

fn object_of(short: &str, replicas: i64, labels: &str) -> (String, Value) {
    let labels: BTreeMap<_, _> =
        labels.split_whitespace().filter_map(|label| label.split_once('=')).collect();
    let parts: Vec<_> = short.split('/').collect();
    let (namespace, plural, name) = match parts[..] {
        [namespace, plural, name] => (namespace, plural, name),
        [plural, name] => ("default", plural, name),
        _ => panic!("{short}"),
    };
    let (version, kind) = match plural {
        "deployments" => ("apps/v1", "Deployment"),
        "statefulsets" => ("apps/v1", "StatefulSet"),
        "replicasets" => ("apps/v1", "ReplicaSet"),
        "daemonsets" => ("apps/v1", "DaemonSet"),
        "swarms" => ("load.example.com/v1", "Swarm"),
        "replicationcontrollers" => ("v1", "ReplicationController"),
        "pods" => ("v1", "Pod"),
        _ => ("v1", "ConfigMap"),
    };
    let template = json!({
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "i:1"}]},
    });
    let selector = json!({"matchLabels": {"app": name}});
    let spec = match plural {
        "pods" => template["spec"].clone(),
        "configmaps" => json!({}),
        "swarms" => json!({"workers": replicas, "selector": selector}),
        "daemonsets" => json!({"selector": selector, "template": template}),
        "replicationcontrollers" => {
            json!({"replicas": replicas, "selector": {"app": name}, "template": template})
        }
        _ => json!({"replicas": replicas, "selector": selector, "template": template}),
    };
    let object = json!({
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "generation": 1,
            "uid": format!("uid-of-{name}"),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": spec,
        "status": {"replicas": replicas, "observedGeneration": 1},
    });
    let root = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
    (format!("{root}/namespaces/{namespace}/{plural}/{name}"), object)
}

/// The API path of an object from its short form in a row.
pub fn path(short: &str) -> String {
    object_of(short, 0, "").0
}

/// Count and change-cause of every object with replicas.
pub fn state(handle: &ClusterHandle, environment: &Environment) -> BTreeMap<String, (i64, String)> {
    let objects = OBJECTS.iter().chain(&environment.objects);
    let state = objects.map(|(short, ..)| {
        let object = handle.object(&path(short)).unwrap_or_else(|| panic!("{short} is gone"));
        let spec = &object["spec"];
        let count = spec["replicas"].as_i64().or(spec["workers"].as_i64()).unwrap_or(-1);
        let cause = &object["metadata"]["annotations"]["kubernetes.io/change-cause"];
        ((*short).to_owned(), (count, cause.as_str().unwrap_or_default().to_owned()))
    });
    state.collect()
}

/// The values of the placeholders in a row.
pub fn placeholders(cluster: &TestCluster) -> [(&'static str, String); 4] {
    let object = cluster.handle().object(&path("deployments/a")).unwrap_or_default();
    let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    [
        ("{server}", cluster.server().to_owned()),
        ("{admin}", cluster.token(Account::Admin).to_owned()),
        ("{token}", cluster.token(Account::Viewer).to_owned()),
        ("{version}", version.to_owned()),
    ]
}

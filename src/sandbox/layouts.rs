//! The named layouts: how Locust is usually installed.
//!
//! The shapes are those of the published manifests: names, labels, commands, environment and ports.

use serde_json::{Value, json};

use super::locust::LocustRelease;

/// The names, in the order of the documentation.
pub(super) const NAMES: &[&str] =
    &["tutorial", "google", "helm", "locust-cloud", "locust-io", "late-master", "no-endpoints"];

/// The objects of a layout.
pub(super) fn named(name: &str, release: LocustRelease) -> Option<Vec<Value>> {
    let image = format!("locustio/locust:{release}");
    Some(match name {
        "tutorial" => tutorial(&image),
        "google" => google(&image),
        "helm" => helm(&image),
        "locust-cloud" => vec![json!({
            "apiVersion": "locust.cloud/v1", "kind": "LocustTest",
            "metadata": { "name": "demo", "namespace": "default" },
            "spec": { "workers": 1, "image": image, "args": "" },
        })],
        "locust-io" => vec![json!({
            "apiVersion": "locust.io/v2", "kind": "LocustTest",
            "metadata": { "name": "demo", "namespace": "default" },
            "spec": { "image": image, "worker": { "replicas": 1 }, "master": {} },
        })],
        "late-master" => {
            let mut objects = tutorial(&image);
            // The master's Deployment comes first.
            objects[0]["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = json!({
                "httpGet": { "path": "/", "port": 8089 }, "initialDelaySeconds": 15,
            });
            objects
        }
        "no-endpoints" => {
            let mut objects = tutorial(&image);
            if let Some(spec) = objects[2]["spec"].as_object_mut() {
                spec.remove("selector");
            }
            objects
        }
        _ => return None,
    })
}

/// The names of the tutorials of 2018: `locust-slave`, `locust-master`.
fn tutorial(image: &str) -> Vec<Value> {
    let labels = |role: &str| json!({ "app": "locust", "role": role });
    let ports =
        json!([{ "containerPort": 5557 }, { "containerPort": 5558 }, { "containerPort": 8089 }]);
    let master = json!({ "name": "locust", "image": image, "args": ["--master"], "ports": ports });
    let args = ["--worker", "--master-host=locust-master"];
    let worker = json!({ "name": "locust", "image": image, "args": args });
    let ports = [("bind", 5557), ("bind-next", 5558), ("web", 8089)];
    vec![
        deployment("locust-master", &labels("master"), &labels("master"), master),
        deployment("locust-slave", &labels("worker"), &labels("worker"), worker),
        service("locust-master", &labels("master"), &labels("master"), &ports),
    ]
}

/// Google's tutorial "Distributed load testing using GKE": the mode is in the environment, and the web
/// UI has a Service of its own.
fn google(image: &str) -> Vec<Value> {
    let env = |pairs: &[(&str, &str)]| -> Value {
        pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let ports = [("loc-master-web", 8089), ("loc-master-p1", 5557), ("loc-master-p2", 5558)];
    let host = ("TARGET_HOST", "http://target");
    let master = json!({
        "name": "locust-master", "image": image, "ports": container_ports(&ports),
        "env": env(&[("LOCUST_MODE", "master"), host]),
    });
    let worker = json!({
        "name": "locust-worker", "image": image,
        "env": env(&[("LOCUST_MODE", "worker"), ("LOCUST_MASTER", "locust-master"), host]),
    });
    let (name, app) = (|of: &str| json!({ "name": of }), |of: &str| json!({ "app": of }));
    let label = app("locust-master");
    vec![
        deployment("locust-master", &name("locust-master"), &label, master),
        deployment("locust-worker", &name("locust-worker"), &app("locust-worker"), worker),
        service("locust-master", &label, &label, &ports[1..]),
        service("locust-master-web", &label, &label, &ports[..1]),
    ]
}

/// The Helm chart deliveryhero/locust with the release name `demo`.
fn helm(image: &str) -> Vec<Value> {
    let labels = |component: &str| {
        json!({
            "app.kubernetes.io/name": "locust", "app.kubernetes.io/instance": "demo",
            "load_test": "example", "component": component,
        })
    };
    let ports = [("loc-master-web", 8089), ("loc-master-p1", 5557), ("loc-master-p2", 5558)];
    let master = json!({
        "name": "locust", "image": image, "args": ["--master"], "ports": container_ports(&ports),
        "env": [{ "name": "LOCUST_LOCUSTFILE", "value": "/mnt/locust/main.py" }],
        "readinessProbe": { "httpGet": { "path": "/", "port": 8089 } },
    });
    let worker = json!({
        "name": "locust", "image": image, "args": ["--worker"],
        "env": [
            { "name": "LOCUST_MASTER_NODE_HOST", "value": "demo-locust" },
            { "name": "LOCUST_MASTER_NODE_PORT", "value": "5557" },
            { "name": "LOCUST_LOCUSTFILE", "value": "/mnt/locust/main.py" },
        ],
    });
    let ports = [("master-p1", 5557), ("master-p2", 5558), ("master-p3", 8089)];
    vec![
        deployment("demo-locust-master", &labels("master"), &labels("master"), master),
        deployment("demo-locust-worker", &labels("worker"), &labels("worker"), worker),
        service("demo-locust", &labels("master"), &labels("master"), &ports),
    ]
}

fn deployment(name: &str, labels: &Value, pod_labels: &Value, container: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "namespace": "default", "labels": labels },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": pod_labels },
            "template": { "metadata": { "labels": pod_labels }, "spec": { "containers": [container] } },
        },
    })
}

fn container_ports(ports: &[(&str, u16)]) -> Vec<Value> {
    ports.iter().map(|(name, port)| json!({ "name": name, "containerPort": port })).collect()
}

fn service(name: &str, labels: &Value, selector: &Value, ports: &[(&str, u16)]) -> Value {
    let port = |(name, port): &(&str, u16)| json!({ "name": name, "port": port });
    let ports: Vec<Value> = ports.iter().map(port).collect();
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name, "namespace": "default", "labels": labels },
        "spec": { "selector": selector, "ports": ports },
    })
}

//! The objects of a new sandbox: a Locust master, one worker, and the master's Service.

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{
    controller::Controllers,
    locust::LocustRelease,
    resources::by_plural,
    store::{Store, key_of},
    verbs,
};

/// The namespaces of every cluster.
pub(super) fn namespaces(store: &mut Store) {
    for name in ["default", "kube-system"] {
        add(store, "namespaces", json!({ "metadata": { "name": name } }));
    }
}

/// A Locust deployment without a running test.
pub(super) fn locust(store: &mut Store, release: LocustRelease) {
    let image = format!("locustio/locust:{release}");
    let master = ["--master"];
    add(
        store,
        "deployments",
        deployment("locust-master", "master", &image, &master, &json!([5557, 5558, 8089])),
    );
    add(
        store,
        "deployments",
        deployment(
            "locust-slave",
            "worker",
            &image,
            &["--worker", "--master-host=locust-master"],
            &json!([]),
        ),
    );
    let port = |name: &str, port: u16| json!({ "name": name, "port": port });
    let service = json!({
        "metadata": { "name": "locust-master", "labels": { "app": "locust", "role": "master" } },
        "spec": {
            "selector": { "app": "locust", "role": "master" },
            "ports": [port("bind", 5557), port("bind-next", 5558), port("web", 8089)],
        },
    });
    add(store, "services", service);
    // The deployment is not new, so its pods are ready immediately.
    Controllers::new(Duration::ZERO).settle(store, Instant::now());
}

/// Custom resources with and without a count.
pub(super) fn swarms(store: &mut Store) {
    add(store, "swarms", json!({ "metadata": { "name": "big" }, "spec": { "workers": 4 } }));
    add(store, "swarms", json!({ "metadata": { "name": "unset" }, "spec": {} }));
}

fn deployment(name: &str, role: &str, image: &str, args: &[&str], ports: &Value) -> Value {
    let labels = json!({ "app": "locust", "role": role });
    let ports = ports.as_array().into_iter().flatten().map(|port| json!({ "containerPort": port }));
    let mut container = json!({ "name": "locust", "image": image, "args": args });
    let ports: Vec<Value> = ports.collect();
    if !ports.is_empty() {
        container["ports"] = json!(ports);
    }
    json!({
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
        },
    })
}

fn add(store: &mut Store, plural: &'static str, mut object: Value) {
    let Some(kind) = by_plural(plural) else { return };
    verbs::complete(kind, "default", &mut object);
    store.put(&key_of(plural, &object), object);
}

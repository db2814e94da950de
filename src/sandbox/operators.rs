//! The two operators whose objects have the kind LocustTest.
//!
//! The one of `locust.cloud` (locustio/k8s-operator) keeps a Job for the master, a Job for the
//! workers and two Services, and follows `spec.workers`. The one of `locust.io`
//! (AbdelrhmanHamouda/locust-k8s-operator) makes its objects once, and ignores later changes.

use serde_json::{Value, json};

use super::{
    object,
    resources::by_plural,
    store::{Key, Store},
    verbs,
};

const IMAGE: &str = "locustio/locust:latest";

/// One step of the operator of `locust.cloud`.
pub(super) fn locust_cloud_step(store: &mut Store, key: &Key, test: &Value) {
    let name = &key.name;
    let (master, worker) = (format!("{name}-master"), format!("{name}-worker"));
    let count = object::number(test, "/spec/workers");
    let labels =
        |component: &str| json!({ "locust.io/test-run": name, "locust.io/component": component });
    let extra: Vec<&str> = object::text(test, "/spec/args").split_whitespace().collect();
    let image = match object::text(test, "/spec/image") {
        "" => IMAGE,
        image => image,
    };
    let ports = [("master-p1", 5557), ("master-p2", 5558), ("master-web", 8089)];
    let container = |container: &str, args: &[&str], ports: &[(&str, u16)]| {
        let words = [args, extra.as_slice()].concat();
        json!({ "name": container, "image": image, "args": words, "env": test["spec"]["env"],
            "ports": container_ports(ports) })
    };
    let job =
        |component: &str, count: i64, container: Value| job(&labels(component), count, &container);
    let to = ["--worker", "--master-host", master.as_str()];
    ensure(store, test, "jobs", &master, || {
        job("master", 1, container("locust-master", &["--master"], &ports))
    });
    ensure(store, test, "jobs", &worker, || {
        job("worker", count, container("locust-worker", &to, &[]))
    });
    let service = |ports: &[(&str, u16)]| {
        json!({ "metadata": { "labels": { "locust.io/test-run": name } },
            "spec": { "selector": labels("master"), "ports": service_ports(ports) } })
    };
    ensure(store, test, "services", &master, || service(&ports[..2]));
    ensure(store, test, "services", &format!("{name}-webui"), || service(&ports[2..]));

    let worker_key = Key::new("jobs", &key.namespace, &worker);
    let Some(job) = store.get(&worker_key) else { return };
    let ready = object::number(job, "/status/ready");
    let scaled = object::with_count(job, "parallelism", count);
    store.put(&worker_key, scaled);
    let mut test = test.clone();
    test["status"] = json!({
        "state": "ready", "message": "", "fail_ratio": "0.00%", "total_rps": 0, "user_count": 0,
        "worker_count": ready, "worker_ratio": format!("{ready}/{count}"),
    });
    store.put(key, test);
}

/// The operator of `locust.io` makes the objects of a new test. Its Service has no port for the web UI.
pub(super) fn locust_io_step(store: &mut Store, key: &Key, test: &Value) {
    if test["status"]["phase"].is_string() {
        return;
    }
    let name = &key.name;
    let spec = &test["spec"];
    let count = spec["worker"]["replicas"].as_i64().or(spec["workerReplicas"].as_i64());
    let (master, worker) = (format!("{name}-master"), format!("{name}-worker"));
    let image = match object::text(spec, "/image") {
        "" => IMAGE,
        image => image,
    };
    let labels = |pod: &str| json!({ "performance-test-name": name, "performance-test-pod-name": pod, "managed-by": "locust-k8s-operator" });
    let ports = [("port5557", 5557), ("port5558", 5558), ("port8089", 8089)];
    let command = |own: &str| {
        let words: Vec<&str> = own.split_whitespace().collect();
        json!(words)
    };
    let host = format!("locust --worker --master-port=5557 --master-host={master}");
    ensure(store, test, "jobs", &master, || {
        let container = json!({ "name": master, "image": image, "command": command("locust --master --master-port=5557 --expect-workers=1"), "ports": container_ports(&ports) });
        job(&labels(&master), 1, &container)
    });
    ensure(store, test, "jobs", &worker, || {
        let container = json!({ "name": worker, "image": image, "command": command(&host), "ports": container_ports(&[("port8080", 8080)]) });
        job(&labels(&worker), count.unwrap_or(1), &container)
    });
    ensure(store, test, "services", &master, || {
        json!({ "metadata": {}, "spec": { "selector": { "performance-test-pod-name": master },
            "ports": service_ports(&ports[..2]) } })
    });
    let mut test = test.clone();
    test["status"] = json!({ "phase": "Running", "expectedWorkers": count.unwrap_or(1) });
    store.put(key, test);
}

fn job(labels: &Value, count: i64, container: &Value) -> Value {
    json!({ "metadata": { "labels": labels }, "spec": {
        "parallelism": count, "ttlSecondsAfterFinished": 0,
        "template": { "metadata": { "labels": labels },
            "spec": { "restartPolicy": "Never", "containers": [container] } },
    } })
}

fn container_ports(ports: &[(&str, u16)]) -> Vec<Value> {
    ports.iter().map(|(name, port)| json!({ "name": name, "containerPort": port })).collect()
}

fn service_ports(ports: &[(&str, u16)]) -> Vec<Value> {
    let port =
        |(name, port): &(&str, u16)| json!({ "name": name, "port": port, "targetPort": name });
    ports.iter().map(port).collect()
}

/// Creates an object of the test if it does not exist.
fn ensure(
    store: &mut Store,
    test: &Value,
    plural: &'static str,
    name: &str,
    new: impl FnOnce() -> Value,
) {
    let key = Key::new(plural, object::namespace(test), name);
    let Some(kind) = by_plural(plural).filter(|_| store.get(&key).is_none()) else { return };
    let mut fresh = new();
    fresh["metadata"]["name"] = json!(name);
    fresh["metadata"]["ownerReferences"] = json!([object::owner_reference(test)]);
    verbs::complete(kind, &key.namespace, &mut fresh);
    store.put(&key, fresh);
}

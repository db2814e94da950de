//! Layouts: the objects that a sandbox starts with, their pods, and the Locust in them.

use std::time::Duration;

use locustctl::sandbox::{InitialObjects, Layout, LocustRelease, Options, PodFailure, Sandbox};
use serde_json::{Value, json};
use support::cluster::TestCluster;

use crate::http::as_admin;

const DEFAULT: &str = "/api/v1/namespaces/default";

fn named(name: &str) -> TestCluster {
    with(Layout::named(name, LocustRelease::LATEST).unwrap())
}

fn with(layout: Layout) -> TestCluster {
    let objects = InitialObjects::Layout(layout);
    let pod_ready_after = Duration::from_millis(50);
    TestCluster::with(Options { objects, pod_ready_after, ..Options::default() })
}

fn laid_out(objects: &[Value]) -> TestCluster {
    with(Layout::new(objects.iter().cloned()).unwrap())
}

/// Status and body of a GET.
fn get(cluster: &TestCluster, path: &str) -> (u16, Value) {
    let answer = as_admin(cluster, "GET", path, "").unwrap();
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

/// The number of workers that the Locust at this address has, or the refusal.
fn workers(cluster: &TestCluster, address: &str) -> String {
    let (status, body) = get(cluster, &format!("{DEFAULT}/{address}/proxy/worker-count"));
    match status {
        200 => body["worker_count"].to_string(),
        status => format!("{status} {}", body["message"].as_str().unwrap_or_default()),
    }
}

fn pods(cluster: &TestCluster) -> Vec<Value> {
    let (_, list) = get(cluster, &format!("{DEFAULT}/pods"));
    list["items"].as_array().unwrap().clone()
}

/// The number of ready pods whose name begins with this text.
fn ready(cluster: &TestCluster, prefix: &str) -> usize {
    let is_ready = |pod: &Value| {
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        conditions.clone().any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    let is_it = |pod: &&Value| pod["metadata"]["name"].as_str().unwrap().starts_with(prefix);
    pods(cluster).iter().filter(is_it).filter(|pod| is_ready(pod)).count()
}

fn wait_for(cluster: &TestCluster, prefix: &str, count: usize) {
    let counted = || ready(cluster, prefix) == count;
    support::serving::wait_until(counted, || format!("{:#?}", pods(cluster)));
}

fn template(labels: &Value, container: &Value) -> Value {
    json!({ "metadata": { "labels": labels }, "spec": { "containers": [container] } })
}

#[test]
fn each_named_layout_has_a_locust_with_a_worker() {
    for (layout, address) in [
        ("tutorial", "services/locust-master:8089"),
        ("google", "services/locust-master-web:loc-master-web"),
        ("helm", "services/demo-locust:8089"),
        ("locust-cloud", "services/demo-webui:8089"),
    ] {
        assert_eq!(workers(&named(layout), address), "1", "{layout}");
    }
}

#[test]
fn the_service_of_the_operator_of_locust_io_has_no_port_for_the_web_ui() {
    let cluster = named("locust-io");
    let expected = "503 no service port 8089 found for service \"demo-master\"";
    assert_eq!(workers(&cluster, "services/demo-master:8089"), expected);
    let all = pods(&cluster);
    let names = all.iter().map(|pod| pod["metadata"]["name"].as_str().unwrap());
    let master = names.into_iter().find(|name| name.starts_with("demo-master")).unwrap();
    assert_eq!(workers(&cluster, &format!("pods/{master}:8089")), "1");
}

#[test]
fn a_service_without_endpoints_does_not_exist_for_the_proxy() {
    let expected = "404 services \"locust-master\" not found";
    assert_eq!(workers(&named("no-endpoints"), "services/locust-master:8089"), expected);
}

#[test]
fn a_late_master_has_no_endpoints_yet() {
    let expected = "503 no endpoints available for service \"locust-master\"";
    assert_eq!(workers(&named("late-master"), "services/locust-master:8089"), expected);
}

#[test]
fn the_operators_follow_their_object_or_ignore_it() {
    let cluster = named("locust-cloud");
    let path = "/apis/locust.cloud/v1/namespaces/default/locusttests/demo";
    let patch = |count: i64| {
        let body = json!({ "spec": { "workers": count } }).to_string();
        as_admin(&cluster, "PATCH", path, &body).unwrap()
    };
    assert_eq!(patch(3).status, 200);
    wait_for(&cluster, "demo-worker-", 3);
    assert_eq!(workers(&cluster, "services/demo-webui:8089"), "3");
    let refused = patch(0);
    assert_eq!(refused.status, 422);
    let text = "LocustTest.locust.cloud \\\"demo\\\" is invalid: spec.workers: Invalid value: 0: \
                spec.workers in body should be greater than or equal to 1";
    assert!(refused.body.contains(text), "{}", refused.body);

    let cluster = named("locust-io");
    let path = "/apis/locust.io/v2/namespaces/default/locusttests/demo";
    let body = json!({ "spec": { "worker": { "replicas": 3 } } }).to_string();
    assert_eq!(as_admin(&cluster, "PATCH", path, &body).unwrap().status, 200);
    let job = cluster.handle().object("/apis/batch/v1/namespaces/default/jobs/demo-worker");
    assert_eq!(job.unwrap()["spec"]["parallelism"], 1);
}

#[test]
fn every_type_lays_out_pods_with_the_template() {
    let labels = json!({ "app": "w" });
    let container = json!({ "name": "c", "image": "i", "command": ["locust"], "args": ["--worker"],
        "env": [{ "name": "A", "value": "b" }], "ports": [{ "name": "p", "containerPort": 1 }] });
    let template = template(&labels, &container);
    let matching = json!({ "matchLabels": labels });
    for (version, kind, selector) in [
        ("apps/v1", "Deployment", &matching),
        ("apps/v1", "StatefulSet", &matching),
        ("apps/v1", "ReplicaSet", &matching),
        ("v1", "ReplicationController", &labels),
        ("apps.openshift.io/v1", "DeploymentConfig", &labels),
        ("argoproj.io/v1alpha1", "Rollout", &matching),
    ] {
        let cluster = laid_out(&[json!({
            "apiVersion": version, "kind": kind, "metadata": { "name": "w" },
            "spec": { "replicas": 2, "selector": selector, "template": template },
        })]);
        assert_eq!(ready(&cluster, "w-"), 2, "{kind}");
        let pod = &pods(&cluster)[0];
        assert_eq!(pod["metadata"]["labels"]["app"], "w", "{kind}");
        for field in ["image", "command", "args", "env"] {
            assert_eq!(pod["spec"]["containers"][0][field], container[field], "{kind}");
        }
    }
    let cluster = laid_out(&[json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "w" },
        "spec": { "parallelism": 2, "template": template },
    })]);
    assert_eq!(ready(&cluster, "w-"), 2);
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "w-alone" },
        "spec": { "containers": [container] } });
    assert_eq!(ready(&laid_out(&[pod]), "w-"), 1);
}

#[test]
fn rollouts_and_deployment_configs_are_scaled() {
    let labels = json!({ "app": "w" });
    let template = template(&labels, &json!({ "name": "c", "image": "i" }));
    for (version, kind, plural, selector) in [
        ("argoproj.io/v1alpha1", "Rollout", "rollouts", json!({ "matchLabels": labels })),
        ("apps.openshift.io/v1", "DeploymentConfig", "deploymentconfigs", labels.clone()),
    ] {
        let cluster = laid_out(&[json!({
            "apiVersion": version, "kind": kind, "metadata": { "name": "w" },
            "spec": { "replicas": 1, "selector": selector, "template": template },
        })]);
        let path = format!("/apis/{version}/namespaces/default/{plural}/w/scale");
        let body = json!({ "spec": { "replicas": 3 } }).to_string();
        assert_eq!(as_admin(&cluster, "PATCH", &path, &body).unwrap().status, 200, "{kind}");
        wait_for(&cluster, "w-", 3);
    }
}

#[test]
fn each_worker_belongs_to_the_master_that_it_names() {
    let deployment = |name: &str, args: &[&str], replicas: u8| {
        let labels = json!({ "app": name });
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
            "spec": { "replicas": replicas, "selector": { "matchLabels": labels },
                "template": template(&labels, &json!({ "name": "c", "image": "i", "args": args })) },
        })
    };
    let service = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
            "spec": { "selector": { "app": name }, "ports": [{ "port": 8089 }] },
        })
    };
    let cluster = laid_out(&[
        deployment("a", &["--master"], 1),
        deployment("b", &["--master"], 1),
        service("a"),
        service("b"),
        deployment("a-worker", &["--worker", "--master-host=a"], 2),
        deployment("b-worker", &["--worker", "--master-host", "b.default.svc"], 3),
    ]);
    assert_eq!(workers(&cluster, "services/a:8089"), "2");
    assert_eq!(workers(&cluster, "services/b:8089"), "3");
}

#[test]
fn the_proxy_reaches_only_the_port_of_the_web_ui() {
    let labels = json!({ "app": "m" });
    let container = |args: &[&str]| {
        json!({ "name": "c", "image": "i", "args": args,
            "ports": [{ "name": "web", "containerPort": 3000 }] })
    };
    let objects = |args: &[&str]| {
        let pod = template(&labels, &container(args));
        let ports = json!([
            { "name": "http", "port": 80, "targetPort": "web" }, { "name": "other", "port": 8089 },
        ]);
        [
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "m" },
                "spec": { "selector": { "matchLabels": labels }, "template": pod } }),
            json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "m" },
                "spec": { "selector": labels, "ports": ports } }),
        ]
    };
    let refused = "503 error trying to reach service: ";
    for (args, address, expected) in [
        (&["--master", "--web-port=3000"][..], "m:80", "0"),
        (&["--master", "--web-port=3000"], "m:http", "0"),
        (&["--master", "--web-port=3000"], "m:8089", refused),
        (&["--master", "--web-port=3000", "--headless"], "m:80", refused),
        (&["--worker"], "m:80", refused),
        (&[], "m:80", refused),
        (&["--master", "--web-port=3000", "--tls-cert=/c"], "m:80", refused),
        (&["--master", "--web-port=3000", "--tls-cert=/c"], "https:m:80", "0"),
        (&["--master", "--web-port=3000", "--web-login"], "m:80", "302 "),
        (&["--master", "--web-port=3000", "--web-base-path=/load"], "m:80", "404 "),
    ] {
        let cluster = laid_out(&objects(args));
        let answer = workers(&cluster, &format!("services/{address}"));
        assert!(answer.starts_with(expected), "{args:?} {address}: {answer}");
    }
    let cluster = laid_out(&objects(&["--master", "--web-port=3000", "--web-base-path=/load"]));
    let (status, body) = get(&cluster, &format!("{DEFAULT}/services/m:80/proxy/load/worker-count"));
    assert_eq!((status, body), (200, json!({ "worker_count": 0 })));
}

#[test]
fn only_new_pods_have_the_trouble() {
    let layout = Layout::named("tutorial", LocustRelease::LATEST).unwrap();
    let cluster = TestCluster::with(Options {
        objects: InitialObjects::Layout(layout),
        pod_failure: Some(PodFailure::ImagePull),
        ..Options::default()
    });
    assert_eq!(ready(&cluster, "locust-slave"), 1);
    cluster.handle().set_replicas(support::SLAVE, 2);
    let is_waiting = || {
        let reason = "/status/containerStatuses/0/state/waiting/reason";
        pods(&cluster).iter().any(|pod| pod.pointer(reason) == Some(&json!("ImagePullBackOff")))
    };
    support::serving::wait_until(is_waiting, || format!("{:#?}", pods(&cluster)));
    assert_eq!(ready(&cluster, "locust-slave"), 1);
}

#[test]
fn a_layout_with_an_invalid_object_is_refused() {
    let service = |name: &str| json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name }, "spec": {} });
    let deployment = json!({ "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "w" }, "spec": { "template": {} } });
    for (objects, expected) in [
        (vec![service("a"), service("a")], "Service \"a\" occurs twice in namespace \"default\""),
        (vec![service("A b")], "Service \"A b\": Service \"A b\" is invalid: metadata.name"),
        (vec![deployment], "Deployment \"w\": Deployment.apps \"w\" is invalid: spec.selector"),
    ] {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let objects = InitialObjects::Layout(Layout::new(objects).unwrap());
        let options = Options { objects, ..Options::default() };
        let error = runtime.block_on(Sandbox::start(options)).map(|_| ()).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.starts_with("laying out the simulated cluster: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

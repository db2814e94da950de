//! Requests to the simulated Locust of the sandbox, and clusters with a running test.

use locustctl::sandbox::Account;
use serde_json::Value;

use crate::cluster::TestCluster;
use crate::locustctl;
use crate::serving::{Http, Reply, wait_until};

const PROXY: &str = "/api/v1/namespaces/default/services/locust-master:8089/proxy/";

/// Sends a request to Locust as the administrator, through the API server.
pub fn ask(cluster: &TestCluster, method: &str, path: &str, form: &str) -> Value {
    send(cluster, method, path, form).json()
}

/// The answer to a GET that is not JSON, such as Locust's page.
pub fn ask_for_text(cluster: &TestCluster, path: &str) -> String {
    send(cluster, "GET", path, "").text
}

fn send(cluster: &TestCluster, method: &str, path: &str, form: &str) -> Reply {
    let http = Http::new();
    let request = http.request(method, &format!("{}{PROXY}{path}", cluster.server()));
    http.send(request.bearer_auth(cluster.token(Account::Admin)).body(form.to_owned()))
}

/// Resets the statistics, as the button in Locust's page does.
pub fn reset_statistics(cluster: &TestCluster) {
    assert_eq!(send(cluster, "POST", "stats/reset", "").text, "ok");
}

/// A cluster with a running test for 60 users on this many workers.
pub fn running(workers: i64) -> TestCluster {
    let cluster = TestCluster::start();
    let line = format!("scale --replicas={workers} --wait");
    locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    start_test(&cluster);
    cluster
}

pub fn start_test(cluster: &TestCluster) {
    ask(cluster, "POST", "swarm", "user_count=60&spawn_rate=20");
    assert_eq!(ask(cluster, "GET", "stats/requests", "")["user_count"], 60);
}

/// Waits until Locust counts this many workers. The first change of a test takes it one second.
pub fn wait_for_workers(cluster: &TestCluster, count: usize) {
    let counted = || ask(cluster, "GET", "worker-count", "")["worker_count"] == count;
    wait_until(counted, || "Locust's workers".to_owned());
}

/// Changes the object of the master's pod, as the kubelet or another client would.
pub fn change_master_pod(cluster: &TestCluster, change: impl FnOnce(&mut Value)) {
    let pods = "/api/v1/namespaces/default/pods";
    let is_master = |pod: &Value| pod["metadata"]["labels"]["role"] == "master";
    let mut pod = cluster.handle().objects(pods).into_iter().find(is_master).unwrap();
    change(&mut pod);
    let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
    cluster.handle().put_object(&format!("{pods}/{name}"), pod);
}

/// Makes the master's pod ready or not ready, as its readiness probe does. Its Locust goes on.
pub fn set_master_ready(cluster: &TestCluster, is_ready: bool) {
    change_master_pod(cluster, |pod| {
        let conditions = pod["status"]["conditions"].as_array_mut().unwrap();
        let ready = conditions.iter_mut().find(|one| one["type"] == "Ready").unwrap();
        ready["status"] = Value::from(if is_ready { "True" } else { "False" });
    });
}

/// The names of the pods of `deployment/locust-slave`.
pub fn worker_pods(cluster: &TestCluster) -> Vec<String> {
    let http = Http::new();
    let path = "/api/v1/namespaces/default/pods?labelSelector=role%3Dworker";
    let request = http.request("GET", &format!("{}{path}", cluster.server()));
    let pods = http.send(request.bearer_auth(cluster.token(Account::Admin))).json();
    let items = pods["items"].as_array().unwrap().iter();
    items.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

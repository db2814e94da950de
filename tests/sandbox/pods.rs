//! The names and nodes of the sandbox's pods.

use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::serving::wait_until;

const APPS: &str = "/apis/apps/v1/namespaces/default";

fn items(cluster: &TestCluster, path: &str) -> Vec<Value> {
    let answer = crate::http::as_admin(cluster, "GET", path, "").unwrap();
    assert_eq!(answer.status, 200, "{:?} {}", answer.headers, answer.body);
    let list: Value = serde_json::from_str(&answer.body).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// The names of the ReplicaSet and of the only pod of a new Deployment.
fn deployed(name: &str, pod_spec: &Value) -> (String, Value) {
    let cluster = TestCluster::start();
    let mut spec = json!({ "containers": [{ "name": "c", "image": "image:1" }] });
    spec.as_object_mut().unwrap().extend(pod_spec.as_object().unwrap().clone());
    let labels = json!({ "app": "new" });
    let deployment = json!({ "spec": { "selector": { "matchLabels": labels },
        "template": { "metadata": { "labels": labels }, "spec": spec } } });
    cluster.handle().put_object(&format!("{APPS}/deployments/{name}"), deployment);
    let mut pods = Vec::new();
    wait_until(
        || {
            pods = items(&cluster, "/api/v1/namespaces/default/pods?labelSelector=app%3Dnew");
            pods.len() == 1
        },
        || "the only pod".to_owned(),
    );
    let sets = items(&cluster, &format!("{APPS}/replicasets?labelSelector=app%3Dnew"));
    (sets[0]["metadata"]["name"].as_str().unwrap().to_owned(), pods.remove(0))
}

#[test]
fn a_long_pod_name_is_cut_and_a_replica_set_name_is_not() {
    for length in [12, 46, 47, 60] {
        let deployment = "w".repeat(length);
        let (set, pod) = deployed(&deployment, &json!({}));
        let hash = set.strip_prefix(&format!("{deployment}-")).unwrap();
        assert_eq!(pod["metadata"]["labels"]["pod-template-hash"], hash);
        let base = format!("{set}-");
        assert_eq!(pod["metadata"]["generateName"], *base);
        let base = &base[..base.len().min(58)];
        let random = pod["metadata"]["name"].as_str().unwrap().strip_prefix(base).unwrap();
        assert_eq!(random.len(), 5, "{pod}");
    }
}

#[test]
fn a_pod_shows_the_network_and_the_node_of_its_template() {
    let (_, pod) = deployed("plain", &json!({}));
    assert_eq!(pod["spec"].get("hostNetwork"), None);
    assert_eq!(pod["spec"]["nodeName"], "sandbox");
    let (_, pod) = deployed("bound", &json!({ "hostNetwork": true, "nodeName": "node-7" }));
    assert_eq!(pod["spec"]["hostNetwork"], true);
    assert_eq!(pod["spec"]["nodeName"], "node-7");
}

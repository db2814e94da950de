//! Lists of objects so large that a page of the usual size cannot be read.

use locustctl::sandbox::{Action, Fault};
use serde_json::json;
use support::cluster::TestCluster;
use support::{Outcome, locustctl};

/// Together they exceed the limit of 8 MiB for one answer.
const COUNT: usize = 260;
const SIZE: usize = 40_000;

/// A cluster with this number of large Deployments. They have the label `large`.
fn cluster() -> TestCluster {
    let cluster = TestCluster::start();
    for index in 0..COUNT {
        let name = format!("large-{index:03}");
        let labels = json!({"app": name, "large": "yes"});
        cluster.handle().put_object(
            &format!("/apis/apps/v1/namespaces/default/deployments/{name}"),
            json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": "default", "labels": labels,
                    "annotations": {"large": "x".repeat(SIZE)}},
                "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "c", "image": "i"}]},
                }},
            }),
        );
    }
    cluster.handle().clear_requests();
    cluster
}

fn run(cluster: &TestCluster, line: &str) -> Outcome {
    locustctl(line).kubeconfig(cluster.kubeconfig()).run()
}

#[track_caller]
fn scales_all(outcome: &Outcome) {
    let scaled = outcome.stdout.matches(" scaled from 0 to 1\n").count();
    assert_eq!((outcome.code, scaled), (Some(0), COUNT), "{}", outcome.stderr);
}

/// The limits of the LIST requests, in order.
fn limits(cluster: &TestCluster) -> Vec<String> {
    let limit = |line: String| {
        let (_, rest) = line.split_once("limit=")?;
        rest.split('&').next().map(str::to_owned)
    };
    cluster.request_lines().into_iter().filter_map(limit).collect()
}

#[test]
fn pages_become_smaller() {
    let cluster = cluster();
    scales_all(&run(&cluster, "scale --replicas=1 deploy -l large=yes"));
    assert_eq!(limits(&cluster), ["250", "125", "125", "125"]);
}

#[test]
fn pages_also_become_smaller_with_wait() {
    let cluster = cluster();
    scales_all(&run(&cluster, "scale --replicas=1 deploy -l large=yes --wait --timeout=10m"));
    assert_eq!(limits(&cluster).len(), 8);
}

#[test]
fn a_restarted_list_keeps_its_page_size() {
    let cluster = cluster();
    let gone = || {
        let expired = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "The provided continue parameter is too old", "reason": "Expired", "code": 410,
        });
        let headers = vec![("content-type".into(), "application/json".into())];
        let answer = Action::Answer { status: 410, headers, body: expired.to_string().into() };
        Fault::once(answer).on("GET").at("continue=")
    };
    cluster.handle().inject(gone());
    scales_all(&run(&cluster, "scale --replicas=1 deploy -l large=yes"));
    assert_eq!(limits(&cluster), ["250", "125", "125", "125", "125", "125"]);

    cluster.handle().inject(gone().times(Fault::ALWAYS));
    run(&cluster, "scale --replicas=0 deploy -l large=yes")
        .refuses("Error from server (Expired): The provided continue parameter is too old\n");
}

#[test]
fn a_single_object_that_is_too_large_is_an_error() {
    let cluster = TestCluster::start();
    let oversized = Fault::once(Action::Oversized(9 * 1024 * 1024));
    cluster.handle().inject(oversized.on("GET").at("limit=").times(Fault::ALWAYS));
    run(&cluster, "scale --replicas=1 deploy --all").refuses(
        "error: the answer to list deployments is larger than 8 MiB and was not read to its end\n",
    );
    assert_eq!(limits(&cluster), ["250", "125", "62", "31", "15", "7", "3", "1"]);
}

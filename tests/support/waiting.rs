//! Scales with `--wait`, on a cluster that has settled.

use std::time::Duration;

use locustctl::sandbox::{Account, Options};

use crate::cluster::TestCluster;
use crate::scaling::run;
use crate::{Outcome, SLAVE};

pub const MASTER: &str = "/apis/apps/v1/namespaces/default/deployments/locust-master";
pub const SCALED: &str = "deployment.apps/locust-slave scaled from 1 to 3\n";

/// A cluster with settled controllers.
pub fn cluster_with(pod_ready_after: Duration) -> TestCluster {
    let cluster = TestCluster::with(Options { pod_ready_after, ..Options::default() });
    for path in [SLAVE, MASTER] {
        cluster.wait_for(path, |object| object["status"]["availableReplicas"] == 1);
    }
    cluster.handle().clear_requests();
    cluster
}

pub fn cluster() -> TestCluster {
    cluster_with(Duration::from_millis(300))
}

/// A cluster whose new pods are not ready before a command watches them, also on a busy machine.
pub fn slow_cluster() -> TestCluster {
    cluster_with(Duration::from_secs(3))
}

pub fn ready(cluster: &TestCluster, path: &str) -> i64 {
    let object = cluster.handle().object(path).unwrap();
    object["status"]["availableReplicas"].as_i64().unwrap_or_default()
}

pub fn watches(cluster: &TestCluster) -> Vec<String> {
    let lines = cluster.request_lines();
    lines.into_iter().filter(|line| line.contains("watch=1")).collect()
}

/// Waits until this many watches were opened.
#[track_caller]
pub fn wait_for_watches(cluster: &TestCluster, count: usize) {
    cluster.wait_for_requests(count, |request| request.path_and_query.contains("watch=1"));
}

/// Runs the command. Calls `meanwhile` when a watch is open.
pub fn run_while(cluster: &TestCluster, line: &str, meanwhile: impl FnOnce()) -> Outcome {
    std::thread::scope(|scope| {
        let running = scope.spawn(|| run(cluster, line));
        wait_for_watches(cluster, 1);
        meanwhile();
        running.join().unwrap()
    })
}

#[track_caller]
pub fn fails_after_scaling(outcome: &Outcome, error: &str) {
    assert_eq!((outcome.code, &*outcome.stdout), (Some(1), SCALED), "{outcome:?}");
    assert!(outcome.stderr.ends_with(error), "{:?} does not end with {error:?}", outcome.stderr);
}

/// The cluster's kubeconfig with another token.
pub fn kubeconfig_of(cluster: &TestCluster, token: &str) -> std::path::PathBuf {
    let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let text = text.replace(cluster.token(Account::Admin), token);
    cluster.file("other-kubeconfig", &text)
}

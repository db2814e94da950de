//! One Deployment at a known count, and one call that scales it.

use locustctl::sandbox::{Action, Fault};

use crate::cluster::TestCluster;
use crate::{Outcome, SLAVE, locustctl};

/// The sandbox's Deployment `locust-slave`, set to `replicas`.
pub fn at(replicas: i64) -> TestCluster {
    let cluster = TestCluster::start();
    // So that resource versions change only when somebody scales.
    cluster.handle().pause_controllers();
    cluster.handle().set_replicas(SLAVE, replicas);
    cluster.handle().clear_requests();
    cluster
}

/// The command line `locustctl LINE` against the cluster.
pub fn run(cluster: &TestCluster, line: &str) -> Outcome {
    locustctl(line).kubeconfig(cluster.kubeconfig()).run()
}

/// The count that the cluster holds now.
pub fn replicas(cluster: &TestCluster) -> i64 {
    cluster.workers()
}

/// What happens to the next so many PATCHes.
pub fn on_patch(cluster: &TestCluster, times: usize, action: Action) {
    cluster.handle().inject(Fault::once(action).on("PATCH").times(times));
}

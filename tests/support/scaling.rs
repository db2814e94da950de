//! One Deployment with a known count, and one call that scales it.

use locustctl::sandbox::{Action, Fault};

use crate::cluster::TestCluster;
use crate::{Outcome, SLAVE, locustctl};

/// A cluster with the Deployment `locust-slave` at this count.
pub fn at(replicas: i64) -> TestCluster {
    let cluster = TestCluster::start();
    // Without controllers, resource versions change only when the Deployment is scaled.
    cluster.handle().pause_controllers();
    cluster.handle().set_replicas(SLAVE, replicas);
    cluster.handle().clear_requests();
    cluster
}

/// Runs `locustctl LINE` against the cluster.
pub fn run(cluster: &TestCluster, line: &str) -> Outcome {
    locustctl(line).kubeconfig(cluster.kubeconfig()).run()
}

/// The present count in the cluster.
pub fn replicas(cluster: &TestCluster) -> i64 {
    cluster.workers()
}

/// Injects a fault for the next PATCH requests.
pub fn on_patch(cluster: &TestCluster, times: usize, action: Action) {
    cluster.handle().inject(Fault::once(action).on("PATCH").times(times));
}

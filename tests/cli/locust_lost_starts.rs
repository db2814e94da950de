//! An automatic rebalance whose answer is lost: it is reported, and locustctl knows the start afterwards.

use locustctl::sandbox::{Action, Fault};
use serde_json::Value;
use support::cluster::{TestCluster, WORKERS};
use support::locustctl;
use support::running::Running;
use support::serving::{Serving, wait_until};
use support::swarm::{ask, wait_for_workers};

/// The start of a message about a start whose answer is lost.
const UNCONFIRMED: &str =
    "locustctl sent a start for 60 users to Locust, and could not confirm the result: ";

/// The end of the message after a later start.
const REPAIRED: &str = "redistributed 60 users over 4 workers";

fn users(cluster: &TestCluster) -> Value {
    ask(cluster, "GET", "stats/requests", "")["user_count"].clone()
}

/// A test for 60 users with a run time, on five workers.
fn with_run_time() -> TestCluster {
    let cluster = TestCluster::start();
    locustctl("scale --replicas=5 --wait").kubeconfig(cluster.kubeconfig()).run();
    ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=20&run_time=10m");
    cluster
}

/// Another client removes all workers except one, and the test loses users.
fn lose_users(cluster: &TestCluster) {
    cluster.handle().set_replicas(WORKERS, 1);
    wait_for_workers(cluster, 1);
}

/// The answer to the start after a loss is lost, although Locust has carried it out. Then another client adds
/// workers, and some of them get no users.
fn lose_answer_and_add_workers(cluster: &TestCluster) {
    cluster.handle().inject(Fault::once(Action::CloseAfter).at("proxy/swarm"));
    lose_users(cluster);
    wait_until(|| users(cluster) == 60, || "60 users".to_owned());
    cluster.handle().set_replicas(WORKERS, 4);
    wait_for_workers(cluster, 4);
}

#[test]
fn serve_always_reports_a_lost_start_and_knows_its_run_time() {
    let cluster = with_run_time();
    let serving = Serving::start(&cluster, &["--rebalance=always"]);
    serving.wait_until_settled(5);
    serving.wait_for_state(|state| state["locust"]["users"] == 60);
    lose_answer_and_add_workers(&cluster);
    let own = |state: &Value| {
        let all = state["history"].as_array().unwrap().iter();
        let own = all.filter(|one| one["who"] == "locustctl").map(|one| one["users"].clone());
        own.collect::<Vec<_>>()
    };
    let state = serving.wait_for_state(|state| own(state).len() == 2);
    let [repaired, lost] = &own(&state)[..] else { panic!("{state:#}") };
    assert_eq!(lost["stage"], "wrong", "{state:#}");
    assert!(lost["text"].as_str().unwrap().starts_with(UNCONFIRMED), "{state:#}");
    assert_eq!(repaired["stage"], "well", "{state:#}");
    assert!(repaired["text"].as_str().unwrap().ends_with(REPAIRED), "{state:#}");
    serving.wait_for_log(&format!("outcome=wrong detail=\"{UNCONFIRMED}"));
}

#[test]
fn rebalance_watch_reports_a_lost_start_and_knows_its_run_time() {
    let cluster = with_run_time();
    let mut watch = Running::start(&cluster, "rebalance --watch");
    watch.wait_for("the test has all its 60 users\n");
    lose_answer_and_add_workers(&cluster);
    watch.wait_for(&format!("Warning: {UNCONFIRMED}"));
    watch.wait_for(REPAIRED);
    watch.interrupt();
    assert_eq!(watch.end(), Some(130));
}

//! `locustctl serve` and a test that somebody edits in a way that Locust does not show: the release is old, and
//! the master's log cannot be read.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault, Options};
use support::cluster::{TestCluster, WORKERS};
use support::locustctl;
use support::serving::{Serving, wait_until};
use support::swarm::ask;

/// Locust 2.32.2 without a log, and a test that was started with 60 users through serve, and edited to 30
/// users without serve. All of them are running.
fn edited(flags: &[&str]) -> (TestCluster, Serving) {
    let pod_ready_after = Duration::from_millis(100);
    let locust_release = "2.32.2".parse().unwrap();
    let options = Options { pod_ready_after, locust_release, ..Options::default() };
    let cluster = TestCluster::with(options);
    locustctl("scale --replicas=2 --wait").kubeconfig(cluster.kubeconfig()).run();
    let missing = Action::Answer { status: 404, headers: Vec::new(), body: Vec::new() };
    cluster.handle().inject(Fault::once(missing).at("/proxy/logs").times(Fault::ALWAYS));
    let flags: Vec<_> = flags.iter().copied().chain(["--locust-ui"]).collect();
    let serving = Serving::start(&cluster, &flags);
    let has = |users: i64| {
        serving.wait_for_state_at("/-/locustctl/api/events", |state| {
            let locust = &state["locust"];
            locust["users"] == users && locust["ownWorkers"] == 2 && locust["state"] == "running"
        });
    };
    wait_until(|| serving.get("/-/locustctl/readyz").status == 200, || "readiness".to_owned());
    serving
        .wait_for_state_at("/-/locustctl/api/events", |state| state["locust"]["ownWorkers"] == 2);
    let start = serving.request("POST", "/swarm").body("user_count=60&spawn_rate=60");
    let start = start.header("content-type", "application/x-www-form-urlencoded");
    let answer = serving.send(start);
    assert_eq!(answer.status, 200, "{answer:?}");
    has(60);
    // Locust caches the statistics for two seconds, and serve needs them to know the users of each worker.
    std::thread::sleep(Duration::from_secs(5));
    has(60);
    ask(&cluster, "POST", "swarm", "user_count=30&spawn_rate=60");
    has(30);
    std::thread::sleep(Duration::from_secs(5));
    has(30);
    (cluster, serving)
}

/// The starts that were sent to Locust.
fn starts(cluster: &TestCluster) -> usize {
    let lines = cluster.request_lines();
    lines.iter().filter(|line| line.starts_with("POST") && line.ends_with("/swarm")).count()
}

fn users(cluster: &TestCluster) -> serde_json::Value {
    ask(cluster, "GET", "stats/requests", "")["user_count"].clone()
}

#[test]
fn the_users_before_an_edit_are_not_started_again_after_a_worker_leaves() {
    let (cluster, serving) = edited(&["--rebalance=always"]);
    let before = starts(&cluster);
    cluster.handle().set_replicas(WORKERS, 1);
    serving.wait_for_state_at("/-/locustctl/api/events", |state| {
        state["locust"]["ownWorkers"] == 1 && state["locust"]["users"] == 30
    });
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!((starts(&cluster), users(&cluster)), (before, 30.into()));
}

#[test]
fn the_users_before_an_edit_are_not_started_again_after_a_change_or_on_request() {
    let (cluster, serving) = edited(&[]);
    let scale = serving.request("PUT", "/-/locustctl/api/scale?wait=50s");
    let scale = scale.header("content-type", "application/json").body(r#"{"replicas": 1}"#);
    assert_eq!(serving.send(scale).status, 200);
    let before = starts(&cluster);
    serving.send(serving.request("POST", "/-/locustctl/api/rebalance"));
    assert_eq!((starts(&cluster), users(&cluster)), (before, 30.into()));
}

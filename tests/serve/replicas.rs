//! Two replicas of `locustctl serve` that share a Lease: only its holder redistributes users.

use std::time::{Duration, Instant};

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::serving::{Serving, wait_until};
use support::swarm::{ask, running};

use super::shared_history::scale;

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/locustctl";

/// The number of starts that Locust got.
fn starts(cluster: &TestCluster) -> usize {
    let is_start = |line: &String| line.starts_with("POST") && line.ends_with("/swarm");
    cluster.request_lines().iter().filter(|line| is_start(line)).count()
}

fn users(cluster: &TestCluster) -> Value {
    ask(cluster, "GET", "stats/requests", "")["user_count"].clone()
}

fn holder(cluster: &TestCluster) -> String {
    let lease = cluster.handle().object(LEASE).unwrap_or_default();
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

/// Waits longer than a Lease lasts.
#[track_caller]
fn wait_for_takeover(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < deadline, "no {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn only_the_holder_of_the_lease_redistributes_users_and_the_other_replica_takes_over() {
    let cluster = running(5);
    let flags = ["--lease=locustctl", "--rebalance=always"];
    let one = Serving::start(&cluster, &flags);
    wait_until(|| !holder(&cluster).is_empty(), || "a holder".to_owned());
    let first = holder(&cluster);
    let other = Serving::start(&cluster, &flags);
    for serving in [&one, &other] {
        serving.wait_for_state(|state| state["locust"]["users"] == 60);
    }
    let before = starts(&cluster);
    cluster.handle().set_replicas(WORKERS, 3);
    wait_until(|| starts(&cluster) > before, || "a start".to_owned());
    other.wait_for_state(|state| state["locust"]["workers"] == 3 && state["locust"]["users"] == 60);
    assert_eq!((starts(&cluster), holder(&cluster)), (before + 1, first.clone()));
    one.wait_for_log("action=\"rebalance\"");
    assert!(!other.stderr().contains("action=\"rebalance\""), "{}", other.stderr());

    one.signal("KILL");
    drop(one);
    cluster.handle().set_replicas(WORKERS, 1);
    wait_for_takeover("start by the other replica", || starts(&cluster) > before + 1);
    assert!(holder(&cluster) != first);
    wait_for_takeover("test with all its users", || users(&cluster) == 60);
    other.wait_for_log("action=\"rebalance\"");
    let lease = cluster.handle().object(LEASE).unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 1);
    other.signal("TERM");
    assert_eq!(other.wait().0, Some(0));
    assert_eq!(holder(&cluster), "", "it is released");
}

#[test]
fn a_replica_that_is_killed_after_a_change_is_replaced_by_the_other_one() {
    let cluster = running(5);
    let flags = ["--lease=locustctl"];
    let one = Serving::start(&cluster, &flags);
    let other = Serving::start(&cluster, &flags);
    for serving in [&one, &other] {
        serving.wait_for_state(|state| state["locust"]["users"] == 60);
    }
    assert_eq!(holder(&cluster), "", "no work, no holder");
    let before = starts(&cluster);
    // The first replica waits for the pods until it is killed.
    cluster.handle().pause_controllers();
    scale(&one, 3);
    wait_until(|| !holder(&cluster).is_empty(), || "a holder".to_owned());
    one.signal("KILL");
    drop(one);
    cluster.handle().resume_controllers();
    wait_for_takeover("start by the other replica", || starts(&cluster) > before);
    wait_for_takeover("test with all its users", || users(&cluster) == 60);
    other.wait_for_log("has ended before it could check the users: this replica takes over");
    wait_for_takeover("release", || holder(&cluster).is_empty());
    assert_eq!(starts(&cluster), before + 1);
    let state = other.wait_for_state(|state| state["history"][0]["who"] == "locustctl");
    assert_eq!(state["history"][0]["users"]["stage"], "well", "{state:#}");
}

#[test]
fn the_lease_is_held_during_a_change_and_released_afterwards() {
    let cluster = running(5);
    let serving = Serving::start(&cluster, &["--lease=locustctl"]);
    serving.wait_for_state(|state| state["locust"]["users"] == 60);
    let scaled = serving.put("?wait=50s", r#"{"replicas": 3}"#).json();
    assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    wait_for_takeover("release", || {
        cluster.handle().object(LEASE).is_some() && holder(&cluster).is_empty()
    });
    let lease = cluster.handle().object(LEASE).unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 0, "{lease}");
    assert_eq!(users(&cluster), 60);
}

#[test]
fn a_replica_that_may_not_write_the_lease_does_not_take_over_and_says_so_once() {
    let cluster = running(5);
    let spec = json!({"holderIdentity": "ended", "leaseDurationSeconds": 1, "leaseTransitions": 0});
    cluster.handle().put_object(LEASE, json!({"metadata": {"name": "locustctl"}, "spec": spec}));
    let forbidden = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "leases are forbidden"});
    let answer = Action::Answer {
        status: 403,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: forbidden.to_string().into_bytes(),
    };
    cluster.handle().inject(Fault::once(answer).on("PUT").at(LEASE).times(1000));
    let serving = Serving::start(&cluster, &["--lease=locustctl"]);
    let writes = || {
        let lines = cluster.request_lines();
        lines.iter().filter(|line| line.starts_with("PUT") && line.contains("/leases/")).count()
    };
    wait_for_takeover("third attempt", || writes() >= 3);
    let log = serving.stderr();
    assert_eq!(log.matches("cannot use the Lease locustctl").count(), 1, "{log}");
    assert!(!log.contains("takes over") && !log.contains("action=\"rebalance\""), "{log}");
    cluster.handle().clear_faults();
    serving.wait_for_log("has ended before it could check the users: this replica takes over");
    wait_for_takeover("release", || holder(&cluster).is_empty());
}

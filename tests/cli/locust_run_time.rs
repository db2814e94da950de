//! Tests with a run time: a rebalance keeps the end of the test, or does not change the test.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use serde_json::json;
use support::cluster::TestCluster;
use support::locustctl;
use support::swarm::{ask, ask_for_text, change_master_pod, running};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::locust::run;

#[test]
fn a_test_with_an_uncertain_run_time_is_not_rebalanced() {
    let cluster = running(5);
    ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=20&run_time=3m");
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto");
    outcome.exits(1, "deployment.apps/locust-slave scaled from 5 to 1\n");
    assert!(
        outcome.stderr.contains(
            "locustctl does not redistribute the users: the test was edited after its start"
        ),
        "{outcome:?}"
    );
    assert_eq!(
        ask(&cluster, "GET", "stats/requests", "")["user_count"],
        15,
        "locustctl sent no start"
    );
}

#[test]
fn a_test_with_a_run_time_is_rebalanced_for_the_remaining_time() {
    let cluster = TestCluster::start();
    run(&cluster, "scale --replicas=5 --wait --locust=auto");
    ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=20&run_time=3m");
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.ends_with("redistributed 60 users over 1 worker\n"), "{outcome:?}");
    let posted = cluster.handle().requests();
    let posted = posted.iter().rfind(|request| request.line().ends_with("proxy/swarm")).unwrap();
    let form = String::from_utf8_lossy(&posted.body).into_owned();
    let left = form.strip_prefix("user_count=60&spawn_rate=20&run_time=").unwrap();
    let left: u64 = left.strip_suffix('s').unwrap().parse().unwrap();
    assert!((150..180).contains(&left), "{form}");
}

/// Workers report every three seconds. A report that arrives just after the start of the test covers the time
/// before it, and Locust keeps the earliest start of all reports.
#[test]
fn the_remaining_time_is_known_if_the_statistics_begin_with_a_report_before_the_test() {
    let cluster = TestCluster::start();
    run(&cluster, "scale --replicas=5 --wait --locust=auto");
    ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=20&run_time=3m");
    move_start_of_statistics(&cluster, Duration::from_secs(4));
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.ends_with("redistributed 60 users over 1 worker\n"), "{outcome:?}");
}

/// From now on, Locust reports that its statistics start earlier by this time.
fn move_start_of_statistics(cluster: &TestCluster, earlier: Duration) {
    let report = ask_for_text(cluster, "stats/report");
    let (before, rest) = report.split_once("\"start_time\":\"").unwrap();
    let (start, after) = rest.split_once('"').unwrap();
    let start = OffsetDateTime::parse(start, &Rfc3339).unwrap() - earlier;
    let start = start.format(&Rfc3339).unwrap();
    let body = format!("{before}\"start_time\":\"{start}\"{after}").into_bytes();
    let answer = Action::Answer { status: 200, headers: Vec::new(), body };
    let fault = Fault::once(answer).on("GET").at("proxy/stats/report");
    cluster.handle().inject(fault.times(Fault::ALWAYS));
}

#[test]
fn a_rebalance_keeps_the_run_time_for_the_next_rebalance() {
    let cluster = TestCluster::start();
    let home = cluster.directory().to_owned();
    let run = |line: &str| {
        locustctl(line).kubeconfig(cluster.kubeconfig()).env("HOME", home.to_str().unwrap()).run()
    };
    run("scale --replicas=5 --wait --locust=auto");
    ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=20&run_time=3m");
    for replicas in [3, 1, 4] {
        let outcome = run(&format!("scale --replicas={replicas} --locust=auto"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(ask(&cluster, "GET", "stats/requests", "")["user_count"], 60);
    }
    let starts = cluster.handle().requests();
    let last = starts.iter().rfind(|request| request.line().ends_with("proxy/swarm")).unwrap();
    let form = String::from_utf8_lossy(&last.body).into_owned();
    assert!(form.contains("&run_time=1"), "{form}");
    // A user edits the test, so the end of its run time is uncertain.
    ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=20");
    let outcome = run("scale --replicas=1 --locust=auto");
    let outcome = match outcome.stderr.contains("has all its 60 users") {
        true => run("scale --replicas=3 --locust=auto"),
        false => outcome,
    };
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("the test was edited after its start"), "{outcome:?}");
}

#[test]
fn a_run_time_that_may_be_only_the_masters_is_not_sent() {
    for (flag, locust, is_sent) in [
        ("--run-time=10m", "auto", true),
        ("--run-time=3m", "auto", false),
        ("--run-time=10m", "service/locust-master:8089", true),
        ("--run-time=3m", "service/locust-master:8089", false),
    ] {
        let cluster = TestCluster::start();
        start_master_with(&cluster, flag);
        run(&cluster, "scale --replicas=5 --wait --locust=auto");
        ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=20&run_time=3m");
        let outcome = run(&cluster, &format!("scale --replicas=1 --locust={locust}"));
        assert_eq!(outcome.code, Some(if is_sent { 0 } else { 1 }), "{flag} {locust}: {outcome:?}");
        let reason = "locustctl does not redistribute the users: Locust's page may show only the run time that the \
                      master was started with";
        assert_eq!(outcome.stderr.contains(reason), !is_sent, "{flag} {locust}: {outcome:?}");
        let users = if is_sent { 60 } else { 15 };
        let stats = ask(&cluster, "GET", "stats/requests", "");
        assert_eq!(stats["user_count"], users, "{flag} {locust}");
    }
}

/// Adds a flag to the command in the pod of the master.
fn start_master_with(cluster: &TestCluster, flag: &str) {
    change_master_pod(cluster, |pod| {
        let args = &mut pod["spec"]["containers"][0]["args"];
        args.as_array_mut().unwrap().push(json!(flag));
    });
}

//! Signals in each phase of a test: the test is stopped, and the old count comes back.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use support::cluster::TestCluster;
use support::running::Running;
use support::serving::wait_until;
use support::swarm::ask;
use support::waiting::cluster;

const LINE: &str = "run --replicas=3 -u 20 -r 20 -t 10m";

const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

/// Sends each signal to a new run that has reached the phase.
#[track_caller]
fn cleans_up(cluster: &TestCluster, start: impl Fn() -> Running) {
    for (signal, code) in SIGNALS {
        cluster.handle().clear_requests();
        let mut run = start();
        run.signal(signal);
        assert_eq!(run.end(), Some(code), "{signal}: {}", run.stderr());
        assert_eq!(cluster.workers(), 1, "{signal}: {}", run.stderr());
        let state = ask(cluster, "GET", "stats/requests", "")["state"].clone();
        assert!(state == "stopped" || state == "ready", "{signal}: {state}");
    }
}

/// Waits until Locust has got a request that ends with this.
fn wait_for_request(cluster: &TestCluster, run: &Running, end: &str) {
    let is_sent = || cluster.request_lines().iter().any(|line| line.ends_with(end));
    wait_until(is_sent, || format!("{end}: {}", run.stderr()));
}

#[test]
fn while_the_pods_start() {
    let cluster = cluster();
    cluster.handle().pause_controllers();
    cleans_up(&cluster, || {
        let run = Running::start(&cluster, LINE);
        run.wait_for("scaled from 1 to 3\n");
        run
    });
}

#[test]
fn while_the_start_is_not_answered() {
    let cluster = cluster();
    cleans_up(&cluster, || {
        let slow = Fault::once(Action::DelayAnswer(Duration::from_secs(60)));
        cluster.handle().inject(slow.at("proxy/swarm"));
        let run = Running::start(&cluster, LINE);
        wait_for_request(&cluster, &run, "proxy/swarm");
        run
    });
}

#[test]
fn while_the_test_runs() {
    let cluster = cluster();
    cleans_up(&cluster, || {
        let run = Running::start(&cluster, LINE);
        run.wait_for("running, 20 users");
        run
    });
}

#[test]
fn while_the_results_are_read() {
    let cluster = cluster();
    cleans_up(&cluster, || {
        let run = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 2s");
        wait_for_request(&cluster, &run, "proxy/exceptions/csv");
        run
    });
}

#[test]
fn the_results_are_read_after_the_first_signal_and_skipped_after_another_kind() {
    let cluster = cluster();
    let start = || {
        let run = Running::start(&cluster, LINE);
        run.wait_for("running, 20 users");
        run.interrupt();
        run.wait_for("scaled back from 3 to 1\n");
        run
    };
    let mut run = start();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert!(run.stdout().contains("Aggregated"), "{}", run.stdout());
    assert!(run.stdout().ends_with("verdict: not run: a signal ended the run\n"));
    let mut run = start();
    run.signal("TERM");
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert!(!run.stdout().contains("Aggregated"), "{}", run.stdout());
}

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
fn no_start_is_sent_after_a_signal() {
    let cluster = cluster();
    cluster.handle().pause_controllers();
    let mut run = Running::start(&cluster, LINE);
    run.wait_for("scaled from 1 to 3\n");
    // Locust's log is read right before the start.
    cluster.handle().inject(Fault::once(Action::HoldAnswer).at("proxy/logs"));
    cluster.handle().resume_controllers();
    wait_until(|| cluster.handle().pending_faults() == 0, || run.stderr());
    run.interrupt();
    assert_eq!((run.end(), cluster.workers()), (Some(130), 1), "{}", run.stderr());
    let lines = cluster.request_lines();
    assert!(!lines.iter().any(|line| line.ends_with("proxy/swarm")), "{lines:#?}");
}

#[test]
fn a_start_that_reaches_locust_after_the_signal_is_stopped_and_its_results_are_read() {
    let cluster = cluster();
    let held = Fault::once(Action::Hold);
    cluster.handle().inject(held.at("proxy/swarm"));
    let mut run = Running::start(&cluster, LINE);
    wait_until(|| cluster.handle().pending_faults() == 0, || run.stderr());
    run.interrupt();
    run.wait_for("Interrupted: locustctl undoes its changes");
    cluster.handle().clear_faults();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert!(run.stderr().contains("locustctl stopped the test\n"), "{}", run.stderr());
    assert!(run.stdout().contains("Aggregated"), "{}", run.stdout());
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_second_interrupt_ends_a_scale_that_is_not_answered() {
    let cluster = cluster();
    cluster.handle().inject(Fault::once(Action::HoldAnswer).on("PATCH"));
    let mut run = Running::start(&cluster, LINE);
    wait_until(|| cluster.handle().pending_faults() == 0, || run.stderr());
    run.interrupt();
    run.wait_for("Interrupted: locustctl undoes its changes");
    assert_eq!(run.insist("INT"), Some(130), "{}", run.stderr());
    let by_hand =
        "run: locustctl scale --current-replicas=3 --replicas=1 deployment/locust-slave\n";
    assert!(run.stderr().contains(by_hand), "{}", run.stderr());
    assert_eq!(cluster.workers(), 3);
}

#[test]
fn the_workers_leave_when_locust_has_stopped_the_test() {
    let cluster = cluster();
    let mut run = Running::start(&cluster, LINE);
    run.wait_for("running, 20 users");
    cluster.handle().clear_requests();
    let slow = Fault::once(Action::Delay(Duration::from_secs(1)));
    cluster.handle().inject(slow.at("proxy/stop"));
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    let lines = cluster.request_lines();
    let position = |found: &dyn Fn(&str) -> bool| lines.iter().position(|line| found(line));
    let stop = position(&|line| line.ends_with("proxy/stop")).unwrap();
    let patch = position(&|line| line.starts_with("PATCH")).unwrap();
    let looks = lines[stop..patch.max(stop)].iter().filter(|line| line.ends_with("proxy/"));
    assert!(looks.count() > 0, "{lines:#?}");
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
        // After the signal, the results are read again.
        cluster.handle().clear_faults();
        cluster.handle().inject(Fault::once(Action::HoldAnswer).at("proxy/exceptions/csv"));
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

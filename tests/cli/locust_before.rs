//! `scale --locust` on a release whose master breaks when several workers leave a running test at once: the state of
//! Locust and its workers right before the change.

use locustctl::sandbox::{Action, Fault, Options};
use support::SLAVE;
use support::cluster::TestCluster;
use support::running::Running;
use support::scaling::run;
use support::swarm::{ask, ask_for_text, set_master_ready, start_test};

/// A running test for 60 users on this many workers of Locust 2.32.2.
fn running(workers: i64) -> TestCluster {
    let locust_release = "2.32.2".parse().unwrap();
    let cluster = TestCluster::with(Options { locust_release, ..Options::default() });
    run(&cluster, &format!("scale --replicas={workers} --wait --locust=auto"));
    start_test(&cluster);
    cluster
}

/// The master has all users on this many workers, and still receives their messages.
fn assert_well(cluster: &TestCluster, workers: usize) {
    let stats = ask(cluster, "GET", "stats/requests", "");
    assert_eq!(stats["user_count"], 60, "{stats}");
    assert_eq!(stats["workers"].as_array().unwrap().len(), workers, "{stats}");
    let log = ask_for_text(cluster, "logs");
    assert!(!log.contains("Unhandled exception in greenlet"), "{log}");
}

#[test]
fn a_single_failure_of_locust_does_not_remove_several_workers_at_once() {
    for failure in [Action::html(502), Action::CloseBefore, Action::AnswerAfter(503)] {
        let cluster = running(4);
        cluster.handle().inject(Fault::once(failure).at("proxy/"));
        let outcome = run(&cluster, "scale --replicas=1 --locust=auto");
        outcome.exits(0, "deployment.apps/locust-slave scaled from 4 to 1 in 3 steps\n");
        assert_eq!(cluster.handle().pending_faults(), 0);
        assert_well(&cluster, 1);
    }
}

#[test]
fn a_worker_that_has_just_left_is_waited_for() {
    let cluster = running(4);
    cluster.handle().set_replicas(SLAVE, 3);
    let outcome = run(&cluster, "scale --replicas=2 --locust=auto");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 3 to 2\n");
    assert_well(&cluster, 2);
}

/// Locust reports its present workers for so many requests, also if they leave.
fn stale_statistics(cluster: &TestCluster, requests: usize) -> Fault {
    let stale = Action::Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: ask_for_text(cluster, "stats/requests").into_bytes(),
    };
    Fault::once(stale).times(requests).on("GET").at("proxy/stats/requests")
}

#[test]
fn the_first_step_waits_until_the_statistics_show_the_present_workers() {
    let cluster = running(4);
    let stale = stale_statistics(&cluster, 6);
    cluster.handle().set_replicas(SLAVE, 3);
    cluster.handle().inject(stale);
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 3 to 1 in 2 steps\n");
    assert_well(&cluster, 1);
}

#[test]
fn without_the_current_workers_the_count_stays() {
    let cluster = running(4);
    let stale = stale_statistics(&cluster, Fault::ALWAYS);
    cluster.handle().set_replicas(SLAVE, 3);
    cluster.handle().inject(stale);
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto --timeout=3s");
    outcome.exits(1, "");
    let error = "not scaled, because workers that were removed earlier may not have left Locust: after 3s: \
                 Locust's statistics do not show its current workers. To remove the pods without this wait, use \
                 --at-once\n";
    assert!(outcome.stderr.contains(error), "{outcome:?}");
    assert_eq!(cluster.workers(), 3);
}

#[test]
fn a_count_that_is_reached_during_the_question_is_left_in_steps() {
    let cluster = running(4);
    cluster.handle().inject(Fault::once(Action::Rival(5)).on("PATCH").at("locust-slave/scale"));
    let outcome = run(&cluster, "scale --replicas=3 --current-replicas=5 --locust=auto");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 5 to 3 in 2 steps\n");
    assert_well(&cluster, 3);
}

#[test]
fn a_test_of_a_master_that_is_not_ready_for_a_moment_is_found() {
    for locust in ["auto", "service/locust-master"] {
        let cluster = running(3);
        set_master_ready(&cluster, false);
        let line = format!("scale --replicas=1 --locust={locust} --timeout=60s");
        let mut scale = Running::start(&cluster, &line);
        scale.wait_for("Trying again for up to 15 s: ");
        assert!(scale.stderr().contains("no endpoints"), "{}", scale.stderr());
        set_master_ready(&cluster, true);
        assert_eq!(scale.end(), Some(0), "{}", scale.stderr());
        assert_eq!(scale.stdout(), "deployment.apps/locust-slave scaled from 3 to 1 in 2 steps\n");
        assert_well(&cluster, 1);
    }
}

#[test]
fn a_removal_of_pods_is_warned_of_if_the_master_is_not_ready_or_not_found() {
    for locust in ["auto", "service/locust-master", "service/locust-mastr"] {
        let cluster = running(3);
        set_master_ready(&cluster, false);
        let outcome = run(&cluster, &format!("scale --replicas=1 --locust={locust} --timeout=3s"));
        outcome.exits(1, "deployment.apps/locust-slave scaled from 3 to 1\n");
        let warning = "Without an answer from Locust, locustctl cannot tell if a test is running. The change \
                       removes 2 pods at once.";
        assert!(outcome.stderr.contains(warning), "{locust}: {outcome:?}");
    }
}

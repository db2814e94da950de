//! A test of somebody else, right before the start of a run's test and right after its end.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use support::SLAVE;
use support::cluster::TestCluster;
use support::running::Running;
use support::serving::wait_until;
use support::swarm::{ask, wait_for_workers};
use support::waiting::cluster;

const CSV: &str = "proxy/stats/requests/csv";

/// Runs a test, and calls `meanwhile` right before Locust answers read number `number` of its results. Returns the
/// ended run.
fn run_and_read(cluster: &TestCluster, number: usize, meanwhile: impl FnOnce()) -> Running {
    let pass = Fault::once(Action::DelayAnswer(Duration::ZERO));
    cluster.handle().inject(pass.at(CSV).times(number - 1));
    cluster.handle().inject(Fault::once(Action::Hold).at(CSV));
    let mut run = Running::start(cluster, "run --replicas=3 -u 20 -r 20 -t 2s");
    wait_until(|| cluster.handle().pending_faults() == 0, || run.stderr());
    meanwhile();
    cluster.handle().clear_faults();
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    run
}

/// The error about workers that somebody else's test uses.
const IN_USE: &str = "error: putting the old number of workers back: somebody else's test uses the workers \
                      (state running, 5 users); to do it when that test has ended, run: ";

/// The run has left three workers to somebody else's test, and says how to remove them later.
fn leaves_workers(cluster: &TestCluster, run: &Running) {
    assert_eq!(cluster.workers(), 3, "{}", run.stderr());
    assert_eq!(run.stderr().matches(IN_USE).count(), 1, "{}", run.stderr());
    let command = " --current-replicas=3 --replicas=1 deployment/locust-slave\n";
    assert!(run.stderr().ends_with(command), "{}", run.stderr());
    assert!(!run.stderr().contains("scaled back"), "{}", run.stderr());
}

#[test]
fn a_test_that_somebody_else_starts_first_is_neither_changed_nor_stopped() {
    let cluster = cluster();
    cluster.handle().pause_controllers();
    let mut run = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 10m");
    run.wait_for("scaled from 1 to 3\n");
    // Locust's log is read after the check that no test is running.
    cluster.handle().inject(Fault::once(Action::HoldAnswer).at("proxy/logs"));
    cluster.handle().resume_controllers();
    wait_until(|| cluster.handle().pending_faults() == 0, || run.stderr());
    start_other_test(&cluster);
    cluster.handle().clear_faults();
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    let error = "error: starting the test: somebody else has started a test: its state is running, with 5 users; \
                 nothing was sent\n";
    assert!(run.stderr().contains(error), "{}", run.stderr());
    leaves_workers(&cluster, &run);
    let lines = cluster.request_lines();
    let to = |end: &str| lines.iter().filter(|line| line.ends_with(end)).count();
    // The only start is that of somebody else.
    assert_eq!((to("proxy/swarm"), to("proxy/stop")), (1, 0), "{lines:#?}");
}

fn start_other_test(cluster: &TestCluster) {
    ask(cluster, "POST", "swarm", "user_count=5&spawn_rate=5");
}

const ANOTHER: &str = "somebody else started another test after this one, so Locust no longer has the results of \
                       this test\n";

#[test]
fn results_of_another_test_are_an_error_while_it_runs_and_after_its_end() {
    for has_ended in [false, true] {
        let cluster = cluster();
        let run = run_and_read(&cluster, 1, || {
            start_other_test(&cluster);
            if has_ended {
                ask(&cluster, "POST", "stop", "");
            }
        });
        let error = format!("error: reading the results: {ANOTHER}");
        assert!(run.stderr().contains(&error), "{}", run.stderr());
        let verdict = "verdict: not run: the results could not be read\n";
        assert!(run.stdout().ends_with(verdict), "{}", run.stdout());
        match has_ended {
            true => assert_eq!(cluster.workers(), 1, "{}", run.stderr()),
            false => leaves_workers(&cluster, &run),
        }
    }
}

#[test]
fn results_that_another_test_replaces_before_they_are_final_are_kept_and_are_an_error() {
    let cluster = cluster();
    let run = run_and_read(&cluster, 2, || start_other_test(&cluster));
    let error = format!("the results may not be final, because a later read failed: {ANOTHER}");
    assert!(run.stderr().contains(&error), "{}", run.stderr());
    assert!(run.stdout().contains("Aggregated"), "{}", run.stdout());
    leaves_workers(&cluster, &run);
}

#[test]
fn workers_that_a_run_has_removed_come_back_also_during_another_test() {
    let cluster = cluster();
    cluster.handle().set_replicas(SLAVE, 3);
    wait_for_workers(&cluster, 3);
    cluster.handle().inject(Fault::once(Action::Hold).at(CSV));
    let mut run = Running::start(&cluster, "run --replicas=1 -u 20 -r 20 -t 2s");
    wait_until(|| cluster.handle().pending_faults() == 0, || run.stderr());
    start_other_test(&cluster);
    cluster.handle().clear_faults();
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    assert!(run.stderr().contains("scaled back from 1 to 3\n"), "{}", run.stderr());
    assert_eq!(cluster.workers(), 3);
}

#[test]
fn if_somebody_else_scales_and_starts_a_test_the_count_stays_with_a_warning() {
    let cluster = cluster();
    let run = run_and_read(&cluster, 1, || {
        cluster.handle().set_replicas(SLAVE, 5);
        start_other_test(&cluster);
    });
    let warning = "Warning: deployment.apps/locust-slave stays at 5, because somebody else scaled it during the run";
    assert!(run.stderr().contains(warning), "{}", run.stderr());
    assert!(!run.stderr().contains("putting the old number of workers back"), "{}", run.stderr());
}

//! Two runs with the same workers: the second one is refused.

use locustctl::sandbox::{Action, Fault};
use support::running::Running;
use support::scaling::run;
use support::waiting::cluster;

use super::command::{has_in_order, wait_for_script, waiting_script};

const LEASE: &str =
    "/apis/coordination.k8s.io/v1/namespaces/default/leases/locustctl-run-deployment-locust-slave";

#[test]
fn a_second_run_is_refused_and_told_who_holds_the_lease() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let line = format!("run --replicas=3 -- /bin/sh {script}");
    let mut first = Running::start(&cluster, &line);
    wait_for_script(&cluster, &first);
    let lease = cluster.handle().object(LEASE).unwrap();
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap();
    let second = run(&cluster, "run --replicas=5 -- /bin/true");
    second.exits(125, "");
    let expected = format!(
        "error: another run uses deployment.apps/locust-slave: {holder} has held the Lease \
         locustctl-run-deployment-locust-slave since "
    );
    assert!(second.stderr.contains(&expected), "{second:?}");
    let advice =
        ". Nothing was changed. To wait for the end of the run, use --wait-for-idle=DURATION\n";
    assert!(second.stderr.ends_with(advice), "{second:?}");
    assert_eq!(cluster.workers(), 3);
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(first.end(), Some(0), "{}", first.stderr());
    // The Lease is released at the end.
    let third = run(&cluster, "run --replicas=2 -- /bin/true");
    assert_eq!((third.code, cluster.workers()), (Some(0), 1), "{third:?}");
}

#[test]
fn with_wait_for_idle_a_second_run_waits_for_the_first_one_and_begins_with_its_old_count() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut first = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &first);
    let lease = cluster.handle().object(LEASE).unwrap();
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap();
    let mut second =
        Running::start(&cluster, "run --replicas=5 --wait-for-idle=5m -u 20 -r 20 -t 1s");
    second.wait_for(&format!(
        "Waiting until {holder} releases the Lease locustctl-run-deployment-locust-slave\n"
    ));
    assert_eq!(cluster.workers(), 3);
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(first.end(), Some(0), "{}", first.stderr());
    assert_eq!(second.end(), Some(0), "{}", second.stderr());
    let changes = ["scaled from 1 to 5\n", "scaled back from 5 to 1\n"];
    has_in_order(&second.stderr(), &changes);
    assert_eq!(second.stderr().matches("Using Locust").count(), 1, "{}", second.stderr());
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_second_run_whose_time_limit_is_over_changes_nothing() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut first = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &first);
    let second = run(&cluster, "run --replicas=5 --wait-for-idle=1s -- /bin/true");
    second.exits(125, "");
    let advice =
        ". Nothing was changed. The time limit of --wait-for-idle is over; give a longer one\n";
    assert!(second.stderr.ends_with(advice), "{second:?}");
    assert_eq!(cluster.workers(), 3);
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(first.end(), Some(0), "{}", first.stderr());
}

#[test]
fn a_run_that_waits_for_another_one_ends_at_the_first_signal() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut first = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &first);
    let mut second = Running::start(&cluster, "run --wait-for-idle=5m -- /bin/true");
    second.wait_for("releases the Lease");
    second.interrupt();
    assert_eq!(second.end(), Some(130), "{}", second.stderr());
    assert!(second.stderr().ends_with("nothing was changed\n"), "{}", second.stderr());
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(first.end(), Some(0), "{}", first.stderr());
}

#[test]
fn after_a_wait_a_run_without_replicas_uses_the_present_count() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut first = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &first);
    let mut second = Running::start(&cluster, "run --wait-for-idle=5m -u 20 -r 20 -t 1s");
    second.wait_for("releases the Lease");
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(first.end(), Some(0), "{}", first.stderr());
    assert_eq!(second.end(), Some(0), "{}", second.stderr());
    assert!(second.stderr().contains("1 worker is connected"), "{}", second.stderr());
}

#[test]
fn a_second_run_beside_a_test_is_told_who_runs_it() {
    let cluster = cluster();
    let mut first = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 10m");
    first.wait_for("running, 20 users");
    let lease = cluster.handle().object(LEASE).unwrap();
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap();
    let second = run(&cluster, "run --replicas=5 -u 5 -t 1s");
    second.exits(1, "");
    let refusal = "error: Locust at service/locust-master is running a test: its state is running, with 20 users. ";
    let expected =
        format!(". {holder} has held the Lease locustctl-run-deployment-locust-slave since ");
    assert!(second.stderr.contains(refusal), "{second:?}");
    assert!(second.stderr.contains(&expected), "{second:?}");
    assert_eq!(cluster.workers(), 3);
    first.interrupt();
    assert_eq!(first.end(), Some(130), "{}", first.stderr());
}

#[test]
fn the_lease_of_a_run_that_was_killed_is_taken_over() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let first = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &first);
    first.signal("KILL");
    let second = run(&cluster, "run --replicas=2 -- /bin/true");
    assert_eq!((second.code, cluster.workers()), (Some(0), 3), "{second:?}");
}

#[test]
fn without_the_right_to_leases_a_note_says_so() {
    let cluster = cluster();
    let forbidden = Action::Answer {
        status: 403,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: br#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no leases for you","reason":"Forbidden","code":403}"#
            .to_vec(),
    };
    cluster.handle().inject(Fault::once(forbidden).at("/leases").times(Fault::ALWAYS));
    let outcome = run(&cluster, "run --replicas=3 -- /bin/true");
    assert_eq!((outcome.code, cluster.workers()), (Some(0), 1), "{outcome:?}");
    assert!(
        outcome.stderr.contains(
            "Note: locustctl cannot take the Lease locustctl-run-deployment-locust-slave, so it does not notice \
             another run: no leases for you\n"
        ),
        "{outcome:?}"
    );
}

#[test]
fn a_dry_run_takes_no_lease() {
    let cluster = cluster();
    let outcome = run(&cluster, "run --replicas=3 --dry-run -- /bin/true");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(cluster.handle().object(LEASE), None);
}

//! Two runs with the same workers: the second one is refused.

use locustctl::sandbox::{Action, Fault};
use support::running::Running;
use support::scaling::run;
use support::waiting::cluster;

use super::command::{wait_for_script, waiting_script};

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
        "error: another run uses deployment.apps/locust-slave: {holder} holds the Lease \
         locustctl-run-deployment-locust-slave since "
    );
    assert!(second.stderr.contains(&expected), "{second:?}");
    assert!(second.stderr.ends_with("Wait until it ends; nothing was changed\n"), "{second:?}");
    assert_eq!(cluster.workers(), 3);
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(first.end(), Some(0), "{}", first.stderr());
    // The Lease is released at the end.
    let third = run(&cluster, "run --replicas=2 -- /bin/true");
    assert_eq!((third.code, cluster.workers()), (Some(0), 1), "{third:?}");
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
        format!(". The Lease locustctl-run-deployment-locust-slave is held by {holder} since ");
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

//! Failures of Locust and of the API server before the test, and answers that are lost.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use support::SLAVE;
use support::running::Running;
use support::serving::wait_until;
use support::swarm::{ask, wait_for_workers};
use support::waiting::cluster;

use super::command::has_in_order;

#[test]
fn a_single_failure_does_not_end_the_wait_for_another_test() {
    let cluster = cluster();
    ask(&cluster, "POST", "swarm", "user_count=5&spawn_rate=5");
    let mut run = Running::start(&cluster, "run --wait-for-idle=5m -u 20 -r 20 -t 1s");
    let waiting = "Waiting until Locust at service/locust-master ";
    run.wait_for(&format!("{waiting}is idle; its state is running\n"));
    cluster.handle().inject(Fault::once(Action::html(502)).at("proxy/").times(2));
    wait_until(|| cluster.handle().pending_faults() == 0, || run.stderr());
    ask(&cluster, "POST", "stop", "");
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    let failure = format!("{waiting}answers: / answered 502 ");
    assert_eq!(run.stderr().matches(&failure).count(), 1, "{}", run.stderr());
}

#[test]
fn a_single_failure_right_before_the_start_does_not_end_the_run() {
    let cluster = cluster();
    cluster.handle().pause_controllers();
    let mut run = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 1s");
    run.wait_for("scaled from 1 to 3\n");
    // Locust's log is read right before the start.
    cluster.handle().inject(Fault::once(Action::html(502)).at("proxy/logs"));
    cluster.handle().resume_controllers();
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert_eq!(cluster.handle().pending_faults(), 0);
}

#[test]
fn a_rebalance_that_locust_refuses_is_noted_and_the_run_goes_on() {
    let cluster = cluster();
    let mut run = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 10m");
    run.wait_for("running, 20 users");
    let body = br#"{"success":false,"message":"no"}"#.to_vec();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let refused = Action::Answer { status: 200, headers, body };
    cluster.handle().inject(Fault::once(refused).at("proxy/swarm"));
    for count in [2, 1] {
        cluster.handle().set_replicas(SLAVE, count);
        wait_for_workers(&cluster, usize::try_from(count).unwrap());
    }
    run.wait_for("Note: Locust did not start the users: no\n");
    cluster.handle().clear_requests();
    cluster.wait_for_requests(1, |request| request.line().ends_with("proxy/stats/requests"));
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
}

#[test]
fn a_count_that_may_have_been_set_is_put_back_even_if_later_attempts_fail() {
    let cluster = cluster();
    let handle = cluster.handle();
    let forbidden = || {
        Action::Answer {
        status: 403,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: br#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"Forbidden","code":403}"#
            .to_vec(),
    }
    };
    // The answer to the first attempt is lost, and so is the read after it.
    handle.inject(Fault::once(Action::CloseAfter).on("PATCH"));
    handle.inject(Fault::once(Action::DelayAnswer(Duration::ZERO)).on("GET").at("/scale"));
    handle.inject(Fault::once(forbidden()).on("GET").at("/scale"));
    handle.inject(Fault::once(forbidden()).on("PATCH"));
    let mut run = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 10m");
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    let error = "locustctl cannot tell if deployment.apps/locust-slave was scaled from 1 to 3";
    let parts = ["scaled back from 3 to 1\n", "error: scaling the workers: ", error];
    has_in_order(&run.stderr(), &parts);
    assert_eq!((cluster.workers(), handle.pending_faults()), (1, 0));
}

//! After a lost answer, locustctl reads the count again and reports only what is certain.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use support::cluster::TestCluster;
use support::scaling::{at, on_patch, replicas, run};

fn on_get(cluster: &TestCluster, times: usize, action: Action) {
    cluster.handle().inject(Fault::once(action).on("GET").times(times));
}

#[test]
fn a_change_with_a_lost_answer_is_reported_as_made() {
    for format in ["", " -o name", " -o json"] {
        let cluster = at(1);
        on_patch(&cluster, 1, Action::CloseAfter);
        let outcome = run(&cluster, &format!("scale --replicas=3{format}"));
        if !format.is_empty() {
            assert_eq!((outcome.code, outcome.stdout.is_empty()), (Some(0), false), "{outcome:?}");
            continue;
        }
        assert_eq!(
            outcome.stdout, "deployment.apps/locust-slave scaled from 1 to 3\n",
            "{outcome:?}"
        );
        assert!(
            outcome.stderr.starts_with(
                "Warning: the answer to the change of deployment.apps/locust-slave was lost ("
            ),
            "{outcome:?}"
        );
        assert!(outcome.stderr.ends_with("), but it has 3 replicas now\n"), "{outcome:?}");
        assert_eq!((outcome.code, replicas(&cluster)), (Some(0), 3));
    }
}

#[test]
fn a_conditional_or_relative_change_succeeds_only_if_it_was_our_own() {
    for line in [
        "scale --by=+2",
        "scale --replicas=3 --current-replicas=1",
        "scale --replicas=3 --current-replicas=1 -o json",
    ] {
        let cluster = at(1);
        on_patch(&cluster, 1, Action::CloseAfter);
        let outcome = run(&cluster, line);
        outcome.exits(1, "");
        assert!(
            outcome.stderr.ends_with("\ndeployment.apps/locust-slave is at 3 now, but another client may have scaled it from 1; check it before you try again\n"),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_false_condition_stays_false_after_a_lost_answer() {
    for action in [Action::unavailable(None), Action::unavailable(Some(0)), Action::CloseBefore] {
        let cluster = at(3);
        on_patch(&cluster, 1, action);
        let outcome = run(&cluster, "scale --replicas=3 --current-replicas=1");
        outcome.exits(1, "");
    }
}

#[test]
fn an_equal_change_by_a_rival_is_not_taken_for_our_relative_change() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::CloseBefore);
    let pass = Action::Delay(Duration::ZERO);
    on_get(&cluster, 1, pass);
    on_get(&cluster, 1, Action::Rival(3));
    let outcome = run(&cluster, "scale --by=+2");
    outcome.exits(1, "");
}

#[test]
fn a_change_that_is_made_during_the_wait_is_our_own() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::unavailable(Some(0)));
    let pass = Action::Delay(Duration::ZERO);
    // The first GET and the first check find the old count. The second check finds the new one.
    on_get(&cluster, 2, pass);
    on_get(&cluster, 1, Action::Rival(3));
    let outcome = run(&cluster, "scale --replicas=3");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 3\n");
    assert!(outcome.stderr.starts_with("Warning: the answer to the change of "), "{outcome:?}");
}

#[test]
fn a_change_that_did_not_reach_the_server_is_not_reported_as_made() {
    for line in ["scale --replicas=3", "scale --replicas=3 --current-replicas=1"] {
        let cluster = at(1);
        on_patch(&cluster, 1, Action::CloseBefore);
        let outcome = run(&cluster, line);
        outcome.exits(1, "");
        assert!(outcome.stderr.starts_with("Unable to connect to the server: "), "{outcome:?}");
        assert!(
            outcome.stderr.ends_with(
                "\ndeployment.apps/locust-slave is still at 1; the request may scale it to 3 later; check it again in a moment\n"
            ),
            "{outcome:?}"
        );
        assert_eq!(replicas(&cluster), 1);
    }
}

#[test]
fn after_a_lost_answer_and_a_rival_only_the_present_count_is_reported() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::CloseAfter);
    // The GET before the PATCH passes. The GET after it finds the rival's change.
    on_get(&cluster, 1, Action::Delay(Duration::ZERO));
    on_get(&cluster, 1, Action::Rival(9));
    let outcome = run(&cluster, "scale --replicas=3");
    outcome.exits(1, "");
    assert!(
        outcome.stderr.ends_with("\ndeployment.apps/locust-slave is at 9 now: another client changed it. The change from 1 to 3 may have been made before that. Check deployment.apps/locust-slave before you try again\n"),
        "{outcome:?}"
    );
}

#[test]
fn if_the_server_stays_unreachable_the_result_is_unknown() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::CloseAfter);
    on_get(&cluster, 100, Action::CloseBefore);
    let outcome = run(&cluster, "scale --replicas=3 --current-replicas=1");
    outcome.exits(1, "");
    assert!(
        outcome.stderr.contains("\nlocustctl cannot tell if deployment.apps/locust-slave was scaled from 1 to 3; check it before you try again. Reading it failed too: "),
        "{outcome:?}"
    );
}

#[test]
fn a_timeout_after_the_change_is_reported_as_made() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::DelayAnswer(Duration::from_secs(30)));
    let outcome = run(&cluster, "scale --replicas=3 --request-timeout=3s");
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 1 to 3\n", "{outcome:?}");
    assert!(outcome.stderr.contains("(context deadline exceeded)"), "{outcome:?}");
}

#[test]
fn a_timeout_before_the_change_warns_that_it_may_still_happen() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::Delay(Duration::from_secs(30)));
    let outcome = run(&cluster, "scale --replicas=3 --request-timeout=3s");
    outcome.refuses(
        "Unable to connect to the server: context deadline exceeded\n\
         deployment.apps/locust-slave is still at 1; the request may scale it to 3 later; check it again in a moment\n",
    );
}

#[test]
fn a_server_error_for_a_change_that_was_made_is_checked() {
    for action in [Action::AnswerAfter(500), Action::AnswerAfter(504)] {
        let cluster = at(1);
        on_patch(&cluster, 1, action);
        let outcome = run(&cluster, "scale --replicas=3");
        assert_eq!(
            outcome.stdout, "deployment.apps/locust-slave scaled from 1 to 3\n",
            "{outcome:?}"
        );
        assert!(outcome.stderr.starts_with("Warning: the answer to the change of "), "{outcome:?}");
    }
}

#[test]
fn a_truncated_answer_is_checked_against_the_server() {
    for action in [Action::TruncatedBody, Action::Oversized(100 * 1024 * 1024)] {
        let cluster = at(1);
        on_patch(&cluster, 1, action);
        let outcome = run(&cluster, "scale --replicas=3");
        assert_eq!(outcome.code.unwrap_or(-1) == 0, replicas(&cluster) == 3, "{outcome:?}");
        assert_eq!(outcome.stdout.is_empty(), replicas(&cluster) == 1, "{outcome:?}");
    }
}

#[test]
fn an_answer_of_success_that_cannot_be_read_is_checked_against_the_server() {
    let json = vec![("content-type".to_owned(), "application/json".to_owned())];
    let broken = Action::Answer { status: 200, headers: json, body: b"{".to_vec() };
    for action in [broken, Action::Oversized(100 * 1024 * 1024)] {
        let cluster = at(1);
        on_patch(&cluster, 1, action);
        let outcome = run(&cluster, "scale --replicas=3");
        outcome.exits(1, "");
        let expected =
            "deployment.apps/locust-slave is still at 1: it was not scaled to 3; try again\n";
        assert!(outcome.stderr.ends_with(expected), "{outcome:?}");
    }
}

#[test]
fn after_the_last_attempt_nothing_is_read_or_waited_for() {
    let cluster = at(1);
    on_patch(&cluster, 20, Action::unavailable(Some(0)));
    run(&cluster, "scale --replicas=3").exits(1, "");
    let verbs: Vec<_> = cluster.handle().requests().into_iter().map(|one| one.method).collect();
    let attempt = ["PATCH", "GET", "GET"];
    let expected: Vec<_> = ["GET"].into_iter().chain(attempt.repeat(10)).take(30).collect();
    assert_eq!(verbs, expected);
}

#[test]
fn an_unclear_change_is_still_reported_if_the_retry_is_refused() {
    let refuse = |cluster: &TestCluster| {
        on_patch(cluster, 1, Action::unavailable(Some(0)));
        let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        let body = b"quota".to_vec();
        on_patch(cluster, 1, Action::Answer { status: 403, headers, body });
    };
    let cluster = at(1);
    refuse(&cluster);
    run(&cluster, "scale --replicas=3").refuses(
        "Error from server (Forbidden): quota (patch deployments locust-slave)\n\
         deployment.apps/locust-slave is still at 1; the request may scale it to 3 later; check it again in a moment\n",
    );
    let cluster = at(1);
    refuse(&cluster);
    // There is one GET before, two after the first PATCH, and one at the end, which finds the
    // change.
    on_get(&cluster, 3, Action::Delay(Duration::ZERO));
    on_get(&cluster, 1, Action::Rival(3));
    let outcome = run(&cluster, "scale --replicas=3");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 3\n");
}

#[test]
fn the_last_of_two_lost_answers_is_reported() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::unavailable(Some(0)));
    on_patch(&cluster, 1, Action::internal_error(None));
    run(&cluster, "scale --replicas=3").refuses(
        "Error from server (InternalError): Internal error occurred: etcdserver: request timed out\n\
         deployment.apps/locust-slave is still at 1; the request may scale it to 3 later; check it again in a moment\n",
    );
}

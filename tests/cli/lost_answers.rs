//! An answer that is lost says nothing; what the server holds does, and no more than that is said.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use support::cluster::TestCluster;
use support::scaling::{at, on_patch, replicas, run};

fn on_get(cluster: &TestCluster, times: usize, action: Action) {
    cluster.handle().inject(Fault::once(action).on("GET").times(times));
}

#[test]
fn a_change_whose_answer_is_lost_is_reported_as_made() {
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
        assert!(outcome.stderr.ends_with("; the server has 3 now\n"), "{outcome:?}");
        assert_eq!((outcome.code, replicas(&cluster)), (Some(0), 3));
    }
}

#[test]
fn who_wants_to_be_the_one_that_scaled_is_not_told_so_without_proof() {
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
            outcome.stderr.ends_with("\ndeployment.apps/locust-slave is at 3 now; whether this call scaled it from 1 is not known\n"),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_condition_that_was_false_all_along_does_not_hold_because_an_answer_was_lost() {
    for action in [Action::unavailable(None), Action::unavailable(Some(0)), Action::CloseBefore] {
        let cluster = at(3);
        on_patch(&cluster, 1, action);
        let outcome = run(&cluster, "scale --replicas=3 --current-replicas=1");
        outcome.exits(1, "");
    }
}

#[test]
fn a_rivals_equal_change_is_not_taken_for_a_relative_one_of_ours() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::CloseBefore);
    let pass = Action::Delay(Duration::ZERO);
    on_get(&cluster, 1, pass);
    on_get(&cluster, 1, Action::Rival(3));
    let outcome = run(&cluster, "scale --by=+2");
    outcome.exits(1, "");
}

#[test]
fn a_change_that_comes_to_pass_while_the_server_is_waited_for_is_our_own() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::unavailable(Some(0)));
    let pass = Action::Delay(Duration::ZERO);
    // The first GET, and the first look afterwards, find the old count; the second look the new one.
    on_get(&cluster, 2, pass);
    on_get(&cluster, 1, Action::Rival(3));
    let outcome = run(&cluster, "scale --replicas=3");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 3\n");
    assert!(outcome.stderr.starts_with("Warning: the answer to the change of "), "{outcome:?}");
}

#[test]
fn a_change_that_did_not_arrive_is_not_reported_as_made() {
    for line in ["scale --replicas=3", "scale --replicas=3 --current-replicas=1"] {
        let cluster = at(1);
        on_patch(&cluster, 1, Action::CloseBefore);
        let outcome = run(&cluster, line);
        outcome.exits(1, "");
        assert!(outcome.stderr.starts_with("Unable to connect to the server: "), "{outcome:?}");
        assert!(
            outcome.stderr.ends_with(
                "\ndeployment.apps/locust-slave is still at 1; what was sent may yet scale it to 3\n"
            ),
            "{outcome:?}"
        );
        assert_eq!(replicas(&cluster), 1);
    }
}

#[test]
fn a_lost_answer_and_a_rival_leave_only_what_stands_there() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::CloseAfter);
    // The GET before the PATCH passes; the one after it finds that somebody was faster.
    on_get(&cluster, 1, Action::Delay(Duration::ZERO));
    on_get(&cluster, 1, Action::Rival(9));
    let outcome = run(&cluster, "scale --replicas=3");
    outcome.exits(1, "");
    assert!(
        outcome.stderr.ends_with("\ndeployment.apps/locust-slave is at 9 now: somebody else changed it; whether it was scaled from 1 to 3 before is not known\n"),
        "{outcome:?}"
    );
}

#[test]
fn an_answer_that_is_lost_for_good_is_reported_as_unknown() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::CloseAfter);
    on_get(&cluster, 100, Action::CloseBefore);
    let outcome = run(&cluster, "scale --replicas=3 --current-replicas=1");
    outcome.exits(1, "");
    assert!(
        outcome.stderr.contains("\nwhether deployment.apps/locust-slave was scaled from 1 to 3 is not known, since reading it again failed too: "),
        "{outcome:?}"
    );
}

#[test]
fn a_timeout_after_the_change_is_reported_as_made() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::DelayAnswer(Duration::from_secs(30)));
    let outcome = run(&cluster, "scale --replicas=3 --request-timeout=1s");
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 1 to 3\n", "{outcome:?}");
    assert!(outcome.stderr.contains("(context deadline exceeded)"), "{outcome:?}");
}

#[test]
fn a_timeout_before_the_change_says_that_it_may_yet_come() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::Delay(Duration::from_secs(30)));
    let outcome = run(&cluster, "scale --replicas=3 --request-timeout=1s");
    outcome.refuses(
        "Unable to connect to the server: context deadline exceeded\n\
         deployment.apps/locust-slave is still at 1; what was sent may yet scale it to 3\n",
    );
}

#[test]
fn an_error_of_the_server_for_a_change_that_was_made_is_not_believed() {
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
fn an_answer_that_breaks_off_is_checked_against_the_server() {
    for action in [Action::TruncatedBody, Action::Oversized(100 * 1024 * 1024)] {
        let cluster = at(1);
        on_patch(&cluster, 1, action);
        let outcome = run(&cluster, "scale --replicas=3");
        assert_eq!(outcome.code.unwrap_or(-1) == 0, replicas(&cluster) == 3, "{outcome:?}");
        assert_eq!(outcome.stdout.is_empty(), replicas(&cluster) == 1, "{outcome:?}");
    }
}

#[test]
fn a_change_that_was_left_unclear_is_not_forgotten_when_trying_again_is_refused() {
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
         deployment.apps/locust-slave is still at 1; what was sent may yet scale it to 3\n",
    );
    let cluster = at(1);
    refuse(&cluster);
    // Read before, twice after the first PATCH, and once more at the end: by then it was made.
    on_get(&cluster, 3, Action::Delay(Duration::ZERO));
    on_get(&cluster, 1, Action::Rival(3));
    let outcome = run(&cluster, "scale --replicas=3");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 3\n");
}

//! A scale during a test: several targets with workers, and targets whose pods cannot be listed; and a
//! test that starts during a scale.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use locustctl::sandbox::{Action, Fault, Options};
use serde_json::json;
use support::cluster::{TestCluster, WORKERS};
use support::fake_locust::{FakeLocust, reply};
use support::swarm::{start_test, worker_pods};

use super::locust::run;
use super::locust_harm::{LOG, page};

const MORE: &str = "/apis/apps/v1/namespaces/default/deployments/more-workers";
const BOTH: &str = "deployment/locust-slave deployment/more-workers --locust=auto --timeout=60s";

/// A cluster with Locust 2.46.4. Its master breaks if several workers leave at once.
fn affected() -> TestCluster {
    TestCluster::with(Options { locust_release: "2.46.4".parse().unwrap(), ..Options::default() })
}

/// Adds a second Deployment of workers, and starts a test on two pods of it and this many of the first.
fn add_more_workers(cluster: &TestCluster, first: i64) {
    let mut second = cluster.handle().object(WORKERS).unwrap();
    second["metadata"] = json!({"name": "more-workers", "namespace": "default"});
    second["spec"]["replicas"] = json!(2);
    cluster.handle().put_object(MORE, second);
    run(cluster, &format!("scale --replicas={first} deployment/locust-slave --wait"));
    let outcome = run(cluster, &format!("scale --replicas=2 deployment/more-workers {WAIT}"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    start_test(cluster);
}

const WAIT: &str = "--wait --locust=auto";

/// Requests with this method and path are forbidden.
fn forbid(cluster: &TestCluster, method: &str, path: &str) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "this is not allowed"});
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Action::Answer { status: 403, headers, body: status.to_string().into_bytes() };
    cluster.handle().inject(Fault::once(answer).on(method).at(path).times(Fault::ALWAYS));
}

/// The number of changes that were requested since the requests were cleared.
fn patches(cluster: &TestCluster) -> usize {
    cluster.request_lines().iter().filter(|line| line.starts_with("PATCH")).count()
}

#[test]
fn the_workers_of_the_other_targets_do_not_have_to_leave() {
    let cluster = affected();
    add_more_workers(&cluster, 2);
    let outcome = run(&cluster, &format!("scale --replicas=1 {BOTH}"));
    outcome.exits(
        0,
        "deployment.apps/locust-slave scaled from 2 to 1\n\
         deployment.apps/more-workers scaled from 2 to 1\n",
    );
    assert!(outcome.stderr.contains("redistributed 60 users over 2 workers\n"), "{outcome:?}");
}

#[test]
fn the_workers_of_a_target_that_was_not_scaled_stay_connected() {
    let cluster = TestCluster::start();
    add_more_workers(&cluster, 2);
    forbid(&cluster, "PATCH", "more-workers/scale");
    let outcome = run(&cluster, &format!("scale --replicas=1 {BOTH}"));
    outcome.exits(1, "deployment.apps/locust-slave scaled from 2 to 1\n");
    assert!(outcome.stderr.contains("3 workers are connected to Locust\n"), "{outcome:?}");
    assert!(!outcome.stderr.contains("the pod is gone"), "{outcome:?}");
}

#[test]
fn if_the_first_target_cannot_be_scaled_the_second_one_is() {
    let cluster = affected();
    add_more_workers(&cluster, 3);
    forbid(&cluster, "PATCH", "locust-slave/scale");
    let outcome = run(&cluster, &format!("scale --replicas=1 {BOTH}"));
    outcome.exits(1, "deployment.apps/more-workers scaled from 2 to 1\n");
    assert!(!outcome.stderr.contains("another client"), "{outcome:?}");
}

#[test]
fn if_the_answer_to_a_removal_is_lost_the_next_target_is_not_scaled() {
    let cluster = affected();
    add_more_workers(&cluster, 2);
    let lost = Fault::once(Action::CloseAfter).on("PATCH").at("locust-slave/scale");
    cluster.handle().inject(lost);
    // The count cannot be checked afterwards.
    forbid(&cluster, "PATCH", "locust-slave/scale");
    forbid(&cluster, "GET", "locust-slave/scale");
    cluster.handle().clear_requests();
    let line = format!("scale --replicas=1 {BOTH}").replace("60s", "5s");
    let outcome = run(&cluster, &line);
    outcome.exits(1, "");
    let expected = "deployment.apps/more-workers: not scaled, because the workers of deployment.apps/locust-slave may not \
                    have left Locust: the answer to its change was lost\n";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    let of_second = |line: &&String| line.starts_with("PATCH") && line.contains("more-workers");
    assert_eq!(cluster.request_lines().iter().filter(of_second).count(), 0, "{outcome:?}");
}

#[test]
fn a_count_that_changes_after_the_list_makes_a_new_plan() {
    let cluster = affected();
    run(&cluster, &format!("scale --replicas=4 {WAIT}"));
    start_test(&cluster);
    let rival = Fault::once(Action::RivalIncrement).on("PATCH").at("locust-slave/scale");
    cluster.handle().inject(rival);
    let outcome = run(&cluster, "scale deployment -l role=worker --replicas=3 --locust=auto");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 5 to 3 in 2 steps\n");
}

#[test]
fn the_workers_of_pods_that_another_client_has_removed_leave_first() {
    let cluster = affected();
    run(&cluster, &format!("scale --replicas=4 {WAIT}"));
    start_test(&cluster);
    cluster.handle().inject(Fault::once(Action::Rival(3)).on("PATCH").at("locust-slave/scale"));
    let outcome = run(&cluster, "scale --replicas=2 --locust=auto");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 3 to 2\n");
    assert!(outcome.stderr.contains("60 users over 2 workers\n"), "{outcome:?}");
}

#[test]
fn several_pods_that_cannot_be_listed_are_not_removed_at_once() {
    let cluster = affected();
    run(&cluster, &format!("scale --replicas=4 {WAIT}"));
    start_test(&cluster);
    forbid(&cluster, "GET", "/pods?");
    cluster.handle().clear_requests();
    let line = "scale --replicas=1 --locust=service/locust-master --timeout=1s";
    let outcome = run(&cluster, line);
    outcome.exits(1, "");
    let expected = "error: nothing was changed: the pods of deployment.apps/locust-slave cannot be \
                    listed (";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    assert!(outcome.stderr.ends_with("at once with --at-once\n"), "{outcome:?}");
    assert_eq!((patches(&cluster), cluster.workers()), (0, 4));

    run(&cluster, &line.replace("--replicas=1", "--replicas=6"));
    assert_eq!(cluster.workers(), 6, "new pods do no harm");
    let outcome = run(&cluster, &format!("{line} --at-once"));
    let expected = "Warning: a test is running with 60 users on ";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    let expected = "locustctl cannot tell how many workers will leave, because the pods of \
                    deployment.apps/locust-slave cannot be listed";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_count_that_always_changes_is_not_scaled_in_one_step() {
    let cluster = affected();
    run(&cluster, &format!("scale --replicas=4 {WAIT}"));
    start_test(&cluster);
    let rival = Fault::once(Action::RivalIncrement).on("PATCH").at("locust-slave/scale").times(10);
    cluster.handle().inject(rival);
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto");
    outcome.exits(1, "");
    let expected = "another client changed its number of replicas during each of 10 attempts; it is at \
                    14 now";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    assert_eq!(cluster.workers(), 14);
}

#[test]
fn a_test_that_starts_during_a_scale_gets_its_users_back() {
    let cluster = TestCluster::start();
    let pod = worker_pods(&cluster).remove(0);
    let (looks, is_repaired) = (AtomicUsize::new(0), AtomicBool::new(false));
    let locust = FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        let users = if is_repaired.load(Ordering::Relaxed) { 60 } else { 15 };
        match &*request.path {
            // The page is read twice by the look before the change.
            "/" => {
                let is_before = looks.fetch_add(1, Ordering::Relaxed) < 2;
                let (state, users) = if is_before { ("ready", 0) } else { ("running", users) };
                let args = page(state, users, 60);
                let html = format!("<script>window.templateArgs = {args}</script>");
                reply(stream, "200 OK\nContent-Type: text/html", html);
            }
            "/stats/requests" => {
                let id = format!("{pod}_{:032x}", 1);
                let worker = json!({"id": id, "state": "running", "user_count": users});
                let stats = json!({"state": "running", "user_count": users, "workers": [worker]});
                reply(stream, json, stats.to_string());
            }
            "/logs" => reply(stream, json, LOG),
            _ => {
                is_repaired.store(true, Ordering::Relaxed);
                reply(stream, json, r#"{"success": true, "message": "Swarming started"}"#);
            }
        }
    });
    let line = format!("scale --replicas=1 --locust={}", locust.url());
    let outcome = run(&cluster, &line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let expected = "the test had 15 of 60 users; redistributed 60 users over 1 worker\n";
    assert!(outcome.stderr.ends_with(expected), "{outcome:?}");
    assert_eq!(locust.requests("/swarm").len(), 1);
}

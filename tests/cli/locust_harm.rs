//! Changes that locustctl must never make to a running test. Locust is simulated: the test gives its answers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::fake_locust::{FakeLocust, reply};
use support::running::Running;
use support::swarm::worker_pods;
use support::{Outcome, locustctl};

/// Locust sends the same statistics for this time.
const CACHE_PERIOD: Duration = Duration::from_secs(2);

/// The master's log of a test for 60 users that has lost three of its four workers.
pub const LOG: &str = r#"{"master": [
    "[2026-11-26 14:15:30,000] host/INFO/locust.main: Starting Locust 2.47.0",
    "[2026-11-26 14:15:31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 10.00 spawn rate to 4 ready workers",
    "[2026-11-26 14:15:37,000] host/INFO/locust.runners: All users spawned: {\"U\": 60} (60 total users)",
    "[2026-11-26 14:15:40,000] host/INFO/locust.runners: Worker 'a_1' (index 0) quit. 3 workers ready.",
    "[2026-11-26 14:15:41,000] host/INFO/locust.runners: Worker 'b_1' (index 1) quit. 2 workers ready.",
    "[2026-11-26 14:15:42,000] host/INFO/locust.runners: Worker 'c_1' (index 2) quit. 1 workers ready."
    ]}"#;

/// A Locust 2.47 with one pod. Its page has these values, one after the other. The last values are
/// repeated.
fn locust(cluster: &TestCluster, log: &'static str, pages: Vec<Value>) -> FakeLocust {
    let count = AtomicUsize::new(0);
    let pod = worker_pods(cluster).remove(0);
    let stats = move |users: &Value| {
        json!({"state": "running", "user_count": users, "worker_count": 1, "workers":
            [{"id": format!("{pod}_{:032x}", 1), "state": "running", "user_count": users}]})
        .to_string()
    };
    let last = Mutex::new(Value::Null);
    FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        match &*request.path {
            "/" => {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let args = pages.get(number).or(pages.last()).unwrap();
                *last.lock().unwrap() = args["user_count"].clone();
                let page = format!(
                    "<div id=\"root\"></div><script>window.templateArgs = {args}</script></body>"
                );
                reply(stream, "200 OK\nContent-Type: text/html", page);
            }
            "/stats/requests" => reply(stream, json, stats(&last.lock().unwrap())),
            "/logs" => reply(stream, json, log),
            _ => reply(stream, json, r#"{"success": true, "message": "Swarming started"}"#),
        }
    })
}

pub fn page(state: &str, users: u64, wanted: u64) -> Value {
    json!({"state": state, "user_count": users, "num_users": wanted, "spawn_rate": 10,
        "worker_count": 1, "run_time": null, "hide_common_options": null,
        "shape_use_common_options": null, "version": "2.47.0"})
}

fn rebalance(cluster: &TestCluster, locust: &FakeLocust) -> Outcome {
    let line = format!("rebalance --yes --locust={}", locust.url());
    locustctl(&line).kubeconfig(cluster.kubeconfig()).run()
}

#[test]
fn lost_users_are_restored_by_the_same_start() {
    let cluster = TestCluster::start();
    let pages = [15, 15, 15, 60].map(|users| page("running", users, 60));
    let locust = locust(&cluster, LOG, pages.to_vec());
    let begin = Instant::now();
    let outcome = rebalance(&cluster, &locust);
    let expected = "the test had 15 of 60 users; redistributed 60 users over 1 worker\n";
    assert_eq!(outcome.stdout, expected, "{outcome:?}");
    assert!(begin.elapsed() > CACHE_PERIOD, "Locust's statistics may have been old");
    let [request] = &locust.requests("/swarm")[..] else { panic!("not exactly one request") };
    assert_eq!((&*request.method, &*request.body), ("POST", "user_count=60&spawn_rate=10"));
}

#[test]
fn late_reports_of_workers_right_before_a_start_are_waited_for() {
    let cluster = TestCluster::start();
    // There are too many users, or more are missing than the workers had that left.
    for users in [90, 5] {
        let pages = [15, 15, users, 60].map(|users| page("running", users, 60));
        let locust = locust(&cluster, LOG, pages.to_vec());
        let outcome = rebalance(&cluster, &locust);
        outcome.exits(0, "the test has all its 60 users\n");
        assert_eq!(locust.requests("/swarm").len(), 0);
    }
}

#[test]
fn users_that_disappear_again_are_reported_as_missing() {
    let cluster = TestCluster::start();
    let pages = [15, 15, 15, 60, 45].map(|users| page("running", users, 60));
    let locust = locust(&cluster, LOG, pages.to_vec());
    let outcome = rebalance(&cluster, &locust);
    outcome.exits(1, "");
    let expected = "locustctl redistributed the users, but the test has 45 of 60 users";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    assert_eq!(locust.requests("/swarm").len(), 1);
}

#[test]
fn a_worker_that_gets_no_users_is_reported() {
    const LOG: &str = r#"{"master": [
        "[2026-11-26 14:15:31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 10.00 spawn rate to 1 ready workers"
        ]}"#;
    let cluster = TestCluster::start();
    locustctl("scale --replicas=2 --wait").kubeconfig(cluster.kubeconfig()).run();
    let users = [60, 0];
    let workers: Vec<_> = worker_pods(&cluster)
        .iter()
        .zip(users)
        .map(|(pod, users)| {
            json!({"id": format!("{pod}_{:032x}", 1), "state": "running", "user_count": users})
        })
        .collect();
    let stats = json!({"state": "running", "user_count": 60, "workers": workers}).to_string();
    let mut args = page("running", 60, 60);
    args["worker_count"] = json!(2);
    let html = format!("<script>window.templateArgs = {args}</script>");
    let locust = FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        match &*request.path {
            "/" => reply(stream, "200 OK\nContent-Type: text/html", &html),
            "/stats/requests" => reply(stream, json, &stats),
            "/logs" => reply(stream, json, LOG),
            _ => reply(stream, json, r#"{"success": true, "message": "Swarming started"}"#),
        }
    });
    let outcome = rebalance(&cluster, &locust);
    outcome.exits(1, "");
    let expected = "locustctl redistributed the users, but 1 of 2 workers has no users";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    assert_eq!(locust.requests("/swarm").len(), 1);
}

#[test]
fn a_test_that_was_stopped_meanwhile_is_not_started() {
    let cluster = TestCluster::start();
    let pages = vec![page("running", 15, 60), page("running", 15, 60), page("stopped", 0, 60)];
    let locust = locust(&cluster, LOG, pages);
    let outcome = rebalance(&cluster, &locust);
    let expected = "no test is running (Locust's state is stopped)\n";
    outcome.exits(0, expected);
    assert!(locust.requests("/swarm").is_empty());
}

#[test]
fn a_test_that_was_edited_meanwhile_does_not_get_the_old_numbers() {
    let cluster = TestCluster::start();
    let pages = vec![page("running", 15, 60), page("running", 15, 60), page("running", 10, 10)];
    let locust = locust(&cluster, LOG, pages);
    rebalance(&cluster, &locust);
    assert!(locust.requests("/swarm").is_empty());
}

#[test]
fn users_that_have_finished_are_not_started_again() {
    const NOBODY_LEFT: &str = r#"{"master": [
        "[2026-11-26 14:15:31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 10.00 spawn rate to 1 ready workers"
        ]}"#;
    let cluster = TestCluster::start();
    let locust = locust(&cluster, NOBODY_LEFT, vec![page("running", 15, 60)]);
    let outcome = rebalance(&cluster, &locust);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("a rebalance would start them again"));
    assert!(locust.requests("/swarm").is_empty());
}

#[test]
fn a_test_with_more_users_than_requested_is_not_changed() {
    const BY_CODE: &str = r#"{"master": [
        "[2026-11-26 14:15:31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 10.00 spawn rate to 1 ready workers"
        ]}"#;
    let cluster = TestCluster::start();
    let locust = locust(&cluster, BY_CODE, vec![page("running", 60, 20)]);
    let outcome = rebalance(&cluster, &locust);
    assert_eq!(outcome.stdout, "the test has all its 60 users\n", "{outcome:?}");
    assert!(locust.requests("/swarm").is_empty());
}

#[test]
fn a_test_that_has_ended_is_not_started_again() {
    const STOPPED: &str = r#"{"master": [
        "[2026-11-26 14:15:31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 10.00 spawn rate to 4 ready workers",
        "[2026-11-26 14:15:40,000] host/INFO/locust.runners: a_1 (index 0) reported that it has stopped"
        ]}"#;
    let cluster = TestCluster::start();
    let locust = locust(&cluster, STOPPED, vec![page("running", 0, 60)]);
    let outcome = rebalance(&cluster, &locust);
    let expected = "the test has ended, although Locust's state is running\n";
    outcome.exits(0, expected);
    assert!(locust.requests("/swarm").is_empty());
}

#[test]
fn a_broken_master_is_reported() {
    const BROKEN: &str = r#"{"master": [
        "[2026-11-26 14:15:31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 10.00 spawn rate to 4 ready workers",
        "[2026-11-26 14:15:40,000] host/CRITICAL/locust.runners: Unhandled exception in greenlet: <Greenlet at 0x1: <bound method MasterRunner.client_listener of <locust.runners.MasterRunner object at 0x2>>>\\nKeyError: 'a_1'"
        ]}"#;
    let cluster = TestCluster::start();
    let locust = locust(&cluster, BROKEN, vec![page("running", 15, 60)]);
    let outcome = rebalance(&cluster, &locust);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("restart the master's pod"), "{outcome:?}");
    assert!(locust.requests("/swarm").is_empty());
}

#[test]
fn a_test_with_a_load_test_shape_is_not_changed() {
    for uses_common_options in [false, true] {
        let mut shaped = page("running", 15, 30);
        shaped["shape_use_common_options"] = json!(uses_common_options);
        let cluster = TestCluster::start();
        let locust = locust(&cluster, LOG, vec![shaped]);
        let outcome = rebalance(&cluster, &locust);
        let expected = "the test has 15 of 60 users until the next step of its LoadTestShape\n";
        assert!(outcome.stderr.ends_with(expected), "{outcome:?}");
        assert!(locust.requests("/swarm").is_empty());
    }
}

#[test]
fn a_release_that_is_too_old_is_not_judged() {
    let mut old = page("running", 15, 60);
    old["version"] = json!("2.20.1");
    let cluster = TestCluster::start();
    let locust = locust(&cluster, LOG, vec![old]);
    let outcome = rebalance(&cluster, &locust);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("this needs Locust 2.25 or newer"), "{outcome:?}");
    assert!(locust.requests("/swarm").is_empty());
}

#[test]
fn the_check_of_a_test_ends_if_another_client_scales_the_workers() {
    let cluster = TestCluster::start();
    // Locust still counts a lost worker, so the check goes on.
    let pages = vec![page("running", 60, 60), page("running", 60, 60), page("running", 75, 60)];
    let locust = locust(&cluster, LOG, pages);
    let line = format!("scale --replicas=1 --locust={}", locust.url());
    let mut running = Running::start(&cluster, &line);
    running.wait_for("the test has 75 users instead of 60\n");
    cluster.handle().set_replicas(WORKERS, 2);
    let expected = "deployment.apps/locust-slave was scaled to 1, but then another client scaled it to 2; \
                    locustctl has ended its check of Locust. To check the test, run: locustctl status \
                    --locust=";
    running.wait_for(expected);
    assert_eq!(running.end(), Some(1), "{}", running.stderr());
    assert!(locust.requests("/swarm").is_empty());
}

#[test]
fn a_target_that_is_named_twice_is_not_taken_for_scaled_by_another_client() {
    let cluster = TestCluster::start();
    let locust = locust(&cluster, LOG, vec![page("running", 60, 60)]);
    let target = "deployment/locust-slave";
    let line = format!("scale --by=+1 {target} {target} --timeout=6s --locust={}", locust.url());
    let outcome = locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!((outcome.code, cluster.workers()), (Some(1), 3), "{outcome:?}");
    let expected = "the connected workers differ from the ready pods after the time limit: 1 worker is \
                    connected to Locust; ready, but not connected: locust-slave-";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    assert!(!outcome.stderr.contains("another client"), "{outcome:?}");
}

/// A Locust whose page is 60 users, and then fails this often.
fn failing(cluster: &TestCluster, failures: usize) -> FakeLocust {
    failing_after(cluster, 3, failures, page("running", 60, 60))
}

/// A Locust with this page, which fails this often after this number of reads.
fn failing_after(cluster: &TestCluster, reads: usize, failures: usize, args: Value) -> FakeLocust {
    const GATEWAY: &str = "502 Bad Gateway\nContent-Type: text/html";
    let pod = worker_pods(cluster).remove(0);
    let count = AtomicUsize::new(0);
    FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        let id = format!("{pod}_{:032x}", 1);
        let (state, users) = (&args["state"], &args["user_count"]);
        let worker = json!({"id": id, "state": state, "user_count": users});
        // The page is read twice by the look before the change.
        let number = match &*request.path {
            "/" => count.fetch_add(1, Ordering::Relaxed),
            _ => count.load(Ordering::Relaxed),
        };
        let is_failure = (reads..reads + failures).contains(&number);
        match &*request.path {
            // A connection without an answer, and an answer of a proxy, in turn.
            "/" if is_failure && number % 2 == 0 => {}
            "/" if is_failure => reply(stream, GATEWAY, "<h1>502</h1>"),
            "/" => {
                let html = format!("<script>window.templateArgs = {args}</script>");
                reply(stream, "200 OK\nContent-Type: text/html", html);
            }
            "/stats/requests" => {
                let stats = json!({"state": state, "user_count": users, "workers": [worker]});
                reply(stream, json, stats.to_string());
            }
            "/logs" => reply(stream, json, LOG),
            _ => reply(stream, json, r#"{"success": true, "message": "Swarming started"}"#),
        }
    })
}

#[test]
fn a_failed_request_during_the_check_of_a_test_is_repeated() {
    let cluster = TestCluster::start();
    let locust = failing(&cluster, 6);
    let line = format!("scale --replicas=1 --locust={}", locust.url());
    let outcome = locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.ends_with("the test has all its 60 users\n"), "{outcome:?}");
    assert!(locust.requests("/").len() > 3 + 6);
}

#[test]
fn if_locust_stops_answering_the_error_names_the_next_step() {
    let cluster = TestCluster::start();
    let locust = failing(&cluster, usize::MAX / 2);
    let line = format!("scale --replicas=1 --timeout=3s --locust={}", locust.url());
    let outcome = locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let next = format!(
        ". When Locust answers again, run: locustctl rebalance --locust={} deployment/locust-slave\n",
        locust.url()
    );
    let error = "error: the workers were scaled, but locustctl cannot tell whether the test has its users: ";
    assert!(outcome.stderr.contains(error) && outcome.stderr.ends_with(&next), "{outcome:?}");
}

#[test]
fn without_a_test_a_note_says_that_locust_stopped_answering() {
    let cluster = TestCluster::start();
    let locust = failing_after(&cluster, 4, usize::MAX / 2, page("ready", 0, 60));
    let line = format!("scale --replicas=1 --timeout=3s --locust={}", locust.url());
    let outcome = locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    assert!(outcome.stderr.contains("1 worker is connected to Locust\n"), "{outcome:?}");
    let note = "Note: no test was running before the scale, and Locust does not answer now: ";
    assert!(outcome.stderr.contains(note), "{outcome:?}");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn a_test_that_is_edited_after_the_rebalance_is_judged_by_the_new_number() {
    const EDITED: &str = r#"{"master": [
        "[2026-11-26 14:15:50,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 10.00 spawn rate to 1 ready workers",
        "[2026-11-26 14:15:51,000] host/INFO/locust.runners: Sending spawn jobs of 30 users at 10.00 spawn rate to 1 ready workers"
        ]}"#;
    let cluster = TestCluster::start();
    let pod = worker_pods(&cluster).remove(0);
    let is_edited = AtomicBool::new(false);
    let locust = FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        let is_now_edited = is_edited.load(Ordering::Relaxed);
        let users = if is_now_edited { 30 } else { 15 };
        match &*request.path {
            "/" => {
                let args = page("running", users, if is_now_edited { 30 } else { 60 });
                let html = format!("<script>window.templateArgs = {args}</script>");
                reply(stream, "200 OK\nContent-Type: text/html", html);
            }
            "/stats/requests" => {
                let id = format!("{pod}_{:032x}", 1);
                let worker = json!({"id": id, "state": "running", "user_count": users});
                let stats = json!({"state": "running", "user_count": users, "workers": [worker]});
                reply(stream, json, stats.to_string());
            }
            "/logs" => reply(stream, json, if is_now_edited { EDITED } else { LOG }),
            _ => {
                is_edited.store(true, Ordering::Relaxed);
                reply(stream, json, r#"{"success": true, "message": "Swarming started"}"#);
            }
        }
    });
    let outcome = rebalance(&cluster, &locust);
    let expected = "locustctl redistributed the users, and then somebody else edited the test: the test has all its \
                    30 users\n";
    assert_eq!(outcome.stdout, expected, "{outcome:?}");
    assert_eq!(locust.requests("/swarm").len(), 1);
}

//! What must never be done to a running test: told by a Locust that answers as the test says.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "support/fake_locust.rs"]
mod fake_locust;
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use fake_locust::{FakeLocust, reply};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::{Outcome, locustctl};

const STATS: &str = r#"{"state": "running", "user_count": 15, "worker_count": 1, "workers":
    [{"id": "locust-slave-0_00000000000000000000000000000001", "state": "running", "user_count": 15}]}"#;

/// A Locust 2.47 whose page tells these settings, one after the other; the last again and again.
fn locust(pages: Vec<Value>) -> FakeLocust {
    let asked = AtomicUsize::new(0);
    FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        match &*request.path {
            "/" => {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                let args = pages.get(number).or(pages.last()).unwrap();
                let page = format!(
                    "<div id=\"root\"></div><script>window.templateArgs = {args}</script></body>"
                );
                reply(stream, "200 OK\nContent-Type: text/html", page);
            }
            "/stats/requests" => reply(stream, json, STATS),
            "/worker-count" => reply(stream, json, r#"{"worker_count": 1}"#),
            _ => reply(stream, json, r#"{"success": true, "message": "Swarming started"}"#),
        }
    })
}

fn page(state: &str, users: u64, wanted: u64) -> Value {
    json!({"state": state, "user_count": users, "num_users": wanted, "spawn_rate": 10,
        "worker_count": 1, "run_time": null, "hide_common_options": null,
        "shape_use_common_options": null, "version": "2.47.0"})
}

fn rebalance(locust: &FakeLocust) -> Outcome {
    let cluster = TestCluster::start();
    let line = format!("rebalance --locust={}", locust.url());
    locustctl(&line).kubeconfig(cluster.kubeconfig()).run()
}

#[test]
fn lost_users_are_given_back_by_the_same_start() {
    let locust =
        locust(vec![page("running", 15, 60), page("running", 15, 60), page("running", 60, 60)]);
    let outcome = rebalance(&locust);
    assert_eq!(outcome.stdout, "users 15 of 60, rebalanced to 60 on 1 worker\n", "{outcome:?}");
    let [asked] = &locust.asked("/swarm")[..] else { panic!("not asked once") };
    assert_eq!((&*asked.method, &*asked.body), ("POST", "user_count=60&spawn_rate=10"));
}

#[test]
fn a_test_that_was_stopped_meanwhile_is_not_started() {
    let locust = locust(vec![page("running", 15, 60), page("stopped", 0, 60)]);
    let outcome = rebalance(&locust);
    let said = "no test is running (Locust's state is stopped)\n";
    assert_eq!((outcome.code, &*outcome.stdout), (Some(0), said), "{outcome:?}");
    assert!(locust.asked("/swarm").is_empty());
}

#[test]
fn a_test_that_was_edited_meanwhile_is_as_it_is_wanted() {
    let locust = locust(vec![page("running", 15, 60), page("running", 10, 10)]);
    let outcome = rebalance(&locust);
    assert_eq!(outcome.stdout, "the test has all its 10 users\n", "{outcome:?}");
    assert!(locust.asked("/swarm").is_empty());
}

#[test]
fn a_load_test_shape_is_not_given_up() {
    for uses_common_options in [false, true] {
        let mut shaped = page("running", 10, 30);
        shaped["shape_use_common_options"] = json!(uses_common_options);
        let locust = locust(vec![shaped]);
        let outcome = rebalance(&locust);
        let said = "a LoadTestShape decides over the users\n";
        assert_eq!((outcome.code, &*outcome.stdout), (Some(0), said), "{outcome:?}");
        assert!(locust.asked("/swarm").is_empty());
    }
}

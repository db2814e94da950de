//! `locustctl serve` and Locust 2.46.4, whose master breaks when several workers leave a running test at once.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault, Options, Rights, Rule};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::locustctl;
use support::serving::{Reply, Serving, wait_until};
use support::swarm::{ask, ask_for_text, start_test};

/// A running test for 60 users on this many workers, and a server that knows of it.
fn served(workers: i64, flags: &[&str]) -> (TestCluster, Serving) {
    let cluster = cluster(workers);
    let serving = Serving::start(&cluster, flags);
    wait_for_test(&serving, workers);
    (cluster, serving)
}

fn cluster(workers: i64) -> TestCluster {
    let pod_ready_after = Duration::from_millis(100);
    let locust_release = "2.46.4".parse().unwrap();
    let options = Options { pod_ready_after, locust_release, ..Options::default() };
    let cluster = TestCluster::with(options);
    let line = format!("scale --replicas={workers} --wait --locust=auto");
    locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    start_test(&cluster);
    cluster
}

fn wait_for_test(serving: &Serving, workers: i64) {
    serving.wait_until_settled(workers);
    serving.wait_for_state(|state| {
        state["locust"]["users"] == 60 && state["locust"]["ownWorkers"] == workers
    });
}

/// The master has all users on all workers, and still receives their messages.
fn is_well(cluster: &TestCluster, workers: usize) -> bool {
    let stats = ask(cluster, "GET", "stats/requests", "");
    let is_broken = ask_for_text(cluster, "logs").contains("Unhandled exception in greenlet");
    stats["user_count"] == 60 && stats["workers"].as_array().unwrap().len() == workers && !is_broken
}

fn put<'a>(serving: &'a Serving, body: &'static str) -> impl FnOnce() -> Reply + Send + 'a {
    let request = serving.request("PUT", "/api/scale?wait=50s").body(body);
    let request = request.header("content-type", "application/json");
    move || serving.send(request)
}

/// The new count of each PATCH.
fn patches(cluster: &TestCluster) -> Vec<Value> {
    let requests = cluster.handle().requests();
    let patches = requests.iter().filter(|request| request.line().starts_with("PATCH"));
    let count = |body: &[u8]| {
        let patch: Value = serde_json::from_slice(body).unwrap();
        patch.as_array().unwrap().last().unwrap()["value"].clone()
    };
    patches.map(|request| count(&request.body)).collect()
}

#[test]
fn pods_are_removed_one_after_another() {
    let (cluster, serving) = served(4, &[]);
    let before = patches(&cluster).len();
    let scaled = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
    assert_eq!((&scaled["old"], &scaled["new"]), (&json!(4), &json!(1)), "{scaled}");
    assert_eq!(scaled["message"], "made in 3 steps, one pod after another");
    assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    assert_eq!(patches(&cluster)[before..], [3, 2, 1]);
    assert!(is_well(&cluster, 1));
}

#[test]
fn a_count_below_the_limit_is_refused_before_the_first_step() {
    let (cluster, serving) = served(4, &["--min-replicas=2"]);
    let before = patches(&cluster).len();
    let refused = serving.put("", r#"{"replicas": 1}"#);
    refused.is_problem(422, "Invalid", "the limits of serve are 2 to");
    assert_eq!((cluster.workers(), patches(&cluster).len()), (4, before));
}

#[test]
fn two_changes_at_the_same_time_are_made_one_after_the_other() {
    let (cluster, serving) = served(4, &[]);
    std::thread::scope(|scope| {
        let changes = [0, 1].map(|_| scope.spawn(|| serving.put("?wait=50s", r#"{"by": -1}"#)));
        let mut news: Vec<_> = changes
            .map(|change| change.join().unwrap())
            .iter()
            .map(|one| one.json()["new"].clone())
            .collect();
        news.sort_by_key(Value::as_i64);
        // The wait of the first change ends when the second one has changed the count.
        assert!(news.contains(&json!(2)), "{news:?}");
    });
    wait_until(|| is_well(&cluster, 2), || "60 users on 2 workers".to_owned());
}

#[test]
fn a_later_change_ends_the_steps_of_an_earlier_one() {
    let (cluster, serving) = served(5, &[]);
    let (first, second) =
        (put(&serving, r#"{"replicas": 1}"#), put(&serving, r#"{"replicas": 6}"#));
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        wait_until(|| cluster.workers() == 4, || "the first step".to_owned());
        let scaled = second();
        assert_eq!((scaled.status, cluster.workers()), (200, 6), "{scaled:?}");
        assert_eq!(scaled.json()["users"]["stage"], "well", "{scaled:?}");
        let text = "of 4 steps: a later change was requested. Scale again";
        first.join().unwrap().is_problem(409, "Stopped", text);
    });
    assert!(is_well(&cluster, 6));
}

#[test]
fn a_change_whose_first_step_waits_makes_way_for_a_later_one() {
    let (cluster, serving) = served(5, &[]);
    let stale = Action::Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: ask_for_text(&cluster, "stats/requests").into_bytes(),
    };
    let stale = Fault::once(stale).times(1000).on("GET").at("proxy/stats/requests");
    cluster.handle().inject(stale);
    assert_eq!(serving.put("", r#"{"by": -1}"#).json()["new"], 4);
    let (news, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (change, news) = (put(&serving, r#"{"by": -1}"#), news.clone());
            scope.spawn(move || news.send(change()).unwrap());
        }
        let refused = answers.recv().unwrap();
        let text =
            "Nothing was changed, because a later change was requested before this one began.";
        refused.is_problem(409, "Stopped", text);
        assert_eq!(cluster.workers(), 4);
        cluster.handle().clear_faults();
        assert_eq!(answers.recv().unwrap().json()["new"], 3);
    });
    assert!(is_well(&cluster, 3));
}

#[test]
fn a_change_that_is_refused_anyway_does_not_end_the_steps_of_an_earlier_one() {
    let (cluster, serving) = served(4, &[]);
    let body = r#"{"replicas": 1, "currentReplicas": 4}"#;
    let (first, second) = (put(&serving, body), put(&serving, body));
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        wait_until(|| cluster.workers() == 3, || "the first step".to_owned());
        second().is_problem(409, "Conflict", "Expected replicas to be 4, was 1");
        assert_eq!(first.join().unwrap().json()["new"], 1);
    });
    assert!(is_well(&cluster, 1));
}

#[test]
fn two_servers_that_remove_a_worker_at_the_same_time_do_not_remove_both_at_once() {
    let (cluster, one) = served(4, &[]);
    let other = Serving::start(&cluster, &[]);
    wait_for_test(&other, 4);
    let changes = [put(&one, r#"{"by": -1}"#), put(&other, r#"{"by": -1}"#)];
    std::thread::scope(|scope| {
        let changes = changes.map(|change| scope.spawn(change));
        changes.into_iter().for_each(|change| drop(change.join().unwrap()));
    });
    wait_until(|| is_well(&cluster, 2), || one.stderr() + &other.stderr());
}

#[test]
fn a_stale_condition_is_refused_without_a_wait() {
    let (cluster, serving) = served(4, &[]);
    let refused = serving.put("", r#"{"replicas": 1, "currentReplicas": 2}"#);
    refused.is_problem(409, "Conflict", "Expected replicas to be 2, was 4");
    assert_eq!(cluster.workers(), 4);
}

#[test]
fn a_lost_answer_in_the_middle_does_not_stop_the_steps() {
    let (cluster, serving) = served(4, &[]);
    // The first step is answered. The answer to the second one is lost.
    for action in [Action::DelayAnswer(Duration::ZERO), Action::CloseAfter] {
        cluster.handle().inject(Fault::once(action).on("PATCH"));
    }
    let scaled = serving.put("?wait=50s", r#"{"replicas": 1, "currentReplicas": 4}"#);
    assert_eq!(cluster.handle().pending_faults(), 0);
    assert_eq!((scaled.status, cluster.workers()), (200, 1), "{scaled:?}");
    assert_eq!(scaled.json()["users"]["stage"], "well", "{scaled:?}");
    assert!(is_well(&cluster, 1));
}

#[test]
fn a_test_is_checked_after_a_change_whose_answer_was_lost() {
    let (cluster, serving) = served(4, &[]);
    cluster.handle().inject(Fault::once(Action::CloseAfter).on("PATCH"));
    let lost = serving.put("?wait=50s", r#"{"by": -1}"#);
    assert!(lost.status >= 500 && lost.text.contains("is at 3 now"), "{lost:?}");
    let state = serving.wait_for_state(|state| state["history"][0]["users"]["stage"] == "well");
    assert_eq!(state["history"][0]["outcome"], "unknown", "{state}");
    assert!(is_well(&cluster, 3));
}

#[test]
fn if_the_pods_cannot_be_listed_no_pod_is_removed_unless_the_caller_insists() {
    let cluster = cluster(4);
    let rules = vec![
        Rule::new(&["get", "list", "watch"], &["apps"], &["deployments"], &[]),
        Rule::new(&["get", "patch"], &["apps"], &["deployments/scale"], &[]),
        Rule::new(&["get", "create"], &[""], &["services/proxy"], &["locust-master:8089"]),
    ];
    cluster.handle().add_account("token-of-erin", "erin", Rights::Rules(rules));
    let config = support::waiting::kubeconfig_of(&cluster, "token-of-erin");
    let serving = Serving::start_with(config, &["--locust=service/locust-master"]);
    serving.wait_for_state(|state| state["locust"]["users"] == 60);
    let refused = serving.put("", r#"{"replicas": 2}"#);
    refused.is_problem(
        409,
        "TestUnknown",
        "Nothing was changed: the pods of the workers cannot be listed.",
    );
    assert_eq!(cluster.workers(), 4);
    let forced = serving.put("", r#"{"replicas": 2, "ignoreLocust": true}"#);
    assert_eq!((forced.status, cluster.workers()), (200, 2), "{forced:?}");
}

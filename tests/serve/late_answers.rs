//! Answers of the API server that arrive after newer ones.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::serving::{Serving, wait_until};

fn served() -> (TestCluster, Serving) {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    (cluster, serving)
}

/// Holds the next answer with the Deployment until the faults are cleared. It has the state of the time
/// of its request.
fn hold_the_next_read(cluster: &TestCluster) {
    let late = Fault::once(Action::HoldAnswer);
    cluster.handle().inject(late.on("GET").at("/deployments/locust-slave"));
}

fn wait_for_the_read(cluster: &TestCluster) {
    wait_until(|| cluster.handle().pending_faults() == 0, || "a read".to_owned());
}

/// The history, each entry as the client and the new count, the latest first.
fn history(serving: &Serving) -> Vec<(Value, Value)> {
    let state = serving.state();
    let entries = state["history"].as_array().unwrap().iter();
    entries.map(|entry| (entry["who"].clone(), entry["new"].clone())).collect()
}

#[test]
fn a_read_does_not_replace_a_newer_event_of_the_watch() {
    let (cluster, serving) = served();
    hold_the_next_read(&cluster);
    assert_eq!(serving.put("", r#"{"replicas": 3, "currentReplicas": 1}"#).status, 200);
    wait_for_the_read(&cluster);
    cluster.handle().set_replicas(WORKERS, 5);
    serving.wait_for_state(|state| state["replicas"]["current"] == 5);
    cluster.handle().clear_faults();
    // The read after this change begins when the late one has ended.
    let reply = serving.put("?wait=50s", r#"{"replicas": 5, "currentReplicas": 5}"#);
    assert_eq!(reply.status, 200, "{reply:?}");
    let here = |count: i64| (json!("anonymous"), json!(count));
    assert_eq!(history(&serving), [here(5), (json!("somebody else"), json!(5)), here(3)]);
}

#[test]
fn a_read_of_the_watch_does_not_replace_a_newer_read() {
    let (cluster, serving) = served();
    cluster.handle().inject(Fault::once(Action::CloseBefore).on("PATCH"));
    hold_the_next_read(&cluster);
    cluster.handle().clear_requests();
    // A dry run is not followed by a read, but the watch of the broken connection begins with one.
    serving.put("?dryRun=true", r#"{"replicas": 3, "currentReplicas": 1}"#);
    wait_for_the_read(&cluster);
    assert_eq!(serving.put("", r#"{"replicas": 3, "currentReplicas": 1}"#).status, 200);
    cluster.wait_for_requests(1, |request| {
        request.line().ends_with("/deployments/locust-slave") && request.status.is_some()
    });
    cluster.handle().clear_faults();
    cluster.wait_for_requests(1, |request| request.line().contains("/deployments?watch=1"));
    serving.wait_until_settled(3);
    assert_eq!(history(&serving), [(json!("anonymous"), json!(3))]);
}

#[test]
fn a_read_does_not_report_a_recreated_target_as_missing() {
    let (cluster, serving) = served();
    let object = cluster.handle().object(WORKERS).unwrap();
    let late = Fault::once(Action::DelayAnswer(Duration::from_secs(1)));
    cluster.handle().inject(late.on("PATCH"));
    hold_the_next_read(&cluster);
    std::thread::scope(|scope| {
        let order = r#"{"replicas": 3, "currentReplicas": 1}"#;
        let changed = scope.spawn(|| serving.put("", order));
        wait_until(|| cluster.workers() == 3, || "the change".to_owned());
        cluster.handle().delete_object(WORKERS);
        assert_eq!(changed.join().unwrap().status, 200);
    });
    wait_for_the_read(&cluster);
    cluster.handle().put_object(WORKERS, object);
    let count = |text: &str| serving.stderr().matches(text).count();
    let watching = "watching deployment.apps/locust-slave";
    wait_until(|| count(watching) == 2, || format!("the new object: {}", serving.stderr()));
    cluster.handle().clear_faults();
    serving.wait_until_settled(1);
    // The read after this change begins when the late one has ended.
    let reply = serving.put("?wait=50s", r#"{"replicas": 2, "currentReplicas": 1}"#);
    assert_eq!(reply.status, 200, "{reply:?}");
    let missing = "does not exist; serve keeps looking for it";
    assert_eq!(count(missing), 1, "{}", serving.stderr());
}

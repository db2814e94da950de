//! The history in a ConfigMap, and the Events of changes: after a restart, and in two replicas.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::serving::{Serving, wait_until};

const HISTORY: &str = "/api/v1/namespaces/default/configmaps/locustctl-history";
const WITH_HISTORY: &str = "--history-configmap=locustctl-history";

/// A cluster with the ConfigMap of the history, as deploy/ creates it.
fn with_configmap() -> TestCluster {
    let cluster = TestCluster::start();
    put_configmap(&cluster, &json!({}));
    cluster
}

fn put_configmap(cluster: &TestCluster, data: &Value) {
    let map = json!({"metadata": {"name": "locustctl-history"}, "data": data});
    cluster.handle().put_object(HISTORY, map);
}

/// The user who changed the number, and the new number; the latest change first.
fn changes(state: &Value) -> Vec<(String, i64)> {
    let history = state["history"].as_array().unwrap().iter();
    history
        .map(|change| {
            (change["who"].as_str().unwrap().to_owned(), change["new"].as_i64().unwrap_or(-1))
        })
        .collect()
}

fn has(serving: &Serving, expected: &[(&str, i64)]) {
    serving.wait_for_state(|state| {
        let changes = changes(state);
        changes.iter().map(|(who, new)| (who.as_str(), *new)).eq(expected.iter().copied())
    });
}

pub fn scale(serving: &Serving, replicas: i64) {
    let reply = serving.put("", &format!("{{\"replicas\": {replicas}}}"));
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn the_history_outlives_a_crash() {
    let cluster = with_configmap();
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_until_settled(1);
    scale(&serving, 3);
    cluster.handle().set_replicas(WORKERS, 2);
    has(&serving, &[("somebody else", 2), ("anonymous", 3)]);
    cluster.wait_for(HISTORY, |map| {
        let text = map["data"]["history"].as_str().unwrap_or_default();
        text.contains("anonymous") && text.contains("somebody else")
    });
    serving.wait_for_state(|state| state["historyNote"] == "");
    serving.signal("KILL");
    drop(serving);
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    has(&serving, &[("somebody else", 2), ("anonymous", 3)]);
    scale(&serving, 4);
    has(&serving, &[("anonymous", 4), ("somebody else", 2), ("anonymous", 3)]);
    let state = serving.state();
    let ids: Vec<_> =
        state["history"].as_array().unwrap().iter().map(|change| change["id"].as_u64()).collect();
    assert_eq!(ids, [Some(3), Some(2), Some(1)]);
    assert!(!serving.get("/").text.contains("Kept in memory"));
}

#[test]
fn the_last_change_before_a_regular_end_is_stored() {
    let cluster = with_configmap();
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_until_settled(1);
    scale(&serving, 3);
    serving.signal("TERM");
    assert_eq!(serving.wait().0, Some(0));
    let map = cluster.handle().object(HISTORY).unwrap();
    assert!(map["data"]["history"].as_str().unwrap().contains("anonymous"), "{map}");
}

#[test]
fn two_replicas_show_one_history_and_no_change_twice() {
    let cluster = with_configmap();
    let one = Serving::start(&cluster, &[WITH_HISTORY]);
    let other = Serving::start(&cluster, &[WITH_HISTORY]);
    for serving in [&one, &other] {
        serving.wait_until_settled(1);
    }
    scale(&one, 3);
    other.wait_until_settled(3);
    scale(&other, 2);
    one.wait_until_settled(2);
    cluster.handle().set_replicas(WORKERS, 5);
    let expected = [("somebody else", 5), ("anonymous", 2), ("anonymous", 3)];
    for serving in [&one, &other] {
        has(serving, &expected);
    }
    // Both agree: nothing is written any more.
    let is_write = |line: &String| line.starts_with("PATCH") && line.contains("configmaps");
    let writes = || cluster.request_lines().iter().filter(|line| is_write(line)).count();
    let mut last = writes();
    wait_until(
        || {
            std::thread::sleep(Duration::from_secs(2));
            let now = writes();
            std::mem::replace(&mut last, now) == now
        },
        || "the end of the writes".to_owned(),
    );
    assert!(last < 20, "{last} writes");
}

#[test]
fn a_conflict_keeps_the_changes_of_both_writers() {
    let cluster = with_configmap();
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_until_settled(1);
    serving.wait_for_log("the history is kept in the ConfigMap locustctl-history");
    let conflict = Fault::once(Action::conflict()).on("PATCH").at("configmaps").times(2);
    cluster.handle().inject(conflict);
    scale(&serving, 3);
    cluster.wait_for(HISTORY, |map| map["data"]["history"].is_string());
    let patches = cluster.request_lines();
    let patches = patches.iter().filter(|line| line.starts_with("PATCH /api/v1")).count();
    assert_eq!(patches, 3);
    serving.wait_for_state(|state| state["historyNote"] == "");
}

#[test]
fn without_the_config_map_the_history_is_in_memory_and_the_page_says_so() {
    let note = "Kept in memory: a restart clears it.";
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_for_state(|state| state["historyNote"] == note);
    assert!(serving.get("/").text.contains(note));
    drop(serving);
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_for_log(
        "the history is only in memory, because the ConfigMap locustctl-history cannot be used: configmaps \
         \"locustctl-history\" not found; serve tries again",
    );
    serving.wait_for_state(|state| state["historyNote"] == note);
    put_configmap(&cluster, &json!({"history": "[{\"key\": \"x\"}]"}));
    scale(&serving, 2);
    serving.wait_for_log("; remove that key; serve tries again");
    let map = cluster.handle().object(HISTORY).unwrap();
    assert_eq!(map["data"]["history"], "[{\"key\": \"x\"}]", "it is not overwritten");
    put_configmap(&cluster, &json!({"other": "stays"}));
    scale(&serving, 3);
    serving.wait_for_state(|state| state["historyNote"] == "");
    let map = cluster.handle().object(HISTORY).unwrap();
    assert_eq!(map["data"]["other"], "stays");
    has(&serving, &[("anonymous", 3), ("anonymous", 2)]);
}

#[test]
fn a_history_that_cannot_be_written_does_not_delay_a_scale() {
    let cluster = with_configmap();
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_until_settled(1);
    for path in ["configmaps", "events"] {
        let stuck = Fault::once(Action::Delay(Duration::from_secs(600))).at(path);
        cluster.handle().inject(stuck.times(Fault::ALWAYS));
    }
    for replicas in [3, 2, 4] {
        scale(&serving, replicas);
    }
    assert_eq!(cluster.workers(), 4);
    has(&serving, &[("anonymous", 4), ("anonymous", 2), ("anonymous", 3)]);
}

#[test]
fn each_change_is_an_event_on_the_deployment() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--max-replicas=5"]);
    serving.wait_until_settled(1);
    scale(&serving, 3);
    scale(&serving, 3);
    let forbidden = Fault::once(Action::Answer {
        status: 403,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: b"not today".to_vec(),
    });
    cluster.handle().inject(forbidden.on("PATCH").at("/scale"));
    assert_eq!(serving.put("", r#"{"replicas": 4}"#).status, 403);
    let events = || {
        let path = "/api/v1/namespaces/default/events";
        cluster.handle().objects(path)
    };
    wait_until(|| events().len() == 2, || "two Events".to_owned());
    let events = events();
    let find = |reason: &str| events.iter().find(|event| event["reason"] == reason).unwrap();
    let uid = cluster.handle().object(WORKERS).unwrap()["metadata"]["uid"].clone();
    let scaled = find("Scaled");
    assert_eq!(
        scaled["involvedObject"],
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "locust-slave",
            "namespace": "default", "uid": uid})
    );
    assert_eq!((&scaled["type"], &scaled["count"]), (&json!("Normal"), &json!(1)));
    assert_eq!(scaled["message"], "anonymous scaled from 1 to 3");
    assert_eq!(scaled["source"]["component"], "locustctl");
    let failed = find("ScaleFailed");
    assert_eq!(failed["type"], "Warning");
    let text = failed["message"].as_str().unwrap();
    assert!(text.starts_with("anonymous could not scale from 3 to 4: "), "{text}");
}

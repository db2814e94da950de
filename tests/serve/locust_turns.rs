//! `locustctl serve` while Locust does not answer, and while a change and a rebalance happen at the same time.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::serving::wait_until;
use support::swarm::{ask, wait_for_workers, worker_pods};

use super::locust::served;

/// From now on, Locust does not answer.
fn silence(cluster: &TestCluster) {
    let hang = Fault::once(Action::Delay(Duration::from_secs(60)));
    cluster.handle().inject(hang.at("/proxy/").times(Fault::ALWAYS));
}

fn users(cluster: &TestCluster) -> Value {
    ask(cluster, "GET", "stats/requests", "")["user_count"].clone()
}

/// The number of starts that reached Locust.
fn starts(cluster: &TestCluster) -> usize {
    let requests = cluster.handle().requests();
    requests.iter().filter(|request| request.line().ends_with("proxy/swarm")).count()
}

/// Locust's page was requested after the last start.
fn is_confirming(cluster: &TestCluster) -> bool {
    let requests = cluster.handle().requests();
    let last = requests.iter().rev().map(|request| request.line());
    last.take_while(|line| !line.ends_with("proxy/swarm")).any(|line| line.ends_with("proxy/"))
}

const RISK: &str = "Locust at service/locust-master does not answer: no answer within 10 s. A test with \
     60 users was running at its last answer. With fewer workers, that test can lose users, and serve \
     cannot check it.";

#[test]
fn workers_of_a_test_that_was_running_are_not_removed_while_locust_is_silent() {
    let (cluster, serving) = served(3, &[]);
    silence(&cluster);
    for body in [r#"{"replicas": 2}"#, r#"{"by": -1}"#] {
        serving.put("", body).is_problem(409, "TestUnknown", RISK);
    }
    let refused = serving.post("worker_count=2&confirm=yes");
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("ignore_locust=yes"), "{}", refused.text);
    serving.wait_for_log("action=\"scale\" old=3 new=2 outcome=refused");
    assert_eq!(cluster.workers(), 3);
    assert_eq!(serving.put("?dryRun=true", r#"{"replicas": 2}"#).status, 200, "a dry run is safe");
    assert_eq!(serving.put("", r#"{"replicas": 4}"#).status, 200, "more workers are safe");
    let forced = serving.put("", r#"{"replicas": 2, "ignoreLocust": true}"#);
    assert_eq!((forced.status, cluster.workers()), (200, 2));
}

#[test]
fn a_person_may_remove_workers_while_locust_is_silent() {
    let (cluster, serving) = served(3, &[]);
    silence(&cluster);
    assert_eq!(
        serving.get("/api/question?replicas=2").json(),
        json!({"order": {"replicas": 2, "currentReplicas": 3, "ignoreLocust": true},
            "question": {"title": "Scale locust-slave from 3 to 2?", "text": RISK, "dangerous": false}})
    );
    let question = serving.post("worker_count=2");
    assert_eq!(question.status, 428);
    let hidden = "name=\"ignore_locust\" value=\"yes\"";
    assert!(question.text.contains(RISK) && question.text.contains(hidden), "{}", question.text);
    let form = "worker_count=2&confirm=yes&current_replicas=3&ignore_locust=yes";
    assert_eq!((serving.post(form).status, cluster.workers()), (303, 2));
}

#[test]
fn a_silent_locust_without_a_test_does_not_delay_a_change() {
    let (cluster, serving) = served(3, &[]);
    ask(&cluster, "POST", "stop", "");
    serving.wait_for_state(|state| state["locust"]["state"] == "stopped");
    silence(&cluster);
    assert_eq!(serving.put("", r#"{"replicas": 2}"#).status, 200);
    assert_eq!(cluster.workers(), 2);
}

#[test]
fn workers_of_a_test_that_may_have_been_started_since_the_last_answer_are_not_removed() {
    for (failure, why) in [
        (Action::Delay(Duration::from_secs(60)), "no answer within 10 s"),
        (Action::html(504), " answered 504"),
    ] {
        let (cluster, serving) = served(3, &[]);
        ask(&cluster, "POST", "stop", "");
        serving.wait_for_state(|state| state["locust"]["state"] == "stopped");
        cluster.handle().inject(Fault::once(failure).at("/proxy/").times(Fault::ALWAYS));
        // An answer of this age says nothing about the present.
        std::thread::sleep(Duration::from_secs(13));
        let refused = serving.put("", r#"{"replicas": 2}"#);
        refused.is_problem(409, "TestUnknown", "A test may have been started.");
        assert!(refused.text.contains(why), "{refused:?}");
        assert_eq!(cluster.workers(), 3);
        let forced = serving.put("", r#"{"replicas": 2, "ignoreLocust": true}"#);
        assert_eq!((forced.status, cluster.workers()), (200, 2));
    }
}

/// Changes the count while Locust is silent after a start. Returns serve's log before the change.
fn log_until_a_change() -> String {
    let (cluster, serving) = served(5, &["--rebalance=always"]);
    let before = starts(&cluster);
    cluster.handle().set_replicas(WORKERS, 1);
    wait_for_workers(&cluster, 1);
    wait_until(|| starts(&cluster) > before && is_confirming(&cluster), || "a start".to_owned());
    cluster.handle().inject(Fault::once(Action::Delay(Duration::from_secs(60))).at("/proxy/"));
    wait_until(|| cluster.handle().pending_faults() == 0, || "a look".to_owned());
    let scaled = serving.put("?wait=50s", r#"{"replicas": 3}"#).json();
    assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    assert_eq!(users(&cluster), 60);
    let change = "action=\"scale\"";
    serving.wait_for_log(change);
    serving.stderr().split(change).next().unwrap().to_owned()
}

#[test]
fn a_change_ends_a_rebalance_that_is_not_confirmed() {
    // On a busy machine, the rebalance may be confirmed before Locust is silent.
    let mut logs = (0..3).map(|_| log_until_a_change());
    let log = logs
        .find(|log| !log.contains("outcome=well"))
        .expect("a rebalance that was not confirmed first");
    let text = "locustctl redistributed the users; a change of the number of replicas began before \
                locustctl could confirm that the test has all of them";
    let ended = format!("outcome=wrong detail=\"{text}\"");
    assert!(log.contains(&ended), "the rebalance ends first: {log}");
}

#[test]
fn lost_users_come_back_although_new_pods_do_not_become_ready() {
    let (cluster, serving) = served(4, &["--rebalance=always"]);
    cluster.handle().pause_controllers();
    assert_eq!(serving.put("", r#"{"replicas": 6}"#).status, 200);
    // Locust moves the users of the first worker that leaves, but not those of the second one.
    for pod in &worker_pods(&cluster)[..2] {
        cluster.handle().delete_object(&format!("/api/v1/namespaces/default/pods/{pod}"));
    }
    wait_for_workers(&cluster, 2);
    let is_back = || users(&cluster) == 60 && starts(&cluster) > 1;
    wait_until(is_back, || format!("60 users: {}", serving.stderr()));
    let state = serving.state();
    let change = state["history"].as_array().unwrap().iter().find(|entry| entry["new"] == 6);
    assert_eq!(change.unwrap()["users"]["text"], "waiting for the pods", "{state}");
}

#[test]
fn a_rebalance_on_request_waits_for_no_other_one() {
    let (cluster, serving) = served(5, &["--rebalance=never"]);
    serving.put("?wait=50s", r#"{"replicas": 4}"#);
    // The change is being made until the API server answers.
    cluster.handle().inject(Fault::once(Action::HoldAnswer).on("PATCH"));
    let put = serving.request("PUT", "/api/scale").body(r#"{"replicas": 6}"#);
    let put = put.header("content-type", "application/json");
    std::thread::scope(|scope| {
        let change = scope.spawn(|| serving.send(put));
        wait_until(|| cluster.workers() == 6, || "the change".to_owned());
        let busy = serving.send(serving.request("POST", "/api/rebalance"));
        busy.is_problem(409, "NotRebalanced", "is under way. Try again when it has ended.");
        cluster.handle().clear_faults();
        assert_eq!(change.join().unwrap().status, 200);
    });
}

#[test]
fn too_many_looks_at_locust_for_questions_are_refused() {
    const MAX_LOOKS: usize = 16;
    let (cluster, serving) = served(3, &[]);
    silence(&cluster);
    let question = || serving.request("GET", "/api/question?replicas=2");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = |request| scope.spawn(|| serving.send(request));
        let asked: Vec<_> = std::iter::repeat_with(question).take(60).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let (answered, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert!(answered.len() >= MAX_LOOKS && !refused.is_empty(), "{}", answered.len());
    refused[0].is_problem(429, "TooManyRequests", "try again in a moment");
    assert_eq!(serving.send(question()).status, 200);
}

//! `locustctl serve` and Locust: the state of the test, and the repair of lost users.

use std::cell::RefCell;
use std::time::Duration;

use locustctl::sandbox::{Action, Fault, Options};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::fake_locust::{FakeLocust, default_response, reply};
use support::serving::{Serving, wait_until};
use support::swarm::{ask, running, worker_pods};

/// A running test for 60 users on this many workers, and a server that has detected it.
pub(super) fn served(workers: i64, flags: &[&str]) -> (TestCluster, Serving) {
    let cluster = running(workers);
    let serving = Serving::start(&cluster, flags);
    serving.wait_until_settled(workers);
    serving.wait_for_state(|state| state["locust"]["users"] == 60);
    (cluster, serving)
}

fn users(cluster: &TestCluster) -> Value {
    ask(cluster, "GET", "stats/requests", "")["user_count"].clone()
}

#[test]
fn the_state_shows_locusts_test() {
    let (cluster, serving) = served(2, &[]);
    let mut locust = serving.state()["locust"].take();
    let fields = locust.as_object_mut().unwrap();
    let load = ["requestsPerSecond", "failureRatio"].map(|name| fields.remove(name).unwrap());
    assert!(load.iter().all(|number| number.as_f64().is_some_and(|number| number >= 0.0)));
    assert_eq!(
        locust,
        json!({"at": "service/locust-master", "problem": "", "state": "running", "workers": 2,
            "ownWorkers": 2, "users": 60, "usersWanted": 60, "notes": [], "needsRebalance": false})
    );
    ask(&cluster, "POST", "stop", "");
    serving.wait_for_state(|state| state["locust"]["state"] == "stopped");
    let locust = &serving.state()["locust"];
    assert_eq!((&locust["users"], &locust["usersWanted"]), (&json!(0), &Value::Null));
}

/// Longer than serve shows a look at Locust without a new one.
const OUTDATED_AFTER: Duration = Duration::from_millis(3200);

/// Changes the number of users, and returns true if `shows` finds the new number after serve's last look is
/// outdated. A busy machine may need more than the second for which serve waits. Each attempt has its own
/// number, so a later look does not help an earlier attempt.
fn shows_new_users(cluster: &TestCluster, least: i64, shows: impl Fn(i64) -> bool) -> bool {
    (least..least + 5).any(|users| {
        ask(cluster, "POST", "swarm", &format!("user_count={users}&spawn_rate=60"));
        std::thread::sleep(OUTDATED_AFTER);
        shows(users)
    })
}

#[test]
fn without_viewers_the_page_and_the_first_event_show_the_test_of_this_moment() {
    let (cluster, serving) = served(2, &[]);
    let page_has =
        |users: i64| serving.get("/").text.contains(&format!("id=\"users\">{users} of "));
    assert!(shows_new_users(&cluster, 40, page_has), "the page is older than serve's last look");
    let event_has = |users: i64| serving.state()["locust"]["users"] == users;
    assert!(shows_new_users(&cluster, 50, event_has), "the event is older than serve's last look");
}

#[test]
fn before_the_first_list_of_the_pods_no_worker_is_reported_as_gone() {
    let cluster = running(2);
    let list = Fault::once(Action::Delay(Duration::from_secs(3))).on("GET");
    cluster.handle().inject(list.at("/namespaces/default/pods?").times(Fault::ALWAYS));
    let serving = Serving::start(&cluster, &[]);
    let seen = RefCell::new(Vec::new());
    serving.wait_for_state(|state| {
        seen.borrow_mut().push(state["locust"]["notes"].clone());
        state["pods"].as_array().unwrap().len() == 2 && state["locust"]["ownWorkers"] == 2
    });
    let is_quiet = |notes: &Value| notes.as_array().is_none_or(Vec::is_empty);
    assert!(seen.borrow().iter().all(is_quiet), "{seen:?}");
}

#[test]
fn a_connected_worker_in_a_pod_that_is_not_ready_is_not_reported_as_gone() {
    let pod_ready_after = Duration::from_secs(600);
    let cluster = TestCluster::with(Options { pod_ready_after, ..Options::default() });
    let first = worker_pods(&cluster);
    cluster.handle().set_replicas(WORKERS, 2);
    wait_until(|| worker_pods(&cluster).len() == 2, || "the second pod".to_owned());
    let second = worker_pods(&cluster).into_iter().find(|pod| !first.contains(pod)).unwrap();
    let worker = |(pod, number): (&String, u32)| json!({"id": format!("{pod}_{number:032x}"), "state": "ready", "user_count": 0});
    let stats = json!({"state": "ready", "user_count": 0,
        "workers": [worker((&first[0], 1)), worker((&second, 2))]});
    let locust = FakeLocust::start(move |request, stream| match &*request.path {
        "/stats/requests" => {
            reply(stream, "200 OK\nContent-Type: application/json", stats.to_string());
        }
        _ => default_response(request, stream),
    });
    let flag = format!("--locust={}", locust.url());
    let serving = Serving::start(&cluster, &[&flag]);
    let state = serving.wait_for_state(|state| {
        state["pods"].as_array().unwrap().len() == 2 && state["locust"]["ownWorkers"] == 2
    });
    let are_ready = state["pods"].as_array().unwrap().iter().filter(|pod| pod["ready"] == true);
    assert_eq!(are_ready.count(), 1);
    assert_eq!(state["locust"]["notes"], json!([]));
}

#[test]
fn a_change_restores_the_users_of_a_running_test() {
    let (cluster, serving) = served(5, &[]);
    let scaled = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
    let expected = json!({"stage": "well", "text": "the test had 15 of 60 users; redistributed 60 users over 1 worker"});
    assert_eq!(scaled["users"], expected);
    assert_eq!(users(&cluster), 60);
    assert_eq!(serving.state()["history"][0]["users"], expected);
    serving.wait_for_log(
        "action=\"rebalance\" old=- new=- outcome=well detail=\"the test had 15 of 60 users; redistributed 60 users over 1 worker\"",
    );
    let up = serving.put("?wait=50s", r#"{"replicas": 4}"#).json();
    assert_eq!(up["users"]["stage"], "well", "{up}");
    let stats = ask(&cluster, "GET", "stats/requests", "");
    let shares = stats["workers"].as_array().unwrap().iter().map(|one| &one["user_count"]);
    assert!(shares.into_iter().all(|share| share == 15), "{stats}");
}

#[test]
fn users_are_also_restored_without_wait() {
    let (cluster, serving) = served(5, &[]);
    let scaled = serving.put("", r#"{"replicas": 1}"#).json();
    assert_eq!(scaled["users"]["stage"], "waiting");
    serving.wait_for_state(|state| state["history"][0]["users"]["stage"] == "well");
    assert_eq!(users(&cluster), 60);
}

#[test]
fn without_a_test_no_users_are_reported() {
    let (cluster, serving) = served(2, &[]);
    ask(&cluster, "POST", "stop", "");
    let scaled = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
    assert_eq!(scaled["users"], Value::Null);
    assert_eq!(serving.state()["history"][0]["users"], Value::Null);
    assert_eq!(
        ask(&cluster, "GET", "stats/requests", "")["state"],
        "stopped",
        "no test was started"
    );
}

#[test]
fn with_never_the_loss_is_reported_and_a_rebalance_can_be_requested() {
    let (cluster, serving) = served(5, &["--rebalance=never"]);
    let scaled = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
    assert_eq!(scaled["users"]["stage"], "wrong");
    let text = scaled["users"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("the test has 15 of 60 users; locustctl does not redistribute the users"),
        "{text}"
    );
    let state = serving.wait_for_state(|state| state["locust"]["needsRebalance"] == true);
    assert_eq!(state["locust"]["notes"], json!(["the test has 15 of 60 users"]));

    let rebalance = || serving.send(serving.request("POST", "/api/rebalance"));
    let expected = "the test had 15 of 60 users; redistributed 60 users over 1 worker";
    assert_eq!(rebalance().json(), json!({"rebalanced": true, "message": expected}));
    assert_eq!(users(&cluster), 60);
    let last = &serving.state()["history"][0];
    assert_eq!(
        last["users"],
        json!({"stage": "well", "text": expected}),
        "the history shows the users after the rebalance"
    );
    let expected = json!({"rebalanced": false, "message": "the test has all its 60 users"});
    assert_eq!(rebalance().json(), expected);
    serving.wait_for_state(|state| state["locust"]["needsRebalance"] == false);
}

#[test]
fn the_form_asks_before_a_running_test_loses_workers() {
    let (cluster, serving) = served(3, &[]);
    let question = serving.post("worker_count=2");
    assert_eq!(question.status, 428);
    let text = "A test is running with 60 users on 3 workers; 1 worker will leave, and up to 3 s of its statistics are lost.";
    assert!(question.text.contains(text), "{}", question.text);
    assert_eq!(cluster.workers(), 3);
    assert_eq!(serving.post("worker_count=4").status, 303, "a scale up needs no confirmation");
    assert_eq!(serving.post("worker_count=2&confirm=yes").status, 303);
    assert_eq!(cluster.workers(), 2);
}

/// A Locust with `--reset-stats` and a test for 60 users on these pods.
fn locust_that_resets_its_statistics(pods: &[String]) -> FakeLocust {
    const LOG: &str = r#"{"master": [
        "[2026-11-26 14:15:30,000] host/INFO/locust.main: Starting Locust 2.47.0",
        "[2026-11-26 14:15:31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 10.00 spawn rate to 2 ready workers",
        "[2026-11-26 14:15:37,000] host/INFO/locust.runners: All users spawned: {\"U\": 60} (60 total users)",
        "[2026-11-26 14:15:37,000] host/INFO/locust.runners: Resetting stats"
        ]}"#;
    let worker =
        |pod| json!({"id": format!("{pod}_{:032x}", 1), "state": "running", "user_count": 30});
    let workers: Vec<_> = pods.iter().map(worker).collect();
    let stats = json!({"state": "running", "user_count": 60, "workers": workers}).to_string();
    let args = json!({"state": "running", "user_count": 60, "num_users": 60, "spawn_rate": 10,
        "worker_count": 2, "version": "2.47.0"});
    let page = format!("<script>window.templateArgs = {args}</script>");
    FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        match &*request.path {
            "/" => reply(stream, "200 OK\nContent-Type: text/html", &page),
            "/stats/requests" => reply(stream, json, &stats),
            "/logs" => reply(stream, json, LOG),
            _ => default_response(request, stream),
        }
    })
}

#[test]
fn a_question_says_that_the_statistics_will_be_reset() {
    let cluster = running(2);
    let locust = locust_that_resets_its_statistics(&worker_pods(&cluster));
    let serving = Serving::start(&cluster, &[&format!("--locust={}", locust.url())]);
    serving.wait_until_settled(2);
    serving.wait_for_state(|state| state["locust"]["ownWorkers"] == 2);
    let reset = "Locust runs with --reset-stats, so it resets its statistics when users move to other workers";
    let question = serving.get("/api/question?replicas=1").json();
    assert!(question["question"]["text"].as_str().unwrap().contains(reset), "{question}");
    assert!(serving.post("worker_count=1").text.contains(reset));
    // Without workers the test ends, and no users move.
    let question = serving.get("/api/question?replicas=0").json();
    let text = question["question"]["text"].as_str().unwrap();
    assert!(text.contains("without workers it ends") && !text.contains(reset), "{question}");
    assert_eq!(cluster.workers(), 2);
}

#[test]
fn a_question_has_the_users_of_this_moment() {
    let (cluster, serving) = served(5, &[]);
    ask(&cluster, "POST", "swarm", "user_count=30&spawn_rate=20");
    let text = "A test is running with 30 users on 5 workers; 3 workers will leave, and up to 3 s of their statistics are lost.";
    let question = serving.post("worker_count=2");
    assert_eq!(question.status, 428);
    assert!(question.text.contains(text), "{}", question.text);
    ask(&cluster, "POST", "swarm", "user_count=20&spawn_rate=20");
    let text = text.replace("30 users", "20 users");
    assert_eq!(
        serving.get("/api/question?replicas=2").json(),
        json!({"order": {"replicas": 2, "currentReplicas": 5},
            "question": {"title": "Scale locust-slave from 5 to 2?", "text": text, "dangerous": false}})
    );
    assert_eq!(
        serving.get("/api/question?replicas=6").json(),
        json!({"order": {"replicas": 6, "currentReplicas": 5}, "question": null})
    );
    let renewed = serving.get("/api/question?replicas=6&asked=true").json();
    let text = "The number of workers has changed in the meantime.";
    assert_eq!(renewed["question"]["text"], text, "{renewed}");
    serving.get("/api/question?replicas=x").is_problem(400, "BadRequest", "whole number");
}

#[test]
fn the_form_restores_users_without_javascript() {
    let (cluster, serving) = served(5, &["--rebalance=never"]);
    serving.put("?wait=50s", r#"{"replicas": 1}"#);
    let request = serving.request("POST", "/rebalance");
    let form = "application/x-www-form-urlencoded";
    let answer = serving.send(request.header("content-type", form).body(""));
    assert_eq!((answer.status, answer.header("location")), (303, "./"));
    assert_eq!(users(&cluster), 60);
}

#[test]
fn an_uncertain_rebalance_is_left_to_the_user() {
    let (cluster, serving) = served(5, &[]);
    ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=20&run_time=5m");
    let scaled = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
    assert_eq!(scaled["users"]["stage"], "wrong");
    let text = scaled["users"]["text"].as_str().unwrap();
    assert!(
        text.contains(
            "locustctl does not redistribute the users: the test was edited after its start"
        ),
        "{text}"
    );
    let answer = serving.send(serving.request("POST", "/api/rebalance"));
    answer.is_problem(409, "NotRebalanced", "run time");
}

#[test]
fn an_overtaken_change_leaves_the_rebalance_to_the_next_change() {
    let (cluster, serving) = served(5, &[]);
    serving.put("", r#"{"replicas": 9}"#);
    serving.put("?wait=50s", r#"{"replicas": 1}"#);
    let history = &serving.state()["history"];
    assert_eq!(history[0]["users"]["stage"], "well", "{history}");
    assert_eq!(history[1]["users"]["stage"], "wrong", "{history}");
    assert_eq!(users(&cluster), 60);
}

#[test]
fn a_confirmation_in_the_form_applies_to_the_count_in_the_question() {
    let (cluster, serving) = served(4, &[]);
    let question = serving.post("worker_count=9");
    assert_eq!(question.status, 428);
    assert!(question.text.contains("from 4 to 9?"), "{}", question.text);
    assert!(question.text.contains("name=\"current_replicas\" value=\"4\""), "{}", question.text);
    serving.put("?wait=50s", r#"{"replicas": 12}"#);
    serving.wait_for_state(|state| state["locust"]["ownWorkers"] == 12);

    let renewed = serving.post("worker_count=9&confirm=yes&current_replicas=4");
    assert_eq!((renewed.status, cluster.workers()), (409, 12));
    for expected in [
        "Expected replicas to be 4, was 12",
        "from 12 to 9?",
        "60 users on 12 workers; 3 workers will leave",
        "name=\"current_replicas\" value=\"12\"",
        "id=\"count\" name=\"worker_count\"",
    ] {
        assert!(renewed.text.contains(expected), "{expected}: {}", renewed.text);
    }
    assert_eq!(serving.post("worker_count=9&confirm=yes&current_replicas=12").status, 303);
    assert_eq!(cluster.workers(), 9);
}

#[test]
fn the_form_asks_again_if_the_count_has_changed() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.put("?wait=50s", r#"{"replicas": 8}"#);
    let renewed = serving.post("worker_count=9&confirm=yes&current_replicas=4");
    assert_eq!((renewed.status, cluster.workers()), (409, 8));
    assert!(renewed.text.contains("from 8 to 9?"), "{}", renewed.text);
    assert!(renewed.text.contains("The number of workers has changed in the meantime."));
    let same_count = serving.post("worker_count=8&confirm=yes&current_replicas=4");
    assert_eq!(same_count.status, 409);
    assert!(!same_count.text.contains("from 8 to 8?"), "{}", same_count.text);
    let invalid = serving.post("worker_count=9&confirm=yes&current_replicas=x");
    assert_eq!((invalid.status, cluster.workers()), (422, 8));
    assert_eq!(
        serving.post("worker_count=9&confirm=yes").status,
        303,
        "current_replicas is optional"
    );
    assert_eq!(cluster.workers(), 9);
}

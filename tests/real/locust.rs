//! Tests with a real Locust. One worker process runs for each pod of the sandbox.

use locustctl::sandbox::{Account, Options};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::serving::{Http, Serving, wait_until};
use support::{Outcome, locustctl};

use crate::locust_process::{LATEST, RealLocust, on_each};

fn run(cluster: &TestCluster, locust: &RealLocust, line: &str) -> Outcome {
    let line = format!("{line} --locust={}", locust.url());
    locustctl(&line).kubeconfig(cluster.kubeconfig()).run()
}

#[track_caller]
fn assert_succeeds(outcome: &Outcome, message: &str) {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(message), "{message:?} is not in {outcome:?}");
}

/// The number of workers that are not missing. Older Locust releases do not report `worker_count`
/// here.
fn connected_workers(stats: &Value) -> usize {
    let workers = stats["workers"].as_array().unwrap();
    workers.iter().filter(|worker| worker["state"] != "missing").count()
}

/// Starts Locust with one worker and a load test with 60 users.
fn running(release: &str, cluster: &TestCluster) -> RealLocust {
    let locust = RealLocust::start(release, cluster);
    assert_succeeds(
        &run(cluster, &locust, "scale --replicas=1 --wait --timeout=60s"),
        "1 worker is connected to Locust\n",
    );
    let answer = locust.post("/swarm", "user_count=60&spawn_rate=60");
    assert_eq!(answer["success"], true, "{answer}");
    locust.wait_for(|stats| stats["state"] == "running" && stats["user_count"] == 60);
    locust
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn scaling_keeps_the_users_and_statistics_of_a_running_test() {
    on_each(&[LATEST], |release| {
        let cluster = TestCluster::start();
        let locust = running(release, &cluster);
        locust.wait_for(|stats| stats["stats"].as_array().is_some_and(|all| all.len() > 1));
        let outcome = run(&cluster, &locust, "scale --replicas=4 --timeout=60s");
        assert_succeeds(&outcome, "4 workers are connected to Locust\n");
        let has_users = |worker: &Value| worker["user_count"].as_i64() > Some(0);
        locust.wait_for(|stats| {
            let workers = stats["workers"].as_array().unwrap();
            stats["user_count"] == 60 && workers.len() == 4 && workers.iter().all(has_users)
        });
        let before = locust.requests();
        assert!(before > 0, "{release}");

        let outcome = run(&cluster, &locust, "scale --replicas=1 --timeout=60s");
        assert_succeeds(&outcome, "1 worker is connected to Locust\n");
        assert_succeeds(&outcome, " of 60 users; redistributed 60 users over 1 worker\n");
        let stats =
            locust.wait_for(|stats| stats["user_count"] == 60 && connected_workers(stats) == 1);
        assert_eq!(stats["state"], "running", "{release}");
        assert!(locust.requests() >= before, "{release}: the statistics are not reset");

        assert_succeeds(&run(&cluster, &locust, "rebalance"), "");
        let outcome = run(&cluster, &locust, "scale --replicas=0 --timeout=60s");
        assert_succeeds(&outcome, "no test is running (Locust's state is stopped)\n");
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn after_scaling_to_4_1_and_3_three_workers_are_connected() {
    let cluster = TestCluster::start();
    let locust = RealLocust::start(LATEST, &cluster);
    for count in [4, 1, 3] {
        let line = format!("scale --replicas={count} --wait --timeout=60s");
        assert_eq!(run(&cluster, &locust, &line).code, Some(0));
    }
    assert_eq!(locust.get("/worker-count"), json!({"worker_count": 3}));
    let outcome = run(&cluster, &locust, "status");
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    assert!(outcome.stdout.contains("Workers:     3 connected\n"), "{outcome:?}");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_killed_worker_is_reported_by_name() {
    let cluster = TestCluster::start();
    let locust = RealLocust::builder(LATEST, &cluster).heartbeats(10).start();
    assert_eq!(run(&cluster, &locust, "scale --replicas=2 --wait --timeout=60s").code, Some(0));
    let pod = locust.kill_a_worker();
    // Locust caches the statistics, so read the count from the page.
    let is_missing = || locust.values()["worker_count"] == 1;
    wait_until(is_missing, || "the worker is counted as missing".to_owned());
    let outcome = run(&cluster, &locust, "status");
    let warnings = format!(
        "Warning: ready, but not connected to Locust: {pod}\nWarning: workers without heartbeats: {pod}\n"
    );
    assert_eq!((outcome.code, &outcome.stderr), (Some(0), &warnings));
    let outcome = run(&cluster, &locust, "scale --replicas=2 --wait --timeout=10s");
    let error = format!(
        "error: the connected workers differ from the ready pods after the time limit: 1 worker is connected to \
         Locust; ready, but not connected: {pod}; workers without heartbeats: {pod}\n"
    );
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.ends_with(&error), "{outcome:?}");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn scaling_through_serve_keeps_the_users_of_a_running_test() {
    let cluster = TestCluster::start();
    let locust = running(LATEST, &cluster);
    let serving = Serving::start(&cluster, &[&format!("--locust={}", locust.url())]);
    serving.wait_for_state(|state| state["locust"]["users"] == 60);
    let before = locust.requests();
    for (replicas, workers) in [(4, "4 workers"), (1, "1 worker")] {
        let scaled = serving.put("?wait=60s", &format!(r#"{{"replicas": {replicas}}}"#)).json();
        let text = scaled["users"]["text"].as_str().unwrap();
        assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
        let is_expected_text = text.contains(workers) || text == "the test has all its 60 users";
        assert!(is_expected_text, "{text}");
    }
    let stats = locust.wait_for(|stats| stats["user_count"] == 60 && connected_workers(stats) == 1);
    assert_eq!(stats["state"], "running");
    assert!(locust.requests() >= before, "the statistics are not reset");
    let scaled = serving.put("?wait=60s", r#"{"replicas": 0}"#).json();
    assert!(scaled["users"]["text"].as_str().unwrap().contains("no test is running"), "{scaled}");
    serving.wait_for_state(|state| state["locust"]["workers"] == 0);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn serve_reconnects_to_a_restarted_master() {
    let cluster = TestCluster::start();
    let mut locust = running(LATEST, &cluster);
    let serving = Serving::start(&cluster, &[&format!("--locust={}", locust.url())]);
    serving.wait_for_state(|state| state["locust"]["state"] == "running");
    locust.stop_master();
    serving.wait_for_state(|state| state["locust"]["problem"] != "");
    let outcome = run(&cluster, &locust, "scale --replicas=2 --wait --timeout=5s");
    let line = "deployment.apps/locust-slave scaled from 1 to 2\n";
    outcome.exits(1, line);
    let error = "error: the workers were scaled, but Locust's master did not answer within 5s: ";
    assert!(outcome.stderr.contains(error), "{outcome:?}");
    let scaled = serving.put("?wait=60s", r#"{"replicas": 4}"#);
    assert_eq!(scaled.status, 200, "serve scales although Locust is down");
    locust.start_master();
    let outcome = run(&cluster, &locust, "scale --replicas=3 --wait --timeout=60s");
    assert_succeeds(&outcome, "3 workers are connected to Locust\n");
    let is_back =
        |state: &Value| state["locust"]["problem"] == "" && state["locust"]["workers"] == 3;
    let state = serving.wait_for_state(is_back);
    assert_eq!(state["locust"]["state"], "ready", "the test ended when its master stopped");
}

/// The names of all fields, also of nested ones.
fn fields(value: &Value) -> Value {
    match value {
        Value::Object(all) => all.iter().map(|(name, one)| (name.clone(), fields(one))).collect(),
        Value::Array(all) => all.iter().map(fields).take(1).collect(),
        _ => Value::Null,
    }
}

fn template_args(page: &str) -> Value {
    let (_, args) = page.split_once("window.templateArgs = ").unwrap();
    serde_json::Deserializer::from_str(args).into_iter().next().unwrap().unwrap()
}

/// The lines of a master's log, without times, hosts, addresses and ids. If Locust is busy, it
/// logs "Spawning is complete and report waittime is expired" instead of "All users spawned". Both are
/// mapped to one line.
fn lines(logs: &Value) -> Vec<String> {
    let word = |word: &str| match word.rsplit_once('_') {
        Some((_, hex)) if hex.trim_end_matches('\'').len() == 32 => "ID".to_owned(),
        _ if word.starts_with("http://") => "URL".to_owned(),
        _ => word.to_owned(),
    };
    let line = |line: &Value| {
        let (_, rest) = line.as_str().unwrap().split_once('/').unwrap();
        let text = rest.split(' ').map(word).collect::<Vec<_>>().join(" ");
        let spawned_messages = ["All users spawned", "Spawning is complete"];
        match spawned_messages.iter().any(|start| text.contains(start)) {
            true => "the users are spawned".to_owned(),
            false => text,
        }
    };
    logs["master"].as_array().unwrap().iter().map(line).collect()
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_simulated_locust_answers_like_the_real_one() {
    let cluster = TestCluster::start();
    let locust = running(LATEST, &cluster);
    let http = Http::new();
    let proxy =
        format!("{}/api/v1/namespaces/default/services/locust-master:8089/proxy", cluster.server());
    let ask = |method: &str, path: &str, form: &str| {
        let request = http.request(method, &format!("{proxy}{path}")).body(form.to_owned());
        http.send(request.bearer_auth(cluster.token(Account::Admin)))
    };
    let swarm = "user_count=60&spawn_rate=60";
    // `running` has already started a test on the real Locust, so start one here too.
    ask("POST", "/swarm", swarm);
    let second_form = "user_count=60&spawn_rate=60&run_time=1h20m";
    let (simulated, real) =
        (ask("POST", "/swarm", second_form).json(), locust.post("/swarm", second_form));
    assert_eq!((fields(&simulated), &simulated["run_time"]), (fields(&real), &real["run_time"]));
    let stats = locust.wait_for(|stats| stats["stats"].as_array().is_some_and(|all| all.len() > 1));
    assert_eq!(fields(&ask("GET", "/stats/requests", "").json()), fields(&stats));
    assert_eq!(ask("GET", "/worker-count", "").json(), locust.get("/worker-count"));
    for path in ["/tasks", "/exceptions"] {
        assert_eq!(ask("GET", path, "").json(), locust.get(path), "{path}");
    }
    let has_history = |page: &str| template_args(page)["history"] != json!([]);
    wait_until(
        || has_history(&ask("GET", "/", "").text) && has_history(&locust.page()),
        || "the history".to_owned(),
    );
    let (simulated, real) =
        (template_args(&ask("GET", "/", "").text), template_args(&locust.page()));
    assert_eq!(fields(&simulated["history"]), fields(&real["history"]));
    let names = |all: &Value| all.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&simulated), names(&real));
    for field in [
        "state",
        "user_count",
        "worker_count",
        "num_users",
        "spawn_rate",
        "run_time",
        "is_distributed",
        "version",
    ] {
        assert_eq!(simulated[field], real[field], "{field}");
    }
    for query in ["", "?download=1"] {
        let path = format!("/stats/report{query}");
        let (simulated, real) = (template_args(&ask("GET", &path, "").text), locust.text(&path));
        let real = template_args(&real);
        assert_eq!(names(&simulated), names(&real), "{query}");
        for field in ["history", "requests_statistics", "response_time_statistics"] {
            assert_eq!(fields(&simulated[field]), fields(&real[field]), "{query} {field}");
        }
        assert_eq!(simulated["show_download_link"], real["show_download_link"], "{query}");
    }
    for form in ["", "user_count=-1&spawn_rate=1", "user_count=abc&spawn_rate=1"] {
        let (simulated, real) = (ask("POST", "/swarm", form).json(), locust.post("/swarm", form));
        assert_eq!(
            (&simulated["success"], &simulated["message"]),
            (&real["success"], &real["message"]),
            "{form}"
        );
    }
    assert_eq!(ask("POST", "/stop", "").json(), locust.post("/stop", ""));
    let (simulated, real) = (ask("GET", "/logs", "").json(), locust.get("/logs"));
    assert_eq!((names(&simulated), lines(&simulated)), (names(&real), lines(&real)));
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_simulated_locust_refuses_paths_and_methods_like_the_real_one() {
    on_each(&["2.25.0", "2.32.2", LATEST], |release| {
        let locust_release = release.parse().unwrap();
        let cluster = TestCluster::with(Options { locust_release, ..Options::default() });
        let locust = RealLocust::start(release, &cluster);
        let http = Http::new();
        let proxy = "/api/v1/namespaces/default/services/locust-master:8089/proxy";
        let simulated = format!("{}{proxy}", cluster.server());
        for (method, path) in [
            ("POST", "/stop"),
            ("GET", "/stop"),
            ("GET", "/swarm"),
            ("PUT", "/tasks"),
            ("GET", "/x"),
        ] {
            let answer = |root: &str, token: &str| {
                let request = http.request(method, &format!("{root}{path}")).bearer_auth(token);
                let reply = http.send(request);
                // The sandbox writes attributes in quotes, and JSON without spaces.
                let ignored = |c: char| c == '"' || c.is_whitespace();
                (reply.status, reply.text.replace(ignored, ""))
            };
            let expected = answer(locust.url(), "");
            let token = cluster.token(Account::Admin);
            assert_eq!(answer(&simulated, token), expected, "{release}: {method} {path}");
        }
    });
}

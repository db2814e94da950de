//! A running test keeps its users when another client removes workers, and when Locust fails at the same time.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault, Options, RecordedRequest};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::running::Running;
use support::serving::{Reply, Serving, wait_until};
use support::swarm::{ask, running, start_test, wait_for_workers};
use support::{Outcome, locustctl};

/// The message after three of four or five workers with 60 users have left.
const REPAIRED: &str = "the test had 15 of 60 users; redistributed 60 users over 1 worker";

fn users(cluster: &TestCluster) -> Value {
    ask(cluster, "GET", "stats/requests", "")["user_count"].clone()
}

/// The forms of all starts that reached Locust.
fn starts(cluster: &TestCluster) -> Vec<String> {
    let requests = cluster.handle().requests();
    let starts = requests.iter().filter(|request| request.line().ends_with("proxy/swarm"));
    starts.map(|start| String::from_utf8_lossy(&start.body).into_owned()).collect()
}

/// Another client scales without asking Locust, and the test loses users.
fn lose_users(cluster: &TestCluster) {
    cluster.handle().set_replicas(WORKERS, 1);
    wait_for_workers(cluster, 1);
}

/// A cluster with a running test for 60 users on this many workers of this release.
fn running_on(release: &str, workers: i64) -> TestCluster {
    let cluster = TestCluster::with(Options {
        locust_release: release.parse().unwrap(),
        pod_ready_after: Duration::from_millis(100),
        ..Options::default()
    });
    locustctl(&format!("scale --replicas={workers} --wait --locust=auto"))
        .kubeconfig(cluster.kubeconfig())
        .run();
    start_test(&cluster);
    cluster
}

fn served(cluster: &TestCluster, workers: i64, flags: &[&str]) -> Serving {
    let serving = Serving::start(cluster, flags);
    serving.wait_until_settled(workers);
    serving.wait_for_state(|state| state["locust"]["users"] == 60);
    serving
}

#[test]
fn a_watch_restores_users_after_a_change_by_another_client() {
    let cluster = running(5);
    let mut watch = Running::start(&cluster, "rebalance --watch");
    watch.wait_for("the test has all its 60 users\n");
    lose_users(&cluster);
    wait_until(|| users(&cluster) == 60, || format!("60 users: {}", watch.stderr()));
    watch.wait_for(REPAIRED);
    watch.interrupt();
    assert_eq!((watch.end(), &*watch.stdout()), (Some(130), &*format!("{REPAIRED}\n")));
    let log = watch.stderr();
    let begin = "Using Locust at service/locust-master\nthe test has all its 60 users\n";
    assert!(log.starts_with(begin), "{log}");
    assert_eq!(log.matches("Using Locust").count(), 1, "{log}");
}

#[test]
fn a_test_that_is_started_again_between_two_steps_keeps_its_new_users() {
    let cluster = running_on("2.25.0", 8);
    let mut scale = Running::start(&cluster, "scale --replicas=1 --locust");
    scale.wait_for("step 1 of 7 is done");
    // A later step waits until the test has been started again.
    let requests = cluster.handle().requests().len();
    cluster.handle().inject(Fault::once(Action::Hold).on("PATCH"));
    let is_held = || {
        let requests = &cluster.handle().requests()[requests..];
        requests.iter().any(|request| request.line().starts_with("PATCH"))
    };
    wait_until(is_held, || "a PATCH".to_owned());
    // Releases up to 2.46 stop a test on a GET request.
    ask(&cluster, "GET", "stop", "");
    ask(&cluster, "POST", "swarm", "user_count=30&spawn_rate=30");
    cluster.handle().clear_faults();
    assert_eq!(scale.end(), Some(0), "{}", scale.stderr());
    assert_eq!(users(&cluster), 30, "{}", scale.stderr());
    let last = scale.stderr();
    assert!(last.contains("30 users"), "{last}");
}

#[test]
fn a_test_that_locust_stops_during_a_scale_because_it_lost_all_workers_is_an_error() {
    let cluster = running(2);
    cluster.handle().inject(Fault::once(Action::Hold).on("PATCH"));
    let mut scale = Running::start(&cluster, "scale --replicas=4 --locust");
    let is_held = |request: &RecordedRequest| request.line().starts_with("PATCH");
    cluster.wait_for_requests(2, is_held);
    // Another client removes all workers before the change, so Locust stops the test.
    cluster.handle().set_replicas(WORKERS, 0);
    wait_for_workers(&cluster, 0);
    cluster.handle().clear_faults();
    assert_eq!(scale.end(), Some(1), "{}", scale.stderr());
    assert_eq!(scale.stdout(), "deployment.apps/locust-slave scaled from 0 to 4\n");
    let error =
        "error: Locust stopped the test, because it lost all its workers: start the test again\n";
    assert!(scale.stderr().ends_with(error), "{}", scale.stderr());
}

#[test]
fn a_test_ends_without_an_error_if_all_its_workers_are_removed_on_purpose() {
    let cluster = running(2);
    let outcome = locustctl("scale --replicas=0 --locust").kubeconfig(cluster.kubeconfig()).run();
    outcome.exits(0, "deployment.apps/locust-slave scaled from 2 to 0\n");
    assert!(
        outcome.stderr.ends_with("no test is running (Locust's state is stopped)\n"),
        "{outcome:?}"
    );
}

#[test]
fn ctrl_c_ends_an_idle_watch() {
    let cluster = TestCluster::start();
    let mut watch = Running::start(&cluster, "rebalance --watch");
    watch.wait_for("no test is running (Locust's state is ready)\n");
    watch.interrupt();
    assert_eq!((watch.end(), &*watch.stdout()), (Some(130), ""));
}

#[test]
fn a_signal_after_a_start_of_a_watch_says_that_it_was_sent() {
    let cluster = running(5);
    cluster.handle().inject(Fault::once(Action::HoldAnswer).at("proxy/swarm"));
    let mut watch = Running::start(&cluster, "rebalance --watch");
    watch.wait_for("the test has all its 60 users\n");
    let before = starts(&cluster).len();
    lose_users(&cluster);
    wait_until(|| starts(&cluster).len() > before, || format!("a start: {}", watch.stderr()));
    watch.interrupt();
    watch.wait_for("Interrupted: locustctl finishes the start of the users before it ends");
    cluster.handle().clear_faults();
    assert_eq!(watch.end(), Some(130), "{}", watch.stderr());
    assert!(watch.stderr().contains("locustctl asked Locust to start the users"));
}

#[test]
fn a_watch_reports_that_locust_stopped_the_test_because_it_lost_all_workers() {
    let cluster = running(2);
    let watch = Running::start(&cluster, "rebalance --watch");
    watch.wait_for("the test has all its 60 users\n");
    cluster.handle().clear_requests();
    cluster.handle().inject(Fault::once(Action::Hold).on("GET").at("/pods?"));
    let is_held = |request: &RecordedRequest| request.line().contains("/pods?");
    cluster.wait_for_requests(1, is_held);
    // All workers leave and come back before the next look.
    cluster.handle().set_replicas(WORKERS, 0);
    wait_for_workers(&cluster, 0);
    cluster.handle().set_replicas(WORKERS, 2);
    wait_for_workers(&cluster, 2);
    cluster.handle().clear_faults();
    watch.wait_for("Locust stopped the test, because it lost all its workers");
}

#[test]
fn always_restores_users_after_a_change_by_another_client_and_logs_it() {
    let cluster = running(5);
    let serving = served(&cluster, 5, &["--rebalance=always"]);
    lose_users(&cluster);
    let is_recorded = |state: &Value| state["history"][0]["who"] == "locustctl";
    let state = serving.wait_for_state(is_recorded);
    assert_eq!(state["history"][0]["users"], json!({"stage": "well", "text": REPAIRED}));
    assert_eq!(state["history"][1]["who"], "somebody else");
    assert_eq!((users(&cluster), starts(&cluster).len()), (json!(60), 2));
    serving.wait_for_log(&format!(
        "audit who=\"locustctl\" from=0.0.0.0 action=\"rebalance\" old=- new=- outcome=well \
         detail=\"{REPAIRED}\""
    ));
}

#[test]
fn auto_ignores_changes_made_outside_serve() {
    let cluster = running(5);
    let serving = served(&cluster, 5, &["--rebalance=auto"]);
    lose_users(&cluster);
    let state = serving.wait_for_state(|state| state["locust"]["needsRebalance"] == true);
    assert_eq!(state["locust"]["notes"], json!(["the test has 15 of 60 users"]));
    // Longer than `always` would wait.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!((users(&cluster), starts(&cluster).len()), (json!(15), 1));
    let history = serving.state()["history"].clone();
    assert!(history.as_array().unwrap().iter().all(|one| one["who"] == "somebody else"));
}

/// Starts a test through `serve`, as Locust's own page does.
fn start_in_page(serving: &Serving, form: &str) -> Reply {
    let request = serving.request("POST", "/swarm").body(form.to_owned());
    let reply = serving.send(
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", serving.url()),
    );
    assert_eq!(reply.json()["success"], true, "{reply:?}");
    reply
}

#[test]
fn on_an_older_release_serve_knows_the_users_of_a_start_in_locusts_page() {
    let cluster = running_on("2.32.2", 5);
    ask(&cluster, "GET", "stop", "");
    let no_log = Action::Answer { status: 404, headers: Vec::new(), body: b"Not Found".to_vec() };
    cluster.handle().inject(Fault::once(no_log).at("proxy/logs").times(Fault::ALWAYS));
    let serving = Serving::start(&cluster, &["--locust-ui"]);
    wait_until(|| serving.get("/-/locustctl/readyz").status == 200, || "readiness".to_owned());
    wait_until(|| serving.get("/").status == 200, || "Locust's page".to_owned());
    start_in_page(&serving, "user_count=60&spawn_rate=30");
    let wanted = || serving.state_at("/-/locustctl/api/events")["locust"]["usersWanted"].clone();
    wait_until(|| wanted() == 60, || wanted().to_string());
    // The master balances the users only after the first change.
    for (workers, users) in [(4, 60), (3, 45)] {
        cluster.handle().set_replicas(WORKERS, workers);
        let workers_and_users = || {
            let stats = ask(&cluster, "GET", "stats/requests", "");
            (stats["workers"].as_array().unwrap().len() as i64, stats["user_count"].clone())
        };
        wait_until(
            || workers_and_users() == (workers, json!(users)),
            || format!("{:?}", workers_and_users()),
        );
    }
    let request = serving.request("PUT", "/-/locustctl/api/scale?wait=50s");
    let request = request.header("content-type", "application/json").body(r#"{"replicas": 2}"#);
    let scaled = serving.send(request).json();
    assert_eq!(
        (&scaled["users"]["stage"], users(&cluster)),
        (&json!("well"), json!(60)),
        "{scaled}"
    );
}

#[test]
fn a_ramp_starts_the_present_users_and_then_all() {
    let cluster = running(5);
    let line = "scale --replicas=1 --locust=auto --rebalance=ramp";
    let outcome = locustctl(line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.ends_with(&format!("{REPAIRED}\n")), "{outcome:?}");
    let [_, first, second] = &starts(&cluster)[..] else { panic!("{:?}", starts(&cluster)) };
    assert_eq!(first, "user_count=15&spawn_rate=60");
    assert_eq!(second, "user_count=60&spawn_rate=20");
}

#[test]
fn ctrl_c_during_a_ramp_does_not_reduce_the_users() {
    let cluster = running(5);
    cluster.handle().inject(Fault::once(Action::HoldAnswer).at("proxy/swarm"));
    let line = "scale --replicas=1 --locust=auto --rebalance=ramp";
    let mut scale = Running::start(&cluster, line);
    wait_until(|| starts(&cluster).len() == 2, || format!("the first start: {}", scale.stderr()));
    scale.interrupt();
    scale.wait_for("Interrupted: locustctl finishes the start of the users");
    cluster.handle().clear_faults();
    assert_eq!(scale.end(), Some(130), "{}", scale.stderr());
    let said = scale.stderr();
    assert!(said.contains("to check it, run: locustctl status"), "{said}");
    assert_eq!(starts(&cluster)[2], "user_count=60&spawn_rate=20");
    wait_until(|| users(&cluster) == 60, || "60 users".to_owned());
}

/// Scales a running test from five workers to one with a ramp. Calls `meanwhile` while Locust carries
/// out the first start.
fn scale_with_ramp(cluster: &TestCluster, meanwhile: impl FnOnce()) -> Outcome {
    cluster.handle().inject(Fault::once(Action::HoldAnswer).at("proxy/swarm"));
    let line = "scale --replicas=1 --locust=auto --rebalance=ramp";
    std::thread::scope(|scope| {
        let scale = scope.spawn(|| locustctl(line).kubeconfig(cluster.kubeconfig()).run());
        wait_until(|| starts(cluster).len() == 2, || "the first start".to_owned());
        meanwhile();
        cluster.handle().clear_faults();
        scale.join().unwrap()
    })
}

#[test]
fn a_ramp_does_not_start_a_test_that_was_stopped_during_it() {
    let cluster = running(5);
    let outcome = scale_with_ramp(&cluster, || {
        ask(&cluster, "POST", "stop", "");
    });
    assert!(outcome.stderr.contains("no test is running"), "{outcome:?}");
    assert_eq!(starts(&cluster).len(), 2, "{:?}", starts(&cluster));
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["state"], "stopped");
}

#[test]
fn a_ramp_does_not_change_a_test_that_was_edited_during_it() {
    let cluster = running(5);
    let outcome = scale_with_ramp(&cluster, || {
        ask(&cluster, "POST", "swarm", "user_count=30&spawn_rate=20");
    });
    assert!(!outcome.stderr.contains("redistributed"), "{outcome:?}");
    assert_eq!(starts(&cluster)[2..], ["user_count=30&spawn_rate=20"]);
    assert_eq!(users(&cluster), 30);
}

#[test]
fn the_second_start_of_a_ramp_is_repeated_if_locust_fails() {
    let cluster = running(5);
    let (first, second) = (Action::Delay(Duration::ZERO), Action::unavailable(None));
    for action in [first, second] {
        cluster.handle().inject(Fault::once(action).at("proxy/swarm"));
    }
    let line = "scale --replicas=1 --locust=auto --rebalance=ramp";
    let outcome = locustctl(line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let all = "user_count=60&spawn_rate=20";
    assert_eq!(starts(&cluster)[1..], ["user_count=15&spawn_rate=60", all, all]);
    assert_eq!(users(&cluster), 60);
}

#[test]
fn a_first_start_of_a_ramp_whose_answer_is_lost_is_followed_by_the_second() {
    let cluster = running(5);
    cluster.handle().inject(Fault::once(Action::CloseAfter).at("proxy/swarm"));
    let line = "scale --replicas=1 --locust=auto --rebalance=ramp";
    let outcome = locustctl(line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let all = "user_count=60&spawn_rate=20";
    assert_eq!(starts(&cluster)[1..], ["user_count=15&spawn_rate=60", all]);
    assert_eq!(users(&cluster), 60);
}

#[test]
fn a_ramp_whose_second_start_always_fails_is_an_error_with_the_wanted_number() {
    let cluster = running(5);
    let first = Fault::once(Action::Delay(Duration::ZERO)).at("proxy/swarm");
    cluster.handle().inject(first);
    cluster.handle().inject(Fault::once(Action::unavailable(None)).at("proxy/swarm").times(1000));
    let line = "scale --replicas=1 --locust=auto --rebalance=ramp";
    let outcome = locustctl(line).kubeconfig(cluster.kubeconfig()).run();
    outcome.exits(1, "deployment.apps/locust-slave scaled from 5 to 1\n");
    let asks = "error: the workers were scaled, but a start of --rebalance=ramp has failed or got no \
                answer, so the test may have 15 users instead of 60: ";
    assert!(outcome.stderr.contains(asks), "{outcome:?}");
    assert!(
        outcome.stderr.ends_with("Press Edit in Locust's page, and enter 60 users\n"),
        "{outcome:?}"
    );
    assert!(starts(&cluster)[2..].iter().all(|start| start == "user_count=60&spawn_rate=20"));
}

#[test]
fn serve_scales_an_affected_release_down_pod_by_pod() {
    let cluster = running_on("2.46.4", 4);
    let serving = served(&cluster, 4, &[]);
    let scaled = serving.put("?wait=60s", r#"{"replicas": 1}"#).json();
    let text = "the test had 20 of 60 users; redistributed 60 users over 1 worker";
    assert_eq!(scaled["users"], json!({"stage": "well", "text": text}), "{scaled}");
    let state = serving.state();
    let [change] = &state["history"].as_array().unwrap()[..] else { panic!("{state:#}") };
    let fields = (&change["old"], &change["new"], &change["message"]);
    let message = json!("made in 3 steps, one pod after another");
    assert_eq!(fields, (&json!(4), &json!(1), &message), "{change}");
    assert_eq!(users(&cluster), 60);
}

#[test]
fn serve_stops_between_two_steps_if_another_client_changes_the_count() {
    let cluster = running_on("2.46.4", 4);
    let serving = served(&cluster, 4, &[]);
    // The first step is not answered before the other client's change.
    cluster.handle().inject(Fault::once(Action::HoldAnswer).on("PATCH"));
    let reply = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until(|| cluster.workers() == 3, || "the first step".to_owned());
            cluster.handle().set_replicas(WORKERS, 5);
            cluster.handle().clear_faults();
        });
        serving.put("", r#"{"replicas": 1}"#)
    });
    let detail = "The scale of deployment.apps/locust-slave stopped at 3 replicas, after 1 of 3 steps: another \
                  client changed the number of replicas from 3 to 5";
    reply.is_problem(409, "Stopped", detail);
    assert_eq!(cluster.workers(), 5);
    let state = serving.wait_for_state(|state| state["history"][1]["users"] != Value::Null);
    let authors: Vec<_> =
        state["history"].as_array().unwrap().iter().map(|one| &one["who"]).collect();
    assert_eq!(authors.len(), 2, "{state:#}");
}

#[test]
fn steps_start_at_the_present_count() {
    let rival = |to| {
        let cluster = running_on("2.46.4", 3);
        cluster.handle().inject(Fault::once(Action::Rival(to)).on("PATCH"));
        cluster
    };
    let scale = |cluster: &TestCluster, flags: &str| {
        let line = format!("scale --replicas=1 --locust=auto {flags}");
        locustctl(&line).kubeconfig(cluster.kubeconfig()).run()
    };
    let outcome = scale(&rival(4), "");
    let line = "deployment.apps/locust-slave scaled from 4 to 1 in 3 steps\n";
    outcome.exits(0, line);
    let outcome = scale(&rival(2), "");
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 2 to 1\n", "{outcome:?}");
    let cluster = rival(4);
    let outcome = scale(&cluster, "--current-replicas=3");
    outcome.exits(1, "");
    assert_eq!(cluster.workers(), 4);
    // A change of one pod.
    let cluster = running_on("2.46.4", 2);
    cluster.handle().inject(Fault::once(Action::Rival(4)).on("PATCH"));
    scale(&cluster, "").exits(0, line);
    assert_eq!(users(&cluster), 60);
    let cluster = running_on("2.46.4", 2);
    cluster.handle().inject(Fault::once(Action::CloseAfter).on("PATCH"));
    let outcome = scale(&cluster, "");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 2 to 1\n");
    assert!(outcome.stderr.contains("was lost (EOF), but it has 1 replicas now\n"), "{outcome:?}");
    assert_eq!(users(&cluster), 60);
}

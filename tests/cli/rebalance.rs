//! `rebalance` with a Locust that starts no users, does not answer a start, or loses a worker.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, reply};
use support::locustctl;
use support::running::Running;
use support::serving::wait_until;
use support::swarm::worker_pods;
use support::terminal::Terminal;

/// Locust's answer to a start that it accepts.
const STARTED: &str = r#"{"success": true, "message": "Swarming started"}"#;

/// A Locust with one worker that never has more than 15 of 60 users, since three workers have left. It
/// answers each start with this status and body.
fn locust_stuck_at_15_users(
    cluster: &TestCluster,
    status: &'static str,
    body: &'static str,
) -> FakeLocust {
    const LOG: &str = r#"{"master": [
        "[2026-11-26 14:15:31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 5.00 spawn rate to 4 ready workers",
        "[2026-11-26 14:15:34,000] host/INFO/locust.runners: All users spawned: {\"U\": 60} (60 total users)",
        "[2026-11-26 14:15:34,000] host/INFO/locust.runners: Resetting stats",
        "[2026-11-26 14:15:40,000] host/INFO/locust.runners: Worker 'a_1' (index 0) quit. 3 workers ready.",
        "[2026-11-26 14:15:41,000] host/INFO/locust.runners: Worker 'b_1' (index 1) quit. 2 workers ready.",
        "[2026-11-26 14:15:42,000] host/INFO/locust.runners: Worker 'c_1' (index 2) quit. 1 workers ready."
        ]}"#;
    let worker = json!({"id": format!("{}_{:032x}", worker_pods(cluster)[0], 1),
        "state": "running", "user_count": 15});
    let stats = json!({"state": "running", "user_count": 15, "workers": [worker]}).to_string();
    let args = json!({"state": "running", "user_count": 15, "num_users": 60, "spawn_rate": 5,
        "worker_count": 1, "version": "2.47.0"});
    let page = format!("<script>window.templateArgs = {args}</script>");
    FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        match &*request.path {
            "/" => reply(stream, "200 OK\nContent-Type: text/html", &page),
            "/stats/requests" => reply(stream, json, &stats),
            "/logs" => reply(stream, json, LOG),
            _ => reply(stream, &format!("{status}\nContent-Type: application/json"), body),
        }
    })
}

#[test]
fn a_watch_backs_off_if_locust_starts_no_users() {
    let cluster = TestCluster::start();
    let locust = locust_stuck_at_15_users(&cluster, "200 OK", STARTED);
    let mut watch =
        Running::start(&cluster, &format!("rebalance --watch --locust={}", locust.url()));
    let in_vain = "locustctl redistributed the users, but the test has 15 of 60 users; Locust has reset its \
                   statistics, because it runs with --reset-stats; check the workers in \
                   Locust's page, then try again\n";
    let deadline = Instant::now() + Duration::from_secs(40);
    while watch.stdout() != in_vain && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(watch.stdout(), in_vain);
    let looks = locust.requests("/stats/requests").len();
    let have_passed = || locust.requests("/stats/requests").len() >= looks + 2;
    wait_until(have_passed, || format!("two more looks: {}", watch.stderr()));
    assert_eq!(locust.requests("/swarm").len(), 1);
    assert!(watch.stderr().ends_with("the test has 15 of 60 users\n"), "{}", watch.stderr());
    watch.interrupt();
    assert_eq!(watch.end(), Some(130));
}

#[test]
fn a_watch_does_not_repeat_a_start_that_got_no_answer() {
    let cluster = TestCluster::start();
    let locust = locust_stuck_at_15_users(&cluster, "502 Bad Gateway", "no answer");
    let mut watch =
        Running::start(&cluster, &format!("rebalance --watch --locust={}", locust.url()));
    watch.wait_for("502");
    let looks = locust.requests("/stats/requests").len();
    let have_passed = || locust.requests("/stats/requests").len() >= looks + 3;
    wait_until(have_passed, || format!("three more looks: {}", watch.stderr()));
    assert_eq!(locust.requests("/swarm").len(), 1, "{}", watch.stderr());
    watch.interrupt();
    assert_eq!(watch.end(), Some(130));
}

#[test]
fn a_rebalance_that_resets_the_statistics_asks_on_a_terminal_also_without_another_count() {
    let reset = "Locust runs with --reset-stats, so it resets its statistics when users move to other workers";
    let cluster = TestCluster::start();
    let locust = locust_stuck_at_15_users(&cluster, "400 Bad Request", "no");
    let line = format!("rebalance --locust={}", locust.url());
    let mut terminal = Terminal::start(&cluster, &line);
    terminal.wait_for("Continue? [y/N]");
    terminal.press("n\n");
    let (code, text) = terminal.end();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(reset) && text.contains("error: nothing was changed, since"), "{text}");
    assert_eq!(locust.requests("/swarm").len(), 0);

    let warned = locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    let at_once =
        "a rebalance would start about 45 users at once, although the spawn rate is 5 per second";
    let warnings = format!("Warning: {reset}\nWarning: {at_once}\n");
    assert!(warned.stderr.contains(&warnings), "{warned:?}");
    assert_eq!(locust.requests("/swarm").len(), 1, "without a terminal there is no question");

    let line = format!("scale --replicas=1 --locust={}", locust.url());
    let warned = locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    assert!(warned.stderr.contains(&format!("Warning: {reset}\n")), "{warned:?}");
    let starts = locust.requests("/swarm").len();

    let line = format!("rebalance --locust={}", locust.url());
    let confirmed = locustctl(&format!("{line} --yes")).kubeconfig(cluster.kubeconfig()).run();
    assert!(!confirmed.stderr.contains("Warning"), "{confirmed:?}");
    assert_eq!(locust.requests("/swarm").len(), starts + 1);
}

/// The states of a test that loses one of its two workers, until it has all its users again.
#[derive(Clone, Copy)]
enum Loss {
    /// The worker sends no heartbeats.
    Silent,
    /// Its pod has another worker, and Locust itself starts the users again.
    Spawning,
    /// The new worker has not reported its users.
    Unreported,
    Repaired,
}

/// Answers like Locust 2.47.0 with a test for 60 users. `test` has the state and the numbers of users and workers. Each
/// line of `log` begins with the seconds of its time.
fn answer(stream: &mut TcpStream, path: &str, test: Value, workers: &[Value], log: &[String]) {
    let (mut page, mut stats) = (test.clone(), test);
    for (name, value) in
        [("num_users", json!(60)), ("spawn_rate", json!(60)), ("version", json!("2.47.0"))]
    {
        page[name] = value;
    }
    stats["workers"] = json!(workers);
    let log: Vec<_> = log.iter().map(|line| format!("[2026-11-26 14:15:{line}")).collect();
    let (kind, body) = match path {
        "/" => ("text/html", format!("<script>window.templateArgs = {page}</script>")),
        "/logs" => ("application/json", json!({"master": log}).to_string()),
        "/stats/requests" => ("application/json", stats.to_string()),
        "/swarm" => ("application/json", STARTED.to_owned()),
        _ => panic!("{path}"),
    };
    reply(stream, &format!("200 OK\nContent-Type: {kind}"), &body);
}

fn locust_that_loses_a_worker(cluster: &TestCluster) -> (FakeLocust, Arc<Mutex<Loss>>) {
    let pods = worker_pods(cluster);
    let id = |pod: usize, worker: u32| format!("{}_{worker:032x}", pods[pod]);
    let (kept, lost, new) = (id(0, 1), id(1, 2), id(1, 3));
    let state = Arc::new(Mutex::new(Loss::Silent));
    let shared = state.clone();
    let locust = FakeLocust::start(move |request, stream| {
        let state = *state.lock();
        let name = if matches!(state, Loss::Spawning) { "spawning" } else { "running" };
        let worker = |id: &str, state: &str, users: i64| json!({"id": id, "state": state, "user_count": users});
        let (users, second) = match state {
            Loss::Silent => (30, worker(&lost, "missing", 30)),
            Loss::Spawning | Loss::Unreported => (30, worker(&new, name, 0)),
            Loss::Repaired => (60, worker(&new, name, 30)),
        };
        let connected = if matches!(state, Loss::Silent) { 1 } else { 2 };
        let workers = [worker(&kept, name, 30), second];
        let mut log = vec![
            "31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 60.00 spawn rate to 2 ready workers".to_owned(),
            "32,000] host/INFO/locust.runners: All users spawned: {\"U\": 60} (60 total users)".to_owned(),
            format!("40,000] host/INFO/locust.runners: Worker {lost} failed to send heartbeat, setting state to missing."),
        ];
        if !matches!(state, Loss::Silent) {
            log.extend([
                "50,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 60.00 spawn rate to 2 ready workers".to_owned(),
                "50,100] host/INFO/locust.runners: All users spawned: {\"U\": 60} (60 total users)".to_owned(),
                format!("50,101] host/INFO/locust.runners: {new} (index 2) reported as ready. 2 workers connected."),
            ]);
        }
        let test = json!({"state": name, "user_count": users, "worker_count": connected});
        answer(stream, &request.path, test, &workers, &log);
    });
    (locust, shared)
}

#[test]
fn a_rebalance_waits_for_a_silent_worker_and_then_for_the_users_that_locust_starts() {
    let cluster = TestCluster::start();
    let scale = locustctl("scale --replicas=2 --wait").kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(scale.code, Some(0), "{scale:?}");
    let (locust, state) = locust_that_loses_a_worker(&cluster);
    let line = format!("rebalance --locust={} deployment/locust-slave", locust.url());
    let mut rebalance = Running::start(&cluster, &line);
    rebalance.wait_for("Waiting: the worker in pod ");
    // Longer than a rebalance waits for users that Locust itself starts.
    std::thread::sleep(Duration::from_secs(9));
    for (next, seconds) in [(Loss::Spawning, 10), (Loss::Unreported, 3), (Loss::Repaired, 0)] {
        *state.lock() = next;
        std::thread::sleep(Duration::from_secs(seconds));
    }
    assert_eq!(rebalance.end(), Some(0), "{}", rebalance.stderr());
    assert_eq!(rebalance.stdout(), "the test has all its 60 users\n", "{}", rebalance.stderr());
}

/// The master notices the loss of a worker between its answers to `/logs` and `/`.
#[test]
fn a_rebalance_gives_back_the_users_of_a_worker_that_is_lost_during_a_look() {
    let cluster = TestCluster::start();
    let scale = locustctl("scale --replicas=2 --wait").kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(scale.code, Some(0), "{scale:?}");
    let pods = worker_pods(&cluster);
    let [kept, lost, new] =
        [(0, 1), (1, 2), (1, 3)].map(|(pod, worker)| format!("{}_{worker:032x}", pods[pod]));
    let (is_noticed, is_started) = (AtomicBool::new(false), AtomicBool::new(false));
    let locust = FakeLocust::start(move |request, stream| {
        let (has_noticed, has_started) = (is_noticed.load(Relaxed), is_started.load(Relaxed));
        let (lost_state, lost_users) = if has_noticed { ("missing", 0) } else { ("running", 20) };
        let share = if has_started { 30 } else { 20 };
        let worker = |id: &str, state: &str, users: i64| json!({"id": id, "state": state, "user_count": users});
        let workers = [
            worker(&kept, "running", share),
            worker(&lost, lost_state, lost_users),
            worker(&new, "running", share),
        ];
        let (users, connected) = (2 * share + lost_users, if has_noticed { 2 } else { 3 });
        let mut log = vec![
            "31,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 60.00 spawn rate to 2 ready workers".to_owned(),
            "32,000] host/INFO/locust.runners: All users spawned: {\"U\": 60} (60 total users)".to_owned(),
            "40,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 60.00 spawn rate to 3 ready workers".to_owned(),
            "40,001] host/INFO/locust.runners: All users spawned: {\"U\": 60} (60 total users)".to_owned(),
            format!("40,001] host/INFO/locust.runners: {new} (index 2) reported as ready. 3 workers connected."),
        ];
        if has_noticed {
            log.push(format!("43,000] host/INFO/locust.runners: Worker {lost} failed to send heartbeat, setting state to missing."));
        }
        if has_started {
            log.push("45,000] host/INFO/locust.runners: Sending spawn jobs of 60 users at 60.00 spawn rate to 2 ready workers".to_owned());
        }
        match &*request.path {
            "/logs" => is_noticed.store(true, Relaxed),
            "/swarm" => is_started.store(true, Relaxed),
            _ => {}
        }
        let test = json!({"state": "running", "user_count": users, "worker_count": connected});
        answer(stream, &request.path, test, &workers, &log);
    });
    let line = format!("rebalance --locust={} deployment/locust-slave", locust.url());
    let rebalance = locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(rebalance.code, Some(0), "{rebalance:?}");
    assert!(rebalance.stdout.contains("redistributed 60 users over 2 workers"), "{rebalance:?}");
    assert_eq!(locust.requests("/swarm").len(), 1);
}

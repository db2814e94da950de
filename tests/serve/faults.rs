//! `locustctl serve` with failures around it. It does not hang, it reports nothing wrong, and it
//! recovers without help.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use locustctl::sandbox::{Account, Action, Fault, Options, PodFailure};
use serde_json::json;
use support::cluster::{TestCluster, WORKERS};
use support::serving::{Http, Reply, Serving, data_of, wait_until};
use support::waiting::watches;
use support::{Locustctl, dead_kubeconfig};

const ALWAYS: usize = Fault::ALWAYS;

/// A client of the event stream that returns the raw text.
struct Viewer(TcpStream);

impl Viewer {
    fn open(serving: &Serving, headers: &str) -> Self {
        let mut stream = TcpStream::connect(serving.authority()).unwrap();
        let request = format!("GET /api/events HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(stream)
    }

    /// Reads until the stream has this text.
    fn read_until(&mut self, wanted: &str) -> String {
        let (mut text, mut bytes) = (String::new(), [0; 4096]);
        while !text.contains(wanted) {
            let count = self.0.read(&mut bytes).unwrap();
            assert!(count > 0, "the stream ended after {text}");
            text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        text
    }

    fn read_to_end(mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        text
    }
}

/// A `PUT` on its own connection.
fn put(serving: &Serving, query: &str, body: &'static str) -> Reply {
    let http = Http::new();
    let request = http.request("PUT", &format!("{}/api/scale{query}", serving.url()));
    http.send(request.header("content-type", "application/json").body(body))
}

fn served() -> (TestCluster, Serving) {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    (cluster, serving)
}

#[test]
fn an_unreachable_cluster_at_the_start_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start_with(dead_kubeconfig(directory.path()), &[]);
    let reply = serving.wait_for_scale(|reply| reply.status == 502);
    reply.is_problem(502, "Unreachable", "has not answered since");
    let ready = serving.get("/readyz");
    assert_eq!((ready.status, &*ready.text), (200, "ok, but the cluster does not answer\n"));
    let page = serving.get("/").text;
    let expected = "The page shows the last known state. serve retries by itself.";
    assert!(page.contains(expected), "{page}");
    serving.put("", r#"{"replicas": 3}"#).is_problem(502, "Unreachable", "nothing was changed");
}

#[test]
fn serve_recovers_when_the_cluster_comes_back() {
    let (cluster, serving) = served();
    cluster.handle().inject(Fault::once(Action::CloseBefore).times(ALWAYS));
    serving.put("", r#"{"replicas": 3}"#).is_problem(502, "Unreachable", "did not answer");
    serving.wait_for_scale(|reply| reply.status == 502);
    let state = serving.wait_for_state(|state| state["connection"]["state"] == "lost");
    assert_eq!(state["replicas"]["desired"], 1, "the page keeps the last known count");
    cluster.handle().set_replicas(WORKERS, 2);
    cluster.handle().clear_faults();
    serving.wait_until_settled(2);
    let state = serving.wait_for_state(|state| state["podsUnknown"].is_null());
    assert_eq!(state["pods"].as_array().unwrap().len(), 2);
    let count = |text: &str| serving.stderr().matches(text).count();
    let watching = "watching deployment.apps/locust-slave";
    wait_until(|| count(watching) == 2, || format!("two connections: {}", serving.stderr()));
    assert_eq!(count("has not answered since"), 1, "{}", serving.stderr());
}

#[test]
fn a_server_that_never_answers_does_not_block_other_requests() {
    let (cluster, serving) = served();
    cluster.handle().inject(Fault::once(Action::Hold).on("PATCH"));
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| put(&serving, "", r#"{"replicas": 3}"#));
        cluster.wait_for_requests(1, |request| request.method == "PATCH");
        assert_eq!(
            serving.get("/api/scale").json()["replicas"],
            1,
            "the count changes only after the answer"
        );
        assert_eq!(serving.get("/").status, 200);
        cluster.handle().clear_faults();
        assert_eq!(slow.join().unwrap().status, 200);
    });
    assert_eq!(serving.get("/api/scale").json()["replicas"], 3);
}

#[test]
fn watches_that_break_or_expire_lose_no_change() {
    let (cluster, serving) = served();
    for (round, action) in [
        Action::BreakWatch(Duration::ZERO),
        Action::EndWatch(Duration::ZERO),
        Action::TruncatedBody,
        Action::BreakWatch(Duration::from_millis(50)),
    ]
    .into_iter()
    .enumerate()
    {
        cluster.handle().inject(Fault::once(action).at("watch=1").times(4));
        cluster.handle().compact();
        cluster.handle().inject(Fault::once(Action::CloseBefore).on("PATCH"));
        put(&serving, "", r#"{"replicas": 1, "currentReplicas": 99}"#);
        let wanted = i64::try_from(round).unwrap() + 2;
        cluster.handle().set_replicas(WORKERS, wanted);
        serving.wait_until_settled(wanted);
        serving.wait_for_state(|state| state["pods"].as_array().unwrap().len() as i64 == wanted);
    }
    let metrics = serving.get("/metrics").text;
    let restarts =
        metrics.lines().find_map(|line| line.strip_prefix("locustctl_watch_restarts_total "));
    assert!(restarts.unwrap().parse::<u64>().unwrap() > 0, "{metrics}");
}

#[test]
fn a_renewed_token_is_used() {
    let cluster = TestCluster::start();
    let token = cluster.file("serve-token", cluster.token(Account::Expired));
    let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let inline = format!("token: {}", cluster.token(Account::Admin));
    assert!(text.contains(&inline), "{text}");
    let kubeconfig = cluster
        .file("rotating", &text.replacen(&inline, &format!("tokenFile: {}", token.display()), 1));
    let serving = Serving::start_with(kubeconfig, &[]);
    let reply = serving.wait_for_scale(|reply| reply.status == 502);
    reply.is_problem(502, "Refused", "serve cannot read");
    std::fs::write(token, cluster.token(Account::Admin)).unwrap();
    serving.wait_until_settled(1);
}

#[test]
fn one_watch_serves_all_viewers() {
    let (cluster, serving) = served();
    let mut viewers: Vec<_> = (0..40).map(|_| Viewer::open(&serving, "")).collect();
    for viewer in &mut viewers {
        viewer.read_until("\n\n");
    }
    serving.put("", r#"{"replicas": 3}"#);
    for viewer in &mut viewers {
        viewer.read_until("\"desired\":3,\"current\":3,\"ready\":3,\"settled\":true");
    }
    let watches = watches(&cluster);
    assert_eq!(watches.len(), 2, "the Deployment's and its pods': {watches:?}");
    let count = || serving.get("/metrics").text.contains("locustctl_event_streams 40\n");
    assert!(count());
    drop(viewers);
    let is_free = || serving.get("/metrics").text.contains("locustctl_event_streams 0\n");
    wait_until(is_free, || "the viewers' end".to_owned());
}

#[test]
fn a_viewer_that_reconnects_gets_only_new_events() {
    let (_cluster, serving) = served();
    serving.wait_for_state(|state| state["pods"].as_array().is_some_and(|pods| pods.len() == 1));
    let first = Viewer::open(&serving, "").read_until("\n\nid: ");
    let _ = first;
    let events = Viewer::open(&serving, "").read_until("\nevent: state\n");
    let (_, rest) = events.split_once("\nid: ").unwrap();
    let id = rest.lines().next().unwrap();
    let mut back = Viewer::open(&serving, &format!("Last-Event-ID: {id}\r\n"));
    back.read_until("retry: 2000\n\n");
    serving.put("", r#"{"replicas": 2}"#);
    let next = back.read_until("\nevent: state\n");
    assert!(!next.contains(&format!("id: {id}\n")), "{next}");
    let other = Viewer::open(&serving, "Last-Event-ID: 00000000-1\r\n").read_until("\n\n");
    assert!(other.contains("retry: 2000"), "an unknown event id gets the whole state");
}

#[test]
fn a_slow_viewer_gets_only_the_latest_state() {
    let (_cluster, serving) = served();
    let mut slow = Viewer::open(&serving, "");
    for count in 0..30 {
        let body = format!("{{\"replicas\": {}}}", 1 + count % 3);
        assert_eq!(serving.put("", &body).status, 200);
    }
    serving.put("?wait=50s", r#"{"replicas": 2}"#);
    let events = slow.read_until("\"desired\":2,\"current\":2,\"ready\":2,\"settled\":true");
    assert!(data_of(&events).is_some());
}

#[test]
fn serve_shuts_down_cleanly_and_finishes_open_requests() {
    let options = Options { pod_ready_after: Duration::from_secs(3600), ..Options::default() };
    let cluster = TestCluster::with(options);
    for signal in ["TERM", "INT"] {
        let serving = Serving::start(&cluster, &[]);
        serving.wait_for_scale(|reply| reply.status == 200);
        let mut viewer = Viewer::open(&serving, "");
        viewer.read_until("\n\n");
        let url = serving.url().to_owned();
        let waiting = std::thread::spawn(move || {
            let http = Http::new();
            let request = http.request("PUT", &format!("{url}/api/scale?wait=60s"));
            http.send(request.header("content-type", "application/json").body(r#"{"by": 1}"#))
        });
        serving.wait_for_log("outcome=scaled");
        serving.signal(signal);
        let reply = waiting.join().unwrap();
        reply.is_problem(503, "Stopping", "does not wait");
        let rest = viewer.read_to_end();
        assert!(rest.ends_with("\r\n0\r\n\r\n"), "the stream is ended, not broken: {rest:?}");
        let (code, log) = serving.wait();
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("did not finish in time"), "{log}");
    }
}

#[test]
fn too_many_concurrent_changes_are_refused() {
    const MAX_CHANGES: usize = 16;
    let (cluster, serving) = served();
    cluster.handle().inject(Fault::once(Action::Hold).on("GET").at("/scale").times(ALWAYS));
    std::thread::scope(|scope| {
        let change = || put(&serving, "", r#"{"replicas": 2}"#).status;
        let running: Vec<_> = (0..MAX_CHANGES).map(|_| scope.spawn(change)).collect();
        cluster
            .wait_for_requests(MAX_CHANGES, |request| request.path_and_query.ends_with("/scale"));
        assert_eq!(change(), 429);
        cluster.handle().clear_faults();
        assert!(running.into_iter().all(|thread| thread.join().unwrap() == 200));
        assert_eq!(change(), 200);
    });
    assert_eq!(cluster.workers(), 2);
}

#[test]
fn memory_does_not_grow_with_events() {
    let (cluster, serving) = served();
    let resident = || {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", serving.process())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().to_owned();
        line.trim().trim_end_matches(" kB").parse::<i64>().unwrap()
    };
    let churn = |rounds: i64| {
        for round in 0..rounds {
            serving.put("", &format!("{{\"replicas\": {}}}", 1 + round % 5));
            serving.state();
            if round % 20 == 0 {
                let fault = Fault::once(Action::BreakWatch(Duration::ZERO)).at("watch=1");
                cluster.handle().inject(fault);
            }
        }
    };
    churn(100);
    let before = resident();
    churn(400);
    let after = resident();
    assert!(after - before < 4096, "from {before} to {after} kB");
}

#[test]
fn text_from_the_server_is_escaped_on_the_terminal_and_the_page() {
    let (cluster, serving) = served();
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "\u{1b}[2J<script>alert(1)</script>\n2026 audit forged"});
    cluster.handle().inject(
        Fault::once(Action::Answer {
            status: 403,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        })
        .on("PATCH"),
    );
    let reply = serving.post("worker_count=2");
    assert_eq!(reply.status, 403);
    assert!(
        reply.text.contains("&#60;script&#62;") && !reply.text.contains("<script>alert"),
        "{reply:?}"
    );
    serving.wait_for_log("outcome=failed");
    let log = serving.stderr();
    assert!(!log.contains('\u{1b}') && !log.contains("\n2026 audit forged"), "{log}");
}

#[test]
fn serve_works_with_the_sandbox() {
    let serving = Locustctl::new(["serve", "--sandbox", "--listen=127.0.0.1:99999"]).run();
    assert!(serving.stderr.starts_with("error: --listen=127.0.0.1:99999"), "{serving:?}");
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start_with(directory.path().join("none"), &["--sandbox"]);
    serving.wait_until_settled(1);
    assert_eq!(serving.put("?wait=50s", r#"{"replicas": 3}"#).json()["settled"], true);
}

/// Breaks the watches, and refuses new ones. Closing their connection instead would also break the
/// other requests on it.
fn cut_the_watches(cluster: &TestCluster, serving: &Serving) {
    let refusal = Action::unavailable(None);
    cluster.handle().inject(Fault::once(refusal).at("watch=1").times(ALWAYS));
    cluster.handle().inject(Fault::once(Action::CloseBefore).on("PATCH"));
    serving.put("", r#"{"replicas": 3, "currentReplicas": 99}"#);
}

#[test]
fn without_a_watch_a_wait_does_not_end_with_the_last_known_state() {
    let cluster = TestCluster::start();
    cluster.handle().set_replicas(WORKERS, 3);
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(3);
    cut_the_watches(&cluster, &serving);
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    cluster.handle().set_replicas(WORKERS, 1);
    cluster.wait_for(WORKERS, |object| object["status"]["replicas"] == 1);
    let reply = serving.put("?wait=2s", r#"{"replicas": 3}"#);
    reply.is_problem(504, "Timeout", "locust-slave was scaled from 1 to 3");
    assert_eq!(cluster.workers(), 3);
    let reply = serving.put("?wait=2s", r#"{"replicas": 5}"#);
    reply.is_problem(504, "Timeout", "locust-slave was scaled from 3 to 5");
    let history = &serving.state()["history"];
    assert_eq!(history[0]["who"], "anonymous", "only this client has changed it: {history}");
    cluster.handle().set_pod_failure(None);
    cluster.handle().clear_faults();
    serving.wait_until_settled(5);
    let history = &serving.state()["history"];
    assert_eq!((&history[0]["who"], &history[0]["new"]), (&json!("anonymous"), &json!(5)));
}

#[test]
fn a_wait_ends_when_the_target_is_deleted() {
    let pod_ready_after = Duration::from_secs(60);
    let cluster = TestCluster::with(Options { pod_ready_after, ..Options::default() });
    let serving = Serving::start(&cluster, &[]);
    serving.wait_for_scale(|reply| reply.status == 200);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| put(&serving, "?wait=60s", r#"{"replicas": 3}"#));
        wait_until(|| cluster.workers() == 3, || "the change".to_owned());
        cluster.handle().delete_object(WORKERS);
        waiting.join().unwrap().is_problem(404, "NotFound", "but it was deleted");
    });
}

#[test]
fn a_change_that_the_shutdown_interrupts_is_in_the_audit_log() {
    let (cluster, serving) = served();
    cluster.handle().inject(Fault::once(Action::DelayAnswer(Duration::from_secs(60))).on("PATCH"));
    let url = format!("{}/api/scale", serving.url());
    let asking = std::thread::spawn(move || {
        let http = Http::new();
        let request = http.request("PUT", &url).header("content-type", "application/json");
        http.try_send(request.body(r#"{"replicas": 7}"#))
    });
    wait_until(|| cluster.workers() == 7, || "the change".to_owned());
    serving.signal("TERM");
    let (code, log) = serving.wait();
    assert_eq!(code, Some(0), "{log}");
    let line = "action=\"scale\" old=- new=7 outcome=unknown detail=\"The change was interrupted, and its result is not known. Check the number of workers.\"";
    assert!(log.contains(line), "{log}");
    assert!(asking.join().unwrap().is_err());
}

#[test]
fn after_a_broken_connection_the_state_is_re_read() {
    let (cluster, serving) = served();
    cluster.wait_for_requests(1, |request| request.line().contains("/deployments?watch=1"));
    // The API server comes back with an older state, about which no event will come. A change would
    // be followed by a read of its own, but a dry run is not.
    cluster.handle().inject(Fault::once(Action::CloseBefore).on("PATCH"));
    cluster.handle().clear_requests();
    serving.put("?dryRun=true", r#"{"replicas": 3, "currentReplicas": 1}"#);
    let place = |is_it: fn(&str) -> bool| {
        cluster.request_lines().iter().position(|line| line.starts_with("GET ") && is_it(line))
    };
    let watch = || place(|line| line.contains("/deployments?watch=1"));
    wait_until(|| watch().is_some(), || format!("a watch in {:#?}", cluster.request_lines()));
    let read = place(|line| line.ends_with("/deployments/locust-slave"));
    assert!(read.is_some() && read < watch(), "{:#?}", cluster.request_lines());
}

//! The memory of `locustctl serve` with large pages of Locust, many unfinished bodies, and many pods. The pod of
//! `deploy/` may use 128 MiB.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, PAGE, default_response, reply};
use support::serving::{PATIENCE, Serving, wait_until};

use super::locust_ui::in_front;

/// The most resident memory that serve may have used at any time, in KB.
const MAX_MEMORY: u64 = 96 * 1024;

/// The largest resident memory so far, in KB.
fn peak_memory(serving: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[track_caller]
fn assert_memory(serving: &Serving) {
    let peak = peak_memory(serving);
    assert!(peak < MAX_MEMORY, "{peak} KB");
}

fn connect(serving: &Serving) -> TcpStream {
    let stream = TcpStream::connect(serving.authority()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn large_pages_of_locust_are_changed_while_they_stream() {
    const LOADS: usize = 20;
    const SIZE: usize = 15 * 1024 * 1024;
    let history = "{\"user_count\": 60},".repeat(SIZE / 19);
    let args = format!("{{\"state\": \"ready\", \"history\": [{history}{{}}]}}");
    let page = PAGE.replace("{\"state\": \"ready\"}", &args);
    let element = "<script type=\"module\" src=\"-/locustctl/assets/panel.js\"></script>";
    let expected = page.len() + element.len();
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(move |request, stream| match &*request.path {
        "/" => reply(stream, "200 OK\nContent-Type: text/html", &page),
        _ => default_response(request, stream),
    });
    let serving = in_front(&cluster, &locust, &[]);
    let all_began = Barrier::new(LOADS);
    let load = || {
        let mut stream = connect(&serving);
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut page = vec![0; 4096];
        stream.read_exact(&mut page).unwrap();
        all_began.wait();
        stream.read_to_end(&mut page).unwrap();
        let text = String::from_utf8(page).unwrap();
        let (head, page) = text.split_once("\r\n\r\n").unwrap();
        let length = format!("content-length: {expected}\r\n");
        assert!(head.contains(&length), "{head}");
        assert_eq!(page.len(), expected);
        assert!(page.ends_with(&format!("</script>{element}</body></html>")));
    };
    std::thread::scope(|scope| {
        let loads: Vec<_> = (0..LOADS).map(|_| scope.spawn(load)).collect();
        loads.into_iter().for_each(|load| load.join().unwrap());
    });
    assert_memory(&serving);
}

#[test]
fn unfinished_bodies_share_a_budget_and_other_requests_are_served() {
    const BODIES: usize = 300;
    const SIZE: usize = 1_000_000;
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| match &*request.path {
        "/swarm" => reply(stream, "200 OK\nContent-Type: text/plain", "started"),
        _ => default_response(request, stream),
    });
    let serving = in_front(&cluster, &locust, &[]);
    let head = format!("POST /swarm HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SIZE}\r\n\r\n");
    let most = vec![b'x'; SIZE - 1];
    let mut streams: Vec<_> = (0..BODIES)
        .map(|_| {
            let mut stream = connect(&serving);
            stream.write_all(head.as_bytes()).unwrap();
            // A refused client may not get its whole body across.
            let _ = stream.write_all(&most);
            stream
        })
        .collect();
    assert_eq!(serving.get("/-/locustctl/healthz").status, 200);
    assert_eq!(
        super::locust_ui::put(&serving, &[]).status,
        200,
        "small bodies have their own part"
    );
    let request = || serving.request("POST", "/swarm").body("user_count=1".repeat(SIZE / 13));
    let refused = serving.send(request());
    refused.is_problem(503, "TooManyBodies", "Try again in a second");
    assert_eq!(refused.header("retry-after"), "1");
    assert!(locust.requests("/swarm").is_empty());
    assert_memory(&serving);
    streams.clear();
    wait_until(|| serving.send(request()).status == 200, || "room for a body".to_owned());
}

/// A page of a list with 250 pods. A few of them belong to the target.
fn pods(next: &str) -> Value {
    let pod = |index: usize| {
        let set = if index < 12 { "locust-slave" } else { "another" };
        let mut image = String::new();
        (0..8).for_each(|part| write!(image, "registry.example.com/{part}/").unwrap());
        json!({
            "metadata": {"name": format!("locust-slave-5d8f-{index:05}"), "namespace": "default",
                "creationTimestamp": "2026-11-23T16:48:32Z",
                "labels": {"app": "locust-slave", "pod-template-hash": "5d8f", "team": "load"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet",
                    "name": format!("{set}-5d8f"), "controller": true, "uid": "1"}]},
            "spec": {"containers": [{"name": "locust", "image": image}]},
            "status": {"phase": "Running", "conditions": [
                {"type": "Initialized", "status": "True", "lastTransitionTime": "2026-11-23T16:48:32Z"},
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-23T16:48:32Z"},
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-23T16:48:32Z"}],
                "containerStatuses": [{"name": "locust", "state": {"running": {}}}]},
        })
    };
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1", "continue": next},
        "items": (0..250).map(pod).collect::<Vec<_>>()})
}

/// The pods of the target, and those among which the search for Locust's master looks.
#[test]
fn long_lists_of_pods_are_reduced_page_by_page() {
    /// Together they have 100,000 pods.
    const PAGES: usize = 400;
    let cluster = TestCluster::start();
    for list in ["pods?labelSelector=", "pods?limit="] {
        let answer = |next: &str| {
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            let body = pods(next).to_string().into_bytes();
            let answer = Action::Answer { status: 200, headers, body };
            Fault::once(answer).on("GET").at(list)
        };
        cluster.handle().inject(answer("next").times(PAGES - 1));
        cluster.handle().inject(answer(""));
    }
    let serving = Serving::start(&cluster, &[]);
    let is_page = |line: &&String| line.contains("/pods?") && line.contains("limit=");
    let listed = || cluster.request_lines().iter().filter(is_page).count();
    for pages in (0..=2 * PAGES).step_by(20) {
        wait_until(|| listed() >= pages, || format!("page {pages} of the list"));
        assert_eq!(serving.get("/healthz").status, 200);
    }
    serving.wait_for_state(|state| !state["pods"].as_array().unwrap().is_empty());
    assert_memory(&serving);
}

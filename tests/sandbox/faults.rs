//! Faults happen as the test orders them, and bad requests do no harm to the sandbox.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use locustctl::sandbox::{
    Account, Action, Fault, InitialObjects, Options, Protocols, Rights, Rule, ServerCertificate,
};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::serving::{PATIENCE, wait_until};

use crate::http::as_admin;

const TO_THREE: &str = r#"{"spec":{"replicas":3}}"#;

fn scale_path() -> String {
    format!("{WORKERS}/scale")
}

/// Starts two clusters, one for each variant of `Protocols`.
fn both_protocols() -> [TestCluster; 2] {
    [Protocols::Http2AndHttp1, Protocols::Http1Only]
        .map(|protocols| TestCluster::with(Options { protocols, ..Options::default() }))
}

#[test]
fn close_before_does_not_apply_the_request() {
    for cluster in both_protocols() {
        cluster.handle().inject(Fault::once(Action::CloseBefore).on("PATCH").at("/scale"));
        assert_eq!(as_admin(&cluster, "GET", &scale_path(), "").unwrap().status, 200);
        as_admin(&cluster, "PATCH", &scale_path(), TO_THREE).unwrap_err();
        assert_eq!(cluster.workers(), 1);
        let requests = cluster.handle().requests();
        assert!(
            requests.iter().any(|request| request.method == "PATCH" && request.status.is_none())
        );
        assert_eq!(as_admin(&cluster, "PATCH", &scale_path(), TO_THREE).unwrap().status, 200);
    }
}

#[test]
fn close_after_applies_the_request() {
    for cluster in both_protocols() {
        cluster.handle().inject(Fault::once(Action::CloseAfter).on("PATCH"));
        as_admin(&cluster, "PATCH", &scale_path(), TO_THREE).unwrap_err();
        assert_eq!(cluster.workers(), 3);
    }
}

#[test]
fn statuses_come_with_and_without_retry_after() {
    let cluster = TestCluster::start();
    let table = [
        (Action::conflict(), 409, "Conflict", None),
        (Action::too_many_requests(None), 429, "TooManyRequests", None),
        (Action::too_many_requests(Some(1)), 429, "TooManyRequests", Some("1")),
        (Action::unavailable(None), 503, "ServiceUnavailable", None),
        (Action::unavailable(Some(0)), 503, "ServiceUnavailable", Some("0")),
        (Action::internal_error(None), 500, "InternalError", None),
    ];
    for (action, status, reason, retry_after) in table {
        cluster.handle().inject(Fault::once(action));
        let answer = as_admin(&cluster, "PATCH", &scale_path(), TO_THREE).unwrap();
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, body["reason"].as_str()), (status, Some(reason)));
        assert_eq!(
            answer.headers.get("retry-after").map(|value| value.to_str().unwrap()),
            retry_after
        );
        assert_eq!(cluster.workers(), 1);
    }
}

#[test]
fn bodies_can_be_html_truncated_and_endless() {
    for cluster in both_protocols() {
        cluster.handle().inject(Fault::once(Action::html(502)));
        let answer = as_admin(&cluster, "GET", &scale_path(), "").unwrap();
        assert_eq!(
            (answer.status, &answer.headers["content-type"]),
            (502, &"text/html".parse().unwrap())
        );
        cluster.handle().inject(Fault::once(Action::TruncatedBody));
        as_admin(&cluster, "GET", &scale_path(), "").unwrap_err();
        cluster.handle().inject(Fault::once(Action::Oversized(5_000_001)));
        assert_eq!(as_admin(&cluster, "GET", &scale_path(), "").unwrap().body.len(), 5_000_001);
        cluster.handle().inject(Fault::once(Action::redirect("https://127.0.0.1:1/")));
        assert_eq!(as_admin(&cluster, "GET", &scale_path(), "").unwrap().status, 302);
    }
}

#[test]
fn a_rival_scales_before_the_request() {
    let cluster = TestCluster::start();
    let version = &cluster.handle().object(WORKERS).unwrap()["metadata"]["resourceVersion"];
    let patch = json!({ "metadata": { "resourceVersion": version }, "spec": { "replicas": 3 } })
        .to_string();
    cluster.handle().inject(Fault::once(Action::Rival(7)).on("PATCH"));
    assert_eq!(as_admin(&cluster, "PATCH", &scale_path(), &patch).unwrap().status, 409);
    assert_eq!(cluster.workers(), 7);
    cluster.handle().inject(Fault::once(Action::RivalIncrement).times(Fault::ALWAYS));
    for count in [8, 9] {
        let scale: Value =
            serde_json::from_str(&as_admin(&cluster, "GET", &scale_path(), "").unwrap().body)
                .unwrap();
        assert_eq!(scale["spec"]["replicas"], count);
    }
    cluster.handle().clear_faults();
    assert_eq!(as_admin(&cluster, "GET", &scale_path(), "").unwrap().status, 200);
    assert_eq!(cluster.workers(), 9);
}

#[test]
fn delays_can_be_before_or_after_the_request() {
    let cluster = TestCluster::start();
    let pause = Duration::from_millis(150);
    for action in [Action::Delay(pause), Action::DelayAnswer(pause)] {
        cluster.handle().inject(Fault::once(action));
        let start = Instant::now();
        as_admin(&cluster, "PATCH", &scale_path(), TO_THREE).unwrap();
        assert!(start.elapsed() >= pause);
    }
}

#[test]
fn requests_and_answers_can_be_held_until_the_faults_are_cleared() {
    for (action, workers) in [(Action::Hold, 1), (Action::HoldAnswer, 3)] {
        let cluster = TestCluster::start();
        cluster.handle().inject(Fault::once(action));
        let status = std::thread::scope(|scope| {
            let change = || as_admin(&cluster, "PATCH", &scale_path(), TO_THREE).unwrap().status;
            let changed = scope.spawn(change);
            cluster.wait_for_requests(1, |request| request.method == "PATCH");
            wait_until(|| cluster.workers() == workers, || format!("{workers} workers"));
            assert_eq!(cluster.handle().requests()[0].status, None);
            cluster.handle().clear_faults();
            changed.join().unwrap()
        });
        assert_eq!((status, cluster.workers()), (200, 3));
    }
}

#[test]
fn only_the_good_certificate_is_accepted() {
    let table = [
        (ServerCertificate::Good, true),
        (ServerCertificate::WrongHost, false),
        (ServerCertificate::Expired, false),
        (ServerCertificate::SignedByUnknownCa, false),
    ];
    for (certificate, accepted) in table {
        let cluster = TestCluster::with(Options { certificate, ..Options::default() });
        let answer = as_admin(&cluster, "GET", "/version", "");
        assert_eq!(answer.is_ok(), accepted, "{certificate:?}: {answer:?}");
    }
}

#[test]
fn passwords_and_certificates_prove_an_identity() {
    let cluster = TestCluster::start();
    let pair = base64_of(&format!("admin:{}", cluster.password()));
    let get = |client: &reqwest::Client, authorization: &str| {
        let headers = [("authorization", authorization.to_owned())];
        crate::http::send(client, &cluster, "GET", &scale_path(), &headers, Vec::new())
            .unwrap()
            .status
    };
    let client = crate::http::client(&cluster);
    assert_eq!(get(&client, &format!("Basic {pair}")), 200);
    assert_eq!(get(&client, "Basic YTpi"), 401);
    assert_eq!(get(&client, &format!("Bearer {}", cluster.token(Account::Expired))), 401);
    let certificate = cluster.handle().add_certificate("ci", Rights::All).unwrap();
    let pem = format!("{}{}", certificate.certificate, certificate.key);
    let identity = reqwest::Identity::from_pem(pem.as_bytes()).unwrap();
    let client = crate::http::builder(&cluster).identity(identity).build().unwrap();
    let answer =
        crate::http::send(&client, &cluster, "GET", &scale_path(), &[], Vec::new()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text)
}

#[test]
fn an_account_can_have_only_two_rights() {
    let cluster = TestCluster::start();
    let rule = Rule::new(&["get", "patch"], &["apps"], &["deployments/scale"], &["locust-slave"]);
    cluster.handle().add_account("t", "ci", Rights::Rules(vec![rule]));
    let client = crate::http::client(&cluster);
    let status = |method: &str, path: &str| {
        let headers = [
            ("authorization", "Bearer t".to_owned()),
            ("content-type", "application/merge-patch+json".to_owned()),
        ];
        crate::http::send(&client, &cluster, method, path, &headers, TO_THREE.into())
            .unwrap()
            .status
    };
    assert_eq!(status("GET", &scale_path()), 200);
    assert_eq!(status("PATCH", &scale_path()), 200);
    assert_eq!(status("PUT", &scale_path()), 403);
    assert_eq!(status("GET", WORKERS), 403);
    assert_eq!(status("GET", &scale_path().replace("slave", "master")), 403);
    assert_eq!(status("GET", "/apis"), 200);
}

#[test]
fn anonymous_users_see_only_version_and_health() {
    let cluster = TestCluster::start();
    let get = |path: &str| {
        let answer = crate::http::send(
            &crate::http::client(&cluster),
            &cluster,
            "GET",
            path,
            &[],
            Vec::new(),
        )
        .unwrap();
        (answer.status, answer.body)
    };
    assert_eq!(get("/readyz"), (200, "ok".to_owned()));
    assert_eq!(get("/version").0, 200);
    let (status, body) = get("/apis");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 403);
    assert_eq!(body["message"], "forbidden: User \"system:anonymous\" cannot get path \"/apis\"");
}

#[test]
fn a_watch_from_before_a_compaction_is_expired() {
    let cluster = TestCluster::start();
    let version = cluster.handle().resource_version();
    cluster.handle().set_replicas(WORKERS, 2);
    cluster.handle().compact();
    let path =
        format!("/apis/apps/v1/deployments?watch=1&resourceVersion={version}&timeoutSeconds=5");
    let answer = as_admin(&cluster, "GET", &path, "").unwrap();
    let event: Value = serde_json::from_str(answer.body.trim()).unwrap();
    assert_eq!((answer.status, &event["type"]), (200, &json!("ERROR")));
    assert_eq!(
        (&event["object"]["code"], &event["object"]["reason"]),
        (&json!(410), &json!("Expired"))
    );
}

#[test]
fn a_watch_that_is_held_back_sends_all_events_later() {
    let cluster = TestCluster::start();
    let hold = Fault::once(Action::HoldWatch(Duration::from_millis(600)));
    cluster.handle().inject(hold.at("watch=1"));
    let version = cluster.handle().resource_version();
    cluster.handle().pause_controllers();
    cluster.handle().set_replicas(WORKERS, 2);
    for least in [600, 0] {
        let started = Instant::now();
        let path =
            format!("/apis/apps/v1/deployments?watch=1&resourceVersion={version}&timeoutSeconds=1");
        let answer = as_admin(&cluster, "GET", &path, "").unwrap();
        assert!(answer.body.contains("\"replicas\":2"), "{}", answer.body);
        assert!(started.elapsed() >= Duration::from_millis(least));
    }
}

#[test]
fn lists_come_in_pages() {
    let cluster = TestCluster::start();
    let page = |query: &str| {
        let path = format!("/apis/apps/v1/namespaces/default/deployments?limit=1{query}");
        serde_json::from_str::<Value>(&as_admin(&cluster, "GET", &path, "").unwrap().body).unwrap()
    };
    let first = page("");
    assert_eq!(first["items"][0]["metadata"]["name"], "locust-master");
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    let second = page(&format!("&continue={}", first["metadata"]["continue"].as_str().unwrap()));
    assert_eq!(second["items"][0]["metadata"]["name"], "locust-slave");
    assert_eq!(second["metadata"]["continue"], Value::Null);
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let cluster = TestCluster::start();
    let answer = as_admin(&cluster, "PATCH", &scale_path(), &" ".repeat(4 << 20)).unwrap();
    assert_eq!(answer.status, 413);
}

#[test]
fn invalid_patches_are_refused() {
    let cluster = TestCluster::start();
    let pod = "/api/v1/namespaces/default/pods/odd";
    cluster.handle().put_object(pod, json!({}));
    for path in [
        WORKERS,
        &scale_path(),
        &format!("{WORKERS}/status"),
        pod,
        "/api/v1/namespaces/kube-system",
    ] {
        for patch in [
            "{}",
            "5",
            "{\"spec\":5}",
            "{\"metadata\":7}",
            "{\"spec\":{\"template\":[]}}",
            "{\"status\":[1]}",
        ] {
            let answer = as_admin(&cluster, "PATCH", path, patch).unwrap();
            assert!(answer.status < 500, "{path} {patch}: {}", answer.body);
        }
    }
    let to_two = r#"{"spec":{"replicas":2}}"#;
    assert_eq!(as_admin(&cluster, "PATCH", &scale_path(), to_two).unwrap().status, 200);
    cluster.wait_for(WORKERS, |deployment| deployment["status"]["readyReplicas"] == 2);
}

#[test]
fn garbage_and_silence_do_not_disturb_other_clients() {
    let cluster = TestCluster::start();
    let address = ("127.0.0.1", cluster.port());
    let mut garbage = TcpStream::connect(address).unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    garbage.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    // The connection ends with an alert, or with a reset.
    let _ = garbage.read_to_end(&mut answer);
    let silent: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert_eq!(as_admin(&cluster, "GET", &scale_path(), "").unwrap().status, 200);
    drop(silent);
}

#[test]
fn the_sandbox_shuts_down_while_a_watch_is_open() {
    let cluster =
        TestCluster::with(Options { objects: InitialObjects::Empty, ..Options::default() });
    let address = ("127.0.0.1", cluster.port());
    let (server, token) = (cluster.server().to_owned(), cluster.token(Account::Admin).to_owned());
    let client = crate::http::client(&cluster);
    let watch = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let request = client.get(format!("{server}/api/v1/pods?watch=1")).bearer_auth(token);
        runtime.block_on(async { request.send().await?.text().await })
    });
    cluster.wait_for_requests(1, |request| request.status.is_some());
    drop(cluster);
    // The response has ended or has been broken off. It must not be pending.
    let _ = watch.join().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

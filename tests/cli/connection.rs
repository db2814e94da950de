//! The connection to the server: certificates, names, proxies, retries, warnings, impersonation.

use std::io::{Read, Write};
use std::net::TcpListener;

use locustctl::sandbox::{Action, Fault, Options, Protocols, Rights, ServerCertificate};
use support::cluster::TestCluster;
use support::{Locustctl, Outcome, SLAVE, locustctl};

const SCALED: &str = "deployment.apps/locust-slave scaled from 1 to 3\n";

fn scale(cluster: &TestCluster, flags: &str) -> Locustctl {
    locustctl(&format!("scale --replicas=3 {flags}")).kubeconfig(cluster.kubeconfig())
}

fn inject(cluster: &TestCluster, method: &str, times: usize, action: Action) {
    cluster.handle().inject(Fault::once(action).on(method).times(times));
}

#[track_caller]
fn assert_failed(outcome: &Outcome, beginning: &str) {
    outcome.exits(1, "");
    assert!(outcome.stderr.starts_with(beginning), "{outcome:?}");
}

#[test]
fn a_self_signed_server_certificate_is_accepted_like_in_kubectl() {
    let certificate = ServerCertificate::SelfSigned;
    let cluster = TestCluster::with(Options { certificate, ..Options::default() });
    scale(&cluster, "").run().prints(SCALED);
    let elsewhere = scale(&cluster, "--tls-server-name=other.example").run();
    assert_failed(
        &elsewhere,
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate is valid for ",
    );
}

#[test]
fn an_ip_address_can_be_the_name_to_verify() {
    let cluster = TestCluster::start();
    let by_name = cluster.server().replace("127.0.0.1", "localhost");
    scale(&cluster, &format!("--server={by_name} --tls-server-name=127.0.0.1"))
        .run()
        .prints(SCALED);
    assert_eq!(cluster.handle().requests()[0].server_name, None);
    let wrong = scale(&cluster, "--tls-server-name=10.0.0.1").run();
    assert_failed(
        &wrong,
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate is valid for ",
    );
}

#[test]
fn a_name_to_verify_is_also_sent() {
    let cluster = TestCluster::start();
    scale(&cluster, "--tls-server-name=kubernetes.default").run().prints(SCALED);
    let names: Vec<_> =
        cluster.handle().requests().into_iter().map(|request| request.server_name).collect();
    assert_eq!(names, vec![Some("kubernetes.default".to_owned()); 2]);
}

#[test]
fn a_client_certificate_authenticates() {
    let cluster =
        TestCluster::with(Options { client_certificate_required: true, ..Options::default() });
    let pair = cluster.handle().add_certificate("carol", Rights::All).unwrap();
    let certificate = cluster.file("carol.crt", &pair.certificate);
    let key = cluster.file("carol.key", &pair.key);
    let flags =
        format!("--client-certificate={} --client-key={}", certificate.display(), key.display());
    scale(&cluster, &flags).run().prints(SCALED);
}

#[test]
fn a_server_that_requires_a_certificate_refuses_without_one() {
    for protocols in [Protocols::Http2AndHttp1, Protocols::Http1Only] {
        let cluster = TestCluster::with(Options {
            client_certificate_required: true,
            protocols,
            ..Options::default()
        });
        scale(&cluster, "")
            .run()
            .refuses("Unable to connect to the server: remote error: tls: certificate required\n");
    }
}

#[test]
fn http_1_is_used_if_the_server_has_no_http_2_or_if_requested() {
    let cluster = TestCluster::start();
    scale(&cluster, "").env("DISABLE_HTTP2", "1").run().prints(SCALED);
    assert!(cluster.handle().requests().iter().all(|request| !request.http2));
    scale(&cluster, "").run();
    assert!(cluster.handle().requests().last().unwrap().http2);
}

#[test]
fn compressed_answers_are_accepted_unless_disabled() {
    let cluster = TestCluster::start();
    scale(&cluster, "").run();
    scale(&cluster, "--disable-compression").run();
    let encodings: Vec<_> = cluster
        .handle()
        .requests()
        .iter()
        .map(|request| request.header("accept-encoding").map(str::to_owned))
        .collect();
    let gzip = Some("gzip".to_owned());
    assert_eq!(encodings, [gzip.clone(), gzip, None, None]);
}

/// The gzip form of a Scale with one replica.
const COMPRESSED: &[u8] = b"\
    \x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x45\xca\x31\x0a\xc0\x20\x10\x05\xd1\xbb\xfc\x5a\
    \x08\xb6\x5e\x23\x90\x7e\xd1\x25\x2c\x31\x2a\xae\xa6\x11\xef\x1e\x21\x45\xda\x79\x33\x70\
    \x49\x0a\x70\xd8\x3d\x45\x86\x01\x15\x39\xb8\xaa\xe4\xb4\x22\xf5\x96\x75\x81\xa4\x73\x7b\
    \xec\xd2\x9b\x1b\x05\x6a\x04\x37\x50\x59\x73\xaf\x9e\xff\xdd\x62\x1a\x68\x61\xff\x71\x89\
    \xe2\x49\xe1\xec\x9c\x2f\x1a\xaf\xab\x1d\x67\x00\x00\x00\
    ";

#[test]
fn a_compressed_answer_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            while stream.read(&mut request).unwrap_or_default() > 0 {
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                    COMPRESSED.len()
                );
                let _ =
                    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(COMPRESSED));
            }
        }
    });
    locustctl(&format!("scale --replicas=1 -s http://{address}"))
        .run()
        .prints("deployment.apps/locust-slave scaled from 1 to 1 (no change)\n");
}

/// A Scale with one replica.
const SCALE: &str = r#"{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"resourceVersion":"1"},"spec":{"replicas":1}}"#;

#[test]
fn an_answer_may_have_many_header_fields_and_any_media_type() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            while stream.read(&mut request).unwrap_or_default() > 0 {
                let fields = "x-field: value\r\n".repeat(500);
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\n{fields}content-type: Text/Plain\r\ncontent-length: {}\r\n\r\n{SCALE}",
                    SCALE.len()
                );
            }
        }
    });
    locustctl(&format!("scale --replicas=1 -s http://{address}"))
        .run()
        .prints("deployment.apps/locust-slave scaled from 1 to 1 (no change)\n");
}

#[test]
fn an_ipv6_address_is_written_in_brackets() {
    for server in ["https://[::1]:1", "[::1]:1"] {
        let outcome =
            locustctl(&format!("scale --replicas=3 -s {server} --token=some-token")).run();
        let refused = "The connection to the server [::1]:1 was refused - did you specify the right host or port?\n";
        // The error of a machine without IPv6.
        let unreachable = "Unable to connect to the server: dial tcp [::1]:1: connect: ";
        assert!(
            outcome.stderr == refused || outcome.stderr.starts_with(unreachable),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_namespace_cannot_change_the_path() {
    let cluster = TestCluster::start();
    let namespace = "x\\..\\..\\nodes";
    let outcome = Locustctl::new(["scale", "--replicas=1", "-n", namespace])
        .kubeconfig(cluster.kubeconfig())
        .run();
    assert_failed(&outcome, "Error from server (NotFound): ");
    for request in cluster.handle().requests() {
        assert!(request.path_and_query.contains("/namespaces/x%5C..%5C..%5Cnodes"), "{request:?}");
    }
}

#[test]
fn retry_after_is_followed() {
    for (method, action) in [
        ("GET", Action::too_many_requests(Some(0))),
        ("GET", Action::unavailable(Some(0))),
        ("GET", Action::internal_error(Some(0))),
        ("PATCH", Action::too_many_requests(Some(0))),
        ("PATCH", Action::unavailable(Some(0))),
    ] {
        let cluster = TestCluster::start();
        inject(&cluster, method, 3, action);
        scale(&cluster, "").run().prints(SCALED);
    }
}

#[test]
fn after_ten_retries_the_error_is_reported() {
    let cluster = TestCluster::start();
    inject(&cluster, "GET", Fault::ALWAYS, Action::too_many_requests(Some(0)));
    assert_failed(&scale(&cluster, "").run(), "Error from server (TooManyRequests): ");
    assert_eq!(cluster.handle().requests().len(), 11);
}

#[test]
fn without_retry_after_there_is_no_retry() {
    let cluster = TestCluster::start();
    inject(&cluster, "GET", Fault::ALWAYS, Action::unavailable(None));
    assert_failed(&scale(&cluster, "").run(), "Error from server (");
    assert_eq!(cluster.handle().requests().len(), 1);
}

#[test]
fn a_429_without_retry_after_is_retried() {
    for method in ["GET", "PATCH"] {
        let cluster = TestCluster::start();
        inject(&cluster, method, 2, Action::too_many_requests(None));
        let outcome = scale(&cluster, "").run();
        let note = "Waiting 2 s before the next attempt: the server is busy
";
        outcome.warns(SCALED, note);
        assert_eq!(cluster.handle().requests().len(), 4);
    }
}

#[test]
fn a_relative_change_is_not_repeated_if_it_may_have_been_made() {
    let cluster = TestCluster::start();
    inject(&cluster, "PATCH", Fault::ALWAYS, Action::unavailable(Some(0)));
    let outcome = locustctl("scale --by=+2").kubeconfig(cluster.kubeconfig()).run();
    assert_failed(&outcome, "Error from server (ServiceUnavailable): ");
    let patches =
        cluster.handle().requests().into_iter().filter(|request| request.method == "PATCH");
    assert_eq!(patches.count(), 1);
}

#[test]
fn reading_survives_broken_connections() {
    let cluster = TestCluster::start();
    inject(&cluster, "GET", 3, Action::CloseBefore);
    scale(&cluster, "").run().prints(SCALED);
}

#[test]
fn warnings_are_shown_once_and_can_be_errors() {
    let cluster = TestCluster::start();
    let warn = |cluster: &TestCluster| {
        let scale =
            r#"{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{},"spec":{"replicas":1}}"#;
        let headers = [
            ("content-type", "application/json"),
            ("warning", "299 - \"apps/v0 is old\""),
            ("warning", "299 - \"another\", 199 - \"not shown\""),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        inject(cluster, "GET", 1, Action::Answer { status: 200, headers, body: scale.into() });
    };
    warn(&cluster);
    let outcome = scale(&cluster, "").run();
    outcome.exits(0, SCALED);
    assert_eq!(outcome.stderr, "Warning: apps/v0 is old\nWarning: another\n");
    cluster.handle().set_replicas(SLAVE, 1);
    warn(&cluster);
    let strict = scale(&cluster, "--warnings-as-errors").run();
    strict.exits(1, SCALED);
    assert!(strict.stderr.ends_with("error: 2 warnings received\n"), "{strict:?}");
}

#[test]
fn impersonation_is_sent_in_headers() {
    let cluster = TestCluster::start();
    let flags = "--as=bob --as-uid=7 --as-group=devs --as-group=ops --as-user-extra=ex/a@b=1 --as-user-extra=nothing";
    assert_failed(
        &scale(&cluster, flags).run(),
        "Error from server (Forbidden): deployments.apps \"locust-slave\" is forbidden: User \"bob\" cannot get ",
    );
    let request = &cluster.handle().requests()[0];
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("impersonate-"))
        .cloned()
        .collect();
    headers.sort();
    let expected = [
        ("impersonate-extra-ex%2fa%40b", "1"),
        ("impersonate-group", "devs"),
        ("impersonate-group", "ops"),
        ("impersonate-uid", "7"),
        ("impersonate-user", "bob"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    scale(&cluster, "--as-group=g").run().refuses(
        "error: requesting uid, groups or user-extra for sandbox without impersonating a user\n",
    );
}

#[test]
fn match_server_version_requires_our_release() {
    let cluster = TestCluster::start();
    scale(&cluster, "--match-server-version").run().prints(SCALED);
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let body = br#"{"major":"1","minor":"30","gitVersion":"v1.30.1"}"#.to_vec();
    inject(&cluster, "GET", 1, Action::Answer { status: 200, headers, body });
    assert_failed(
        &scale(&cluster, "--match-server-version").run(),
        "error: server version (1.30, v1.30.1) differs from client version (1.36): locustctl ",
    );
}

#[test]
fn every_request_has_our_user_agent() {
    let cluster = TestCluster::start();
    scale(&cluster, "").run();
    for request in cluster.handle().requests() {
        let agent = request.header("user-agent").unwrap();
        let expected = format!("locustctl/{} (", env!("CARGO_PKG_VERSION"));
        assert!(
            agent.starts_with(&expected) && agent.ends_with(')') && agent.contains('/'),
            "{agent}"
        );
    }
}

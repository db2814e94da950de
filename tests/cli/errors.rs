//! Errors of the server and of the connection, in kubectl's words. Each test is one run of the
//! binary.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use locustctl::sandbox::{Action, Fault, Options, ServerCertificate};
use support::cluster::TestCluster;
use support::{Outcome, SLAVE, locustctl};
use tokio::net::TcpSocket;

pub fn run(cluster: &TestCluster, line: &str) -> Outcome {
    locustctl(line).kubeconfig(cluster.kubeconfig()).run()
}

pub fn scale(cluster: &TestCluster) -> Outcome {
    run(cluster, "scale --replicas=3")
}

pub fn on(cluster: &TestCluster, method: &str, action: Action) {
    let method = Some(method.to_owned());
    cluster.handle().inject(Fault { method, path_contains: None, times: 100, action });
}

pub fn answer(status: u16, content_type: &str, body: &str) -> Action {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Action::Answer { status, headers, body: body.into() }
}

#[test]
fn a_missing_object_is_reported_by_name() {
    let cluster = TestCluster::start();
    run(&cluster, "scale --replicas=3 deploy/zz")
        .refuses("Error from server (NotFound): deployments.apps \"zz\" not found\n");
    run(&cluster, "scale --replicas=3 --current-replicas=1 rc/zz")
        .refuses("Error from server (NotFound): replicationcontrollers \"zz\" not found\n");
}

#[test]
fn a_missing_namespace_is_reported_instead_of_its_object() {
    let cluster = TestCluster::start();
    run(&cluster, "scale --replicas=3 -n nowhere")
        .refuses("Error from server (NotFound): namespaces \"nowhere\" not found\n");
    run(&cluster, "scale --replicas=3 -n kube-system").refuses(
        "Error from server (NotFound): deployments.apps \"locust-slave\" not found\n\
         No workers of Locust were found in namespace kube-system. To use another namespace, add \
         --namespace=NAME; `locustctl status -A` lists those of all namespaces\n",
    );
}

#[test]
fn the_namespace_is_read_only_if_it_may_be_the_missing_object() {
    let namespaces = |cluster: &TestCluster| {
        let requests = cluster.handle().requests();
        let is_namespace = |path: &str| path.starts_with("/api/v1/namespaces/");
        requests.iter().filter(|one| is_namespace(&one.path_and_query)).count()
    };
    let cluster = TestCluster::start();
    run(&cluster, "scale --replicas=3 deploy/zz")
        .refuses("Error from server (NotFound): deployments.apps \"zz\" not found\n");
    assert_eq!(namespaces(&cluster), 0, "default always exists");
    let forbidden = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "no", "details": {"name": "locust-slave"}}"#;
    on(&cluster, "GET", answer(403, "application/json", forbidden));
    run(&cluster, "scale --replicas=3 -n nowhere").refuses("Error from server (Forbidden): no\n");
    assert_eq!(namespaces(&cluster), 0, "the object may exist");
}

#[test]
fn a_namespace_that_may_not_be_read_does_not_hide_the_missing_object() {
    let cluster = TestCluster::start();
    let fault = Fault::once(answer(403, "text/plain", "no")).at("/api/v1/namespaces/nowhere");
    cluster.handle().inject(fault);
    run(&cluster, "scale --replicas=3 -n nowhere").refuses(
        "Error from server (NotFound): deployments.apps \"locust-slave\" not found\n\
         No workers of Locust were found in namespace nowhere. To use another namespace, add \
         --namespace=NAME; `locustctl status -A` lists those of all namespaces\n",
    );
}

#[test]
fn a_missing_permission_is_reported() {
    let cluster = TestCluster::start();
    let outcome = run(&cluster, "scale --replicas=3 --context=sandbox-viewer");
    outcome.refuses(
        "Error from server (Forbidden): deployments.apps \"locust-slave\" is forbidden: User \
         \"sandbox-viewer\" cannot patch resource \"deployments/scale\" in API group \"apps\" in \
         the namespace \"default\"\n",
    );
    assert_eq!(cluster.handle().replicas(SLAVE), Some(1));
}

#[test]
fn unknown_and_expired_credentials_are_refused() {
    let cluster = TestCluster::start();
    for flag in ["--context=sandbox-expired", "--token=nobody-knows-this-token"] {
        run(&cluster, &format!("scale --replicas=3 {flag}"))
            .refuses("error: You must be logged in to the server (Unauthorized)\n");
    }
}

#[test]
fn without_credentials_the_servers_answer_is_reported() {
    let cluster = TestCluster::start();
    let ca = cluster.file("ca.crt", cluster.certificate_authority());
    let server = cluster.server();
    let outcome = locustctl("scale --replicas=3")
        .kubeconfig(cluster.file("empty", ""))
        .arg("--server")
        .arg(server)
        .arg("--certificate-authority")
        .arg(ca)
        .run();
    outcome.refuses(
        "Error from server (Forbidden): deployments.apps \"locust-slave\" is forbidden: User \
         \"system:anonymous\" cannot get resource \"deployments/scale\" in API group \"apps\" in \
         the namespace \"default\"\n",
    );
}

#[test]
fn an_invalid_object_is_reported_with_its_causes() {
    let cluster = TestCluster::start();
    let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422,
        "message":"m","details":{"name":"locust-slave","kind":"Scale","causes":[
        {"message":"Invalid value: 3: too many","field":"spec.replicas"}]}}"#;
    on(&cluster, "PATCH", answer(422, "application/json", status));
    scale(&cluster).refuses(
        "The Scale \"locust-slave\" is invalid: spec.replicas: Invalid value: 3: too many\n",
    );
}

#[test]
fn after_ten_conflicts_the_error_is_reported() {
    let cluster = TestCluster::start();
    on(&cluster, "PATCH", Action::conflict());
    let outcome = scale(&cluster);
    assert!(outcome.stderr.starts_with("Error from server (Conflict): "), "{outcome:?}");
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn server_errors_are_reported_in_kubectls_words() {
    for (action, expected, is_certain) in [
        (
            answer(500, "text/plain", "boom"),
            "Error from server (InternalError): an error on the server (\"boom\") has prevented the request from succeeding (patch deployments locust-slave)",
            false,
        ),
        (
            answer(502, "text/html", "<html><h1>Bad Gateway</h1></html>"),
            "Error from server (InternalError): an error on the server (\"<html><h1>Bad Gateway</h1></html>\") has prevented the request from succeeding (patch deployments locust-slave)",
            false,
        ),
        (
            answer(503, "text/html", "<html>"),
            "Error from server (ServiceUnavailable): the server is currently unable to handle the request (patch deployments locust-slave)",
            false,
        ),
        (
            // In one hour. locustctl must not wait that long.
            Action::Answer {
                status: 429,
                headers: vec![("retry-after".to_owned(), "3600".to_owned())],
                body: Vec::new(),
            },
            "Error from server (TooManyRequests): the server has received too many requests and has asked us to try again later (patch deployments locust-slave)",
            true,
        ),
        (
            answer(418, "text/plain", ""),
            "Error from server: the server responded with the status code 418 but did not return more information (patch deployments locust-slave)",
            true,
        ),
        (
            answer(403, "text/plain", "not you"),
            "Error from server (Forbidden): not you (patch deployments locust-slave)",
            true,
        ),
    ] {
        let cluster = TestCluster::start();
        on(&cluster, "PATCH", action);
        // A 5xx does not tell if the change was made: see outcome.rs.
        let still = "deployment.apps/locust-slave is still at 1; the request may scale it to 3 later; check it again in a moment\n";
        let still = if is_certain { "" } else { still };
        scale(&cluster).refuses(&format!("{expected}\n{still}"));
        assert_eq!(cluster.handle().replicas(SLAVE), Some(1));
    }
}

#[test]
fn answers_other_than_a_scale_are_refused() {
    for (action, expected) in [
        (
            answer(200, "text/html", "<html>log in</html>"),
            "error: serializer for text/html doesn't exist",
        ),
        (answer(200, "application/json", "{}"), "error: Object 'Kind' is missing in '{}'"),
        (
            answer(200, "application/json", "{\"kind\":\"Sca"),
            "error: couldn't get version/kind; json parse error: unexpected end of JSON input",
        ),
        (
            answer(
                200,
                "application/json",
                r#"{"kind":"Status","status":"Failure","message":"no"}"#,
            ),
            "error: the server answered 200 with a Status instead of the object: no",
        ),
    ] {
        let cluster = TestCluster::start();
        on(&cluster, "GET", action);
        scale(&cluster).refuses(&format!("{expected}\n"));
    }
}

#[test]
fn a_truncated_body_is_an_error() {
    let cluster = TestCluster::start();
    on(&cluster, "GET", Action::TruncatedBody);
    let outcome = scale(&cluster);
    assert!(
        outcome.stderr.starts_with(
            "error: unexpected error when reading response body. Please retry. Original error: "
        ),
        "{outcome:?}"
    );
    outcome.exits(1, "");
}

#[test]
fn a_body_of_100_mb_is_not_read_completely() {
    let cluster = TestCluster::start();
    on(&cluster, "GET", Action::Oversized(100 * 1024 * 1024));
    scale(&cluster).refuses(
        "error: the answer to get deployments \"locust-slave\" is larger than 8 MiB and was not read to its end\n",
    );
}

#[test]
fn a_redirect_is_reported_and_not_followed() {
    let cluster = TestCluster::start();
    let headers = vec![("location".to_owned(), "https://elsewhere.example/".to_owned())];
    on(&cluster, "GET", Action::Answer { status: 302, headers, body: Vec::new() });
    let outcome = scale(&cluster);
    assert!(
        outcome.stderr.contains(
            "with a redirect (302) to \"https://elsewhere.example/\"; locustctl does not follow it"
        ),
        "{outcome:?}"
    );
    assert_eq!((outcome.code, cluster.handle().requests().len()), (Some(1), 1));
}

#[test]
fn certificates_are_verified() {
    for (certificate, expected) in [
        (ServerCertificate::SignedByUnknownCa, "certificate signed by unknown authority\n"),
        (
            ServerCertificate::WrongHost,
            "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs\n",
        ),
    ] {
        let cluster = TestCluster::with(Options { certificate, ..Options::default() });
        scale(&cluster).refuses(&format!(
            "Unable to connect to the server: tls: failed to verify certificate: x509: {expected}"
        ));
        assert_eq!(cluster.handle().requests().len(), 0);
        let insecure = run(&cluster, "scale --replicas=3 --insecure-skip-tls-verify");
        insecure.prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    }
    let certificate = ServerCertificate::Expired;
    let cluster = TestCluster::with(Options { certificate, ..Options::default() });
    let outcome = scale(&cluster);
    let expected = "Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time ";
    assert!(
        outcome.stderr.starts_with(expected) && outcome.stderr.contains(" is after "),
        "{outcome:?}"
    );
}

#[test]
fn another_name_can_be_verified() {
    let certificate = ServerCertificate::WrongHost;
    let cluster = TestCluster::with(Options { certificate, ..Options::default() });
    locustctl("scale --replicas=3 --tls-server-name=alt.example")
        .kubeconfig(cluster.kubeconfig())
        // The name of the server is a header in HTTP/1.1 only.
        .env("DISABLE_HTTP2", "1")
        .run()
        .prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    let host = cluster.server().trim_start_matches("https://").to_owned();
    for request in cluster.handle().requests() {
        let sent = request.headers.iter().find(|(name, _)| name == "host");
        assert_eq!(sent.map(|(_, value)| value.as_str()), Some(host.as_str()), "{request:?}");
    }
    run(&cluster, "scale --replicas=3 --tls-server-name=foo.example").refuses(
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate is \
         valid for localhost, alt.example, not foo.example\n",
    );
}

#[test]
fn a_refused_connection_is_reported() {
    // A port that is bound, and on which nobody listens. No other program can get it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    locustctl(&format!("scale --replicas=3 -s https://{address} --token=some-token")).run().refuses(&format!(
        "The connection to the server {address} was refused - did you specify the right host or port?\n"
    ));
}

#[test]
fn an_unknown_host_is_reported_by_name() {
    locustctl("scale --replicas=3 -s https://no-such-host.invalid:6443 --token=some-token").run().refuses(
        "Unable to connect to the server: dial tcp: lookup no-such-host.invalid: no such host\n",
    );
}

#[test]
fn an_http_server_at_an_https_address_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            // Bytes that are not read would reset the connection, and the client might lose the answer.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    locustctl(&format!("scale --replicas=3 -s https://{address} --token=some-token")).run().refuses(
        "Unable to connect to the server: tls: first record does not look like a TLS handshake\n",
    );
}

#[test]
fn the_request_timeout_limits_the_wait_for_a_slow_server() {
    let cluster = TestCluster::start();
    on(&cluster, "GET", Action::Delay(Duration::from_secs(60)));
    run(&cluster, "scale --replicas=3 --request-timeout=5s")
        .refuses("Unable to connect to the server: context deadline exceeded\n");
    let request = &cluster.handle().requests()[0];
    assert!(request.path_and_query.ends_with("/scale?timeout=5s"), "{request:?}");
}

#[test]
fn a_server_that_never_answers_runs_into_the_request_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let outcome = locustctl(&format!(
        "scale --replicas=3 -s https://{address} --token=x --request-timeout=1"
    ))
    .run();
    outcome.refuses("Unable to connect to the server: context deadline exceeded\n");
    drop(listener);
}

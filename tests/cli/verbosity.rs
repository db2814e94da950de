//! The log on stderr with `-v`, in kubectl's line format, and the masking of secrets.

use locustctl::sandbox::{Account, Action, Fault};
use support::cluster::TestCluster;
use support::{Locustctl, SLAVE, locustctl};

/// The log of a scale from 1 to 3, without klog's headers.
fn log(level: u8) -> (TestCluster, String) {
    let cluster = TestCluster::start();
    let outcome =
        locustctl(&format!("scale --replicas=3 -v={level}")).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 1 to 3\n");
    let lines: Vec<_> = outcome
        .stderr
        .lines()
        .map(|line| match line.split_once("] ") {
            Some((header, text)) if is_klog_header(header) => text.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    (cluster, lines.join("\n"))
}

/// `I1123 19:04:56.123456   12345 file.rs:10`
fn is_klog_header(header: &str) -> bool {
    let fields: Vec<_> = header.split_whitespace().collect();
    matches!(fields[..], [date, time, pid, place]
        if date.len() == 5 && date.starts_with('I') && time.len() == 15
            && pid.parse::<u32>().is_ok() && place.contains(".rs:"))
}

#[test]
fn below_six_nothing_is_logged() {
    assert_eq!(log(5).1, "");
}

#[test]
fn at_six_each_exchange_is_a_line() {
    let (cluster, log) = log(6);
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines[0], format!("Config loaded from file:  {}", cluster.kubeconfig().display()));
    let url = format!("{}{SLAVE}/scale", cluster.server());
    for (line, verb) in lines[1..].iter().zip(["GET", "PATCH"]) {
        let expected =
            format!("\"Response\" verb=\"{verb}\" url=\"{url}\" status=\"200 OK\" milliseconds=");
        assert!(line.starts_with(&expected), "{line}");
    }
    assert_eq!(lines.len(), 3);
}

#[test]
fn at_seven_headers_are_shown_with_the_credential_masked() {
    let (cluster, log) = log(7);
    assert!(log.contains("\"Request\" verb=\"PATCH\" url=\""), "{log}");
    assert!(log.contains("\n\tAuthorization: Bearer <masked>\n"), "{log}");
    assert!(log.contains("\n\tContent-Type: application/json-patch+json\n"), "{log}");
    assert!(log.contains("\n\tUser-Agent: locustctl/"), "{log}");
    assert!(log.contains("\"Response\" status=\"200 OK\" milliseconds="), "{log}");
    assert!(!log.contains(cluster.token(Account::Admin)));
}

#[test]
fn at_eight_bodies_are_shown() {
    let (_, log) = log(8);
    assert!(log.contains("\"Request Body\" body=\"\""), "{log}");
    assert!(
        log.contains(
            r#""Request Body" body="[{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":1},"#
        ),
        "{log}"
    );
    assert!(log.contains("\"Response Body\" body="), "{log}");
    assert!(log.contains("\"Response\" status=\"200 OK\" headers=<\n"), "{log}");
}

#[test]
fn at_nine_requests_are_curl_commands() {
    let (cluster, log) = log(9);
    assert!(log.contains("\"Request\" curlCommand=<\n\tcurl -v -XGET  -H \""), "{log}");
    assert!(log.contains(&format!("'{}{SLAVE}/scale'\n", cluster.server())), "{log}");
    assert!(
        log.contains("\"HTTP Trace: Dial succeed\" network=\"tcp\" address=\"127.0.0.1:"),
        "{log}"
    );
    assert_eq!(log.matches("connectMilliseconds=").count(), 1, "{log}");
    assert!(!log.contains(cluster.token(Account::Admin)));
}

#[test]
fn a_secret_that_the_server_repeats_is_masked_before_the_log_is_cut() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin).to_owned();
    let part = &token[..10];
    for filler in 1005..1024 {
        let body = format!("{}{token}", "x".repeat(filler));
        let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        let answer = Action::Answer { status: 403, headers, body: body.into_bytes() };
        cluster.handle().inject(Fault::once(answer).on("GET"));
        let outcome = locustctl("scale --replicas=3 -v=8").kubeconfig(cluster.kubeconfig()).run();
        assert!(!outcome.stderr.contains(part), "{outcome:?}");
    }
}

#[test]
fn a_secret_that_the_log_quotes_is_masked() {
    let cluster = TestCluster::start();
    let password = "pass\"word\\of bob";
    let message = format!("you are bob with {password}");
    let body = serde_json::json!({"kind": "Status", "status": "Failure", "message": message});
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let body = body.to_string().into_bytes();
    let answer = Action::Answer { status: 403, headers, body };
    cluster.handle().inject(Fault::once(answer).on("GET"));
    let outcome = Locustctl::new(["scale", "--replicas=3", "-v=9", "-s", cluster.server()])
        .arg("--insecure-skip-tls-verify")
        .arg("--username=bob")
        .arg(format!("--password={password}"))
        .run();
    let is_shown = |part| outcome.stderr.contains(part);
    assert!(!is_shown("word") && !is_shown("of bob") && is_shown("<masked>"), "{outcome:?}");
}

//! Credentials and control characters in answers of the server are not printed.

use locustctl::sandbox::{Account, Action};
use support::cluster::TestCluster;
use support::locustctl;

use super::errors::{answer, on, run, scale};

#[test]
fn a_credential_in_the_servers_answer_is_masked() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin);
    on(&cluster, "GET", answer(500, "text/plain", &format!("you sent Bearer {token}")));
    for line in ["scale --replicas=3", "scale --replicas=3 -v=9"] {
        let outcome = run(&cluster, line);
        assert!(outcome.stderr.contains("you sent Bearer <masked>"), "{outcome:?}");
        assert!(!outcome.stderr.contains(token), "{outcome:?}");
    }
}

#[test]
fn a_credential_is_masked_wherever_the_server_repeats_it() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin);
    let escaped: String = token.chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
    let status = format!(
        r#"{{"kind":"Status","status":"Failure","reason":"Forbidden","message":"{escaped}","code":403}}"#
    );
    let headers = |name: &str| vec![(name.to_owned(), format!("https://elsewhere/?t={token}"))];
    for action in [
        answer(403, "application/json", &status),
        Action::Answer { status: 302, headers: headers("location"), body: Vec::new() },
        Action::Answer {
            status: 500,
            headers: vec![("warning".to_owned(), format!("299 - \"you are {token}\""))],
            body: Vec::new(),
        },
        answer(200, &format!("text/{token}"), "x"),
    ] {
        cluster.handle().clear_faults();
        on(&cluster, "GET", action);
        for verbosity in ["", "-v=9"] {
            // The harness searches all output for secrets.
            let outcome = run(&cluster, &format!("scale --replicas=3 {verbosity}"));
            assert!(outcome.stderr.contains("<masked>"), "{outcome:?}");
        }
    }
}

#[test]
fn a_decoded_password_in_the_servers_answer_is_masked() {
    support::secrets::add("pass-word-of-bob");
    let cluster = TestCluster::start();
    on(&cluster, "GET", answer(403, "text/plain", "you are bob with pass-word-of-bob"));
    let address = cluster.server().replace("https://", "https://bob:pass-word-of-bob@");
    let ca = cluster.certificate_authority_file();
    for flags in
        ["--username=bob --password=pass-word-of-bob -s SERVER", "-s LOGIN", "-s LOGIN -v=9"]
    {
        let flags = flags.replace("SERVER", cluster.server()).replace("LOGIN", &address);
        let outcome = locustctl(&format!(
            "scale --replicas=3 {flags} --certificate-authority={}",
            ca.display()
        ))
        .run();
        assert!(
            outcome.stderr.ends_with("Error from server (Forbidden): you are bob with <masked> (get deployments locust-slave)\n"),
            "{outcome:?}"
        );
    }
    let sent = cluster.handle().requests();
    assert!(sent.iter().all(
        |request| request.header("authorization") == Some("Basic Ym9iOnBhc3Mtd29yZC1vZi1ib2I=")
    ));
}

#[test]
fn control_characters_from_the_server_are_escaped() {
    let cluster = TestCluster::start();
    on(&cluster, "GET", answer(403, "text/plain", "\u{1b}[2Jgone"));
    scale(&cluster)
        .refuses("Error from server (Forbidden): \\u{1b}[2Jgone (get deployments locust-slave)\n");
}

//! A Locust at an `https://` URL with a certificate from a private authority.

use std::path::Path;

use locustctl::sandbox::{Account, Options, ServerCertificate};
use support::cluster::TestCluster;
use support::serving::Serving;
use support::swarm::{running, start_test};
use support::{Outcome, locustctl};

const PATH: &str = "/api/v1/namespaces/default/services/locust-master:8089/proxy/";

const UNTRUSTED: &str = "certificate signed by unknown authority";

const ADVICE: &str = "; use --locust-certificate-authority=FILE to trust the authority that \
     signed Locust's certificate";

/// Flags that reach the cluster's Locust by URL. The cluster's API server plays the TLS proxy in front
/// of Locust, which requires a token.
fn flags(cluster: &TestCluster) -> [String; 2] {
    let token = format!("Bearer {}", cluster.token(Account::Admin));
    let file = cluster.file("locust-authorization", &token);
    let url = format!("--locust={}{PATH}", cluster.server());
    [url, format!("--locust-auth-file={}", file.display())]
}

fn authority_flag(file: &Path) -> String {
    format!("--locust-certificate-authority={}", file.display())
}

fn run(cluster: &TestCluster, command: &str, trust: Option<&str>) -> Outcome {
    let call = flags(cluster).iter().fold(locustctl(command), |call, flag| call.arg(flag));
    trust.into_iter().fold(call, |call, flag| call.arg(flag)).kubeconfig(cluster.kubeconfig()).run()
}

#[track_caller]
fn names_the_flag(text: &str) {
    assert!(text.contains(UNTRUSTED) && text.contains(ADVICE), "{text}");
    assert!(!text.contains("kubeconfig"), "{text}");
}

#[test]
fn status_and_rebalance_trust_the_given_authority() {
    let cluster = running(5);
    let trust = authority_flag(&cluster.certificate_authority_file());
    let down = "scale --replicas=1 --rebalance=never";
    let outcome = run(&cluster, down, Some(&trust));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("1 worker is connected to Locust\n"), "{outcome:?}");
    let outcome = run(&cluster, "status", Some(&trust));
    assert!(outcome.stdout.contains("State:       running, 15 of 60 users"), "{outcome:?}");
    let outcome = run(&cluster, "rebalance", Some(&trust));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("redistributed 60 users"), "{outcome:?}");
}

#[test]
fn an_unknown_authority_error_names_the_flag() {
    let its_own = Options { certificate: ServerCertificate::SelfSigned, ..Options::default() };
    let other = TestCluster::start();
    let others = authority_flag(&other.certificate_authority_file());
    for cluster in [TestCluster::start(), TestCluster::with(its_own)] {
        for trust in [None, Some(&*others)] {
            for command in ["status", "rebalance"] {
                let outcome = run(&cluster, command, trust);
                assert_eq!(outcome.code, Some(1), "{outcome:?}");
                names_the_flag(&outcome.stderr);
            }
        }
        let trusted = authority_flag(&cluster.certificate_authority_file());
        let outcome = run(&cluster, "status", Some(&trusted));
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{outcome:?}");
    }
}

#[test]
fn an_untrusted_api_server_error_does_not_name_the_flag() {
    let certificate = ServerCertificate::SignedByUnknownCa;
    let cluster = TestCluster::with(Options { certificate, ..Options::default() });
    let outcome = locustctl("rebalance").kubeconfig(cluster.kubeconfig()).run();
    outcome.refuses(&format!(
        "Unable to connect to the server: tls: failed to verify certificate: x509: {UNTRUSTED}\n"
    ));
}

#[test]
fn serve_trusts_the_given_authority_for_the_test_and_for_locusts_page() {
    let cluster = TestCluster::start();
    start_test(&cluster);
    let trust = authority_flag(&cluster.certificate_authority_file());
    let [url, login] = &flags(&cluster);
    let serving = Serving::start(&cluster, &["--locust-ui", url, login, &trust]);
    let page = serving.get(PATH);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("/-/locustctl/assets/panel.js"), "{page:?}");
    serving.wait_for_log("Watching Locust at");
}

#[test]
fn serve_without_the_authority_names_the_flag_in_the_log_and_on_an_error_page() {
    let cluster = TestCluster::start();
    let [url, login] = &flags(&cluster);
    let serving = Serving::start(&cluster, &["--locust-ui", url, login]);
    serving.wait_for_log(ADVICE);
    let request = serving.request("GET", PATH).header("accept", "text/html");
    let page = serving.send(request);
    assert!(page.text.contains("--locust-certificate-authority"), "{page:?}");
}

#[test]
fn an_authority_that_cannot_be_used_is_refused_before_any_request() {
    let cluster = TestCluster::start();
    let authority = cluster.certificate_authority_file();
    let no_certificate = cluster.file("no-certificate", "-----BEGIN X-----\n");
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let garbage = cluster.file("garbage", garbage);
    let large = cluster.file("large", &"x".repeat(1024 * 1024 + 1));
    let pipe = cluster.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let url = &*flags(&cluster)[0];
    let needs_url = "--locust-certificate-authority needs --locust=https://…";
    cluster.handle().clear_requests();
    for (locust, file, expected) in [
        ("--locust=auto", &authority, needs_url),
        ("--locust=none", &authority, needs_url),
        ("--locust=service/https:locust-master", &authority, needs_url),
        ("--locust=http://127.0.0.1:1", &authority, needs_url),
        ("--locust=", &authority, needs_url),
        (url, &cluster.path("missing"), "missing: No such file or directory"),
        (url, &no_certificate, "no-certificate: unable to load root certificates: "),
        (url, &garbage, "garbage: unable to load root certificates: "),
        (url, &large, "large: the file is larger than 1024 KB"),
        (url, &pipe, "pipe: this is not a regular file"),
        (url, &cluster.directory().to_owned(), ": this is not a regular file"),
    ] {
        for command in ["scale --replicas=2", "status", "rebalance", "serve --listen=127.0.0.1:0"] {
            let call = locustctl(command).arg(locust).arg(authority_flag(file));
            let outcome = call.kubeconfig(cluster.kubeconfig()).run();
            assert_eq!((outcome.code, &*outcome.stdout), (Some(1), ""), "{command}: {outcome:?}");
            let flag = "--locust-certificate-authority";
            assert!(outcome.stderr.contains(flag), "{command} {locust}: {outcome:?}");
            assert!(outcome.stderr.contains(expected), "{command} {locust}: {outcome:?}");
        }
    }
    let call = locustctl("scale --replicas=2").arg(authority_flag(&authority));
    let outcome = call.kubeconfig(cluster.kubeconfig()).run();
    assert!(outcome.stderr.contains(needs_url), "{outcome:?}");
    assert_eq!(cluster.request_lines(), [""; 0]);
}

//! Client certificates and keys: the forms that Go reads, and errors that show no part of a key.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use locustctl::sandbox::{Account, Options};
use support::cluster::TestCluster;
use support::{Locustctl, locustctl, secrets};

/// The files of `tests/fixtures/keys`. All certificates have version 1.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/keys/", $name))
    };
}

const RSA: (&str, &str) = (fixture!("rsa.crt"), fixture!("rsa.pkcs1.key"));
/// A size that the TLS library does not have.
const RSA_2560: (&str, &str) = (fixture!("rsa2560.crt"), fixture!("rsa2560.pkcs8.key"));
const P256: (&str, &str) = (fixture!("p256.crt"), fixture!("p256.sec1.key"));
const P521: (&str, &str) = (fixture!("p521.crt"), fixture!("p521.sec1.key"));
const ED25519: (&str, &str) = (fixture!("ed25519.crt"), fixture!("ed25519.pkcs8.key"));

/// A cluster whose TLS handshake needs a client certificate.
fn cluster() -> TestCluster {
    TestCluster::with(Options { client_certificate_required: true, ..Options::default() })
}

fn data(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// Scales with a kubeconfig whose only user has these fields.
fn scale(cluster: &TestCluster, user: &str) -> Locustctl {
    scale_trusting(cluster, &data(cluster.certificate_authority()), user)
}

fn scale_trusting(cluster: &TestCluster, authority: &str, user: &str) -> Locustctl {
    let server = cluster.server();
    let config = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: '{server}', certificate-authority-data: {authority}}}}}]\n\
         users: [{{name: u, user: {user}}}]\n"
    );
    locustctl("scale --replicas=3").kubeconfig(cluster.file("config", &config))
}

/// The fields of a user with a client certificate.
fn user((certificate, key): (&str, &str)) -> String {
    format!("{{client-certificate-data: {}, client-key-data: {}}}", data(certificate), data(key))
}

/// The fields of a user whose plugin answers with this status.
fn plugin(cluster: &TestCluster, status: &serde_json::Value) -> String {
    let answer = serde_json::json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "status": status,
    });
    let answer = cluster.file("answer", &answer.to_string());
    support::script::write(&cluster.path("plugin"), &format!("exec cat {}", answer.display()));
    "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}}"
        .to_owned()
}

#[test]
fn certificates_of_version_1_with_keys_of_every_kind_are_shown_to_the_server() {
    let cluster = cluster();
    let token = cluster.token(Account::Admin).to_owned();
    for pair in [RSA, RSA_2560, P256, P521, ED25519] {
        let user = user(pair).replace('}', &format!(", token: '{token}'}}"));
        scale(&cluster, &user).run().exits(0, &scaled(&cluster));
    }
    for (certificate, key) in [P256, P521] {
        let status = serde_json::json!({
            "clientCertificateData": certificate, "clientKeyData": key, "token": token,
        });
        let user = plugin(&cluster, &status);
        scale(&cluster, &user).env("PATH", "/usr/bin:/bin").run().exits(0, &scaled(&cluster));
    }
}

/// The line on stdout, of the first run or of a later one.
fn scaled(cluster: &TestCluster) -> String {
    match cluster.request_lines().iter().filter(|line| line.starts_with("PATCH")).count() {
        1 => "deployment.apps/locust-slave scaled from 1 to 3\n".to_owned(),
        _ => "deployment.apps/locust-slave scaled from 3 to 3 (no change)\n".to_owned(),
    }
}

#[test]
fn a_key_is_read_whatever_its_label_and_whatever_is_around_it() {
    let cluster = cluster();
    let token = cluster.token(Account::Admin).to_owned();
    cluster.file("client.crt", &P256.0.replace('\n', "\r\n"));
    let relabelled = fixture!("p256.pkcs8.key").replace("PRIVATE KEY", "RSA PRIVATE KEY");
    let with_header = P256.1.replace("KEY-----\nM", "KEY-----\nName: me\n\nM");
    assert_ne!(with_header, P256.1);
    let key = cluster.path("client.key");
    for content in [
        relabelled.into_bytes(),
        with_header.into_bytes(),
        // A comment in Latin-1.
        [b"Schl\xfcssel\n", P256.1.as_bytes(), b"\xff"].concat(),
    ] {
        std::fs::write(&key, content).unwrap();
        let user =
            format!("{{client-certificate: client.crt, client-key: client.key, token: '{token}'}}");
        scale(&cluster, &user).run().exits(0, &scaled(&cluster));
    }
}

#[test]
fn errors_of_a_certificate_and_its_key_are_kubectls() {
    let cluster = cluster();
    let crl = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (pair, expected) in [
        ((P256.0, RSA.1), "tls: private key type does not match public key type"),
        ((P256.0, P521.1), "tls: private key does not match public key"),
        ((broken, P256.1), "x509: malformed certificate"),
        ((P256.0, broken_key), "tls: failed to parse private key"),
        (
            (P256.0, crl),
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input \
             after skipping PEM blocks of the following types: [X509 CRL]",
        ),
    ] {
        scale(&cluster, &user(pair)).run().refuses(&format!("error: {expected}\n"));
    }
    assert_eq!(cluster.request_lines().len(), 0);
}

#[test]
fn no_error_shows_a_key_whose_line_breaks_are_lost() {
    const IN_KEY: &str = "error: tls: failed to find any PEM data in key input\n";
    const IN_CERTIFICATE: &str = "error: tls: failed to find any PEM data in certificate input\n";
    let cluster = cluster();
    secrets::add(RSA.1.lines().nth(2).unwrap());
    let joined = format!("{}{}", RSA.1, RSA.0).replace('\n', " ");
    scale(&cluster, &user((RSA.0, &joined))).run().refuses(IN_KEY);
    scale(&cluster, &user((&joined, RSA.1))).run().refuses(IN_CERTIFICATE);
    let (certificate, key) = (cluster.file("tls.crt", RSA.0), cluster.file("tls.key", RSA.1));
    let damaged = cluster.file("damaged", &joined);
    for (certificate, key, expected) in
        [(&certificate, &damaged, IN_KEY), (&damaged, &key, IN_CERTIFICATE)]
    {
        scale(&cluster, "{}")
            .arg("--client-certificate")
            .arg(certificate)
            .arg("--client-key")
            .arg(key)
            .run()
            .refuses(expected);
        let serve = locustctl("serve --listen=127.0.0.1:0").kubeconfig(cluster.kubeconfig());
        let serve = serve.arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key).run();
        assert_eq!(serve.code, Some(1), "{serve:?}");
        assert!(serve.stderr.ends_with(&expected["error: ".len()..]), "{serve:?}");
    }
    for (certificate, key, expected) in
        [(RSA.0, joined.as_str(), IN_KEY), (&joined, RSA.1, IN_CERTIFICATE)]
    {
        let status =
            serde_json::json!({"clientCertificateData": certificate, "clientKeyData": key});
        let user = plugin(&cluster, &status);
        let outcome = scale(&cluster, &user).env("PATH", "/usr/bin:/bin").run();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.ends_with(&expected["error: ".len()..]), "{outcome:?}");
    }
    let authority = "error: unable to load root certificates: unable to parse bytes as PEM block\n";
    scale_trusting(&cluster, &data(&joined), "{}").run().refuses(authority);
    assert_eq!(cluster.request_lines().len(), 0);
}

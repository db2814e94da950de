//! Users with a credential plugin or an OIDC issuer, end to end.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use locustctl::sandbox::{Account, Options, Rights};
use support::cluster::TestCluster;
use support::{Locustctl, locustctl, secrets};

const SCALED: &str = "deployment.apps/locust-slave scaled from 1 to 3\n";

/// A kubeconfig with only this user.
fn config(cluster: &TestCluster, user: &str) -> PathBuf {
    let server = cluster.server();
    let authority = BASE64_STANDARD.encode(cluster.certificate_authority());
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: '{server}', certificate-authority-data: {authority}}}}}]\n\
         users:\n- name: u\n  user: {user}\n"
    );
    cluster.file("config", &text)
}

fn scale(cluster: &TestCluster, user: &str) -> Locustctl {
    locustctl("scale --replicas=3 -v=9")
        .kubeconfig(config(cluster, user))
        .env("PATH", "/usr/bin:/bin")
}

/// A plugin that records its runs in the file `runs`.
fn plugin(cluster: &TestCluster, script: &str) -> String {
    let runs = cluster.path("runs");
    let script = format!("echo run >> {}\n{script}", runs.display());
    support::script::write(&cluster.path("plugin"), &script);
    "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}}".to_owned()
}

fn runs(cluster: &TestCluster) -> usize {
    std::fs::read_to_string(cluster.path("runs")).unwrap_or_default().lines().count()
}

fn answer(status: &str) -> String {
    format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{status}}}"#
    )
}

#[test]
fn a_plugin_runs_once_for_all_requests() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin).to_owned();
    let user =
        plugin(&cluster, &format!("echo '{}'", answer(&format!(r#"{{"token":"{token}"}}"#))));
    let outcome = scale(&cluster, &user).run();
    outcome.exits(0, SCALED);
    assert_eq!((runs(&cluster), cluster.handle().requests().len()), (1, 2));
}

#[test]
fn after_a_401_the_plugin_runs_once_more_and_the_request_is_repeated() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin).to_owned();
    let (stale, fresh) =
        (r#"{"token":"stale-token-of-plugin"}"#, format!(r#"{{"token":"{token}"}}"#));
    secrets::add("stale-token-of-plugin");
    let script = format!(
        "if [ $(wc -l < {}) = 1 ]; then echo '{}'; else echo '{}'; fi",
        cluster.path("runs").display(),
        answer(stale),
        answer(&fresh)
    );
    let user = plugin(&cluster, &script);
    let outcome = scale(&cluster, &user).run();
    outcome.exits(0, SCALED);
    let statuses: Vec<_> =
        cluster.handle().requests().iter().map(|request| request.status).collect();
    assert_eq!((runs(&cluster), statuses), (2, vec![Some(401), Some(200), Some(200)]));
}

#[test]
fn an_invalid_command_line_runs_no_plugin() {
    let cluster = TestCluster::start();
    let user = plugin(&cluster, "exit 1");
    for mistake in
        ["--replicas=-1", "--replicas=1 --current-replicas=-2", "--replicas=1 deploy/a/b"]
    {
        let outcome =
            locustctl(&format!("scale {mistake}")).kubeconfig(config(&cluster, &user)).run();
        assert!(outcome.code == Some(1) && outcome.stderr.starts_with("error: "), "{outcome:?}");
    }
    assert_eq!(runs(&cluster), 0);
}

#[test]
fn a_plugin_in_the_current_directory_is_not_run() {
    let cluster = TestCluster::start();
    let user = plugin(&cluster, "exit 1").replace("./plugin", "plugin");
    let outcome = locustctl("scale --replicas=1")
        .kubeconfig(config(&cluster, &user))
        .current_dir(cluster.directory())
        .env("PATH", ".::/usr/bin")
        .run();
    assert!(outcome.stderr.contains("exec: executable plugin not found\n"), "{outcome:?}");
    assert_eq!(runs(&cluster), 0);
}

#[test]
fn a_plugin_may_answer_in_yaml_without_a_kind() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin).to_owned();
    let script = format!(
        "printf 'apiVersion: client.authentication.k8s.io/v1\\nstatus: {{token: %s}}\\n' {token}"
    );
    let user = plugin(&cluster, &script);
    scale(&cluster, &user).run().exits(0, SCALED);
}

#[test]
fn a_second_401_is_reported() {
    let cluster = TestCluster::start();
    let user =
        plugin(&cluster, &format!("echo '{}'", answer(r#"{"token":"wrong-token-of-plugin"}"#)));
    secrets::add("wrong-token-of-plugin");
    let outcome = scale(&cluster, &user).run();
    assert!(
        outcome.stderr.ends_with("error: You must be logged in to the server (Unauthorized)\n"),
        "{outcome:?}"
    );
    assert_eq!((runs(&cluster), cluster.handle().requests().len()), (2, 2));
}

#[test]
fn a_plugin_may_return_a_certificate() {
    let cluster =
        TestCluster::with(Options { client_certificate_required: true, ..Options::default() });
    let pair = cluster.handle().add_certificate("carol", Rights::All).unwrap();
    let status = serde_json::json!({
        "clientCertificateData": pair.certificate,
        "clientKeyData": pair.key,
    });
    let file = cluster.file("answer", &answer(&status.to_string()));
    secrets::add(pair.key.lines().nth(1).unwrap());
    let user = plugin(&cluster, &format!("cat {}", file.display()));
    let outcome = scale(&cluster, &user).run();
    outcome.exits(0, SCALED);
}

#[test]
fn an_expired_id_token_is_renewed_and_written_back() {
    let cluster = TestCluster::start();
    let issuer = support::issuer::Issuer::start(cluster.token(Account::Admin));
    let (address, client) = (
        issuer.url(),
        "{idp-issuer-url: '%', client-id: me, client-secret: secret-of-client, refresh-token: token-to-refresh, id-token: OLD}",
    );
    secrets::add("secret-of-client");
    secrets::add("token-to-refresh");
    let expired = id_token(1_000_000_000);
    let settings = client.replace('%', &address).replace("OLD", &expired);
    let outcome =
        scale(&cluster, &format!("{{auth-provider: {{name: oidc, config: {settings}}}}}")).run();
    // The sandbox does not know the issuer's token. The test checks that it was sent.
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let sent = cluster.handle().requests()[0].header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {}", issuer.id_token()));
    let config = std::fs::read_to_string(cluster.path("config")).unwrap();
    assert!(
        config.contains(&issuer.id_token()) && config.contains("renewed-refresh-token"),
        "{config}"
    );
    assert!(!config.contains(&expired), "{config}");
    assert_eq!(issuer.requests(), 2);
}

fn id_token(expires: u64) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let claims = format!("{{\"iss\":\"x\",\"exp\":{expires}}}");
    format!("{}.{}.signature", part("{\"alg\":\"none\"}"), part(&claims))
}

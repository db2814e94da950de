//! The kuberc's policy for credential plugins. The texts are those of kubectl 1.36.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use locustctl::sandbox::Account;
use support::cluster::TestCluster;
use support::{Locustctl, locustctl};

const HEADER: &str = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";

/// A kubeconfig. Its user has the credential plugin `./plugin`, also on the `$PATH`.
fn plugin_user(cluster: &TestCluster, command: &str) -> Locustctl {
    let token = cluster.token(Account::Admin);
    let answer = format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{{"token":"{token}"}}}}"#
    );
    support::script::write(&cluster.path("plugin"), &format!("echo '{answer}'"));
    let server = cluster.server();
    let authority = BASE64_STANDARD.encode(cluster.certificate_authority());
    let config = cluster.file(
        "config",
        &format!(
            "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
             clusters: [{{name: k, cluster: {{server: '{server}', certificate-authority-data: {authority}}}}}]\n\
             users: [{{name: u, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, \
             command: {command}, interactiveMode: Never}}}}}}]\n"
        ),
    );
    let directory = cluster.directory().display();
    locustctl("scale --replicas=1")
        .kubeconfig(config)
        .env("PATH", format!("/usr/bin:/bin:{directory}"))
}

#[test]
fn a_plugin_runs_only_if_the_policy_permits_it() {
    let cluster = TestCluster::start();
    let path = cluster.path("plugin").display().to_string();
    let listed = |entries: &str| {
        format!("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{entries}]")
    };
    let not_permitted =
        format!("plugin path \"{path}\" is not permitted by the credential plugin allowlist");
    let denied =
        |command: &str| format!("plugin \"{command}\" not allowed: policy set to \"DenyAll\"");
    let missing = cluster.path("missing").display().to_string();
    let unresolved = |command: &str, why: &str| {
        format!(
            "plugin path \"{command}\" cannot be resolved for credential plugin allowlist check: exec: \"{command}\": {why}"
        )
    };
    let nothing = String::new();
    for (command, policy, expected) in [
        ("plugin", nothing.clone(), None),
        ("plugin", "credentialPluginPolicy: AllowAll".to_owned(), None),
        ("plugin", "credentialPluginPolicy: DenyAll".to_owned(), Some(denied("plugin"))),
        ("./plugin", "credentialPluginPolicy: DenyAll".to_owned(), Some(denied(&path))),
        ("plugin", listed("{command: plugin}"), None),
        ("plugin", listed("{name: plugin}"), None),
        ("plugin", listed(&format!("{{command: '{path}'}}")), None),
        ("./plugin", listed("{command: plugin}"), None),
        ("./plugin", listed(&format!("{{command: '{path}'}}")), None),
        ("plugin", listed("{command: sh}"), Some(not_permitted.clone())),
        ("./plugin", listed("{command: sh}, {command: missing}"), Some(not_permitted)),
        (
            "missing",
            listed("{command: plugin}"),
            Some(unresolved("missing", "executable file not found in $PATH")),
        ),
        (
            "./missing",
            listed("{command: plugin}"),
            Some(unresolved(&missing, &format!("stat {missing}: no such file or directory"))),
        ),
        (
            "./kubeconfig",
            listed("{command: plugin}"),
            Some(unresolved(
                &cluster.path("kubeconfig").display().to_string(),
                "permission denied",
            )),
        ),
    ] {
        let kuberc = cluster.file("kuberc", &format!("{HEADER}{policy}\n"));
        let outcome = plugin_user(&cluster, command).env("KUBERC", kuberc).run();
        match expected {
            None => outcome.prints("deployment.apps/locust-slave scaled from 1 to 1 (no change)\n"),
            Some(text) => outcome.refuses(&format!(
                "Unable to connect to the server: getting credentials: {text}\n"
            )),
        }
    }
}

#[test]
fn the_policy_applies_to_every_command() {
    let cluster = TestCluster::start();
    let kuberc = cluster.file("kuberc", &format!("{HEADER}credentialPluginPolicy: DenyAll\n"));
    plugin_user(&cluster, "plugin");
    let outcome =
        locustctl("status").kubeconfig(cluster.path("config")).env("KUBERC", kuberc).run();
    outcome.refuses(
        "Unable to connect to the server: getting credentials: plugin \"plugin\" not allowed: policy set to \"DenyAll\"\n",
    );
    assert_eq!(cluster.handle().requests(), []);
}

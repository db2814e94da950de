//! `locustctl version`.

use serde_json::Value;
use support::cluster::TestCluster;
use support::scaling::run;
use support::{dead_kubeconfig, locustctl};

const CLIENT: &str =
    concat!("Client Version: v", env!("CARGO_PKG_VERSION"), "\nMirrored kubectl: v1.36\n");

#[test]
fn the_versions_of_client_and_server_are_printed() {
    let cluster = TestCluster::start();
    let outcome = run(&cluster, "version");
    assert!(outcome.stdout.starts_with(&format!("{CLIENT}Server Version: v1.")), "{outcome:?}");
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    let json: Value = serde_json::from_str(&run(&cluster, "version -o json").stdout).unwrap();
    assert_eq!(json["clientVersion"]["kubectlVersion"], "v1.36");
    assert!(json["serverVersion"]["gitVersion"].as_str().unwrap().starts_with("v1."), "{json}");
    let yaml = run(&cluster, "version --output=yaml").stdout;
    assert!(yaml.starts_with("clientVersion:\n  gitVersion: v"), "{yaml}");
}

#[test]
fn the_client_flag_asks_no_server() {
    let cluster = TestCluster::start();
    cluster.handle().clear_requests();
    run(&cluster, "version --client").prints(CLIENT);
    assert!(cluster.request_lines().is_empty());
}

#[test]
fn without_a_server_the_version_of_the_client_is_printed_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let outcome = locustctl("version").kubeconfig(dead_kubeconfig(home.path())).run();
    outcome.exits(1, CLIENT);
    assert!(
        outcome.stderr.starts_with("The connection to the server 127.0.0.1:1 was refused"),
        "{outcome:?}"
    );
}

#[test]
fn an_unknown_format_is_refused_in_kubectls_words() {
    locustctl("version --client -o xml")
        .run()
        .refuses("error: --output must be 'yaml' or 'json'\n");
}

//! Tests of the configuration in a pod.

use super::*;

#[test]
fn a_pod_without_configuration_uses_its_service_account() {
    let dir = Dir::of("").in_pod().write("ca.crt", super::trust::CA);
    let access = dir.resolve(flags(&[("as", "me")])).unwrap();
    assert!(access.warnings.is_empty());
    assert_eq!(access.cluster.server, "https://10.0.0.1:443");
    assert_eq!(access.cluster.certificate_authority.as_deref(), Some(super::trust::CA.as_bytes()));
    assert_eq!(access.user.token_file, Some(dir.path("token")));
    assert_eq!(access.user.impersonate.user, "me");
    assert_eq!((access.namespace.as_str(), access.context), ("pod-ns", None));
    assert!(dir.resolve(flags(&[("server", "https://x")])).unwrap().user.token_file.is_none());
    let user = dir.resolve(flags(&[("token", "mine")])).unwrap().user;
    assert!(user.token_file.is_none() && user.token.is_some());
}

#[test]
fn a_pods_ipv6_host_is_bracketed_and_a_missing_ca_is_a_warning() {
    let mut dir = Dir::of("").in_pod();
    dir.environment.service_host = Some("fd00::1".into());
    dir.environment.pod_namespace = Some("mine".into());
    let access = dir.resolve(flags(&[])).unwrap();
    assert_eq!(access.cluster.server, "https://[fd00::1]:443");
    assert_eq!(access.cluster.certificate_authority, None);
    assert_eq!(access.namespace, "mine");
    let warning = access.warnings.join("\n");
    assert!(warning.starts_with("Expected to load root CA config from "), "{warning}");
    assert!(warning.ends_with("no such file or directory"), "{warning}");
}

#[test]
fn with_a_kubeconfig_the_pods_namespace_counts_and_its_token_does_not() {
    let dir = Dir::of(CLUSTERS).in_pod();
    let access = dir.resolve(flags(&[("context", "two")])).unwrap();
    assert_eq!(access.namespace, "pod-ns");
    assert_eq!(access.user.token_file, None);
    assert_eq!(dir.resolve(flags(&[])).unwrap().namespace, "ns");
}

#[test]
fn a_pod_without_a_service_port_does_not_count() {
    let mut dir = Dir::of("").in_pod();
    dir.environment.service_port = None;
    assert!(dir.error(flags(&[])).starts_with("no cluster is configured"));
}

#[test]
fn the_default_service_account_is_kubelets_mount() {
    let environment = Environment::from_process();
    if std::env::var_os("LOCUSTCTL_SERVICEACCOUNT").is_none() {
        let usual = "/var/run/secrets/kubernetes.io/serviceaccount";
        assert_eq!(environment.service_account, PathBuf::from(usual));
    }
}

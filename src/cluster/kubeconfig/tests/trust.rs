//! Tests of the fields of cluster and user, and of the flags that replace them.

use secrecy::ExposeSecret;

use super::*;

fn tls_dir(cluster: &str, user: &str) -> Dir {
    let config = format!(
        "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'https://c', {cluster}}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    );
    Dir::of(&config)
        .write("ca.pem", CA)
        .write("not.pem", "hello")
        .write("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
}

pub(super) const CA: &str = include_str!("../../../../tests/fixtures/keys/rsa.crt");

#[test]
fn tls_fields_that_contradict_each_other_are_refused() {
    // (cluster, user, error); every text is kubectl's.
    let table = [
        (
            "certificate-authority: ca.pem, certificate-authority-data: YQ==",
            "",
            "certificate-authority-data and certificate-authority are both specified for c. \
             certificate-authority-data will override.",
        ),
        (
            "certificate-authority: ca.pem, insecure-skip-tls-verify: true",
            "",
            "specifying a root certificates file with the insecure flag is not allowed",
        ),
        (
            "certificate-authority: nope.pem",
            "",
            "unable to read certificate-authority DIR/nope.pem for c due to open DIR/nope.pem: \
             no such file or directory",
        ),
        (
            "certificate-authority: not.pem",
            "",
            "unable to load root certificates: unable to parse bytes as PEM block",
        ),
        (
            "certificate-authority: key.pem",
            "",
            "unable to load root certificates: no valid certificate authority data seen",
        ),
        (
            "",
            "client-certificate: ca.pem, client-certificate-data: YQ==, client-key: key.pem",
            "client-cert-data and client-cert are both specified for u. client-cert-data will override.",
        ),
        (
            "",
            "client-certificate: ca.pem, client-key-data: YQ==, client-key: key.pem",
            "client-key-data and client-key are both specified for u; client-key-data will override",
        ),
        (
            "",
            "client-certificate: ca.pem",
            "client-key-data or client-key must be specified for u to use the clientCert \
             authentication method.",
        ),
        (
            "certificate-authority: nope.pem",
            "client-certificate: a.pem, client-key: b.pem",
            "Error in configuration: \n\
             * unable to read client-cert DIR/a.pem for u due to open DIR/a.pem: no such file or directory\n\
             * unable to read client-key DIR/b.pem for u due to open DIR/b.pem: no such file or directory\n\
             * unable to read certificate-authority DIR/nope.pem for c due to open DIR/nope.pem: no such file or directory",
        ),
        (
            "proxy-url: 'ftp://x'",
            "",
            "invalid 'proxy-url' \"ftp://x\" for cluster \"c\": unsupported scheme \"ftp\", \
             must be http, https, or socks5",
        ),
        (
            "",
            "token: a, username: b",
            "more than one authentication method found for u; found [token basicAuth], only one is allowed",
        ),
        (
            "",
            "as-groups: [g]",
            "requesting uid, groups or user-extra for u without impersonating a user",
        ),
        (
            "",
            "exec: {env: [{value: a}]}",
            "Error in configuration: \n\
             * command must be specified for u to use exec authentication plugin\n\
             * apiVersion must be specified for u to use exec authentication plugin\n\
             * env variable name must be specified for u to use exec authentication plugin\n\
             * interactiveMode must be specified for u to use exec authentication plugin",
        ),
        (
            "",
            "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Foo}",
            "invalid interactiveMode for u: \"Foo\"",
        ),
        (
            "",
            "exec: {command: a, apiVersion: client.authentication.k8s.io/v1beta1}, auth-provider: {name: oidc}",
            "authProvider cannot be provided in combination with an exec plugin for u",
        ),
    ];
    for (cluster, user, expected) in table {
        assert_eq!(tls_dir(cluster, user).error(flags(&[])), expected, "{cluster} {user}");
    }
}

#[test]
fn trust_flags_replace_what_the_file_says() {
    let dir = tls_dir("certificate-authority-data: eA==", "");
    let ca = dir.path("ca.pem").display().to_string();
    let access = dir.resolve(flags(&[("insecure", "")])).unwrap();
    assert!(access.cluster.insecure_skip_tls_verify);
    assert_eq!(access.cluster.certificate_authority, None);
    let access = dir.resolve(flags(&[("certificate-authority", &ca)])).unwrap();
    assert_eq!(access.cluster.certificate_authority.as_deref(), Some(CA.as_bytes()));
    assert_eq!(
        dir.error(flags(&[("certificate-authority", &ca), ("insecure", "")])),
        "specifying a root certificates file with the insecure flag is not allowed"
    );
    let dir = tls_dir("insecure-skip-tls-verify: true", "");
    let ca = dir.path("ca.pem").display().to_string();
    let access = dir.resolve(flags(&[("certificate-authority", &ca)])).unwrap();
    assert!(!access.cluster.insecure_skip_tls_verify);
}

#[test]
fn certificate_flags_replace_both_forms_of_the_file() {
    let dir = tls_dir("", "client-certificate-data: eA==, client-key-data: eA==");
    let (cert, key) = (dir.path("ca.pem"), dir.path("key.pem"));
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let user = dir.resolve(flags(&[("client-certificate", &cert), ("client-key", &key)]));
    let user = user.unwrap().user;
    assert_eq!(user.client_certificate.as_deref(), Some(CA.as_bytes()));
    assert!(user.client_key.unwrap().expose_secret().contains("PRIVATE KEY"));
    let user = dir.resolve(flags(&[])).unwrap().user;
    assert_eq!(user.client_certificate.as_deref(), Some(&b"x"[..]));
}

#[test]
fn nothing_is_read_for_a_plain_http_server() {
    let dir = tls_dir(
        "certificate-authority: not.pem",
        "client-certificate: ca.pem, client-key: key.pem",
    );
    let access = dir.resolve(flags(&[("server", "http://h")])).unwrap();
    assert_eq!(access.cluster.certificate_authority, None);
    assert_eq!(access.user.client_certificate, None);
}

#[test]
fn the_token_flag_beats_the_files_token_file() {
    let dir = tls_dir("", "token: a, tokenFile: token");
    let user = |given: &[_]| dir.resolve(flags(given)).unwrap().user;
    assert_eq!(user(&[]).token_file, Some(dir.path("token")));
    assert_eq!(user(&[("token", "b")]).token_file, None);
}

#[test]
fn no_secret_is_shown_by_debug() {
    let dir = tls_dir(
        "",
        "token: s3cret, exec: {command: x, apiVersion: v, interactiveMode: Never, env: [{name: a, value: s3cret}]}",
    );
    let access = dir.resolve(flags(&[])).unwrap();
    assert!(!format!("{access:?}").contains("s3cret"));
    assert!(!format!("{:?}", flags(&[("token", "s3cret")])).contains("s3cret"));
}

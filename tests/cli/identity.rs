//! The cluster and the user: kubeconfig files, flags, and the service account of a pod.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use locustctl::sandbox::Account;
use support::cluster::TestCluster;
use support::{Locustctl, locustctl};

const SCALED: &str = "deployment.apps/locust-slave scaled from 1 to 3\n";

/// A kubeconfig for the cluster. Its only user has these fields.
fn kubeconfig(cluster: &TestCluster, user: &str) -> String {
    let server = cluster.server();
    let authority = BASE64_STANDARD.encode(cluster.certificate_authority());
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         contexts: [{{name: c, context: {{cluster: k, user: u, namespace: default}}}}]\n\
         clusters: [{{name: k, cluster: {{server: '{server}', certificate-authority-data: {authority}}}}}]\n\
         users:\n- name: u\n  user: {user}\n"
    )
}

fn authorization(cluster: &TestCluster) -> Option<String> {
    let requests = cluster.handle().requests();
    let header = requests[0].headers.iter().find(|(name, _)| name == "authorization");
    header.map(|(_, value)| value.clone())
}

fn scale_as(cluster: &TestCluster, user: &str) -> Locustctl {
    locustctl("scale --replicas=3").kubeconfig(cluster.file("config", &kubeconfig(cluster, user)))
}

#[test]
fn a_token_authenticates() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin).to_owned();
    scale_as(&cluster, &format!("{{token: '{token}'}}")).run().prints(SCALED);
    assert_eq!(authorization(&cluster), Some(format!("Bearer {token}")));
}

#[test]
fn a_token_file_is_relative_to_its_kubeconfig() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin).to_owned();
    cluster.file("token", &format!("{token}\n"));
    scale_as(&cluster, "{tokenFile: token, token: other-token}").run().prints(SCALED);
    assert_eq!(authorization(&cluster), Some(format!("Bearer {token}")));
}

#[test]
fn a_token_on_the_command_line_wins() {
    let cluster = TestCluster::start();
    cluster.file("token", "token-of-the-file");
    let token = cluster.token(Account::Admin).to_owned();
    scale_as(&cluster, "{tokenFile: token}").arg("--token").arg(&token).run().prints(SCALED);
    assert_eq!(authorization(&cluster), Some(format!("Bearer {token}")));
}

#[test]
fn a_name_and_a_password_are_sent_as_basic_authentication() {
    let cluster = TestCluster::start();
    scale_as(&cluster, "{username: me, password: 'pass word'}")
        .run()
        .refuses("error: You must be logged in to the server (Unauthorized)\n");
    let expected = format!("Basic {}", BASE64_STANDARD.encode("me:pass word"));
    assert_eq!(authorization(&cluster), Some(expected));
}

#[test]
fn a_client_certificate_and_a_token_are_both_sent() {
    let cluster = TestCluster::start();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    cluster.file("client.crt", &certificate.pem());
    cluster.file("client.key", &key.serialize_pem());
    let token = cluster.token(Account::Admin).to_owned();
    scale_as(
        &cluster,
        &format!("{{client-certificate: client.crt, client-key: client.key, token: '{token}'}}"),
    )
    .run()
    .prints(SCALED);
    let data = |text: String| BASE64_STANDARD.encode(text);
    let (certificate, key) = (data(certificate.pem()), data(key.serialize_pem()));
    scale_as(
        &cluster,
        &format!(
            "{{client-certificate-data: {certificate}, client-key-data: {key}, token: '{token}'}}"
        ),
    )
    .run()
    .prints("deployment.apps/locust-slave scaled from 3 to 3 (no change)\n");
}

#[test]
fn a_certificate_without_its_key_is_refused_before_any_request() {
    let cluster = TestCluster::start();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    cluster.file("client.crt", &certificate.pem());
    scale_as(&cluster, "{client-certificate: client.crt}").run().refuses(
        "error: client-key-data or client-key must be specified for u to use the clientCert authentication method.\n",
    );
    assert_eq!(cluster.handle().requests().len(), 0);
}

#[test]
fn files_of_the_list_are_merged_and_the_first_wins() {
    let cluster = TestCluster::start();
    let whole = kubeconfig(&cluster, "{token: wrong-token}");
    let token = cluster.token(Account::Admin).to_owned();
    let first =
        cluster.file("first", &format!("users: [{{name: u, user: {{token: '{token}'}}}}]\n"));
    let second = cluster.file("second", &whole);
    let list = std::env::join_paths([first, cluster.path("missing"), second]).unwrap();
    locustctl("scale --replicas=3").env("KUBECONFIG", list).run().prints(SCALED);
    assert_eq!(authorization(&cluster), Some(format!("Bearer {token}")));
}

#[test]
fn the_file_in_the_home_directory_is_the_default() {
    let cluster = TestCluster::start();
    let call = locustctl("scale --replicas=3");
    let directory = call.home().join(".kube");
    std::fs::create_dir(&directory).unwrap();
    let token = cluster.token(Account::Admin).to_owned();
    std::fs::write(
        directory.join("config"),
        kubeconfig(&cluster, &format!("{{token: '{token}'}}")),
    )
    .unwrap();
    call.run().prints(SCALED);
}

#[test]
fn the_flag_wins_over_the_variable() {
    let cluster = TestCluster::start();
    locustctl("scale --replicas=3")
        .kubeconfig("/no/such/file")
        .arg("--kubeconfig")
        .arg(cluster.kubeconfig())
        .run()
        .prints(SCALED);
    locustctl("scale --replicas=3 --kubeconfig=/no/such/file")
        .kubeconfig(cluster.kubeconfig())
        .run()
        .refuses("error: stat /no/such/file: no such file or directory\n");
}

#[test]
fn in_a_pod_the_service_account_is_used() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin).to_owned();
    cluster.file("token", &token);
    cluster.file("ca.crt", cluster.certificate_authority());
    let directory = cluster.directory().to_owned();
    let port = cluster.server().rsplit(':').next().unwrap().to_owned();
    let in_pod = |line: &str| {
        locustctl(line)
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env("KUBERNETES_SERVICE_PORT", &port)
            .env("LOCUSTCTL_SERVICEACCOUNT", &directory)
    };
    in_pod("scale --replicas=3").run().prints(SCALED);
    assert_eq!(authorization(&cluster), Some(format!("Bearer {token}")));
    in_pod("scale --replicas=1 --request-timeout=20s")
        .run()
        .prints("deployment.apps/locust-slave scaled from 3 to 1\n");
    let as_bob = in_pod("scale --replicas=1 --as=bob").run();
    assert!(as_bob.stderr.contains("User \"bob\" cannot get resource"), "{as_bob:?}");
    cluster.file("namespace", "kube-system\n");
    let elsewhere = "Error from server (NotFound): deployments.apps \"locust-slave\" not found\n";
    let outcome = in_pod("scale --replicas=3").run();
    assert!(outcome.stderr.starts_with(elsewhere), "{outcome:?}");
    in_pod("scale --replicas=3").env("POD_NAMESPACE", "default").run().prints(SCALED);
}

#[test]
fn in_a_pod_a_missing_service_account_is_reported() {
    let outcome = locustctl("scale --replicas=3")
        .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .env("KUBERNETES_SERVICE_PORT", "1")
        .env("LOCUSTCTL_SERVICEACCOUNT", "/no/such/mount")
        .run();
    assert!(
        outcome.stderr.contains("this is a pod, but /no/such/mount/token was not found either\n"),
        "{outcome:?}"
    );
}

#[test]
fn an_endless_token_file_is_refused() {
    let cluster = TestCluster::start();
    scale_as(&cluster, "{tokenFile: /dev/zero}")
        .run()
        .refuses("error: /dev/zero is larger than 1048576 bytes, too large for a token\n");
}

#[test]
fn without_any_configuration_the_error_says_what_to_do() {
    let outcome = locustctl("scale --replicas=3").run();
    outcome.exits(1, "");
    assert!(outcome.stderr.starts_with("error: no cluster is configured: "), "{outcome:?}");
    for help in [".kube/config", "--kubeconfig", "locustctl --sandbox scale --replicas=3"] {
        assert!(outcome.stderr.contains(help), "{outcome:?}");
    }
}

#[test]
fn a_broken_kubeconfig_is_reported_with_its_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broken");
    let shown = path.display();
    for (text, reason) in [
        (
            "current-context: y\n",
            "json: cannot unmarshal bool into Go struct field Config.current-context of type string",
        ),
        (
            "users: [{name: u, user: {token: secret-of-mine, client-key-data: '!'}}]\n",
            "illegal base64 data at input byte 0",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let outcome = locustctl("scale --replicas=3").kubeconfig(&path).run();
        outcome.refuses(&format!("error: error loading config file \"{shown}\": {reason}\n"));
    }
}

#[test]
fn no_credential_is_sent_over_plain_http() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let received = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&request[..length]).to_lowercase()
    });
    locustctl(&format!("scale --replicas=3 -s http://{address} --token=secret-token")).run();
    let request = received.join().unwrap();
    assert!(request.starts_with("get /apis/apps/v1/"), "{request}");
    assert!(!request.contains("authorization") && !request.contains("secret-token"), "{request}");
}

#[test]
fn a_context_without_a_name_gives_the_namespace_and_the_user() {
    let cluster = TestCluster::start();
    let token = cluster.token(Account::Admin).to_owned();
    let authority = cluster.file("ca.crt", cluster.certificate_authority());
    let config = format!(
        "contexts: [{{context: {{user: u, namespace: elsewhere}}}}]\nusers: [{{name: u, user: {{token: '{token}'}}}}]\n"
    );
    let path = cluster.file("config", &config);
    locustctl("scale --replicas=3")
        .arg(format!("--server={}", cluster.server()))
        .arg(format!("--certificate-authority={}", authority.display()))
        .kubeconfig(path)
        .run()
        .refuses("Error from server (NotFound): namespaces \"elsewhere\" not found\n");
    assert_eq!(authorization(&cluster), Some(format!("Bearer {token}")));
    let path = cluster.handle().requests()[0].path_and_query.clone();
    assert!(path.starts_with("/apis/apps/v1/namespaces/elsewhere/"), "{path}");
}

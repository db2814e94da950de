//! The server's address, read by the rules of Go's `net/url`. A browser reads it differently.

use std::io::{Read, Write};
use std::net::TcpListener;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use support::cluster::TestCluster;
use support::{Outcome, locustctl};

/// The kubeconfig of a cluster with another address and this user.
fn config(cluster: &TestCluster, server: &str, user: &str) -> std::path::PathBuf {
    let authority = BASE64_STANDARD.encode(cluster.certificate_authority());
    let text = format!(
        "current-context: c\n\
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: '{server}', certificate-authority-data: {authority}}}}}]\n\
         users: [{{name: u, user: {user}}}]\n"
    );
    cluster.file("config", &text)
}

fn scale_at(cluster: &TestCluster, server: &str) -> Outcome {
    let token = cluster.token(locustctl::sandbox::Account::Admin);
    let config = config(cluster, server, &format!("{{token: '{token}'}}"));
    locustctl("scale --replicas=3").kubeconfig(config).run()
}

#[test]
fn the_host_of_every_request_is_part_of_the_text() {
    let cluster = TestCluster::start();
    let port = cluster.port();
    for host in ["127.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "127.0.0.1."] {
        scale_at(&cluster, &format!("https://{host}:{port}")).refuses(&format!(
            "Unable to connect to the server: dial tcp: lookup {host}: no such host\n"
        ));
    }
    for server in [
        format!("https://127.0.0.1:{port}\\"),
        format!("https://127.0.0.1\\@localhost:{port}"),
        format!("https://loc%61lhost:{port}"),
        format!("https:/127.0.0.1:{port}"),
        format!("https:127.0.0.1:{port}"),
        format!("https://[127.0.0.1]:{port}"),
    ] {
        let outcome = scale_at(&cluster, &server);
        outcome.exits(1, "");
        let expected = ["error: host must be a URL", "Unable to connect to the server: "];
        let is_expected = expected.iter().any(|text| outcome.stderr.starts_with(text));
        assert!(is_expected, "{server}: {outcome:?}");
    }
    scale_at(&cluster, &format!("https://127.0.0.1:{port}/%zz"))
        .refuses("Unable to connect to the server: invalid URL escape \"%zz\"\n");
    scale_at(&cluster, "https://127.0.0.1:70000")
        .refuses("Unable to connect to the server: dial tcp: address 70000: invalid port\n");
    assert_eq!(cluster.handle().requests().len(), 0);
}

#[test]
fn an_ipv4_address_may_be_written_in_ipv6_form() {
    let cluster = TestCluster::start();
    let server = cluster.server().replace("127.0.0.1", "[::ffff:127.0.0.1]");
    scale_at(&cluster, &server).prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    assert_eq!(cluster.handle().requests().len(), 2);
    let refused = scale_at(&cluster, "https://[::ffff:127.0.0.1]:1");
    assert!(
        refused.stderr.starts_with("The connection to the server [::ffff:127.0.0.1]:1 was refused")
    );
}

#[test]
fn the_path_of_the_address_is_escaped_once() {
    let cluster = TestCluster::start();
    for (path, sent) in [
        ("/a b", "/a%20b/"),
        ("/a%20b/", "/a%20b/"),
        ("//a/../c(d)", "/c%28d%29/"),
        ("/é", "/%C3%A9/"),
    ] {
        let server = format!("{}{path}", cluster.server());
        scale_at(&cluster, &server).exits(1, "");
        let request = cluster.handle().requests().pop().unwrap();
        assert!(request.path_and_query.starts_with(sent), "{path}: {request:?}");
    }
}

#[test]
fn the_login_of_the_address_comes_before_a_token() {
    let cluster = TestCluster::start();
    let server = cluster.server().replace("https://", "https://me:pass%20word@");
    scale_at(&cluster, &server).exits(1, "");
    let request = cluster.handle().requests().pop().unwrap();
    let expected = format!("Basic {}", BASE64_STANDARD.encode("me:pass word"));
    assert_eq!(request.header("authorization"), Some(expected.as_str()));
}

#[test]
fn the_login_of_the_address_is_also_sent_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let request = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        String::from_utf8_lossy(&request[..length]).to_lowercase()
    });
    let line = format!("scale --replicas=3 -s http://me:pass@{address} --token=some-token");
    locustctl(&line).run().exits(1, "");
    let request = request.join().unwrap();
    let expected = BASE64_STANDARD.encode("me:pass").to_lowercase();
    assert!(request.contains(&format!("authorization: basic {expected}\r\n")), "{request}");
}

#[test]
fn a_token_file_and_a_user_name_are_refused_before_any_request() {
    let cluster = TestCluster::start();
    cluster.file("token", "some-token");
    let user = "{tokenFile: token, username: me, password: pass}";
    let config = config(&cluster, cluster.server(), user);
    locustctl("scale --replicas=3")
        .kubeconfig(config)
        .run()
        .refuses("error: username/password or bearer token may be set, but not both\n");
    assert_eq!(cluster.handle().requests().len(), 0);
}

#[test]
fn the_password_of_a_malformed_address_is_not_shown() {
    let cluster = TestCluster::start();
    for server in ["https://me:s3cretword@h:port", "https://me:s3cret\\word@h", "me:s3cretword@h/p"]
    {
        let outcome = scale_at(&cluster, server);
        outcome.exits(1, "");
        assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
    }
}

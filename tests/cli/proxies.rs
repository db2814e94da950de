//! Proxies on the way to the server: their choice, their logins, and their refusals.

use locustctl::sandbox::{Options, ServerCertificate};
use support::cluster::TestCluster;
use support::proxy::{
    ConnectProxy, SocksLogin, SocksProxy, start_refusing_proxy, start_refusing_socks,
};
use support::{Locustctl, Outcome, locustctl};

const SCALED: &str = "deployment.apps/locust-slave scaled from 1 to 3\n";

fn scale(cluster: &TestCluster, flags: &str) -> Locustctl {
    locustctl(&format!("scale --replicas=3 {flags}")).kubeconfig(cluster.kubeconfig())
}

#[track_caller]
fn assert_failed(outcome: &Outcome, beginning: &str) {
    outcome.exits(1, "");
    assert!(outcome.stderr.starts_with(beginning), "{outcome:?}");
}

/// The result of a scale by way of a proxy that refuses.
fn refused_by(cluster: &TestCluster, proxy: &str) -> Outcome {
    let by_name = cluster.server().replace("127.0.0.1", "localhost");
    let config = with_proxy(cluster, proxy);
    let outcome = scale(cluster, &format!("--server={by_name}")).kubeconfig(config).run();
    assert_eq!(cluster.handle().requests().len(), 0);
    outcome
}

#[test]
fn the_refusal_of_a_proxy_names_its_answer_the_proxy_and_the_server() {
    let cluster = TestCluster::start();
    let server = format!("localhost:{}", cluster.port());
    for (answer, reason, code) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "Forbidden", 403),
        ("HTTP/1.1 503 Service Unavailable\r\nX: y\r\n\r\n", "Service Unavailable", 503),
        ("HTTP/1.0 407 Proxy Authentication Required\n\n", "Proxy Authentication Required", 407),
        ("HTTP/1.1 502\r\n\r\n", "unknown status code", 502),
    ] {
        let proxy = start_refusing_proxy(answer);
        refused_by(&cluster, &format!("http://{proxy}")).refuses(&format!(
            "Unable to connect to the server: {reason} (the proxy {proxy} answered {code} to CONNECT {server})\n"
        ));
    }
    for (answer, problem) in [
        ("SSH-2.0-OpenSSH_9.9\r\n", "malformed HTTP response \"SSH-2.0-OpenSSH_9.9\""),
        ("HTTP/1.1 2000 OK\r\n\r\n", "malformed HTTP status code \"2000\""),
        ("HTTP/1.1 200 OK\r\n", "unexpected EOF"),
        ("", "unexpected EOF"),
    ] {
        let proxy = start_refusing_proxy(answer);
        refused_by(&cluster, &format!("http://{proxy}")).refuses(&format!(
            "Unable to connect to the server: {problem} (from the proxy {proxy})\n"
        ));
    }
}

#[test]
fn the_proxy_on_the_way_to_a_manifest_is_named_too() {
    let cluster = TestCluster::start();
    let proxy = start_refusing_proxy("HTTP/1.1 403 Forbidden\r\n\r\n");
    let outcome = scale(&cluster, "-f https://manifests.invalid/x.yaml")
        .env("HTTPS_PROXY", format!("http://{proxy}"))
        .run();
    assert_failed(
        &outcome,
        &format!(
            "Unable to connect to the server: Forbidden (the proxy {proxy} answered 403 to CONNECT manifests.invalid:443)"
        ),
    );
}

#[test]
fn a_proxy_that_cannot_be_reached_is_named() {
    let cluster = TestCluster::start();
    for scheme in ["http", "https", "socks5"] {
        refused_by(&cluster, &format!("{scheme}://127.0.0.1:1")).refuses(
            "Unable to connect to the server: proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused\n",
        );
        for host in ["no-such-proxy.invalid", "127.1"] {
            let outcome = refused_by(&cluster, &format!("{scheme}://{host}:3128"));
            assert_failed(
                &outcome,
                &format!(
                    "Unable to connect to the server: proxyconnect tcp: dial tcp: lookup {host}: "
                ),
            );
        }
    }
}

#[test]
fn a_proxy_gets_a_user_agent_and_may_answer_with_many_headers() {
    let cluster = TestCluster::start();
    let header = format!("X-Filter: {}\r\n", "a".repeat(500));
    let proxy = ConnectProxy::with_headers(&header.repeat(200));
    let config = with_proxy(&cluster, &format!("http://{}", proxy.address()));
    scale(&cluster, "").kubeconfig(config).run().prints(SCALED);
    let agents = proxy.user_agents();
    assert!(agents.len() == 1 && agents[0].starts_with("locustctl/"), "{agents:?}");
}

#[test]
fn a_socks_proxy_gets_the_login_only_if_it_wants_one() {
    let cluster = TestCluster::start();
    let by_name = cluster.server().replace("127.0.0.1", "localhost");
    for login in [SocksLogin::None, SocksLogin::Wanted("me", "secret-of-proxy")] {
        let proxy = SocksProxy::start(login);
        let config =
            with_proxy(&cluster, &format!("socks5://me:secret-of-proxy@{}", proxy.address()));
        let outcome = scale(&cluster, &format!("--server={by_name}")).kubeconfig(config).run();
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
        assert_eq!(proxy.requests(), [by_name.trim_start_matches("https://")]);
    }
}

#[test]
fn the_refusal_of_a_socks_proxy_names_the_proxy_and_the_server() {
    let cluster = TestCluster::start();
    let server = format!("localhost:{}", cluster.port());
    let sentence = |proxy, problem: &str| {
        format!("Unable to connect to the server: socks connect tcp {proxy}->{server}: {problem}\n")
    };
    for (code, problem) in [
        (1, "unknown error general SOCKS server failure"),
        (2, "unknown error connection not allowed by ruleset"),
        (4, "unknown error host unreachable"),
        (99, "unknown error unknown code: 99"),
    ] {
        let proxy = start_refusing_socks(code);
        refused_by(&cluster, &format!("socks5://{proxy}")).refuses(&sentence(proxy, problem));
    }
    let wanted = SocksProxy::start(SocksLogin::Wanted("me", "secret-of-proxy"));
    let address = wanted.address();
    refused_by(&cluster, &format!("socks5://{address}"))
        .refuses(&sentence(address, "no acceptable authentication methods"));
    refused_by(&cluster, &format!("socks5://me:wrong-password@{address}"))
        .refuses(&sentence(address, "username/password authentication failed"));
    let garbage = start_refusing_proxy("HTTP/1.1 400 Bad Request\r\n\r\n");
    let outcome = refused_by(&cluster, &format!("socks5://{garbage}"));
    assert_failed(&outcome, "Unable to connect to the server: socks connect tcp ");
}

#[test]
fn the_password_of_a_malformed_proxy_url_is_not_shown() {
    let cluster = TestCluster::start();
    for url in [
        "http://me:secret-of-proxy@p:port",
        "http://me:secret-of-proxy/more@p",
        "http://me:%zzsecret-of-proxy@p",
        "ftp://me:secret-of-proxy@p",
        "me:secret-of-proxy@p:3128",
        "1me:secret-of-proxy@p:3128",
    ] {
        let outcome = scale(&cluster, "").kubeconfig(with_proxy(&cluster, url)).run();
        assert_failed(&outcome, "error: invalid 'proxy-url' \"");
        assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
        assert!(outcome.stderr.contains("<masked>@p"), "{outcome:?}");
    }
}

#[test]
fn the_proxy_of_the_kubeconfig_is_also_used_for_loopback() {
    let cluster = TestCluster::start();
    let proxy = ConnectProxy::start();
    let config = with_proxy(&cluster, &format!("http://user:secret-of-proxy@{}", proxy.address()));
    scale(&cluster, "").kubeconfig(config).run().prints(SCALED);
    let host = cluster.server().trim_start_matches("https://").to_owned();
    assert_eq!(proxy.requests(), [format!("CONNECT {host} Basic dXNlcjpzZWNyZXQtb2YtcHJveHk=")]);
}

#[test]
fn a_socks_proxy_resolves_names() {
    let cluster = TestCluster::start();
    let proxy = SocksProxy::start(SocksLogin::None);
    let config = with_proxy(&cluster, &format!("socks5://{}", proxy.address()));
    let by_name = cluster.server().replace("127.0.0.1", "localhost");
    scale(&cluster, &format!("--server={by_name}")).kubeconfig(config).run().prints(SCALED);
    assert_eq!(proxy.requests(), [by_name.trim_start_matches("https://")]);
}

#[test]
fn the_name_to_verify_is_also_checked_behind_a_proxy() {
    let cluster = TestCluster::with(Options {
        certificate: ServerCertificate::WrongHost,
        ..Options::default()
    });
    let proxy = ConnectProxy::start();
    let config = with_proxy(&cluster, &format!("http://{}", proxy.address()));
    scale(&cluster, "--tls-server-name=alt.example").kubeconfig(config).run().prints(SCALED);
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn a_proxy_of_the_environment_is_not_used_for_loopback() {
    let cluster = TestCluster::start();
    let proxy = ConnectProxy::start();
    let address = format!("http://{}", proxy.address());
    scale(&cluster, "")
        .env("HTTPS_PROXY", &address)
        .env("https_proxy", &address)
        .run()
        .prints(SCALED);
    assert_eq!(proxy.requests(), [""; 0]);
}

#[test]
fn a_proxy_of_the_environment_is_used_for_other_hosts() {
    let proxy = ConnectProxy::start();
    let run = |no_proxy: &str| {
        locustctl("scale --replicas=3 -s https://k8s.invalid:6443 --token=some-token")
            .env("HTTPS_PROXY", format!("http://{}", proxy.address()))
            .env("NO_PROXY", no_proxy)
            .run()
    };
    let outcome = run("k8s.invalid:443,10.0.0.0/8");
    assert_eq!(proxy.requests(), ["CONNECT k8s.invalid:6443 "], "{outcome:?}");
    let direct = run("k8s.invalid:6443");
    assert_failed(&direct, "Unable to connect to the server: dial tcp: lookup k8s.invalid: ");
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn a_proxy_with_an_unknown_scheme_is_an_error() {
    let outcome = locustctl("scale --replicas=3 -s https://k8s.invalid --token=some-token")
        .env("HTTPS_PROXY", "ftp://me:secret-of-proxy@p:1")
        .run();
    outcome.refuses(
        "error: the proxy ftp://<masked>@p:1 cannot be used: unsupported scheme \"ftp\", must be http, https, or socks5\n",
    );
}

/// The cluster's kubeconfig with a `proxy-url`.
fn with_proxy(cluster: &TestCluster, url: &str) -> std::path::PathBuf {
    let config = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let with_proxy =
        config.replacen("    server: ", &format!("    proxy-url: {url}\n    server: "), 1);
    assert_ne!(config, with_proxy, "{config}");
    cluster.file("with-proxy", &with_proxy)
}

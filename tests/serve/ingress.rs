//! `locustctl serve` behind an Ingress that terminates TLS, and with its own certificate.

use std::net::SocketAddr;

use support::cluster::TestCluster;
use support::secrets;
use support::serving::{Reply, Serving, wait_until};
use support::tls::Certificate;

const TOKEN: &str = "alice-s-token-0123456789abcdef";
const HTTPS: (&str, &str) = ("x-forwarded-proto", "https");

fn with_token(cluster: &TestCluster, flags: &[&str]) -> Serving {
    let file = cluster.file("tokens", &format!("alice {TOKEN}\n"));
    secrets::add(TOKEN);
    let flag = format!("--auth-token-file={}", file.display());
    let serving = Serving::start(cluster, &[&[flag.as_str()], flags].concat());
    wait_until(|| serving.get("/readyz").status == 200, || "readiness".to_owned());
    serving
}

fn get(serving: &Serving, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = serving.request("GET", path);
    serving
        .send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

/// The cookie of a new session, and its attributes.
fn log_in(serving: &Serving, headers: &[(&str, &str)]) -> (String, String) {
    let request = serving.request("POST", "/login").body(format!("token={TOKEN}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let reply = serving
        .send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)));
    assert_eq!(reply.status, 303, "{reply:?}");
    let (cookie, attributes) = reply.header("set-cookie").split_once("; ").unwrap();
    (cookie.to_owned(), attributes.to_owned())
}

fn put(serving: &Serving, headers: &[(&str, &str)]) -> u16 {
    let request = serving.request("PUT", "/api/scale").body(r#"{"replicas": 2}"#);
    let request = request.header("content-type", "application/json");
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    serving.send(request).status
}

#[test]
fn behind_a_trusted_proxy_with_tls_the_cookie_is_secure() {
    let cluster = TestCluster::start();
    let serving = with_token(&cluster, &["--trusted-proxy=127.0.0.0/8"]);
    let (cookie, attributes) = log_in(&serving, &[HTTPS]);
    assert!(cookie.starts_with("__Host-locustctl-session-"), "{cookie}");
    assert_eq!(attributes, "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
    let as_alice = ("cookie", &*cookie);
    assert_eq!(get(&serving, "/api/scale", &[as_alice, HTTPS]).status, 200);
    assert_eq!(get(&serving, "/api/scale", &[as_alice]).status, 401, "over HTTP");
    let forged = cookie.replace("__Host-", "");
    assert_eq!(get(&serving, "/api/scale", &[("cookie", &forged), HTTPS]).status, 401);

    let own = serving.authority();
    let (https, http) = (format!("https://{own}"), format!("http://{own}"));
    assert_eq!(put(&serving, &[as_alice, HTTPS, ("origin", &https)]), 200);
    assert_eq!(put(&serving, &[as_alice, HTTPS, ("origin", &http)]), 403);

    let request = serving.request("POST", "/logout").header("cookie", &cookie);
    let request = request.header(HTTPS.0, HTTPS.1).header("sec-fetch-site", "same-origin");
    let reply = serving.send(request);
    assert!(reply.header("set-cookie").starts_with("__Host-"), "{reply:?}");
    assert!(reply.header("set-cookie").contains("Max-Age=0"), "{reply:?}");
    assert_eq!(get(&serving, "/api/scale", &[as_alice, HTTPS]).status, 401);
}

#[test]
fn the_forwarded_scheme_counts_only_from_a_trusted_proxy() {
    let cluster = TestCluster::start();
    for flags in [&[][..], &["--trusted-proxy=10.0.0.0/8"]] {
        let serving = with_token(&cluster, flags);
        let (cookie, attributes) = log_in(&serving, &[HTTPS]);
        assert!(cookie.starts_with("locustctl-session-"), "{cookie}");
        assert!(!attributes.contains("Secure"), "{attributes}");
        assert_eq!(get(&serving, "/api/scale", &[("cookie", &cookie)]).status, 200);
    }
    let serving = with_token(&cluster, &["--trusted-proxy=127.0.0.0/8"]);
    let (cookie, _) = log_in(&serving, &[("x-forwarded-proto", "http")]);
    assert!(cookie.starts_with("locustctl-session-"), "{cookie}");
}

#[test]
fn a_cookie_beyond_ascii_does_not_sign_anybody_out() {
    let cluster = TestCluster::start();
    let serving = with_token(&cluster, &[]);
    let (cookie, _) = log_in(&serving, &[]);
    let cookies = [b"caf\xe9=1; ", cookie.as_bytes()].concat();
    let request = serving.request("GET", "/api/scale").header("cookie", cookies);
    assert_eq!(serving.send(request).status, 200);
}

#[test]
fn with_an_own_certificate_browsers_are_told_to_use_only_tls() {
    let cluster = TestCluster::start();
    let certificate = Certificate::of(&cluster);
    let host = "--allowed-host=workers.example.com";
    let serving = with_token(&cluster, &[&certificate.flags()[..], &[host]].concat());
    let address = serving.authority().parse().unwrap();
    for path in ["/", "/login", "/healthz"] {
        let policy = policy_for("workers.example.com", address, path);
        assert_eq!(policy.as_deref(), Some("max-age=31536000"), "{path}");
        assert_eq!(policy_for("localhost", address, path), None, "{path}");
        assert_eq!(get(&serving, path, &[]).header("strict-transport-security"), "", "{path}");
    }
    let plain = with_token(&cluster, &[host]);
    let reply = get(&plain, "/login", &[("host", "workers.example.com")]);
    assert_eq!((reply.status, reply.header("strict-transport-security")), (200, ""));
}

/// `Strict-Transport-Security` of the page at this address, under this host name.
fn policy_for(host: &str, address: SocketAddr, path: &str) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::builder().no_proxy().resolve(host, address);
    let client = client.tls_danger_accept_invalid_certs(true).build().unwrap();
    let url = format!("https://{host}:{}{path}", address.port());
    let reply = runtime.block_on(client.get(url).send()).unwrap();
    let policy = reply.headers().get("strict-transport-security");
    policy.map(|policy| policy.to_str().unwrap().to_owned())
}

//! Access control of `locustctl serve`: each rule with a request that fails and one that passes.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;
use support::cluster::TestCluster;
use support::serving::{Reply, Serving, wait_until};
use support::tls::Certificate;
use support::{locustctl, secrets};

pub const ALICE: &str = "alice-s-token-0123456789abcdef";
const BOB: &str = "bob-s-token-0123456789abcdef";
const ORDER: &str = r#"{"replicas": 2}"#;

/// A server with a login, and the file with its tokens.
pub fn with_tokens(cluster: &TestCluster, flags: &[&str]) -> Serving {
    let file = cluster.file("tokens", &format!("alice {ALICE}\nbob {BOB}\n"));
    [ALICE, BOB].iter().for_each(|secret| secrets::add(secret));
    let flag = format!("--auth-token-file={}", file.display());
    let serving = Serving::start(cluster, &[&[flag.as_str()], flags].concat());
    wait_until(|| serving.get("/readyz").status == 200, || "readiness".to_owned());
    serving
}

/// A `PUT` with these headers.
pub fn put(serving: &Serving, headers: &[(&str, &str)]) -> Reply {
    let mut request = serving.request("PUT", "/api/scale").body(ORDER);
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    serving.send(request)
}

pub fn get(serving: &Serving, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = serving.request("GET", path);
    serving
        .send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

fn log_in(serving: &Serving, form: &str) -> Reply {
    let request = serving.request("POST", "/login").body(form.to_owned());
    serving.send(request.header("content-type", "application/x-www-form-urlencoded"))
}

/// The cookie of a new session, as a browser sends it.
pub fn session(serving: &Serving) -> String {
    let reply = log_in(serving, &format!("token={ALICE}"));
    assert_eq!(reply.status, 303, "{reply:?}");
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[test]
fn on_loopback_no_login_is_needed() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    assert_eq!(put(&serving, &[]).status, 200);
    serving.wait_for_log(
        "audit who=\"anonymous\" from=127.0.0.1 action=\"scale\" old=1 new=2 outcome=scaled",
    );
}

#[test]
fn beyond_loopback_access_control_must_be_given() {
    let cluster = TestCluster::start();
    for (flags, expected) in [
        ("--listen=0.0.0.0:0", "error: other machines can reach 0.0.0.0:0: require"),
        ("--listen=[::]:0", "error: other machines can reach [::]:0: require"),
        ("--auth-proxy-header=X-User", "error: --auth-proxy-header needs --trusted-proxy"),
        ("--trusted-proxy=10.0.0.0/8", "error: --trusted-proxy needs --auth-proxy-header, the"),
        ("--auth=none --auth-token-file=/x", "error: --auth=none cannot be combined"),
        ("--auth-token-file=/missing", "error: reading --auth-token-file=/missing: "),
        ("--auth-proxy-header=X-User --trusted-proxy=10/8", "error: --trusted-proxy=10/8 is not a"),
        ("--allowed-host=https://x", "error: --allowed-host=https://x is not a host name"),
        ("--tls-cert=/x", "error: --tls-cert needs --tls-key"),
        ("--min-replicas=5 --max-replicas=4", "error: --min-replicas=5 is more than"),
        ("--max-replicas=-1", "error: --max-replicas must be from 0 to 2147483647"),
        ("--listen=here", "error: --listen=here is invalid: give an IP address and a port"),
    ] {
        let line = format!("serve {flags}");
        let outcome = locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
        assert_eq!((outcome.code, &*outcome.stdout), (Some(1), ""), "{flags}");
        assert!(outcome.stderr.starts_with(expected), "{flags}: {}", outcome.stderr);
    }
    let serving = Serving::start(&cluster, &["--listen=0.0.0.0:0", "--auth=none"]);
    assert_eq!(serving.get("/healthz").status, 200);
}

#[test]
fn programs_send_a_token() {
    let cluster = TestCluster::start();
    let serving = with_tokens(&cluster, &[]);
    let bearer = |token: &str| format!("Bearer {token}");
    for wrong in ["", "Bearer", "Bearer x", &bearer(&ALICE[1..]), &format!("Basic {ALICE}")] {
        let reply = get(&serving, "/api/scale", &[("authorization", wrong)]);
        reply.is_problem(401, "Unauthorized", "not valid");
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"locustctl\"");
    }
    serving.get("/api/scale").is_problem(401, "Unauthorized", "A token is required");
    serving.get("/api/events").is_problem(401, "Unauthorized", "A token is required");
    serving.get("/metrics").is_problem(401, "Unauthorized", "A token is required");
    put(&serving, &[]).is_problem(401, "Unauthorized", "A token is required");
    assert_eq!(cluster.workers(), 1);
    let reply = put(&serving, &[("authorization", &bearer(BOB))]);
    assert_eq!(reply.status, 200, "{reply:?}");
    serving.wait_for_log("audit who=\"bob\" from=127.0.0.1 action=\"scale\" old=1 new=2");
    assert_eq!(get(&serving, "/metrics", &[("authorization", &bearer(ALICE))]).status, 200);
    for open in ["/healthz", "/readyz", "/assets/style.css", "/login"] {
        assert_eq!(serving.get(open).status, 200, "{open}");
    }
}

#[test]
fn people_log_in_and_out() {
    let cluster = TestCluster::start();
    let serving = with_tokens(&cluster, &[]);
    let html = ("accept", "text/html,application/xhtml+xml");
    let reply = get(&serving, "/rescale-form?x=1", &[html]);
    assert_eq!((reply.status, reply.header("location")), (303, "login?next=rescale-form%3Fx%3D1"));
    let reply = log_in(&serving, "token=wrong-token-wrong-token&next=rescale-form");
    assert_eq!((reply.status, reply.header("set-cookie")), (401, ""));
    assert!(reply.text.contains("role=\"alert\"") && reply.text.contains("value=\"rescale-form\""));

    let reply = log_in(&serving, &format!("token={ALICE}&next=rescale-form"));
    assert_eq!((reply.status, reply.header("location")), (303, "./rescale-form"));
    let cookie = reply.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    let (_, port) = serving.authority().rsplit_once(':').unwrap();
    let name = format!("locustctl-session-{port}=");
    assert!(pair.starts_with(&name), "two servers of one host have different cookies: {pair}");

    let as_alice = ("cookie", pair);
    let page = get(&serving, "/", &[html, as_alice]);
    assert_eq!(page.status, 200);
    assert!(page.text.contains("alice") && page.text.contains("Sign out"));
    let same = ("sec-fetch-site", "same-origin");
    assert_eq!(put(&serving, &[as_alice, same]).status, 200);
    serving.wait_for_log("audit who=\"alice\" from=127.0.0.1 action=\"scale\" old=1 new=2");

    let request = serving.request("POST", "/logout").header("cookie", pair);
    let reply = serving.send(request.header("sec-fetch-site", "same-origin"));
    assert_eq!((reply.status, reply.header("location")), (303, "./login"));
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    get(&serving, "/api/scale", &[as_alice]).is_problem(401, "Unauthorized", "A token is required");
}

#[test]
fn the_login_redirects_to_no_other_server() {
    let cluster = TestCluster::start();
    let serving = with_tokens(&cluster, &[]);
    for next in ["//evil.example.com", "https://evil.example.com", "%5Cevil.example.com", "../x"] {
        let reply = log_in(&serving, &format!("token={ALICE}&next={next}"));
        assert_eq!((reply.status, reply.header("location")), (303, "./"), "{next}");
    }
}

#[test]
fn a_token_that_is_removed_from_the_file_ends_its_sessions() {
    let cluster = TestCluster::start();
    let serving = with_tokens(&cluster, &[]);
    let cookie = session(&serving);
    assert_eq!(get(&serving, "/api/scale", &[("cookie", &cookie)]).status, 200);
    cluster.file("tokens", BOB);
    let is_out = || get(&serving, "/api/scale", &[("cookie", &cookie)]).status == 401;
    wait_until(is_out, || "the session's end".to_owned());
    let bearer = format!("Bearer {BOB}");
    assert_eq!(get(&serving, "/api/scale", &[("authorization", &bearer)]).status, 200);
}

#[cfg(unix)]
#[test]
fn a_token_file_that_is_readable_for_everyone_brings_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let cluster = TestCluster::start();
    let file = cluster.file("tokens", ALICE);
    secrets::add(ALICE);
    let flag = format!("--auth-token-file={}", file.display());
    for (mode, is_noted) in [(0o644, true), (0o600, false), (0o640, false)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let serving = Serving::start(&cluster, &[&flag]);
        serving.wait_for_log("watching deployment");
        assert_eq!(serving.stderr().contains("all users of this machine"), is_noted, "{mode:o}");
    }
}

#[test]
fn repeated_wrong_tokens_are_rate_limited() {
    let cluster = TestCluster::start();
    let serving = with_tokens(&cluster, &[]);
    let cookie = session(&serving);
    let read =
        |header: &str| format!("GET /api/scale HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n");
    let form = format!("token={ALICE}");
    let log_in = format!(
        "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    let mut requests = vec![read("Authorization: Bearer wrong"); 6];
    requests.push(read(&format!("Authorization: Bearer {ALICE}")));
    requests.push(log_in);
    requests.push(read(&format!("Cookie: {cookie}")));
    let answers = serving.pipeline(&requests);
    let statuses: Vec<_> = answers.iter().map(|answer| &answer[..3]).collect();
    let [wrong @ .., token, form, session] = &statuses[..] else { panic!("{answers:?}") };
    assert_eq!((wrong, *token, *form), (&["401"; 6][..], "429", "429"), "{answers:?}");
    assert_eq!(*session, "200", "who is in, stays in: {answers:?}");
    assert!(answers[6].contains("Too many wrong tokens"), "{answers:?}");
    assert!(answers[6..8].iter().all(|answer| answer.contains("\r\nretry-after: 1\r\n")));
    let bearer = format!("Bearer {ALICE}");
    let is_in = || get(&serving, "/api/scale", &[("authorization", &bearer)]).status == 200;
    wait_until(is_in, || "the end of the pause".to_owned());
}

#[test]
fn only_the_trusted_proxy_may_name_the_user() {
    let cluster = TestCluster::start();
    let header = "--auth-proxy-header=X-Forwarded-User";
    let serving = Serving::start(&cluster, &[header, "--trusted-proxy=127.0.0.0/8"]);
    serving.wait_for_log("watching deployment");
    get(&serving, "/api/scale", &[]).is_problem(
        401,
        "Unauthorized",
        "only possible through the proxy",
    );
    let alice = ("x-forwarded-user", "alice");
    let from = ("x-forwarded-for", "203.0.113.9");
    assert_eq!(put(&serving, &[alice, from]).status, 200);
    serving.wait_for_log("audit who=\"alice\" from=203.0.113.9 action=\"scale\"");
    let twice = put(&serving, &[alice, ("x-forwarded-user", "root")]);
    twice.is_problem(401, "Unauthorized", "in exactly one header");

    let serving = Serving::start(&cluster, &[header, "--trusted-proxy=10.0.0.0/8"]);
    put(&serving, &[alice]).is_problem(403, "UntrustedProxy", "127.0.0.1 is not in");
}

#[test]
fn over_tls_the_cookie_is_secure() {
    let cluster = TestCluster::start();
    let certificate = Certificate::of(&cluster);
    let serving = with_tokens(&cluster, &certificate.flags());
    assert!(serving.url().starts_with("https://"));
    let cookie = session(&serving);
    assert!(cookie.starts_with("__Host-locustctl-session-"), "{cookie}");
    let reply = log_in(&serving, &format!("token={ALICE}"));
    assert!(reply.header("set-cookie").ends_with("; Secure"));
    let origin = serving.url().to_owned();
    assert_eq!(put(&serving, &[("cookie", &cookie), ("origin", &origin)]).status, 200);
    let plain = origin.replace("https", "http");
    assert_eq!(put(&serving, &[("cookie", &cookie), ("origin", &plain)]).status, 403);

    let mut stream = TcpStream::connect(serving.authority()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("speaks HTTPS"), "{answer}");
}

#[test]
fn refusals_are_logged_at_a_limited_rate() {
    let cluster = TestCluster::start();
    let serving = with_tokens(&cluster, &[]);
    let request = "GET /api/scale HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned();
    let answers = serving.pipeline(&vec![request; 100]);
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("401 ")).count(), 100);
    serving.wait_for_log(" more refusals were not logged");
    let lines = serving.stderr().matches("outcome=refused").count();
    assert!((20..100).contains(&lines), "{lines}");
    put(&serving, &[("authorization", "Bearer wrong-token-wrong-token")]);
    serving.wait_for_log("action=\"PUT /api/scale\"");
    assert!(!serving.stderr().contains("wrong-token"));
}

#[test]
fn refused_requests_do_not_reach_the_cluster() {
    let cluster = TestCluster::start();
    let serving = with_tokens(&cluster, &[]);
    cluster.handle().clear_requests();
    put(&serving, &[]);
    put(&serving, &[("authorization", "Bearer x"), ("host", "evil.example.com")]);
    let (_, port) = serving.authority().rsplit_once(':').unwrap();
    let cookie = format!("locustctl-session-{port}=x");
    put(&serving, &[("cookie", &cookie), ("sec-fetch-site", "same-origin")]);
    let lines = cluster.request_lines();
    assert!(!lines.iter().any(|line| line.ends_with("/scale")), "{lines:?}");
    assert_eq!(json!(cluster.workers()), 1);
}

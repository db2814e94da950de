//! Sessions after a restart of `locustctl serve`, and in two replicas.

use support::cluster::TestCluster;
use support::secrets;
use support::serving::{Reply, Serving, wait_until};

const ALICE: &str = "alice-s-token-0123456789abcdef";
const BOB: &str = "bob-s-token-0123456789abcdef";
const KEY: &str = "the-session-key-of-the-test-0123456789";

/// The flags for a token file, and for a file with the session key.
fn login_flags(cluster: &TestCluster) -> [String; 2] {
    let tokens = cluster.file("tokens", &format!("alice {ALICE}\nbob {BOB}\n"));
    let key = cluster.file("session-key", &format!("{KEY}\n"));
    [ALICE, BOB, KEY].iter().for_each(|secret| secrets::add(secret));
    [
        format!("--auth-token-file={}", tokens.display()),
        format!("--session-key-file={}", key.display()),
    ]
}

fn start(cluster: &TestCluster, flags: &[String]) -> Serving {
    Serving::start(cluster, &flags.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Signs in, and returns the session cookie, as a browser sends it.
fn sign_in(serving: &Serving, token: &str) -> String {
    let request = serving.request("POST", "/login").body(format!("token={token}"));
    let reply = serving.send(request.header("content-type", "application/x-www-form-urlencoded"));
    assert_eq!(reply.status, 303, "{reply:?}");
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// Sends a request with the session of a cookie. The servers of these tests have different ports, so the
/// cookie gets the name that this server uses.
fn with_session(serving: &Serving, method: &str, path: &str, cookie: &str) -> Reply {
    let (name, session) = cookie.split_once('=').unwrap();
    let name = name.trim_end_matches(|it: char| it.is_ascii_digit());
    let port = serving.url().rsplit(':').next().unwrap().to_owned();
    let request = serving.request(method, path).header("sec-fetch-site", "same-origin");
    serving.send(request.header("cookie", format!("{name}{port}={session}")))
}

fn is_signed_in(serving: &Serving, cookie: &str) -> bool {
    match with_session(serving, "GET", "/api/scale", cookie).status {
        200 | 503 => true,
        401 => false,
        other => panic!("unexpected status {other}"),
    }
}

#[test]
fn with_a_session_key_a_restart_signs_no_one_out() {
    let cluster = TestCluster::start();
    let flags = login_flags(&cluster);
    let serving = start(&cluster, &flags);
    let (alice, bob) = (sign_in(&serving, ALICE), sign_in(&serving, BOB));
    assert!(!serving.stderr().contains("sign everyone out"), "{}", serving.stderr());
    drop(serving);
    cluster.file("tokens", &format!("alice {ALICE}\n"));
    let serving = start(&cluster, &flags);
    assert!(is_signed_in(&serving, &alice));
    assert!(!is_signed_in(&serving, &bob), "bob's token is gone");
    let page = with_session(&serving, "GET", "/", &alice);
    assert!(page.text.contains("alice") && page.text.contains("Sign out"));
    assert!(!alice.contains("alice") && !alice.contains(ALICE));
    let changed = alice.replace(&alice[40..41], if &alice[40..41] == "A" { "B" } else { "A" });
    assert!(!is_signed_in(&serving, &changed));
}

#[test]
fn without_a_session_key_a_restart_signs_everyone_out_and_the_log_says_so() {
    let cluster = TestCluster::start();
    let [tokens, key] = login_flags(&cluster);
    let missing = format!("{key}-missing");
    for (flags, expected) in [
        (vec![tokens.clone()], "because there is no --session-key-file"),
        (
            vec![tokens, missing.clone()],
            "does not exist; create the key with: openssl rand -hex 32",
        ),
    ] {
        let serving = start(&cluster, &flags);
        serving.wait_for_log("a restart will sign everyone out");
        serving.wait_for_log(expected);
        let session = sign_in(&serving, ALICE);
        assert!(is_signed_in(&serving, &session));
        drop(serving);
        assert!(!is_signed_in(&start(&cluster, &flags), &session));
    }
}

#[test]
fn a_session_is_valid_in_both_replicas_and_ends_with_its_token_in_both() {
    let cluster = TestCluster::start();
    let flags = login_flags(&cluster);
    let (one, other) = (start(&cluster, &flags), start(&cluster, &flags));
    let session = sign_in(&one, ALICE);
    assert!(is_signed_in(&one, &session) && is_signed_in(&other, &session));
    cluster.file("tokens", &format!("bob {BOB}\n"));
    for serving in [&one, &other] {
        wait_until(|| !is_signed_in(serving, &session), || "the session's end".to_owned());
    }
}

#[test]
fn a_signed_out_cookie_does_not_work_again() {
    let cluster = TestCluster::start();
    let serving = start(&cluster, &login_flags(&cluster));
    let (session, other) = (sign_in(&serving, ALICE), sign_in(&serving, ALICE));
    let reply = with_session(&serving, "POST", "/logout", &session);
    assert!(reply.header("set-cookie").contains("Max-Age=0"), "{reply:?}");
    assert!(!is_signed_in(&serving, &session) && is_signed_in(&serving, &other));
    serving.wait_for_log("audit who=\"alice\" from=127.0.0.1 action=\"logout\"");
}

#[test]
fn a_session_key_that_cannot_be_used_is_refused_at_the_start() {
    let cluster = TestCluster::start();
    let [tokens, key] = login_flags(&cluster);
    let run = |flags: &str| {
        support::locustctl(&format!("serve {flags}")).kubeconfig(cluster.kubeconfig()).run()
    };
    cluster.file("session-key", "short-key");
    let outcome = run(&format!("{tokens} {key}"));
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the key is shorter than 32 bytes"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("short-key"), "{}", outcome.stderr);
    let outcome = run(&key);
    assert!(outcome.stderr.starts_with("error: --session-key-file needs --auth-token-file"));
}

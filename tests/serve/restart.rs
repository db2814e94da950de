//! What survives a restart of `locustctl serve`, and what two replicas share.

use std::time::{Duration, Instant};

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::secrets;
use support::serving::{Reply, Serving, wait_until};
use support::swarm::{ask, running};

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

const HISTORY: &str = "/api/v1/namespaces/default/configmaps/locustctl-history";
const WITH_HISTORY: &str = "--history-configmap=locustctl-history";

/// A cluster with the ConfigMap of the history, as deploy/ creates it.
fn with_configmap() -> TestCluster {
    let cluster = TestCluster::start();
    put_configmap(&cluster, &json!({}));
    cluster
}

fn put_configmap(cluster: &TestCluster, data: &Value) {
    let map = json!({"metadata": {"name": "locustctl-history"}, "data": data});
    cluster.handle().put_object(HISTORY, map);
}

/// Who changed the number, and the new number; the latest change first.
fn changes(state: &Value) -> Vec<(String, i64)> {
    let history = state["history"].as_array().unwrap().iter();
    history
        .map(|change| {
            (change["who"].as_str().unwrap().to_owned(), change["new"].as_i64().unwrap_or(-1))
        })
        .collect()
}

fn has(serving: &Serving, expected: &[(&str, i64)]) {
    serving.wait_for_state(|state| {
        let changes = changes(state);
        changes.iter().map(|(who, new)| (who.as_str(), *new)).eq(expected.iter().copied())
    });
}

fn scale(serving: &Serving, replicas: i64) {
    let reply = serving.put("", &format!("{{\"replicas\": {replicas}}}"));
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn the_history_outlives_a_crash() {
    let cluster = with_configmap();
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_until_settled(1);
    scale(&serving, 3);
    cluster.handle().set_replicas(WORKERS, 2);
    has(&serving, &[("somebody else", 2), ("anonymous", 3)]);
    cluster.wait_for(HISTORY, |map| {
        let text = map["data"]["history"].as_str().unwrap_or_default();
        text.contains("anonymous") && text.contains("somebody else")
    });
    serving.wait_for_state(|state| state["historyNote"] == "");
    serving.signal("KILL");
    drop(serving);
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    has(&serving, &[("somebody else", 2), ("anonymous", 3)]);
    scale(&serving, 4);
    has(&serving, &[("anonymous", 4), ("somebody else", 2), ("anonymous", 3)]);
    let state = serving.state();
    let ids: Vec<_> =
        state["history"].as_array().unwrap().iter().map(|change| change["id"].as_u64()).collect();
    assert_eq!(ids, [Some(3), Some(2), Some(1)]);
    assert!(!serving.get("/").text.contains("Kept in memory"));
}

#[test]
fn the_last_change_before_a_regular_end_is_stored() {
    let cluster = with_configmap();
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_until_settled(1);
    scale(&serving, 3);
    serving.signal("TERM");
    assert_eq!(serving.wait().0, Some(0));
    let map = cluster.handle().object(HISTORY).unwrap();
    assert!(map["data"]["history"].as_str().unwrap().contains("anonymous"), "{map}");
}

#[test]
fn two_replicas_show_one_history_and_no_change_twice() {
    let cluster = with_configmap();
    let one = Serving::start(&cluster, &[WITH_HISTORY]);
    let other = Serving::start(&cluster, &[WITH_HISTORY]);
    for serving in [&one, &other] {
        serving.wait_until_settled(1);
    }
    scale(&one, 3);
    other.wait_until_settled(3);
    scale(&other, 2);
    one.wait_until_settled(2);
    cluster.handle().set_replicas(WORKERS, 5);
    let expected = [("somebody else", 5), ("anonymous", 2), ("anonymous", 3)];
    for serving in [&one, &other] {
        has(serving, &expected);
    }
    // Both agree: nothing is written any more.
    let is_write = |line: &String| line.starts_with("PATCH") && line.contains("configmaps");
    let writes = || cluster.request_lines().iter().filter(|line| is_write(line)).count();
    let mut last = writes();
    wait_until(
        || {
            std::thread::sleep(Duration::from_secs(2));
            let now = writes();
            std::mem::replace(&mut last, now) == now
        },
        || "the end of the writes".to_owned(),
    );
    assert!(last < 20, "{last} writes");
}

#[test]
fn a_conflict_keeps_the_changes_of_both_writers() {
    let cluster = with_configmap();
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_until_settled(1);
    serving.wait_for_log("the history is kept in the ConfigMap locustctl-history");
    let conflict = Fault::once(Action::conflict()).on("PATCH").at("configmaps").times(2);
    cluster.handle().inject(conflict);
    scale(&serving, 3);
    cluster.wait_for(HISTORY, |map| map["data"]["history"].is_string());
    let patches = cluster.request_lines();
    let patches = patches.iter().filter(|line| line.starts_with("PATCH /api/v1")).count();
    assert_eq!(patches, 3);
    serving.wait_for_state(|state| state["historyNote"] == "");
}

#[test]
fn without_the_config_map_the_history_is_in_memory_and_the_page_says_so() {
    let note = "Kept in memory: a restart clears it.";
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_for_state(|state| state["historyNote"] == note);
    assert!(serving.get("/").text.contains(note));
    drop(serving);
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_for_log(
        "the history is only in memory, because the ConfigMap locustctl-history cannot be used: configmaps \
         \"locustctl-history\" not found; serve tries again",
    );
    serving.wait_for_state(|state| state["historyNote"] == note);
    put_configmap(&cluster, &json!({"history": "[{\"key\": \"x\"}]"}));
    scale(&serving, 2);
    serving.wait_for_log("; remove that key; serve tries again");
    let map = cluster.handle().object(HISTORY).unwrap();
    assert_eq!(map["data"]["history"], "[{\"key\": \"x\"}]", "it is not overwritten");
    put_configmap(&cluster, &json!({"other": "stays"}));
    scale(&serving, 3);
    serving.wait_for_state(|state| state["historyNote"] == "");
    let map = cluster.handle().object(HISTORY).unwrap();
    assert_eq!(map["data"]["other"], "stays");
    has(&serving, &[("anonymous", 3), ("anonymous", 2)]);
}

#[test]
fn a_history_that_cannot_be_written_does_not_delay_a_scale() {
    let cluster = with_configmap();
    let serving = Serving::start(&cluster, &[WITH_HISTORY]);
    serving.wait_until_settled(1);
    for path in ["configmaps", "events"] {
        let stuck = Fault::once(Action::Delay(Duration::from_secs(600))).at(path);
        cluster.handle().inject(stuck.times(Fault::ALWAYS));
    }
    for replicas in [3, 2, 4] {
        scale(&serving, replicas);
    }
    assert_eq!(cluster.workers(), 4);
    has(&serving, &[("anonymous", 4), ("anonymous", 2), ("anonymous", 3)]);
}

#[test]
fn each_change_is_an_event_on_the_deployment() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--max-replicas=5"]);
    serving.wait_until_settled(1);
    scale(&serving, 3);
    scale(&serving, 3);
    let forbidden = Fault::once(Action::Answer {
        status: 403,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: b"not today".to_vec(),
    });
    cluster.handle().inject(forbidden.on("PATCH").at("/scale"));
    assert_eq!(serving.put("", r#"{"replicas": 4}"#).status, 403);
    let events = || {
        let path = "/api/v1/namespaces/default/events";
        cluster.handle().objects(path)
    };
    wait_until(|| events().len() == 2, || "two Events".to_owned());
    let events = events();
    let find = |reason: &str| events.iter().find(|event| event["reason"] == reason).unwrap();
    let uid = cluster.handle().object(WORKERS).unwrap()["metadata"]["uid"].clone();
    let scaled = find("Scaled");
    assert_eq!(
        scaled["involvedObject"],
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "locust-slave",
            "namespace": "default", "uid": uid})
    );
    assert_eq!((&scaled["type"], &scaled["count"]), (&json!("Normal"), &json!(1)));
    assert_eq!(scaled["message"], "anonymous scaled from 1 to 3");
    assert_eq!(scaled["source"]["component"], "locustctl");
    let failed = find("ScaleFailed");
    assert_eq!(failed["type"], "Warning");
    let text = failed["message"].as_str().unwrap();
    assert!(text.starts_with("anonymous could not scale from 3 to 4: "), "{text}");
}

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/locustctl";

/// The number of starts that Locust got.
fn starts(cluster: &TestCluster) -> usize {
    let is_start = |line: &String| line.starts_with("POST") && line.ends_with("/swarm");
    cluster.request_lines().iter().filter(|line| is_start(line)).count()
}

fn users(cluster: &TestCluster) -> Value {
    ask(cluster, "GET", "stats/requests", "")["user_count"].clone()
}

fn holder(cluster: &TestCluster) -> String {
    let lease = cluster.handle().object(LEASE).unwrap_or_default();
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

/// Waits longer than a Lease lasts.
#[track_caller]
fn wait_for_takeover(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < deadline, "no {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn only_the_holder_of_the_lease_redistributes_users_and_the_other_replica_takes_over() {
    let cluster = running(5);
    let flags = ["--lease=locustctl", "--rebalance=always"];
    let one = Serving::start(&cluster, &flags);
    wait_until(|| !holder(&cluster).is_empty(), || "a holder".to_owned());
    let first = holder(&cluster);
    let other = Serving::start(&cluster, &flags);
    for serving in [&one, &other] {
        serving.wait_for_state(|state| state["locust"]["users"] == 60);
    }
    let before = starts(&cluster);
    cluster.handle().set_replicas(WORKERS, 3);
    wait_until(|| starts(&cluster) > before, || "a start".to_owned());
    other.wait_for_state(|state| state["locust"]["workers"] == 3 && state["locust"]["users"] == 60);
    assert_eq!((starts(&cluster), holder(&cluster)), (before + 1, first.clone()));
    one.wait_for_log("action=\"rebalance\"");
    assert!(!other.stderr().contains("action=\"rebalance\""), "{}", other.stderr());

    one.signal("KILL");
    drop(one);
    cluster.handle().set_replicas(WORKERS, 1);
    wait_for_takeover("start by the other replica", || starts(&cluster) > before + 1);
    assert!(holder(&cluster) != first);
    wait_for_takeover("test with all its users", || users(&cluster) == 60);
    other.wait_for_log("action=\"rebalance\"");
    let lease = cluster.handle().object(LEASE).unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 1);
    other.signal("TERM");
    assert_eq!(other.wait().0, Some(0));
    assert_eq!(holder(&cluster), "", "it is released");
}

#[test]
fn a_replica_that_is_killed_after_a_change_is_replaced_by_the_other_one() {
    let cluster = running(5);
    let flags = ["--lease=locustctl"];
    let one = Serving::start(&cluster, &flags);
    let other = Serving::start(&cluster, &flags);
    for serving in [&one, &other] {
        serving.wait_for_state(|state| state["locust"]["users"] == 60);
    }
    assert_eq!(holder(&cluster), "", "no work, no holder");
    let before = starts(&cluster);
    // The first replica waits for the pods until it is killed.
    cluster.handle().pause_controllers();
    scale(&one, 3);
    wait_until(|| !holder(&cluster).is_empty(), || "a holder".to_owned());
    one.signal("KILL");
    drop(one);
    cluster.handle().resume_controllers();
    wait_for_takeover("start by the other replica", || starts(&cluster) > before);
    wait_for_takeover("test with all its users", || users(&cluster) == 60);
    other.wait_for_log("has ended before it could check the users: this replica takes over");
    wait_for_takeover("release", || holder(&cluster).is_empty());
    assert_eq!(starts(&cluster), before + 1);
    let state = other.wait_for_state(|state| state["history"][0]["who"] == "locustctl");
    assert_eq!(state["history"][0]["users"]["stage"], "well", "{state:#}");
}

#[test]
fn the_lease_is_held_during_a_change_and_released_afterwards() {
    let cluster = running(5);
    let serving = Serving::start(&cluster, &["--lease=locustctl"]);
    serving.wait_for_state(|state| state["locust"]["users"] == 60);
    let scaled = serving.put("?wait=20s", r#"{"replicas": 3}"#).json();
    assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    wait_for_takeover("release", || {
        cluster.handle().object(LEASE).is_some() && holder(&cluster).is_empty()
    });
    let lease = cluster.handle().object(LEASE).unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 0, "{lease}");
    assert_eq!(users(&cluster), 60);
}

#[test]
fn a_replica_that_may_not_write_the_lease_does_not_take_over_and_says_so_once() {
    let cluster = running(5);
    let spec = json!({"holderIdentity": "ended", "leaseDurationSeconds": 1, "leaseTransitions": 0});
    cluster.handle().put_object(LEASE, json!({"metadata": {"name": "locustctl"}, "spec": spec}));
    let forbidden = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "leases are forbidden"});
    let answer = Action::Answer {
        status: 403,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: forbidden.to_string().into_bytes(),
    };
    cluster.handle().inject(Fault::once(answer).on("PUT").at(LEASE).times(1000));
    let serving = Serving::start(&cluster, &["--lease=locustctl"]);
    let writes = || {
        let lines = cluster.request_lines();
        lines.iter().filter(|line| line.starts_with("PUT") && line.contains("/leases/")).count()
    };
    wait_for_takeover("third attempt", || writes() >= 3);
    let log = serving.stderr();
    assert_eq!(log.matches("cannot use the Lease locustctl").count(), 1, "{log}");
    assert!(!log.contains("takes over") && !log.contains("action=\"rebalance\""), "{log}");
    cluster.handle().clear_faults();
    serving.wait_for_log("has ended before it could check the users: this replica takes over");
    wait_for_takeover("release", || holder(&cluster).is_empty());
}

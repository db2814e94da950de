//! Locust and its workers: `--locust`, `--rebalance`, and `status`.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault, Options, Rights, Rule};
use serde_json::json;
use support::cluster::{TestCluster, WORKERS};
use support::swarm::{ask, running, start_test};
use support::terminal::Terminal;
use support::waiting::kubeconfig_of;
use support::{Outcome, locustctl};

pub fn run(cluster: &TestCluster, line: &str) -> Outcome {
    locustctl(line).kubeconfig(cluster.kubeconfig()).run()
}

/// `rebalance` prints this line with the address of Locust.
#[track_caller]
fn rebalanced(cluster: &TestCluster, line: &str) {
    let outcome = run(cluster, "rebalance");
    outcome.exits(0, line);
    assert_eq!(outcome.stderr, "Using Locust at service/locust-master\n");
}

#[test]
fn a_scale_down_keeps_all_users_of_the_test() {
    let cluster = running(5);
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 5 to 1\n");
    for line in [
        "Warning: a test is running with 60 users on 5 workers; 4 workers will leave, and up to 3 s of their statistics are lost\n",
        "1 worker is connected to Locust\n",
        "the test had 15 of 60 users; redistributed 60 users over 1 worker\n",
    ] {
        assert!(outcome.stderr.contains(line), "{line} is not in {}", outcome.stderr);
    }
    let stats = ask(&cluster, "GET", "stats/requests", "");
    assert_eq!((&stats["user_count"], &stats["state"]), (&json!(60), &json!("running")));
}

#[test]
fn new_workers_get_their_share_of_the_users() {
    let cluster = running(1);
    run(&cluster, "scale --replicas=2 --wait");
    let outcome = run(&cluster, "scale --replicas=4 --locust=service/locust-master:web");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("redistributed 60 users over 4 workers\n"), "{outcome:?}");
    let stats = ask(&cluster, "GET", "stats/requests", "");
    let users: Vec<_> =
        stats["workers"].as_array().unwrap().iter().map(|one| one["user_count"].clone()).collect();
    assert_eq!(users, [15, 15, 15, 15]);
}

#[test]
fn with_never_on_an_old_release_the_number_to_enter_is_reported() {
    let options = Options { locust_release: "2.46.4".parse().unwrap(), ..Options::default() };
    let cluster = TestCluster::with(options);
    run(&cluster, "scale --replicas=4 --wait --locust=auto");
    start_test(&cluster);
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto --rebalance=never");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let advice = "To start the missing users, press Edit in Locust's page and enter 60 users\n";
    assert!(outcome.stderr.ends_with(advice), "{outcome:?}");
}

#[test]
fn with_never_the_loss_is_only_reported() {
    let cluster = running(5);
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto --rebalance=never");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome.stderr.ends_with(
            "the test has 15 of 60 users; locustctl does not redistribute the users because of --rebalance=never\n\
             To redistribute the users, run: locustctl rebalance --locust=auto deployment/locust-slave\n"
        ),
        "{outcome:?}"
    );
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["user_count"], 15);
    let line = "the test had 15 of 60 users; redistributed 60 users over 1 worker\n";
    rebalanced(&cluster, line);
    rebalanced(&cluster, "the test has all its 60 users\n");
}

#[test]
fn an_affected_release_is_scaled_down_pod_by_pod() {
    let options = Options { locust_release: "2.46.4".parse().unwrap(), ..Options::default() };
    let cluster = TestCluster::with(options);
    run(&cluster, "scale --replicas=4 --wait --locust=auto");
    start_test(&cluster);
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto");
    let line = "deployment.apps/locust-slave scaled from 4 to 1 in 3 steps\n";
    outcome.exits(0, line);
    for line in [
        "Note: the master of Locust 2.46.4 can stop working when several workers leave a running test at once. locustctl removes one pod after another: 3 steps, about 6 s",
        "deployment.apps/locust-slave: step 2 of 3 is done, 2 replicas\n",
        "redistributed 60 users over 1 worker\n",
    ] {
        assert!(outcome.stderr.contains(line), "{line} is not in {}", outcome.stderr);
    }
}

#[test]
fn removing_all_workers_in_steps_ends_the_test_and_its_requests() {
    let options = Options { locust_release: "2.46.4".parse().unwrap(), ..Options::default() };
    let cluster = TestCluster::with(options);
    run(&cluster, "scale --replicas=2 --wait --locust=auto");
    start_test(&cluster);
    let outcome = run(&cluster, "scale --replicas=0 --locust=auto");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 2 to 0 in 2 steps\n");
    for line in
        ["The last step ends the test. --at-once", "step 1 of 2 is done, 1 replica\n", "stopped"]
    {
        assert!(outcome.stderr.contains(line), "{line} is not in {}", outcome.stderr);
    }
    let status = run(&cluster, "status");
    let state = "State:       stopped, 0 users, 0.0 requests/s, 0.0 % failures\n";
    assert!(status.stdout.contains(state), "{status:?}");
}

#[test]
fn the_at_once_flag_breaks_an_old_master_and_scale_reports_it() {
    let options = Options { locust_release: "2.46.4".parse().unwrap(), ..Options::default() };
    let cluster = TestCluster::with(options);
    run(&cluster, "scale --replicas=4 --wait --locust=auto");
    start_test(&cluster);
    let outcome = run(&cluster, "scale --replicas=1 --locust=auto --at-once");
    let line = "deployment.apps/locust-slave scaled from 4 to 1\n";
    outcome.exits(1, line);
    assert!(outcome.stderr.contains("restart the master's pod"), "{outcome:?}");
}

#[test]
fn without_a_test_nothing_is_started() {
    let cluster = TestCluster::start();
    let outcome = run(&cluster, "scale --replicas=3 --wait --locust=auto");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.ends_with("3 workers are connected to Locust\n"), "{outcome:?}");
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["state"], "ready");
    rebalanced(&cluster, "no test is running (Locust's state is ready)\n");
    let posted = cluster.request_lines().into_iter().filter(|line| line.starts_with("POST"));
    assert_eq!(posted.count(), 0);
}

#[test]
fn scaling_to_zero_ends_the_test_with_a_warning() {
    let cluster = running(2);
    let outcome = run(&cluster, "scale --replicas=0 --locust=auto");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("Warning: a test is running with 60 users: without workers it ends\n"),
        "{outcome:?}"
    );
    assert!(
        outcome.stderr.ends_with("no test is running (Locust's state is stopped)\n"),
        "{outcome:?}"
    );
    let outcome = run(&running(2), "scale --replicas=0 --locust=auto --yes");
    assert!(!outcome.stderr.contains("Warning"), "who says --yes knows: {outcome:?}");
}

/// The command on a terminal. This text is typed at the question.
fn typed(cluster: &TestCluster, line: &str, answer: &str) -> String {
    let mut terminal = Terminal::start(cluster, line);
    terminal.wait_for("Continue? [y/N]");
    terminal.press(answer);
    terminal.end().1
}

#[test]
fn on_a_terminal_a_scale_during_a_test_asks_first() {
    let cluster = running(3);
    for answer in ["n\n", "\n", "what?\n"] {
        let terminal = typed(&cluster, "scale --replicas=1 --locust=auto", answer);
        assert!(terminal.contains("Continue? [y/N]"), "{terminal}");
        assert!(
            terminal.ends_with("error: nothing was changed, since the answer was not yes; --yes skips the question\n"),
            "{terminal}"
        );
        assert_eq!(cluster.workers(), 3);
    }
    let several = "scale --replicas=0 deployment/locust-slave statefulset/nosuch --locust=auto";
    let terminal = typed(&cluster, several, "n\n");
    assert!(terminal.contains("without workers it ends"), "{terminal}");
    assert_eq!(cluster.workers(), 3);
    let terminal = typed(&cluster, "scale --replicas=1 --locust=auto", "y\n");
    assert!(
        terminal.contains("scaled from 3 to 1") && terminal.contains("redistributed 60 users"),
        "{terminal}"
    );
}

#[test]
fn without_the_flag_locust_gets_no_request() {
    let cluster = running(3);
    cluster.handle().clear_requests();
    run(&cluster, "scale --replicas=1 --wait");
    let lines = cluster.request_lines();
    assert!(!lines.iter().any(|line| line.contains("proxy")), "{lines:?}");
    let call = locustctl("scale --replicas=2").env("LOCUSTCTL_LOCUST", "auto");
    let outcome = call.kubeconfig(cluster.kubeconfig()).run();
    assert!(outcome.stderr.contains("redistributed 60 users over 2 workers"), "{outcome:?}");
    cluster.handle().clear_requests();
    run(&cluster, "scale --replicas=1 --locust=auto --dry-run=server");
    assert!(
        !cluster.request_lines().iter().any(|line| line.contains("proxy")),
        "a dry run changes nothing"
    );
}

#[test]
fn if_locust_fails_the_scale_is_made_and_the_error_is_reported() {
    let cluster = running(3);
    let down =
        Action::Answer { status: 500, headers: Vec::new(), body: b"<html>down</html>".to_vec() };
    cluster.handle().inject(Fault::once(down).at("proxy").times(Fault::ALWAYS));
    let outcome = run(&cluster, "scale --replicas=1 --locust=service/locust-master");
    outcome.exits(1, "deployment.apps/locust-slave scaled from 3 to 1\n");
    let expected = "error: locustctl did not check the running test: Locust could not be reached: \
                    / answered 500";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn invalid_locust_addresses_are_refused() {
    let cluster = TestCluster::start();
    cluster.handle().clear_requests();
    for (line, expected) in [
        ("scale --replicas=2 --locust=locust", "error: --locust: \"locust\" is not an address"),
        ("scale --replicas=2 --locust=http://me:pw@x/", "is not an address of Locust's master"),
        (
            "rebalance --locust=auto --locust-cookie-file=/x",
            "error: --locust-cookie-file needs --locust=URL",
        ),
        (
            "rebalance --locust=http://x --locust-auth-file=/missing",
            "error: reading --locust-auth-file=/missing: ",
        ),
        (
            "rebalance --locust=none",
            "error: rebalance needs Locust, so it cannot be used with --locust=none\n",
        ),
        (
            "scale --replicas=2 --at-once",
            "error: --at-once needs --locust: without it, scale does not look at the running test\n",
        ),
        ("scale --replicas=2 --rebalance=ramp", "error: --rebalance needs --locust: "),
        (
            "scale --replicas=2 --rebalance=never --dry-run=client",
            "error: --rebalance needs --locust: ",
        ),
    ] {
        let outcome = run(&cluster, line);
        assert_eq!((outcome.code, &*outcome.stdout), (Some(1), ""), "{line}");
        assert!(outcome.stderr.contains(expected), "{line}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("pw@"), "{}", outcome.stderr);
    }
    assert_eq!(cluster.request_lines(), [""; 0]);
    let outcome = run(&cluster, "rebalance --locust=service/nothing");
    assert!(outcome.stderr.contains("services \"nothing\" not found"), "{outcome:?}");
    let outcome = run(&cluster, "rebalance -n kube-system");
    assert!(outcome.stderr.contains("deployments.apps \"locust-slave\" not found"), "{outcome:?}");
}

#[test]
fn a_wrong_address_in_the_variable_is_reported_with_its_name() {
    let cluster = TestCluster::start();
    cluster.handle().clear_requests();
    for (line, value, expected) in [
        ("scale --replicas=2", "locust", "error: $LOCUSTCTL_LOCUST: \"locust\" is not an address"),
        ("scale --replicas=2 --locust=web", "locust", "error: --locust: \"web\" is not an address"),
        (
            "rebalance",
            "none",
            "error: rebalance needs Locust, so it cannot be used with $LOCUSTCTL_LOCUST=none\n",
        ),
        (
            "run -u 5 -t 1m",
            "none",
            "error: a test needs Locust, so it cannot be used with $LOCUSTCTL_LOCUST=none\n",
        ),
        (
            "status -A",
            "http://localhost:8089",
            "every master itself: leave out $LOCUSTCTL_LOCUST, or use --locust=none\n",
        ),
    ] {
        let call = locustctl(line).kubeconfig(cluster.kubeconfig());
        let outcome = call.env("LOCUSTCTL_LOCUST", value).run();
        assert_eq!((outcome.code, &*outcome.stdout), (Some(1), ""), "{line}");
        assert!(outcome.stderr.contains(expected), "{line}: {}", outcome.stderr);
    }
    assert_eq!(cluster.request_lines(), [""; 0]);
}

#[test]
fn the_variable_satisfies_the_flags_that_need_locust() {
    let cluster = running(3);
    let call = locustctl("scale --replicas=1 --at-once").kubeconfig(cluster.kubeconfig());
    let outcome = call.env("LOCUSTCTL_LOCUST", "auto").run();
    outcome.exits(0, "deployment.apps/locust-slave scaled from 3 to 1\n");
    assert!(outcome.stderr.contains("redistributed 60 users over 1 worker\n"), "{outcome:?}");
}

#[test]
fn beyond_the_rights_of_wait_only_the_service_proxy_is_needed() {
    let cluster = running(4);
    let rules = vec![
        Rule::new(&["get", "patch"], &["apps"], &["deployments/scale"], &["locust-slave"]),
        Rule::new(&["get", "watch"], &["apps"], &["deployments"], &["locust-slave"]),
        Rule::new(&["list"], &[""], &["pods"], &[]),
        Rule::new(&["get", "create"], &[""], &["services/proxy"], &["locust-master:8089"]),
    ];
    cluster.handle().add_account("tester-token-of-the-test", "tester", Rights::Rules(rules));
    let kubeconfig = kubeconfig_of(&cluster, "tester-token-of-the-test");
    let outcome = locustctl("scale --replicas=2 --locust=auto").kubeconfig(kubeconfig).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("over 2 workers"), "{outcome:?}");
}

#[test]
fn workers_that_do_not_connect_in_time_are_reported_by_name() {
    let cluster = TestCluster::with(Options {
        pod_ready_after: Duration::from_millis(50),
        ..Options::default()
    });
    let stale = json!({"state": "ready", "user_count": 0, "workers": []}).to_string();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Action::Answer { status: 200, headers, body: stale.into_bytes() };
    cluster.handle().inject(Fault::once(answer).at("stats/requests").times(Fault::ALWAYS));
    let outcome = run(&cluster, "scale --replicas=2 --wait --timeout=6s --locust=auto");
    outcome.exits(1, "deployment.apps/locust-slave scaled from 1 to 2\n");
    assert!(
        outcome.stderr.contains(
            "error: the connected workers differ from the ready pods after the time limit: 2 workers are connected to Locust; ready, but not connected: locust-slave-"
        ),
        "{outcome:?}"
    );
    assert_eq!(cluster.handle().replicas(WORKERS), Some(2));
}

#[test]
fn locust_is_found_by_the_name_of_one_of_several_targets() {
    let cluster = running(3);
    let outcome = run(
        &cluster,
        "scale --replicas=1 deployment/locust-master deployment/locust-slave --locust=auto",
    );
    assert!(outcome.stderr.contains("2 workers will leave"), "{outcome:?}");
    assert!(outcome.stderr.contains("redistributed 60 users over 1 worker"), "{outcome:?}");
}

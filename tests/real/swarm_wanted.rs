//! The requested number of users of a running test, and the assignment of a Locust to a Deployment.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::locustctl;
use support::running::Running;
use support::serving::Serving;
use support::swarm::ask;

use crate::locust_process::{
    LATEST, RELEASES, Scenario, assert_says, assert_silent, assert_tells, create_deployment,
    on_each, too_old_releases,
};

const UNKNOWN: &str = "locustctl cannot tell how many users the test should have";

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_master_and_the_test_may_have_different_numbers_of_users() {
    on_each(&["2.46.4", "2.32.2", "2.25.0"], |release| {
        let scenario = Scenario::with(release, |it| it.master_flags(&["-u", "100", "-r", "10"]));
        scenario.scale_as_kubectl(3);
        scenario.start_test(20, 20, "");
        scenario.wait_for_first_report();
        let status = scenario.run("status");
        assert_eq!(status.code, Some(0), "{status:?}");
        assert_silent(&status, "100");
        for replicas in [4, 1] {
            let outcome = scenario.scaled(replicas);
            scenario.assert_posts_ask_for(20);
            scenario.assert_users_are_stable(20);
            assert_silent(&outcome, "of 100");
        }
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn serve_does_not_offer_the_masters_number_of_users() {
    let release = "2.32.2";
    let scenario = Scenario::with(release, |it| it.master_flags(&["-u", "100", "-r", "10"]));
    scenario.scale_as_kubectl(3);
    scenario.start_test(20, 20, "");
    scenario.wait_for_first_report();
    let locust = format!("--locust={}", scenario.url());
    let serving = Serving::start(&scenario.cluster, &[&locust]);
    let state = serving.wait_for_state(|state| state["locust"]["users"] == 20);
    assert_ne!(state["locust"]["usersWanted"], 100, "{state}");
    assert_eq!(state["locust"]["needsRebalance"], false, "{state}");
    serving.send(serving.request("POST", "/api/rebalance"));
    let scaled = serving.put("?wait=60s", r#"{"replicas": 1}"#).json();
    scenario.assert_posts_ask_for(20);
    scenario.assert_users_are_stable(20);
    assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
}

/// A test for 60 users on three workers, started by the locustfile.
fn started_by_code(flags: &[&str]) -> Scenario {
    let scenario = Scenario::with(LATEST, |it| it.locustfile("by_code.py").master_flags(flags));
    scenario.scale_as_kubectl(3);
    scenario.locust.get("/begin");
    scenario.wait_until_running(60);
    scenario.wait_for_first_report();
    scenario
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_with_more_users_than_requested_is_not_changed() {
    let scenario = started_by_code(&["-u", "20"]);
    let status = scenario.run("status");
    assert_eq!(status.code, Some(0), "{status:?}");
    let rebalance = scenario.run("rebalance");
    assert_silent(&rebalance, "redistributed 60");
    scenario.scale(2);
    scenario.assert_nothing_posted();
    scenario.assert_users_are_stable(60);
    // Locust balances only the first change. The users of this worker are lost.
    let outcome = scenario.scale(1);
    scenario.assert_nothing_posted();
    assert_silent(&outcome, "has all its");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_without_a_requested_number_keeps_its_users() {
    let scenario = started_by_code(&[]);
    let outcome = scenario.scale(1);
    scenario.assert_posts_ask_for(60);
    if scenario.posts().is_empty() {
        // Locust reports no spawn rate for this test.
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert_says(&outcome, "of 60 users");
    } else {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        scenario.assert_users_are_stable(60);
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_that_has_just_started_is_recognised() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::new(release);
        scenario.scale_as_kubectl(3);
        // Locust caches this for two seconds.
        assert_eq!(scenario.locust.get("/stats/requests")["state"], "ready");
        scenario.start_test(60, 60, "");
        for replicas in [2, 1] {
            let outcome = scenario.scaled(replicas);
            scenario.assert_users_are_stable(60);
            assert_says(&outcome, "60 users");
        }
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn serve_recognises_a_test_that_has_just_started() {
    let scenario = Scenario::new(LATEST);
    scenario.scale_as_kubectl(3);
    let locust = format!("--locust={}", scenario.url());
    let serving = Serving::start(&scenario.cluster, &[&locust]);
    serving.wait_for_state(|state| state["locust"]["workers"] == 3);
    scenario.locust.get("/stats/requests");
    scenario.start_test(60, 60, "");
    for replicas in [2, 1] {
        let body = format!(r#"{{"replicas": {replicas}}}"#);
        let scaled = serving.put("?wait=60s", &body).json();
        scenario.assert_users_are_stable(60);
        assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_users_lost_by_another_clients_change_are_unknown() {
    let scenario = Scenario::new("2.32.2").with_60_users(3);
    scenario.scale_as_kubectl(2);
    sleep(Duration::from_secs(3));
    scenario.scale_as_kubectl(1);
    scenario.locust.wait_for_values(|values| values["user_count"] == 30);
    sleep(Duration::from_secs(3));
    let rebalance = scenario.run("rebalance");
    scenario.assert_nothing_posted();
    assert_tells(&rebalance, UNKNOWN);
    assert_tells(&scenario.run("status"), UNKNOWN);
    let outcome = scenario.scale(2);
    scenario.assert_nothing_posted();
    assert_says(&outcome, UNKNOWN);
    assert_eq!(scenario.locust.values()["user_count"], 30);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn users_that_have_finished_are_not_started_again() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::with(release, |it| it.locustfile("stop_user.py"));
        scenario.scale_as_kubectl(3);
        scenario.start_test(60, 60, "");
        // Locust balances the first change itself, and would start users for it.
        scenario.scale_as_kubectl(2);
        scenario.locust.wait_for_values(|values| values["user_count"] == 0);
        sleep(Duration::from_secs(3));
        let served = scenario.locust.served();
        let status = scenario.run("status");
        assert_silent(&status, "locustctl rebalance");
        for line in ["scale --replicas=1", "scale --replicas=3 --timeout=60s", "rebalance"] {
            let outcome = scenario.run(line);
            scenario.assert_nothing_posted();
            assert_silent(&outcome, "redistributed 60");
        }
        sleep(Duration::from_secs(3));
        assert_eq!(scenario.locust.served(), served, "{release}: no order is placed twice");
    });
}

/// A test for 60 users on four workers. Five users of each worker finish some seconds after the start.
fn some_finish() -> Scenario {
    let scenario = Scenario::with(LATEST, |it| it.locustfile("some_finish.py"));
    scenario.scale_as_kubectl(4);
    scenario.start_test(60, 60, "");
    scenario
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn users_that_finished_before_workers_left_are_not_started_again_automatically() {
    let is_shown = (0..4).any(|_| {
        let scenario = some_finish();
        let locust = format!("--locust={}", scenario.url());
        let line = format!("rebalance --watch deployment/locust-slave {locust}");
        let watch = Running::start(&scenario.cluster, &line);
        let serving = Serving::start(&scenario.cluster, &[&locust, "--rebalance=always"]);
        watch.wait_for("the test has all its 60 users");
        watch.wait_for("more users are missing than the lost workers had");
        serving.wait_for_state(|state| state["locust"]["users"] == 40);
        // Each of them must see for some seconds that the users do not come back.
        sleep(Duration::from_secs(13));
        // Locust itself starts 60 users when the first worker has left, but not when the second one has.
        scenario.scale_as_kubectl(2);
        let log = scenario.locust.log();
        let last_quit = log.iter().rposition(|line| line.contains(") quit. ")).unwrap();
        let before_last_quit = &log[..last_quit];
        let has_all = |line: &&String| line.contains("(60 total users)");
        if before_last_quit.iter().filter(has_all).count() > 1 {
            // On a busy machine, the second worker can leave so late that the test has all its users again.
            return false;
        }
        scenario.wait_until_running(40);
        let is_seen =
            |state: &Value| state["locust"]["workers"] == 2 && state["locust"]["users"] == 40;
        serving.wait_for_state(is_seen);
        sleep(Duration::from_secs(6));
        scenario.assert_nothing_posted();
        true
    });
    assert!(is_shown);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn users_that_finished_before_a_change_by_serve_are_not_started_again() {
    let scenario = some_finish();
    let serving = Serving::start(&scenario.cluster, &[&format!("--locust={}", scenario.url())]);
    serving.wait_for_state(|state| state["locust"]["users"] == 60);
    scenario.wait_until_running(40);
    let scaled = serving.put("?wait=60s", r#"{"replicas": 2}"#).json();
    scenario.assert_nothing_posted();
    assert_eq!(scaled["users"]["stage"], "wrong", "{scaled}");
    assert_eq!(scenario.locust.values()["user_count"], 40, "{scaled}");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_with_fixed_counts_only_is_healthy() {
    on_each(&[LATEST], |release| {
        let scenario = Scenario::with(release, |it| it.locustfile("fixed_only.py"));
        scenario.scale_as_kubectl(2);
        let answer = scenario.locust.post("/swarm", "user_count=60&spawn_rate=60");
        assert_eq!(answer["success"], true, "{answer}");
        scenario.wait_until_running(6);
        scenario.wait_for_first_report();
        let scale = "scale --replicas=3 --timeout=60s";
        for line in ["status", "rebalance", scale, "status", "rebalance"] {
            let outcome = scenario.run(line);
            assert_eq!(outcome.code, Some(0), "{release}, {line}: {outcome:?}");
            assert_silent(&outcome, "of 60");
            assert_silent(&outcome, "Warning");
        }
        scenario.assert_users_are_stable(6);
        assert_eq!(scenario.locust.users_by_worker().len(), 3);
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_with_some_fixed_counts_gets_all_its_users_back() {
    on_each(&[LATEST], |release| {
        let scenario = Scenario::with(release, |it| it.locustfile("fixed_mixed.py"));
        let scenario = scenario.with_60_users(3);
        for replicas in [1, 4] {
            scenario.scaled(replicas);
            scenario.assert_posts_ask_for(60);
            scenario.assert_users_are_stable(60);
        }
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_locust_with_other_workers_is_not_changed() {
    let scenario = Scenario::new(LATEST).with_60_users(3);
    create_deployment(&scenario.cluster, "shop-worker");
    // The test of the other workers has lost users.
    scenario.scale_as_kubectl(1);
    scenario.locust.wait_for_values(|values| values["user_count"].as_i64() < Some(60));
    for line in ["scale --replicas=3 --timeout=5s", "rebalance", "status"] {
        let outcome = scenario.run_on("deployment/shop-worker", line);
        scenario.assert_nothing_posted();
        assert_tells(&outcome, &format!("{}/", scenario.url()));
        assert_silent(&outcome, "redistributed 60");
    }
}

#[test]
fn a_master_of_other_workers_in_the_namespace_is_not_changed() {
    let cluster = TestCluster::start();
    // The master of the shop's workers is not there. Its Service keeps them from joining the other one.
    cluster.handle().put_object(
        "/api/v1/namespaces/default/services/shop-worker-master",
        json!({"metadata": {"name": "shop-worker-master"}, "spec": {
            "selector": {"app": "shop-master"}, "ports": [{"port": 5557}, {"port": 8089}]}}),
    );
    create_deployment(&cluster, "shop-worker");
    let scale_as_kubectl = |replicas: i64| {
        cluster.handle().set_replicas(WORKERS, replicas);
        cluster.wait_for(WORKERS, |object| object["status"]["availableReplicas"] == replicas);
    };
    scale_as_kubectl(3);
    ask(&cluster, "POST", "swarm", "user_count=60&spawn_rate=60");
    scale_as_kubectl(2);
    scale_as_kubectl(1);
    let users = ask(&cluster, "GET", "stats/requests", "")["user_count"].clone();
    assert!(users.as_i64() < Some(60), "their test has lost users: {users}");
    cluster.handle().clear_requests();
    for line in ["scale --replicas=3 --timeout=5s", "scale --replicas=2 --timeout=5s", "rebalance"]
    {
        let line = format!("{line} deployment/shop-worker --locust=auto");
        locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
    }
    let lines = cluster.request_lines();
    let posts: Vec<_> = lines.iter().filter(|line| line.starts_with("POST ")).collect();
    assert!(posts.is_empty(), "{posts:?}");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn each_command_names_its_locust() {
    let scenario = Scenario::new(LATEST).with_60_users(2);
    let name = format!("Locust at {}/", scenario.url());
    let wait = "scale --replicas=2 --wait --timeout=60s";
    for line in ["scale --replicas=1", wait, "rebalance"] {
        assert_says(&scenario.run(line), &name);
    }
    assert_tells(&scenario.run("status"), &format!("{}/", scenario.url()));
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_release_that_is_too_old_is_not_judged() {
    for release in too_old_releases() {
        let scenario = Scenario::new(release);
        scenario.cluster.handle().set_replicas(WORKERS, 3);
        let workers = |stats: &Value| stats["workers"].as_array().map_or(0, Vec::len);
        scenario.locust.wait_for(|stats| workers(stats) == 3);
        scenario.locust.post("/swarm", "user_count=60&spawn_rate=60");
        scenario.locust.wait_for(|stats| stats["state"] == "running" && stats["user_count"] == 60);
        for line in ["scale --replicas=2 --timeout=20s", "rebalance", "status"] {
            let outcome = scenario.run(line);
            scenario.assert_nothing_posted();
            assert_tells(&outcome, "Locust 2.25 or newer");
            assert_silent(&outcome, "has all its");
        }
        assert_eq!(scenario.replicas(), 2, "{release}");
    }
}

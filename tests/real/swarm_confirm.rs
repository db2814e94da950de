//! The statements of locustctl about a running test are true, and stay true.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use support::cluster::WORKERS;
use support::serving::Serving;

use crate::locust_process::{
    HostName, LATEST, Monitor, PATIENCE, RELEASES, Scenario, assert_says, assert_silent,
    assert_tells, eventually, on_each, releases,
};

/// The API server truncates the names of the pods, because this has at least 47 characters.
const LONG_NAME: &str = "load-test-of-the-web-shop-in-northern-europe-worker";

const LATE: Duration = Duration::from_secs(4);

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_load_test_shape_lacks_users_until_its_next_step() {
    on_each(&[LATEST], |release| {
        let scenario = Scenario::with(release, |it| it.locustfile("shape.py"));
        scenario.scale_as_kubectl(5);
        scenario.locust.post("/swarm", "");
        scenario.wait_until_running(60);
        scenario.wait_for_first_report();
        let locust = format!("--locust={}", scenario.url());
        let serving = Serving::start(&scenario.cluster, &[&locust]);
        serving.wait_for_state(|state| state["locust"]["users"] == 60);

        let outcome = scenario.scaled(1);
        scenario.assert_nothing_posted();
        let users = scenario.locust.values()["user_count"].as_i64().unwrap();
        assert!(users < 60, "{release}: Locust has lost no users");
        let text = format!("{users} of 60 users until the next step of its LoadTestShape");
        assert_says(&outcome, &text);
        assert_tells(&scenario.run("status"), "LoadTestShape");
        let state = serving.wait_for_state(|state| state["locust"]["users"] == users);
        assert!(state["locust"]["notes"].to_string().contains("LoadTestShape"), "{state}");
        assert_eq!(state["locust"]["needsRebalance"], false, "{state}");
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_new_worker_that_hangs_is_an_error() {
    // The worker hangs before or after it has reported its users.
    for after in [Duration::ZERO, Duration::from_millis(300)] {
        // On a busy machine, the master may notice the hanging worker only after locustctl has checked the users.
        let is_noticed = (0..4).any(|_| {
            let scenario = Scenario::with(LATEST, |it| it.usual_heartbeats());
            if !scenario.starts_60_users(1) {
                return false;
            }
            let _hanging = scenario.locust.next_worker_hangs(after);
            let outcome = scenario.run("scale --replicas=2 --timeout=30s");
            // Its users are given to the other worker, or they are missing.
            let mut is_explained = vec!["of 60 users", "not connected", "missing"];
            // On a busy machine, the other worker can miss its heartbeats, too.
            if scenario.locust.log().iter().any(|line| line.contains("The last worker")) {
                is_explained.push("lost all its workers");
            }
            let is_explained = is_explained.iter().any(|text| outcome.stderr.contains(text));
            if outcome.code == Some(1) && is_explained {
                return true;
            }
            assert_eq!(outcome.code, Some(0), "the error has no explanation: {outcome:?}");
            false
        });
        assert!(is_noticed, "{after:?}");
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_rebalance_does_not_count_the_users_of_a_worker_that_has_just_crashed() {
    on_each(&["2.47.0", "2.32.2"], |release| {
        // On a busy machine, the master may notice the crash only after locustctl has checked the users.
        let is_noticed = (0..4).any(|_| {
            let scenario = Scenario::with(release, |it| it.usual_heartbeats());
            if !scenario.starts_60_users(3) {
                return false;
            }
            scenario.locust.crash_a_worker();
            let outcome = scenario.run("rebalance");
            if outcome.code != Some(0) {
                // The page of older releases does not show how many users were requested.
                assert_ne!(release, "2.47.0", "{outcome:?}");
                assert_says(&outcome, "locustctl cannot tell how many users the test should have");
                return true;
            }
            let is_noticed =
                outcome.stderr.contains("Waiting: ") || outcome.stdout.contains("redistributed");
            if is_noticed {
                scenario.assert_users_are_stable(60);
            }
            is_noticed
        });
        assert!(is_noticed, "{release}");
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_new_worker_that_hangs_after_a_rebalance_is_an_error() {
    // On a busy machine, the other worker can miss its heartbeats, too.
    assert!((0..4).any(|_| a_new_worker_hangs_after_a_rebalance()));
}

/// False if the master misses another worker than the one that hangs.
fn a_new_worker_hangs_after_a_rebalance() -> bool {
    let scenario = Scenario::with(LATEST, |it| it.usual_heartbeats());
    if !scenario.starts_60_users(1) {
        return false;
    }
    let missing = || {
        let log = scenario.locust.log();
        log.iter().filter(|line| line.contains("failed to send heartbeat")).count()
    };
    for replicas in [2, 1] {
        let outcome = scenario.scale(replicas);
        if missing() > 0 {
            return false;
        }
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    let hanging = scenario.locust.next_worker_hangs(Duration::ZERO);
    let scale = scenario.run("scale --replicas=2 --timeout=30s");
    // When the worker continues, the test can be repaired.
    drop(hanging);
    let both = |values: &Value| values["worker_count"] == 2;
    scenario.locust.wait_for_values(|values| both(values) || missing() > 1);
    let rebalance = scenario.run("rebalance");
    if missing() > 1 {
        return false;
    }
    assert_eq!(scale.code, Some(1), "{scale:?}");
    assert_says(&scale, "of 60 users");
    assert_eq!(rebalance.code, Some(0), "{rebalance:?}");
    scenario.assert_users_are_stable(60);
    true
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn workers_that_start_late_are_waited_for() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::with(release, |it| it.workers_start_after(LATE));
        let scenario = scenario.with_60_users(1);
        scenario.scaled(4);
        assert_eq!(scenario.locust.values()["worker_count"], 4);
        scenario.assert_users_are_stable(60);
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn workers_that_end_late_are_waited_for() {
    for name in ["locust-slave", LONG_NAME] {
        for release in releases(&[LATEST]) {
            let scenario = Scenario::of(name, release, |it| it.workers_end_after(LATE));
            let scenario = scenario.with_60_users(4);
            let outcome = scenario.scaled(1);
            assert_eq!(scenario.locust.values()["worker_count"], 1, "{name}: {outcome:?}");
            scenario.assert_users_are_stable(60);
            sleep(LATE);
            scenario.assert_users_are_stable(60);
        }
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn pods_with_truncated_names_are_recognised() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::of(LONG_NAME, release, |it| it).with_60_users(3);
        for replicas in [1, 3] {
            let outcome = scenario.scaled(replicas);
            assert_silent(&outcome, "but not connected");
            scenario.assert_users_are_stable(60);
        }
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_that_resets_its_statistics_is_reported() {
    on_each(&[LATEST], |release| {
        let scenario = Scenario::with(release, |it| it.master_flags(&["--reset-stats"]));
        let scenario = scenario.with_60_users(4);
        let outcome = scenario.scaled(1);
        assert!(!scenario.posts().is_empty(), "{release}");
        scenario.assert_users_are_stable(60);
        assert_says(&outcome, "resets its statistics");
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn pods_may_have_different_numbers_of_workers() {
    on_each(&RELEASES, |release| {
        let two = ["--processes", "2"];
        let scenario = Scenario::with(release, |it| it.first_worker_flags(&two));
        scenario.scale_as_kubectl_to(3, 4);
        scenario.start_test(60, 60, "");
        scenario.wait_for_first_report();
        let status = scenario.run("status");
        assert_eq!(
            (status.code, status.stderr.contains("Warning")),
            (Some(0), false),
            "{status:?}"
        );
        // The oldest pod has two workers. It is removed last.
        for (replicas, workers) in [(4, 5), (1, 2)] {
            let outcome = scenario.scaled(replicas);
            assert_eq!(scenario.locust.values()["worker_count"], workers, "{outcome:?}");
            scenario.assert_users_are_stable(60);
        }
    });
}

/// One worker in a pod with `hostNetwork: true`. The sandbox's node has the name `sandbox`.
fn on_the_nodes_network(release: &str) -> Scenario {
    let node = HostName::Node("sandbox".to_owned());
    // The workers end late. The number of pods tells how many of them will be left.
    let late = Duration::from_secs(1);
    let scenario = Scenario::with(release, |it| it.host_name(node).workers_end_after(late));
    scenario.locust.wait_for_values(|values| values["worker_count"] == 1);
    let mut object = scenario.cluster.handle().object(WORKERS).unwrap();
    object["spec"]["template"]["spec"]["hostNetwork"] = true.into();
    scenario.cluster.handle().put_object(WORKERS, object);
    let is_rolled_out = |object: &Value| {
        let status = &object["status"];
        status["updatedReplicas"] == 1
            && status["replicas"] == 1
            && status["availableReplicas"] == 1
    };
    scenario.cluster.wait_for(WORKERS, is_rolled_out);
    let lines =
        |text: &str| scenario.locust.log().iter().filter(|line| line.contains(text)).count();
    let is_replaced = || lines(") reported as ready. ") == 2 && lines(") quit. ") == 1;
    eventually(PATIENCE, is_replaced, || scenario.locust.log().join("\n"));
    scenario
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn workers_on_the_nodes_network_are_counted() {
    on_each(&RELEASES, |release| {
        let scenario = on_the_nodes_network(release);
        let outcome = scenario.run("scale --replicas=3 --wait --timeout=60s");
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_silent(&outcome, "not connected");
        assert_eq!(scenario.locust.values()["worker_count"], 3);
        let scenario = scenario.with_60_users(3);
        for replicas in [1, 3] {
            let outcome = scenario.scaled(replicas);
            scenario.assert_users_are_stable(60);
            assert_silent(&outcome, "but not connected");
        }
        let status = scenario.run("status");
        assert_eq!(status.code, Some(0), "{status:?}");
        assert_silent(&status, "not connected");
    });
}

/// This many users, and a spawn rate that was lowered after they had started.
#[track_caller]
fn with_slow_rate(users: i64, rate: i64) -> Scenario {
    let scenario = Scenario::with(LATEST, |it| it.locustfile("on_start.py"));
    scenario.scale_as_kubectl(5);
    scenario.start_test(users, users, "");
    scenario.wait_for_first_report();
    scenario.start_test(users, rate, "");
    sleep(Duration::from_secs(2));
    scenario
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_simultaneous_start_of_all_users_is_announced() {
    let scenario = with_slow_rate(80, 1);
    let outcome = scenario.scaled(1);
    scenario.assert_users_are_stable(80);
    assert_says(&outcome, "--rebalance=ramp");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_ramp_restores_the_users_at_the_spawn_rate() {
    let scenario = with_slow_rate(40, 4);
    let monitor = Monitor::start(&scenario.locust);
    let outcome = scenario.run("scale --replicas=1 --rebalance=ramp --timeout=60s");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    scenario.assert_users_are_stable(40);
    let asked: Vec<_> = scenario.posts().iter().map(crate::locust_process::Post::users).collect();
    assert_eq!(asked.last(), Some(&40), "{asked:?}");
    // At least 24 users are lost. At 4/s their start takes six seconds. Without a ramp, all would start at once.
    let took = time_of_the_last_start(&scenario);
    assert!(took >= Duration::from_secs(5), "{took:?}: {asked:?}");
    assert!(monitor.highest_users() <= 40);
}

/// The time from Locust's last start of users until it had started all of them, by the master's log. On a busy
/// machine the workers report their users later.
#[track_caller]
fn time_of_the_last_start(scenario: &Scenario) -> Duration {
    let log = scenario.locust.log();
    let start = log.iter().rposition(|line| line.contains("Sending spawn jobs")).unwrap();
    let ends = ["All users spawned", "Spawning is complete"];
    let end = log[start..].iter().find(|line| ends.iter().any(|end| line.contains(end))).unwrap();
    // [2026-11-27 09:18:35,525]
    let time = |line: &str| {
        let [hours, minutes, seconds]: [f64; 3] = line[12..24]
            .replace(',', ".")
            .split(':')
            .map(|part| part.parse().unwrap())
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        hours * 3600.0 + minutes * 60.0 + seconds
    };
    let seconds = time(end) - time(&log[start]);
    // The day may have ended meanwhile.
    Duration::from_secs_f64(seconds.rem_euclid(24.0 * 3600.0))
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn with_a_stop_timeout_success_is_reported_when_the_number_is_right() {
    let settings = ["--stop-timeout", "20"];
    let scenario = Scenario::with(LATEST, |it| it.locustfile("slow.py").master_flags(&settings));
    scenario.scale_as_kubectl(4);
    scenario.start_test(60, 60, "");
    sleep(Duration::from_secs(10));
    for replicas in [1, 3] {
        let outcome = scenario.scaled(replicas);
        scenario.assert_users_are_stable(60);
        assert_says(&outcome, "60 users");
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_that_is_still_starting_is_not_changed() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::new(release);
        scenario.scale_as_kubectl(3);
        // The start takes 90 seconds, longer than the scale on a busy machine.
        let answer = scenario.locust.post("/swarm", "user_count=90&spawn_rate=1");
        assert_eq!(answer["success"], true, "{answer}");
        sleep(Duration::from_secs(4));
        let outcome = scenario.scaled(4);
        let values: Value = scenario.locust.values();
        assert_eq!(values["state"], "spawning", "{release}: it has not started all yet");
        assert_says(&outcome, "the test is still starting its users");
        scenario.assert_nothing_posted();
        scenario.wait_until_running(90);
        scenario.assert_users_are_stable(90);
    });
}

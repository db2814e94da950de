//! Workers that leave a running test, on releases whose master breaks when several workers leave at
//! once (locust#3515).

use std::time::Duration;

use support::cluster::WORKERS;
use support::serving::Serving;

use crate::locust_process::{LATEST, Monitor, Scenario, assert_says, assert_tells, on_each};

/// The last release before each change, of the releases whose master breaks.
const BREAK: [&str; 3] = ["2.46.4", "2.32.2", "2.25.0"];

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn on_an_affected_release_workers_leave_one_after_another() {
    for release in BREAK {
        let scenario = Scenario::new(release).with_60_users(4);
        let monitor = Monitor::start(&scenario.locust);
        let outcome = scenario.scaled(1);
        assert!(!scenario.locust.is_broken(), "{release}: {outcome:?}");
        scenario.assert_users_are_stable(60);
        assert_eq!((scenario.patches(), scenario.locust.users_by_worker().len()), (3, 1));
        assert!(monitor.decrease().is_none(), "{release}: {:?}", monitor.decrease());
        monitor.assert_state_throughout(&["running", "spawning"]);
        let line = "deployment.apps/locust-slave scaled from 4 to 1 in 3 steps\n";
        assert_eq!(outcome.stdout, line, "{release}: {outcome:?}");
        assert_says(&outcome, "3 steps");
        assert_says(&outcome, "redistributed 60 users over 1 worker");
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_latest_release_is_scaled_in_one_step() {
    let scenario = Scenario::new(LATEST).with_60_users(4);
    let outcome = scenario.scaled(1);
    scenario.assert_users_are_stable(60);
    assert_eq!(scenario.patches(), 1);
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 4 to 1\n");
    assert_says(&outcome, "redistributed 60 users over 1 worker");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn without_a_running_test_all_workers_leave_together() {
    let scenario = Scenario::new("2.32.2");
    scenario.scale_as_kubectl(4);
    let outcome = scenario.run("scale --replicas=1 --wait --timeout=60s");
    assert_eq!((outcome.code, scenario.patches()), (Some(0), 1), "{outcome:?}");
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 4 to 1\n");
    assert_eq!(scenario.locust.values()["worker_count"], 1);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_master_survives_the_last_of_its_workers() {
    on_each(&["2.32.2"], |release| {
        let scenario = Scenario::new(release).with_60_users(3);
        let outcome = scenario.scaled(0);
        assert_eq!(scenario.replicas(), 0, "{outcome:?}");
        scenario.assert_nothing_posted();
        assert!(!scenario.locust.is_broken(), "{release}: {outcome:?}");
        scenario.run("scale --replicas=2 --wait --timeout=60s");
        assert_eq!(scenario.locust.values()["worker_count"], 2, "{release}");
    });
}

/// The master breaks only if several workers leave within the same moment, so this is repeated until it does.
/// On a machine without other load it breaks in three of four cases.
#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_at_once_flag_removes_all_workers_and_a_broken_master_is_reported() {
    for _ in 0..15 {
        let scenario = Scenario::new("2.32.2").with_60_users(4);
        let outcome = scenario.run("scale --replicas=1 --at-once --timeout=20s");
        assert_eq!(scenario.patches(), 1, "{outcome:?}");
        assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 4 to 1\n");
        if !scenario.locust.is_broken() {
            assert_eq!(outcome.code, Some(0), "{outcome:?}");
            scenario.assert_users_are_stable(60);
            continue;
        }
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert_says(&outcome, "restart");
        assert_tells(&scenario.run("status"), "restart");
        return;
    }
    panic!("the master never broke");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_pod_with_several_workers_is_removed_with_a_warning() {
    let scenario = Scenario::with("2.32.2", |it| it.worker_flags(&["--processes", "2"]));
    scenario.scale_as_kubectl_to(2, 4);
    scenario.start_test(60, 60, "");
    scenario.wait_for_first_report();
    let outcome = scenario.scale(1);
    assert_says(&outcome, "Warning: each pod has several workers, and they leave at once");
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 2 to 1\n");
    match scenario.locust.is_broken() {
        true => {
            assert_eq!(outcome.code, Some(1), "{outcome:?}");
            assert_says(&outcome, "Locust's master no longer receives messages from its workers");
        }
        false => {
            assert_eq!(outcome.code, Some(0), "{outcome:?}");
            scenario.assert_users_are_stable(60);
        }
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn with_serve_workers_also_leave_one_after_another() {
    on_each(&["2.32.2"], |release| {
        let scenario = Scenario::new(release).with_60_users(4);
        let locust = format!("--locust={}", scenario.url());
        let serving = Serving::start(&scenario.cluster, &[&locust]);
        serving.wait_for_state(|state| state["locust"]["users"] == 60);
        let scaled = serving.put("?wait=60s", r#"{"replicas": 1}"#).json();
        assert!(!scenario.locust.is_broken(), "{release}: {scaled}");
        scenario.assert_users_are_stable(60);
        assert_eq!(scenario.patches(), if release == LATEST { 1 } else { 3 }, "{scaled}");
        assert_eq!((&scaled["old"], &scaled["new"]), (&4.into(), &1.into()), "{scaled}");
        assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn scale_stops_at_a_failed_step() {
    let late = Duration::from_secs(120);
    let scenario = Scenario::with("2.32.2", |locust| locust.workers_end_after(late));
    let scenario = scenario.with_60_users(4);
    let outcome = scenario.run("scale --replicas=1 --timeout=3s");
    assert_eq!((outcome.code, scenario.replicas()), (Some(1), 3), "{outcome:?}");
    assert!(outcome.stdout.contains("scaled from 4 to 3"), "{outcome:?}");
    assert!(!scenario.locust.is_broken());
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn conditions_apply_to_the_first_step() {
    let scenario = Scenario::new("2.32.2").with_60_users(4);
    let outcome = scenario.run("scale --replicas=2 --current-replicas=3 --timeout=60s");
    assert_eq!((outcome.code, scenario.replicas()), (Some(1), 4), "{outcome:?}");
    let outcome = scenario.run("scale --replicas=2 --resource-version=1 --timeout=60s");
    assert_eq!((outcome.code, scenario.replicas()), (Some(1), 4), "{outcome:?}");

    let outcome = scenario.run("scale --replicas=3 --current-replicas=4 --timeout=60s");
    assert_eq!((outcome.code, scenario.replicas()), (Some(0), 3), "{outcome:?}");
    let object = scenario.cluster.handle().object(WORKERS).unwrap();
    let version = object["metadata"]["resourceVersion"].as_str().unwrap();
    let line = format!("scale --replicas=1 --resource-version={version} --timeout=60s");
    let outcome = scenario.run(&line);
    assert_eq!((outcome.code, scenario.replicas()), (Some(0), 1), "{outcome:?}");
    assert!(!scenario.locust.is_broken());
    scenario.assert_users_are_stable(60);
}

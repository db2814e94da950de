//! Tests with a run time, and tests after one that had a run time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use support::serving::Serving;

use crate::locust_process::{LATEST, RELEASES, Scenario, assert_says, releases};

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_run_time_of_an_earlier_test_blocks_no_repair() {
    for release in releases(&RELEASES) {
        let scenario = Scenario::new(release);
        scenario.scale_as_kubectl(3);
        scenario.start_test(20, 20, "&run_time=5s");
        scenario.locust.wait_for_values(|values| values["state"] == "stopped");
        scenario.start_test(60, 60, "");
        // It runs for longer than five seconds: the run time is not its own.
        sleep(Duration::from_secs(8));
        let outcome = scenario.scaled(1);
        assert_says(&outcome, "redistributed 60 users over 1 worker");
        let limited = scenario.posts().into_iter().find(|post| post.field("run_time").is_some());
        assert!(limited.is_none(), "{release}: {limited:?}");
        sleep(Duration::from_secs(6));
        scenario.assert_users_stand(60);
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn no_rebalance_when_the_run_time_may_belong_to_an_earlier_test() {
    let scenario = Scenario::new(LATEST);
    scenario.scale_as_kubectl(3);
    scenario.start_test(20, 20, "&run_time=10m");
    scenario.locust.stop_test();
    scenario.locust.wait_for_values(|values| values["state"] == "stopped");
    let scenario = scenario.with_60_users(3);
    let outcome = scenario.scale(1);
    scenario.assert_nothing_posted();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_says(&outcome, "run time");
}

/// The test ends by itself, two seconds early or late at most.
#[track_caller]
fn assert_ends_after(scenario: &Scenario, start: Instant, wanted: f64) {
    scenario.locust.wait_for_values(|values| values["state"] == "stopped");
    let seconds = start.elapsed().as_secs_f64();
    let is_in_time = (seconds - wanted).abs() <= 2.0;
    assert!(is_in_time, "{seconds} s instead of {wanted} s: {:?}", scenario.posts());
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_with_a_run_time_is_repaired_and_ends_when_its_owner_asked() {
    for release in releases(&RELEASES) {
        let scenario = Scenario::new(release);
        scenario.scale_as_kubectl(3);
        let start = Instant::now();
        scenario.start_test(60, 60, "&run_time=40s");
        scenario.wait_for_first_report();
        let outcome = scenario.scaled(1);
        scenario.assert_users_stand(60);
        assert_says(&outcome, "redistributed 60 users over 1 worker");
        let posts = scenario.posts();
        let is_limited = posts.iter().all(|post| post.field("run_time").is_some());
        // Up to 2.46.6 the timer of the first start goes on.
        assert_eq!(is_limited, release == LATEST, "{release}: {posts:?}");
        assert_ends_after(&scenario, start, 40.0);
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn when_the_start_is_not_known_a_run_time_is_left_alone() {
    let scenario = Scenario::new(LATEST);
    scenario.scale_as_kubectl(3);
    let start = Instant::now();
    scenario.start_test(60, 60, "&run_time=40s");
    sleep(Duration::from_secs(6));
    // The statistics begin later than the test from here on.
    scenario.locust.reset_statistics();
    sleep(Duration::from_secs(3));
    let outcome = scenario.scale(1);
    scenario.assert_nothing_posted();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_says(&outcome, "run time");
    let outcome = scenario.run("rebalance");
    scenario.assert_nothing_posted();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_ends_after(&scenario, start, 40.0);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_start_by_way_of_serve_is_known_to_it() {
    let scenario = Scenario::new(LATEST);
    scenario.scale_as_kubectl(3);
    let locust = format!("--locust={}", scenario.url());
    let serving = Serving::start(&scenario.cluster, &["--locust-ui", &locust]);
    let form = "user_count=60&spawn_rate=60&run_time=40s";
    let request = serving.request("POST", "/swarm").body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let start = Instant::now();
    assert_eq!(serving.send(request).json()["success"], true);
    scenario.wait_until_running(60);
    sleep(Duration::from_secs(6));
    scenario.locust.reset_statistics();
    sleep(Duration::from_secs(3));
    let put = serving.request("PUT", "/-/locustctl/api/scale?wait=60s");
    let put = put.header("content-type", "application/json").body(r#"{"replicas": 1}"#);
    let scaled = serving.send(put).json();
    assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    scenario.assert_users_stand(60);
    assert_ends_after(&scenario, start, 40.0);
}

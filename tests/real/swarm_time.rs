//! Tests with a run time, and tests after one with a run time.

use std::ops::RangeInclusive;
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::serving::Serving;

use crate::locust_process::{LATEST, RELEASES, Scenario, assert_says, on_each};

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_run_time_of_an_earlier_test_does_not_prevent_a_rebalance() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::new(release);
        scenario.scale_as_kubectl(3);
        scenario.locust.post("/swarm", "user_count=20&spawn_rate=20&run_time=5s");
        scenario.locust.wait_for_values(|values| values["state"] == "stopped");
        scenario.start_test(60, 60, "");
        // The test runs longer than five seconds, so the run time belongs to the earlier test.
        sleep(Duration::from_secs(8));
        let outcome = scenario.scaled(1);
        assert_says(&outcome, "redistributed 60 users over 1 worker");
        let limited = scenario.posts().into_iter().find(|post| post.field("run_time").is_some());
        assert!(limited.is_none(), "{release}: {limited:?}");
        sleep(Duration::from_secs(6));
        scenario.assert_users_are_stable(60);
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn no_rebalance_if_the_run_time_may_belong_to_an_earlier_test() {
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

/// The run time of the tests that are started with `&run_time=60s`.
const RUN_TIME: Duration = Duration::from_secs(60);

/// The test ends after its run time. On a busy machine, Locust itself can be late.
#[track_caller]
fn assert_ends_after(scenario: &Scenario, start: &RangeInclusive<Instant>, run_time: Duration) {
    scenario
        .locust
        .wait_for_values(|values| values["state"] == "stopping" || values["state"] == "stopped");
    let after = start.start().elapsed();
    let is_in_time = (-2.0..=30.0).contains(&(after.as_secs_f64() - run_time.as_secs_f64()));
    assert!(is_in_time, "{after:?} instead of {run_time:?}: {:?}", scenario.posts());
    scenario.locust.wait_for_values(|values| values["state"] == "stopped");
}

/// Each run time that was sent ends the test at most 2 s before or after the end that its owner asked for. Locust has
/// started the test at some time in `start`.
#[track_caller]
fn assert_timers_end_after(
    scenario: &Scenario,
    start: &RangeInclusive<Instant>,
    run_time: Duration,
) {
    const TOLERANCE: Duration = Duration::from_secs(2);
    let wanted = *start.start() + run_time - TOLERANCE..=*start.end() + run_time + TOLERANCE;
    let posts = scenario.posts();
    for post in &posts {
        let Some(sent) = post.field("run_time") else { continue };
        let end = post.at + Duration::from_secs(sent.trim_end_matches('s').parse().unwrap());
        assert!(wanted.contains(&end), "{:?}: {posts:?}", end - *start.start());
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_with_a_run_time_is_rebalanced_and_ends_on_time() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::new(release);
        scenario.scale_as_kubectl(3);
        let start = scenario.start_test(60, 60, "&run_time=60s");
        scenario.wait_for_first_report();
        // If the rebalance sent the whole run time, the test would end at least eight seconds late.
        sleep(Duration::from_secs(6));
        let outcome = scenario.scaled(1);
        scenario.assert_users_are_stable(60);
        assert_says(&outcome, "redistributed 60 users over 1 worker");
        let posts = scenario.posts();
        let is_limited = posts.iter().all(|post| post.field("run_time").is_some());
        // Up to 2.46.7 the timer of the first start continues.
        assert_eq!(is_limited, release == LATEST, "{release}: {posts:?}");
        assert_timers_end_after(&scenario, &start, RUN_TIME);
        assert_ends_after(&scenario, &start, RUN_TIME);
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn if_the_start_is_unknown_a_test_with_a_run_time_is_not_changed() {
    let scenario = Scenario::new(LATEST);
    scenario.scale_as_kubectl(3);
    let start = scenario.start_test(60, 60, "&run_time=60s");
    sleep(Duration::from_secs(6));
    // From here on the statistics begin later than the test.
    scenario.locust.reset_statistics();
    sleep(Duration::from_secs(3));
    let outcome = scenario.scale(1);
    scenario.assert_nothing_posted();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_says(&outcome, "run time");
    let outcome = scenario.run("rebalance");
    scenario.assert_nothing_posted();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_ends_after(&scenario, &start, RUN_TIME);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn serve_knows_the_starts_that_pass_through_it() {
    let scenario = Scenario::new(LATEST);
    scenario.scale_as_kubectl(3);
    let locust = format!("--locust={}", scenario.url());
    let serving = Serving::start(&scenario.cluster, &["--locust-ui", &locust]);
    let form = "user_count=60&spawn_rate=60&run_time=60s";
    let request = serving.request("POST", "/swarm").body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let sent = Instant::now();
    assert_eq!(serving.send(request).json()["success"], true);
    let start = sent..=Instant::now();
    scenario.wait_until_running(60);
    sleep(Duration::from_secs(6));
    scenario.locust.reset_statistics();
    sleep(Duration::from_secs(3));
    let put = serving.request("PUT", "/-/locustctl/api/scale?wait=60s");
    let put = put.header("content-type", "application/json").body(r#"{"replicas": 1}"#);
    let scaled = serving.send(put).json();
    assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    scenario.assert_users_are_stable(60);
    assert_timers_end_after(&scenario, &start, RUN_TIME);
    assert_ends_after(&scenario, &start, RUN_TIME);
}

//! A running test is edited, or loses a worker, while its workers are scaled.

use std::time::Duration;

use support::running::Running;

use crate::locust_process::{Scenario, assert_says, eventually, releases};

/// Time limit for a worker that starts again.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn an_edit_during_a_scale_has_the_last_word() {
    for release in releases(&["2.32.2"]) {
        let scenario = Scenario::new(release).with_60_users(3);
        let line = format!("scale --replicas=1 --timeout=60s --locust={}", scenario.url());
        let mut scale = Running::start(&scenario.cluster, &line);
        scale.wait_for("1 worker is connected to Locust\n");
        scenario.locust.post("/swarm", "user_count=30&spawn_rate=30");
        assert_eq!(scale.end(), Some(0), "{release}: {}", scale.stderr());
        scenario.assert_users_are_stable(30);
        let outcome = scenario.run("rebalance");
        assert_eq!(outcome.stdout, "the test has all its 30 users\n", "{release}: {outcome:?}");
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_scale_after_a_crash_of_a_worker_gives_all_users_back() {
    for release in releases(&["2.32.2"]) {
        let scenario = Scenario::with(release, |it| it.usual_heartbeats()).with_60_users(3);
        scenario.locust.crash_a_worker();
        // The container is back before Locust notices the loss.
        let is_back = || scenario.locust.values()["worker_count"] == 4;
        eventually(PATIENCE, is_back, || "the container is back".to_owned());
        let outcome = scenario.scaled(2);
        scenario.assert_users_are_stable(60);
        scenario.assert_posts_ask_for(60);
        assert_says(&outcome, "60 users");
    }
}

//! A start that would end the test, or that would start the users of a worker twice.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use support::running::Running;
use support::serving::wait_until;

use crate::locust_process::{LATEST, Scenario, assert_tells, on_each};

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_shape_that_the_page_does_not_show_is_not_stopped_by_a_start() {
    on_each(&["2.25.0"], |release| {
        let settings = ["--class-picker"];
        let scenario =
            Scenario::with(release, |it| it.locustfile("shape.py").master_flags(&settings));
        scenario.scale_as_kubectl(4);
        let form = "user_count=1&spawn_rate=1&shape_class=Steps";
        let answer = scenario.locust.post("/swarm", form);
        assert_eq!(answer["success"], true, "{release}: {answer}");
        scenario.wait_until_running(60);
        scenario.wait_for_first_report();
        // Locust moves the users of the first worker that leaves, but not those of the second one.
        scenario.scale_as_kubectl(3);
        scenario.wait_until_running(60);
        scenario.wait_for_first_report();
        scenario.scale_as_kubectl(2);
        scenario.locust.wait_for_values(|values| values["state"] == "running");
        scenario.wait_for_first_report();
        let values = scenario.locust.values();
        let users = values["user_count"].as_i64().unwrap();
        assert!(users < 60 && values["state"] == "running", "{release}: {values}");
        assert_tells(&scenario.run("status"), "LoadTestShape");
        let outcome = scenario.run("rebalance");
        assert_ne!(outcome.code, Some(0), "{release}: {outcome:?}");
        scenario.assert_nothing_posted();
        assert_eq!(scenario.locust.values()["state"], "running", "{release}");
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_users_of_a_worker_that_may_come_back_are_not_started_twice() {
    on_each(&["2.32.2", LATEST], |release| {
        let scenario = Scenario::with(release, |it| it.heartbeats(10)).with_60_users(4);
        let hanging = scenario.locust.last_worker_hangs();
        let is_missing = || scenario.locust.values()["worker_count"] == 3;
        wait_until(is_missing, || "the worker is missing".to_owned());
        let line = format!("rebalance --locust={}", scenario.url());
        let mut rebalance = Running::start(&scenario.cluster, &line);
        rebalance.wait_for("Waiting: the worker in pod ");
        sleep(Duration::from_secs(3));
        scenario.assert_nothing_posted();
        drop(hanging);
        assert_eq!(rebalance.end(), Some(0), "{release}: {}", rebalance.stderr());
        assert_eq!(rebalance.stdout(), "the test has all its 60 users\n", "{release}");
        scenario.assert_nothing_posted();
        scenario.locust.wait_for_values(|values| values["worker_count"] == json!(4));
        scenario.assert_users_are_stable(60);
    });
}

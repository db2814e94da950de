//! Users that are lost without a change by locustctl, and brought back by `rebalance --watch` or
//! `serve --rebalance=always`.

use serde_json::Value;
use support::running::Running;
use support::serving::Serving;

use crate::locust_process::{LATEST, RELEASES, Scenario, on_each};

/// Another client removes two of four workers, one after the other. Locust moves the users of the first one, but not
/// those of the second one.
fn lose_users(scenario: &Scenario) {
    scenario.scale_as_kubectl(3);
    scenario.wait_until_running(60);
    scenario.wait_for_first_report();
    scenario.scale_as_kubectl(2);
}

fn assert_restored_once(scenario: &Scenario) {
    scenario.assert_users_are_stable(60);
    scenario.assert_posts_ask_for(60);
    assert_eq!(scenario.posts().len(), 1, "{:?}", scenario.posts());
}

const REPAIRED: &str = "the test had 40 of 60 users; redistributed 60 users over 2 workers";

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_watch_restores_users_after_a_change_by_kubectl() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::new(release).with_60_users(4);
        let line = format!("rebalance --watch deployment/locust-slave --locust={}", scenario.url());
        let mut watch = Running::start(&scenario.cluster, &line);
        watch.wait_for("the test has all its 60 users\n");
        lose_users(&scenario);
        watch.wait_for(REPAIRED);
        assert_restored_once(&scenario);
        watch.interrupt();
        assert_eq!(watch.end(), Some(130), "{release}: {}", watch.stderr());
        assert_eq!(watch.stdout(), format!("{REPAIRED}\n"), "{release}");
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn serve_always_restores_users_after_a_change_by_kubectl() {
    on_each(&[LATEST], |release| {
        let scenario = Scenario::new(release).with_60_users(4);
        let locust = format!("--locust={}", scenario.url());
        let serving = Serving::start(&scenario.cluster, &[&locust, "--rebalance=always"]);
        serving.wait_for_state(|state| state["locust"]["users"] == 60);
        lose_users(&scenario);
        let own = |state: &Value| state["history"][0]["users"]["text"] == REPAIRED;
        let state = serving.wait_for_state(own);
        assert_eq!(state["history"][0]["who"], "locustctl", "{release}: {state}");
        assert_restored_once(&scenario);
    });
}

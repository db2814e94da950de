//! A running test is edited while its workers are scaled.

use support::running::Running;

use crate::locust_process::{Scenario, on_each};

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn an_edit_during_a_scale_has_the_last_word() {
    on_each(&["2.32.2"], |release| {
        let scenario = Scenario::new(release).with_60_users(3);
        let line = format!("scale --replicas=1 --timeout=60s --locust={}", scenario.url());
        let mut scale = Running::start(&scenario.cluster, &line);
        scale.wait_for("1 worker is connected to Locust\n");
        // Locust has no request that starts users only if nobody has edited the test. So an edit between locustctl's last
        // look and its start would be lost. locustctl reads the log before that, so this edit comes earlier.
        scenario.relay.hold("GET /logs");
        scenario.relay.wait_until_held(|| scale.stderr());
        scenario.locust.post("/swarm", "user_count=30&spawn_rate=30");
        scenario.relay.release();
        assert_eq!(scale.end(), Some(0), "{release}: {}", scale.stderr());
        scenario.assert_users_are_stable(30);
        let outcome = scenario.run("rebalance");
        assert_eq!(outcome.stdout, "the test has all its 30 users\n", "{release}: {outcome:?}");
    });
}

//! Locust stops the test, and its page shows the state `stopping` for a while.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use support::cluster::TestCluster;
use support::running::Running;
use support::serving::wait_until;
use support::swarm::{ask, ask_for_text};
use support::waiting::cluster;

/// The progress of a look in this state, with the 7 users that are left.
const STOPPING: &str = ": stopping, 7 users, 3 workers";

fn answer(body: String) -> Action {
    Action::Answer { status: 200, headers: Vec::new(), body: body.into_bytes() }
}

/// Starts `locustctl LINE`. Locust's page shows the state `running` twice, and then `stopping` until the faults are
/// cleared.
fn start_and_stop(cluster: &TestCluster, line: &str) -> Running {
    cluster.handle().inject(Fault::once(Action::Hold).at("proxy/swarm"));
    let run = Running::start(cluster, line);
    wait_until(|| cluster.handle().pending_faults() == 0, || run.stderr());
    let page = ask_for_text(cluster, "");
    let in_state = |state: &str| {
        let page = page.replace("\"state\":\"ready\"", &format!("\"state\":\"{state}\""));
        let page = page.replace("\"user_count\":0", "\"user_count\":7");
        assert!(page.contains(state) && page.contains("\"user_count\":7"), "{page}");
        answer(page)
    };
    cluster.handle().clear_faults();
    // The path of the page is the beginning of all others.
    for path in ["proxy/stats", "proxy/logs", "proxy/swarm", "proxy/stop", "proxy/exceptions"] {
        let pass = Fault::once(Action::DelayAnswer(Duration::ZERO)).at(path);
        cluster.handle().inject(pass.times(Fault::ALWAYS));
    }
    cluster.handle().inject(Fault::once(in_state("running")).at("proxy/").times(2));
    cluster.handle().inject(Fault::once(in_state("stopping")).at("proxy/").times(Fault::ALWAYS));
    run
}

#[test]
fn conditions_are_not_evaluated_while_locust_stops_the_test() {
    let cluster = cluster();
    let line = "run --replicas=3 -u 20 -r 20 -t 10m --abort-if users<15";
    let mut run = Running::start(&cluster, line);
    run.wait_for("running, 20 users");
    let page = ask_for_text(&cluster, "");
    let page = page.replace("\"state\":\"running\"", "\"state\":\"stopping\"");
    let page = page.replace("\"user_count\":20", "\"user_count\":7");
    let mut stats = ask(&cluster, "GET", "stats/requests", "");
    stats["state"] = "stopping".into();
    stats["user_count"] = 7.into();
    for (path, body) in [("proxy/stats/requests", stats.to_string()), ("proxy/", page)] {
        let fault = Fault::once(answer(body)).on("GET").at(path);
        cluster.handle().inject(fault.times(Fault::ALWAYS));
    }
    run.wait_for(STOPPING);
    cluster.handle().clear_requests();
    cluster.wait_for_requests(2, |request| request.line().ends_with("proxy/stats/requests"));
    cluster.handle().clear_faults();
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert!(!run.stderr().contains("--abort-if was met"), "{}", run.stderr());
}

#[test]
fn a_test_that_is_being_stopped_does_not_outlast_its_run_time() {
    let cluster = cluster();
    let mut run = start_and_stop(&cluster, "run --replicas=3 -u 20 -r 20 -t 1s");
    // The second line comes 10 seconds after the first one.
    let lines = || run.stderr().matches(STOPPING).count();
    wait_until(|| lines() == 2, || run.stderr());
    cluster.handle().clear_faults();
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert!(!run.stderr().contains("was still running"), "{}", run.stderr());
}

#[test]
fn a_test_that_locust_does_not_stop_ends_the_run_after_the_time_limit() {
    let cluster = cluster();
    let mut run = start_and_stop(&cluster, "run --replicas=3 -u 20 -r 20 -t 1s --timeout=5s");
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    let error = "error: following the test: Locust does not stop the test: its state is still stopping after ";
    assert!(run.stderr().contains(error), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1);
}

//! Signals in each phase of `run -- COMMAND`: the old count always comes back.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use support::cluster::TestCluster;
use support::running::Running;
use support::serving::wait_until;
use support::waiting::cluster;

use super::command::{wait_for_script, waiting_script};

const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

/// Sends each signal to a new run that has reached the phase. The run must end with the signal's code and the
/// old count.
#[track_caller]
fn puts_the_count_back(cluster: &TestCluster, start: impl Fn() -> Running) {
    for (signal, code) in SIGNALS {
        let mut run = start();
        run.signal(signal);
        run.wait_for("Interrupted: locustctl undoes its changes before it ends.");
        // An answer that was held comes now.
        cluster.handle().clear_faults();
        assert_eq!(run.end(), Some(code), "{signal}: {}", run.stderr());
        assert_eq!(cluster.workers(), 1, "{signal}: {}", run.stderr());
    }
}

#[test]
fn while_the_scale_is_not_answered() {
    let cluster = cluster();
    puts_the_count_back(&cluster, || {
        cluster.handle().inject(Fault::once(Action::HoldAnswer).on("PATCH"));
        cluster.handle().clear_requests();
        let run = Running::start(&cluster, "run --replicas=3 -- /bin/true");
        let is_sent = || cluster.request_lines().iter().any(|line| line.starts_with("PATCH"));
        wait_until(is_sent, || run.stderr());
        run
    });
}

#[test]
fn while_the_pods_start() {
    let cluster = cluster();
    cluster.handle().pause_controllers();
    puts_the_count_back(&cluster, || {
        let run = Running::start(&cluster, "run --replicas=3 -- /bin/true");
        run.wait_for("scaled from 1 to 3\n");
        run
    });
}

#[test]
fn while_the_command_runs() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    puts_the_count_back(&cluster, || {
        let run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
        wait_for_script(&cluster, &run);
        run
    });
}

#[test]
fn the_command_gets_the_signal_once_and_can_end_in_its_own_way() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "trap 'echo got a signal; exit 3' INT");
    let mut run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &run);
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert_eq!(run.stdout(), "got a signal\n");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_command_that_ignores_the_signal_is_killed() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "trap '' INT TERM");
    let mut run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &run);
    run.interrupt();
    run.wait_for("Interrupted: locustctl undoes its changes before it ends.");
    // A CI system sends another kind of signal some seconds later.
    run.signal("TERM");
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert_eq!((cluster.workers(), &*run.stdout()), (1, ""));
}

#[test]
fn another_kind_of_signal_does_not_stop_the_clean_up_and_a_second_interrupt_does() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let start = |delay| {
        let run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
        wait_for_script(&cluster, &run);
        cluster.handle().inject(Fault::once(Action::Delay(delay)).on("PATCH"));
        run.interrupt();
        run.wait_for("Interrupted: locustctl undoes its changes before it ends.");
        run
    };
    let mut run = start(Duration::from_secs(2));
    run.signal("TERM");
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1);

    let mut run = start(Duration::from_secs(120));
    assert_eq!(run.insist("INT"), Some(130), "{}", run.stderr());
    assert!(
        run.stderr().contains(
            "putting the old number of workers back: interrupted; to do it by hand, run: locustctl scale \
             --current-replicas=3 --replicas=1 deployment/locust-slave\n"
        ),
        "{}",
        run.stderr()
    );
}

//! A failure in each phase of `run` with a real Locust: the error names the phase, and the old number of workers
//! comes back.

use locustctl::sandbox::{Action, Fault};
use serde_json::Value;
use support::cluster::WORKERS;
use support::running::Running;

use crate::locust_process::{LATEST, PATIENCE, Scenario, eventually, on_each};

/// The phases in which the master ends, and the errors of the run.
const CASES: [(Phase, &str); 7] = [
    (Phase::Pods, "error: waiting for the workers to connect to Locust: "),
    (Phase::Workers, "error: waiting for the workers to connect to Locust: "),
    (Phase::Start, "error: starting the test: "),
    (Phase::Spawn, "error: following the test: "),
    (Phase::Follow, "error: following the test: "),
    (Phase::Stop, "error: stopping the test: "),
    (Phase::Results, "error: reading the results: "),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Pods,
    Workers,
    Start,
    Spawn,
    Follow,
    Stop,
    Results,
}

impl Phase {
    fn flags(self) -> &'static str {
        match self {
            Self::Spawn => "-u 100 -r 1",
            Self::Stop | Self::Results => "-u 2 -r 2 --abort-if=requests>0",
            _ => "-u 2 -r 2",
        }
    }

    /// In later phases, this must be long enough for the workers to connect on a busy machine.
    fn timeout(self) -> &'static str {
        match self {
            Self::Pods | Self::Workers => "15s",
            _ => "30s",
        }
    }

    fn prepare(self, scenario: &Scenario) {
        let Scenario { relay, cluster, locust, .. } = scenario;
        match self {
            Self::Pods => cluster.handle().pause_controllers(),
            Self::Workers => locust.hold_new_workers(true),
            Self::Start => relay.hold("POST /swarm"),
            Self::Stop => relay.hold("POST /stop"),
            Self::Results => relay.hold("GET /stats/requests/csv"),
            Self::Spawn | Self::Follow => {}
        }
    }

    fn wait(self, scenario: &Scenario, run: &Running) {
        let Scenario { relay, cluster, .. } = scenario;
        let says = |text: &str| {
            eventually(PATIENCE, || run.stderr().contains(text), || run.stderr());
        };
        match self {
            Self::Pods => says("scaled from 1 to 2\n"),
            Self::Workers => {
                cluster.wait_for(WORKERS, |object| object["status"]["readyReplicas"] == 2);
                let before = relay.requests();
                eventually(PATIENCE, || relay.requests() > before + 1, || run.stderr());
            }
            Self::Start | Self::Stop | Self::Results => {
                relay.wait_until_held(|| run.stderr());
            }
            Self::Spawn => says("Locust has started the test"),
            Self::Follow => says("running, 2 users"),
        }
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_master_that_ends_in_any_phase_ends_the_run_and_the_count_comes_back() {
    on_each(&[LATEST], |release| {
        std::thread::scope(|scope| {
            for (phase, error) in CASES {
                scope.spawn(move || check_that_a_dead_master_ends_the_run(release, phase, error));
            }
        });
    });
}

fn check_that_a_dead_master_ends_the_run(release: &str, phase: Phase, error: &str) {
    let mut scenario = Scenario::new(release);
    phase.prepare(&scenario);
    let report = scenario.cluster.path(&format!("{phase:?}.json"));
    let prefix = scenario.cluster.path(&format!("{phase:?}"));
    let line = format!(
        "run --replicas=2 {} -t 10m --timeout={} --json-file={} --csv={} --locust={} \
         deployment/locust-slave",
        phase.flags(),
        phase.timeout(),
        report.display(),
        prefix.display(),
        scenario.url(),
    );
    let mut run = Running::start(&scenario.cluster, &line);
    phase.wait(&scenario, &run);
    scenario.locust.stop_master();
    scenario.relay.release();
    scenario.cluster.handle().resume_controllers();
    eventually(PATIENCE, || run.stdout().contains("verdict: "), || run.stderr());
    let code = run.end();
    eprintln!("=== {release} {phase:?}: {code:?}\n{}{}", run.stderr(), run.stdout());
    scenario.locust.hold_new_workers(false);
    assert_eq!(code, Some(1), "{phase:?}: {}", run.stderr());
    assert!(run.stderr().contains(error), "{phase:?}: {}", run.stderr());
    assert_eq!(scenario.replicas(), 1, "{phase:?}: {}", run.stderr());
    let written: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(written["verdict"], "notRun", "{phase:?}");
    assert_eq!(written["replicas"]["restored"], true, "{phase:?}");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn workers_that_never_connect_end_the_run_and_are_named() {
    let scenario = Scenario::new(LATEST);
    scenario.locust.hold_new_workers(true);
    let outcome = scenario.run("run --replicas=3 -u 2 -r 2 -t 10m --timeout=15s");
    eprintln!("=== never: {}{}", outcome.stderr, outcome.stdout);
    scenario.locust.hold_new_workers(false);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let error = "error: waiting for the workers to connect to Locust: ";
    assert!(outcome.stderr.contains(error), "{outcome:?}");
    assert!(outcome.stderr.contains("ready, but not connected: locust-slave-"), "{outcome:?}");
    assert_eq!((scenario.replicas(), scenario.posts().len()), (1, 0), "{outcome:?}");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn an_api_server_that_fails_during_the_test_does_not_end_it() {
    on_each(&["2.32.2", LATEST], |release| {
        let scenario = Scenario::new(release);
        let line = format!(
            "run --replicas=2 -u 2 -r 2 -t 30s --timeout=60s --locust={} deployment/locust-slave",
            scenario.url()
        );
        let mut run = Running::start(&scenario.cluster, &line);
        scenario.wait_until_running(2);
        let handle = scenario.cluster.handle();
        let down = Fault::once(Action::CloseBefore).times(Fault::ALWAYS);
        handle.inject(down);
        eventually(PATIENCE, || scenario.locust.values()["state"] == "stopped", || run.stderr());
        // The count is put back as soon as the API server answers again.
        eventually(PATIENCE, || scenario.relay.requests() > 0, || run.stderr());
        handle.clear_faults();
        let code = run.end();
        eprintln!("=== {release} api: {code:?}\n{}{}", run.stderr(), run.stdout());
        assert_eq!(code, Some(0), "{release}: {}", run.stderr());
        assert_eq!(scenario.replicas(), 1, "{release}");
    });
}

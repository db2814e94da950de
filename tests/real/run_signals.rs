//! A signal in each phase of `run` with a real Locust: the test is stopped, the results are written, and the
//! old number of workers comes back.

use std::path::PathBuf;

use locustctl::sandbox::{Action, Fault};
use serde_json::Value;
use support::cluster::WORKERS;
use support::running::Running;

use crate::locust_process::{LATEST, PATIENCE, Scenario, eventually, is_long};

/// The phases, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Find,
    Idle,
    Scale,
    Pods,
    Workers,
    Start,
    Spawn,
    Follow,
    Stop,
    Results,
    PutBack,
}

use Phase::{Find, Follow, Idle, Pods, PutBack, Results, Scale, Spawn, Start, Stop, Workers};

const PHASES: [Phase; 11] =
    [Find, Idle, Scale, Pods, Workers, Start, Spawn, Follow, Stop, Results, PutBack];

/// The signals of a case. A second one comes while locustctl undoes its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signals {
    Interrupt,
    Terminate,
    HangUp,
    /// GitHub Actions cancels a job like this.
    InterruptThenTerminate,
    /// Ctrl-C twice.
    TwoInterrupts,
}

use Signals::{HangUp, Interrupt, InterruptThenTerminate, Terminate, TwoInterrupts};

const SIGNALS: [Signals; 5] = [Interrupt, Terminate, HangUp, InterruptThenTerminate, TwoInterrupts];

/// The usual cases: each phase once, and each second signal in the longest phase and in the last one.
const USUAL: [(Phase, Signals); 14] = [
    (Find, Interrupt),
    (Idle, Terminate),
    (Scale, HangUp),
    (Scale, TwoInterrupts),
    (Pods, Interrupt),
    (Workers, Terminate),
    (Start, Interrupt),
    (Spawn, HangUp),
    (Follow, InterruptThenTerminate),
    (Follow, TwoInterrupts),
    (Stop, Terminate),
    (Results, Interrupt),
    (PutBack, HangUp),
    (PutBack, InterruptThenTerminate),
];

impl Signals {
    fn first(self) -> &'static str {
        match self {
            Self::Interrupt | Self::InterruptThenTerminate | Self::TwoInterrupts => "INT",
            Self::Terminate => "TERM",
            Self::HangUp => "HUP",
        }
    }

    fn second(self) -> Option<&'static str> {
        match self {
            Self::InterruptThenTerminate => Some("TERM"),
            Self::TwoInterrupts => Some("INT"),
            Self::Interrupt | Self::Terminate | Self::HangUp => None,
        }
    }

    fn code(self) -> i32 {
        match self.first() {
            "INT" => 130,
            "TERM" => 143,
            _ => 129,
        }
    }
}

impl Phase {
    /// The flags of a run that reaches this phase soon and stays in it.
    fn flags(self) -> &'static str {
        match self {
            Self::Idle => "-u 2 -r 2 --wait-for-idle=10m",
            Self::Spawn => "-u 100 -r 1",
            Self::Stop | Self::Results | Self::PutBack => "-u 2 -r 2 --abort-if=requests>0",
            _ => "-u 2 -r 2",
        }
    }

    /// The test has begun before the run ends.
    fn has_test(self) -> bool {
        self >= Self::Start
    }

    /// The results are written after these signals. The second one skips them, unless they have been read.
    fn has_results(self, signals: Signals) -> bool {
        self == Self::PutBack || (self.has_test() && signals.second().is_none())
    }
}

/// A Locust with one worker, for one case after another.
struct Table {
    scenario: Scenario,
}

/// A run in its phase, and its reports.
struct Case {
    phase: Phase,
    signals: Signals,
    run: Running,
    report: PathBuf,
    statistics: PathBuf,
}

impl Table {
    fn check(&self, phase: Phase, signals: Signals) {
        let mut case = self.start(phase, signals);
        self.wait_for_phase(&case);
        if signals.second().is_some() && phase != PutBack {
            self.hold_clean_up(phase);
        }
        case.run.signal(signals.first());
        if phase > Idle {
            case.wait_for_interruptions(1);
        }
        let code = match signals.second() {
            Some("INT") => case.run.insist("INT"),
            Some(second) => {
                case.run.signal(second);
                if phase > Idle {
                    case.wait_for_interruptions(2);
                }
                self.release();
                case.run.end()
            }
            None => {
                self.release();
                case.run.end()
            }
        };
        // Nothing shows that the first signal has arrived, so the second one may arrive at the same time.
        let is_second = phase <= Idle && signals.second() == Some("TERM") && code == Some(143);
        assert!(is_second || code == Some(signals.code()), "{code:?}: {case}");
        self.assert_left(&case);
        self.reset(phase);
    }

    fn start(&self, phase: Phase, signals: Signals) -> Case {
        let Scenario { relay, cluster, .. } = &self.scenario;
        let once = |action| cluster.handle().inject(Fault::once(action).on("PATCH"));
        match phase {
            Find => relay.hold("GET /"),
            Idle => drop(self.scenario.start_test(1, 1, "")),
            Scale => once(Action::HoldAnswer),
            Pods => cluster.handle().pause_controllers(),
            Workers => self.scenario.locust.hold_new_workers(true),
            Start => relay.hold("POST /swarm"),
            Stop => relay.hold("POST /stop"),
            Results | PutBack => relay.hold("GET /stats/requests/csv"),
            Spawn | Follow => {}
        }
        let prefix = format!("{phase:?}-{signals:?}");
        let report = cluster.path(&format!("{prefix}.json"));
        let line = format!(
            "run --replicas=2 {} -t 10m --timeout=100s --json-file={} --csv={} --locust={} \
             deployment/locust-slave",
            phase.flags(),
            report.display(),
            cluster.path(&prefix).display(),
            self.scenario.url(),
        );
        let statistics = cluster.path(&format!("{prefix}_stats.csv"));
        Case { phase, signals, run: Running::start(cluster, &line), report, statistics }
    }

    fn wait_for_phase(&self, case: &Case) {
        let Scenario { relay, cluster, locust, .. } = &self.scenario;
        let faults_happened = || cluster.handle().pending_faults() == 0;
        match case.phase {
            Find | Start | Stop | Results => relay.wait_until_held(|| case.to_string()),
            Idle => case.wait_for_text("Waiting until Locust at"),
            Scale => eventually(PATIENCE, faults_happened, || case.to_string()),
            Pods => case.wait_for_text("scaled from 1 to 2\n"),
            Workers => {
                cluster.wait_for(WORKERS, |object| object["status"]["readyReplicas"] == 2);
                // While locustctl waits for pods, it asks Locust nothing.
                let before = relay.requests();
                eventually(PATIENCE, || relay.requests() > before + 1, || case.to_string());
            }
            Spawn => {
                case.wait_for_text("Locust has started the test");
                locust.wait_for_values(|values| values["state"] == "spawning");
            }
            Follow => case.wait_for_text("running, 2 users"),
            PutBack => {
                relay.wait_until_held(|| case.to_string());
                cluster.handle().inject(Fault::once(Action::Hold).on("PATCH"));
                relay.release();
                eventually(PATIENCE, faults_happened, || case.to_string());
            }
        }
    }

    /// Holds the clean-up, so that a second signal comes during it.
    fn hold_clean_up(&self, phase: Phase) {
        let patch = Fault::once(Action::Hold).on("PATCH");
        self.scenario.cluster.handle().inject(patch);
        if matches!(phase, Spawn | Follow) {
            self.scenario.relay.hold("POST /stop");
        }
    }

    /// Lets everything go on that was held.
    fn release(&self) {
        let Scenario { relay, cluster, locust, .. } = &self.scenario;
        relay.release();
        cluster.handle().clear_faults();
        cluster.handle().resume_controllers();
        locust.hold_new_workers(false);
    }

    /// Asserts what the run left in Locust and in the cluster, and its reports.
    fn assert_left(&self, case: &Case) {
        let Case { phase, signals, .. } = *case;
        let state = self.scenario.locust.values()["state"].clone();
        if phase == Idle {
            assert_eq!(state, "running", "the test of somebody else goes on: {case}");
        }
        if phase <= Idle {
            assert_eq!(self.scenario.replicas(), 1, "{case}");
            assert!(case.run.stderr().contains("interrupted: nothing was changed"), "{case}");
            assert!(!case.report.exists(), "{case}");
            return;
        }
        let report: Value = serde_json::from_slice(&std::fs::read(&case.report).unwrap()).unwrap();
        assert_eq!(report["replicas"]["old"], 1, "{case}");
        if signals == TwoInterrupts {
            let by_hand = "run: locustctl scale --current-replicas=2 --replicas=1 ";
            assert!(case.run.stderr().contains(by_hand), "{case}");
            let is_stopped = !matches!(phase, Start | Spawn | Follow | Stop);
            assert_ne!(
                case.run.stderr().contains("press Stop in Locust's page"),
                is_stopped,
                "{case}"
            );
            return;
        }
        assert_eq!(self.scenario.replicas(), 1, "{case}");
        assert_eq!(report["replicas"]["restored"], true, "{case}");
        let stopped = if phase.has_test() { &["stopped"][..] } else { &["ready", "stopped"] };
        assert!(stopped.contains(&state.as_str().unwrap()), "{state}: {case}");
        assert_eq!(case.statistics.exists(), phase.has_results(signals), "{case}");
        if phase.has_results(signals) {
            let written = std::fs::read_to_string(&case.statistics).unwrap();
            assert_eq!(written, self.scenario.locust.text("/stats/requests/csv"), "{case}");
        }
    }

    /// Undoes what the case left, for the next one.
    fn reset(&self, phase: Phase) {
        let Scenario { relay, cluster, locust, .. } = &self.scenario;
        relay.discard();
        self.release();
        if phase == Idle || phase.has_test() {
            locust.stop_test();
        }
        // A run that was ended at once keeps its Lease.
        let lease = "locustctl-run-deployment-locust-slave";
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/default/leases/{lease}");
        cluster.handle().delete_object(&path);
        self.scenario.scale_as_kubectl(1);
    }
}

impl Case {
    #[track_caller]
    fn wait_for_text(&self, text: &str) {
        eventually(PATIENCE, || self.run.stderr().contains(text), || format!("{text:?}: {self}"));
    }

    /// Waits until locustctl has answered this many signals.
    #[track_caller]
    fn wait_for_interruptions(&self, count: usize) {
        let answered = || self.run.stderr().matches("Interrupted: locustctl").count() >= count;
        eventually(PATIENCE, answered, || self.to_string());
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (out, err) = (self.run.stdout(), self.run.stderr());
        write!(f, "{:?} in {:?}:\n{out}{err}", self.signals, self.phase)
    }
}

/// With `tests/run.sh --long`, every signal in every phase.
#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_signal_in_any_phase_stops_the_test_writes_the_results_and_puts_the_count_back() {
    let table = Table { scenario: Scenario::new(LATEST) };
    let all = || PHASES.into_iter().flat_map(|phase| SIGNALS.map(|signals| (phase, signals)));
    let cases: Vec<_> = if is_long() { all().collect() } else { USUAL.to_vec() };
    for (phase, signals) in cases {
        table.check(phase, signals);
    }
}

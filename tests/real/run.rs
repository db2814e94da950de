//! `locustctl run` with a real Locust.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use support::Locustctl;
use support::running::Running;

use crate::locust_process::{
    LATEST, Monitor, PATIENCE, RELEASES, Scenario, TOO_OLD, assert_says, eventually, on_each,
};

const TEST: &str = "run --replicas=3 -u 12 -r 12 --timeout=60s";

fn start(scenario: &Scenario, line: &str) -> Running {
    let line = format!("{line} --locust={}", scenario.url());
    let run = Running::start(&scenario.cluster, &line);
    let is_running = || run.stderr().contains("running, 12 users");
    eventually(PATIENCE, is_running, || run.stderr());
    run
}

/// Waits until the command ends. Returns its exit code.
#[track_caller]
fn end(run: &mut Running) -> Option<i32> {
    let is_over = || run.stdout().contains("verdict: ");
    eventually(PATIENCE, is_over, || run.stderr());
    run.end()
}

fn is_stopped(scenario: &Scenario) -> bool {
    scenario.locust.values()["state"] == "stopped"
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_test_passes_and_the_numbers_are_those_of_locust() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::new(release);
        let prefix = scenario.cluster.path("load").display().to_string();
        let outcome = scenario.run(&format!("{TEST} -t 15s --csv={prefix} -o json"));
        assert_eq!(outcome.code, Some(0), "{release}: {outcome:?}");
        assert_eq!(scenario.replicas(), 1, "{release}");
        let files = [
            ("_stats.csv", "/stats/requests/csv"),
            ("_failures.csv", "/stats/failures/csv"),
            ("_exceptions.csv", "/exceptions/csv"),
        ];
        for (suffix, path) in files {
            let written = std::fs::read_to_string(format!("{prefix}{suffix}")).unwrap();
            assert_eq!(written, scenario.locust.text(path), "{release}: {suffix}");
        }
        let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let requests = report["statistics"]["total"]["requests"].as_i64().unwrap();
        assert_eq!(requests, scenario.locust.requests(), "{release}");
        assert!(requests > 0, "{release}");
    });
}

/// Conditions on the results of `results.py` with 2 users, and their results.
const CONDITIONS: [(&str, &str); 17] = [
    ("p50 > 0ms", "met"),
    ("p99.99 > 60s", "met"),
    ("p95 > 62s", "passed"),
    ("min < 2ms", "met"),
    ("max > 61s", "met"),
    ("avg > 1s", "met"),
    ("median > 60s", "passed"),
    ("rps < 0.01", "passed"),
    ("requests > 0", "met"),
    ("requests < 1", "passed"),
    ("failures > 0", "met"),
    ("failures > 1%", "met"),
    ("failures > 50%", "passed"),
    ("users < 3", "met"),
    ("users < 2", "passed"),
    ("POST /login: failures >= 100%", "met"),
    ("GET /nothing: avg > 1s", "noValue"),
];

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn failed_requests_and_every_kind_of_condition_fail_a_test() {
    on_each(&[LATEST], |release| {
        let scenario = Scenario::with(release, |it| {
            it.locustfile("results.py").worker_locustfile("results.py")
        });
        let run = |conditions: &[(&str, &str)]| {
            let line = "run -u 2 -r 2 -t 15s --timeout=60s -o json deployment/locust-slave";
            let words = line.split(' ').map(str::to_owned);
            let conditions = conditions.iter().map(|(one, _)| format!("--fail-if={one}"));
            Locustctl::new(words.chain(conditions).chain([format!("--locust={}", scenario.url())]))
                .kubeconfig(scenario.cluster.kubeconfig())
                .run()
        };
        // The requests fail, and no condition is given.
        for conditions in [&[][..], &CONDITIONS] {
            let outcome = run(conditions);
            assert_eq!(outcome.code, Some(99), "{release}: {outcome:?}");
            let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
            assert_eq!(report["verdict"], "failed", "{release}");
            let results = report["conditions"].as_array().unwrap();
            for ((condition, expected), result) in conditions.iter().zip(results) {
                assert_eq!(result["result"], *expected, "{release}: {condition}: {result}");
            }
            assert_eq!(results.len(), conditions.len().max(1), "{release}");
        }
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_start_is_followed_and_cancelled_while_listeners_of_test_start_run() {
    on_each(&[LATEST], |release| {
        let scenario = Scenario::with(release, |it| it.locustfile("slow_test_start.py"));
        let line = "run --replicas=2 -u 4 -r 4 -t 5s --timeout=60s";
        let outcome = scenario.run(line);
        assert_eq!(outcome.code, Some(0), "{release}: {outcome:?}");
        let line = format!("{line} --locust={}", scenario.url());
        let mut run = Running::start(&scenario.cluster, &line);
        let starts = || {
            let lines = scenario.locust.log();
            lines.iter().filter(|line| line.contains("Sending spawn jobs")).count()
        };
        eventually(PATIENCE, || starts() == 2, || run.stderr());
        run.interrupt();
        assert_eq!(end(&mut run), Some(130), "{release}: {}", run.stderr());
        // The listener would have returned by then.
        sleep(Duration::from_secs(6));
        assert!(is_stopped(&scenario), "{release}: {}", run.stderr());
        assert_eq!(scenario.replicas(), 1, "{release}");
    });
}

/// The other signals and phases are in `run_signals.rs`. On this release the master breaks if workers leave
/// before it has stopped the test (locust#3515).
#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn ctrl_c_stops_the_test_and_puts_the_count_back() {
    on_each(&["2.32.2"], |release| {
        let scenario = Scenario::new(release);
        let mut run = start(&scenario, &format!("{TEST} -t 10m"));
        run.interrupt();
        assert_eq!(end(&mut run), Some(130), "{release}: {}", run.stderr());
        assert!(!scenario.locust.is_broken(), "{release}: {}", run.stderr());
        assert!(is_stopped(&scenario), "{release}: {}", run.stderr());
        assert_eq!(scenario.replicas(), 1, "{release}");
        assert!(run.stdout().contains("Aggregated"), "{release}: {}", run.stdout());
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_release_that_is_too_old_is_refused_and_nothing_is_changed() {
    let scenario = Scenario::new(TOO_OLD);
    let outcome = scenario.run(&format!("{TEST} -t 4s"));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_says(&outcome, "error: run needs Locust 2.25 or newer, but this Locust is older");
    assert_eq!((scenario.patches(), scenario.posts().len()), (0, 0), "{outcome:?}");
}

/// SIGKILL, as when a worker runs out of memory. Its pod starts another worker.
///
/// Locust loses the users, because the new worker connects before the master misses the old one.
fn kill_a_worker_and_lose_its_users(scenario: &Scenario) {
    let lines = |text: &str| -> Vec<usize> {
        let log = scenario.locust.log();
        (0..log.len()).filter(|line| log[*line].contains(text)).collect()
    };
    let connected = lines("reported as ready").len();
    scenario.locust.crash_a_worker();
    let missed = || lines("failed to send heartbeat").first().copied();
    eventually(PATIENCE, || missed().is_some(), || scenario.locust.log().join("\n"));
    let replaced = lines("reported as ready").get(connected).copied();
    let is_in_order = replaced.is_some() && replaced < missed();
    assert!(is_in_order, "{}", scenario.locust.log().join("\n"));
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn users_of_a_killed_worker_are_given_back_and_the_report_says_so() {
    let scenario = Scenario::with(LATEST, |it| it.heartbeats(60));
    let report = scenario.cluster.path("report.json");
    let line = format!("{TEST} -t 10m --json-file={}", report.display());
    let mut run = start(&scenario, &line);
    kill_a_worker_and_lose_its_users(&scenario);
    let is_noted = || run.stderr().contains("redistributed 12 users over 3 workers");
    eventually(PATIENCE, is_noted, || run.stderr());
    scenario.wait_until_running(12);
    run.interrupt();
    assert_eq!(end(&mut run), Some(130), "{}", run.stderr());
    assert_eq!(scenario.replicas(), 1);
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let notes = report["notes"].to_string();
    assert!(notes.contains("redistributed 12 users over 3 workers"), "{notes}");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn lost_users_of_a_worker_that_does_not_come_back_are_noted_and_so_is_their_return() {
    on_each(&RELEASES, |release| {
        let scenario = Scenario::with(release, |it| it.heartbeats(10));
        let report = scenario.cluster.path("report.json");
        let line = "run --replicas=3 -u 12 -r 1 --timeout=60s -t 10m";
        let mut run = start(&scenario, &format!("{line} --json-file={}", report.display()));
        // SIGKILL, so the worker sends no message. Its pod stays ready, and no new worker starts in it.
        scenario.locust.kill_a_worker();
        let lost = "the test has 8 of 12 users";
        eventually(PATIENCE, || run.stderr().contains(lost), || run.stderr());
        // Locust drops the worker after about 60 s, and starts all users again.
        let monitor = Monitor::start(&scenario.locust);
        let back = "the test has all its 12 users again, after ";
        eventually(PATIENCE, || run.stderr().contains(back), || run.stderr());
        scenario.wait_until_running(12);
        let fewer = monitor.longest(|sample| sample.users < 8);
        run.interrupt();
        assert_eq!(end(&mut run), Some(130), "{release}: {}", run.stderr());
        assert_eq!(scenario.replicas(), 1, "{release}");
        let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
        let notes = report["notes"].to_string();
        assert!(notes.contains(lost) && notes.contains(back), "{release}: {notes}");
        let lowest = report["test"]["lowestUsers"].as_i64().unwrap();
        // After Locust drops the worker, it starts the users from 0, so it counts fewer than 8 for about 7 s. On a
        // busy machine, the workers report late, and this time is shorter. `run` looks every 2 s.
        let is_seen = lowest < 8 || fewer < Duration::from_secs(5);
        assert!(
            is_seen,
            "{release}: the report has {lowest} as the lowest number of users, but Locust counted fewer than 8 for {fewer:?}"
        );
    });
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_scale_and_an_edit_by_somebody_else_are_noted_and_a_second_run_is_refused() {
    let scenario = Scenario::new(LATEST);
    let mut run = start(&scenario, &format!("{TEST} -t 10m"));
    let second = scenario.run("run --replicas=5 -u 1 -t 1s");
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("is running, with 12 users. Nothing was changed"), "{second:?}");
    let holder = " has held the Lease locustctl-run-deployment-locust-slave since ";
    assert!(second.stderr.contains(holder), "{second:?}");
    let answer = scenario.locust.post("/swarm", "user_count=10&spawn_rate=10");
    assert_eq!(answer["success"], true, "{answer}");
    let edited = "somebody else edited the test; the wanted number of users is 10 now";
    eventually(PATIENCE, || run.stderr().contains(edited), || run.stderr());
    // Locust moves the users of a worker that leaves only if it is not carrying out a start. After an edit without a
    // run time, locustctl does not give them back.
    scenario.wait_until_running(10);
    scenario.wait_for_first_report();
    scenario.scale_as_kubectl(2);
    let scaled = "somebody else scaled deployment.apps/locust-slave from 3 to 2";
    eventually(PATIENCE, || run.stderr().contains(scaled), || run.stderr());
    scenario.wait_until_running(10);
    run.interrupt();
    assert_eq!(end(&mut run), Some(130), "{}", run.stderr());
    assert_eq!(scenario.replicas(), 2, "the number of somebody else stays");
    // An edited test is still the test of this run, so its results are read.
    assert!(run.stdout().contains("Aggregated"), "{}", run.stdout());
    assert!(!run.stderr().contains("error: "), "{}", run.stderr());
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_condition_ends_a_test_early() {
    let scenario = Scenario::new(LATEST);
    // Nothing listens at this port.
    let line = format!("{TEST} -t 10m --host=http://127.0.0.1:1 --abort-if=failures>50%");
    let outcome = scenario.run(&line);
    assert_eq!(outcome.code, Some(99), "{outcome:?}");
    assert!(outcome.stdout.contains("the test was ended by --abort-if"), "{outcome:?}");
    assert!(is_stopped(&scenario));
    assert_eq!(scenario.replicas(), 1);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_dead_master_ends_the_run_and_the_count_comes_back() {
    let mut scenario = Scenario::new(LATEST);
    let mut run = start(&scenario, "run --replicas=3 -u 12 -r 12 -t 10m --timeout=60s");
    scenario.locust.stop_master();
    assert_eq!(end(&mut run), Some(1), "{}", run.stderr());
    assert_eq!(scenario.replicas(), 1);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn locust_ends_the_test_even_if_locustctl_is_killed() {
    let scenario = Scenario::new(LATEST);
    let line = format!("{TEST} -t 30s --locust={}", scenario.url());
    let run = Running::start(&scenario.cluster, &line);
    scenario.wait_until_running(12);
    run.signal("KILL");
    eventually(PATIENCE, || is_stopped(&scenario), || run.stderr());
    assert_eq!(scenario.replicas(), 3);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_shape_needs_no_numbers_and_ends_by_itself() {
    for (flags, class) in [(&[] as &[&str], ""), (&["--class-picker"], " --shape-class=Short")] {
        let scenario =
            Scenario::with(LATEST, |it| it.locustfile("short_shape.py").master_flags(flags));
        let outcome = scenario.run(&format!("run --replicas=2 --timeout=60s{class}"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.ends_with("verdict: passed\n"), "{outcome:?}");
        assert!(is_stopped(&scenario));
        assert_eq!(scenario.replicas(), 1);
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_class_that_locust_would_ignore_is_refused() {
    let scenario = Scenario::new(LATEST);
    let outcome = scenario.run(&format!("{TEST} -t 4s --user-class=WebUser"));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("runs without --class-picker"), "{outcome:?}");
    assert_eq!(scenario.patches(), 0);
}

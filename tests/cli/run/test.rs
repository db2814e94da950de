//! A test of Locust from its start to its verdict. All tests of this file have the same workers and old count.

use locustctl::sandbox::{Action, Fault, Options};
use serde_json::{Value, json};
use support::SLAVE;
use support::cluster::TestCluster;
use support::running::Running;
use support::scaling::run;
use support::swarm::ask;
use support::waiting::cluster;

use super::command::{has_in_order, patches};

const BACK: &str = "deployment.apps/locust-slave scaled back from 3 to 1\n";

#[test]
fn a_test_without_failures_passes_and_the_old_count_comes_back() {
    let cluster = cluster();
    let outcome = run(&cluster, "run --replicas=3 -u 20 -r 20 -t 10s");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.ends_with("verdict: passed\n"), "{outcome:?}");
    has_in_order(
        &outcome.stderr,
        &[
            "Using Locust at service/locust-master\n",
            "deployment.apps/locust-slave scaled from 1 to 3\n",
            "3 workers are connected to Locust\n",
            "Locust has started the test\n",
            " of 10s: running, 20 users, ",
            BACK,
        ],
    );
    assert_eq!((cluster.workers(), patches(&cluster)), (1, 2));
    let starts = cluster.request_lines();
    assert_eq!(starts.iter().filter(|line| line.ends_with("proxy/swarm")).count(), 1);
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["state"], "stopped");
}

#[test]
fn the_reports_have_the_results_at_the_time_when_they_have_stopped_changing() {
    let cluster = cluster();
    let path = |name: &str| cluster.path(name).display().to_string();
    std::fs::write(cluster.path("summary.md"), "before\n").unwrap();
    let line = format!(
        "run --replicas=3 -u 20 -r 20 -t 10s -o json --fail-if p95>1s --html {} --csv {} --json-file {} --junit {} \
         --markdown {}",
        path("report.html"),
        path("load"),
        path("report.json"),
        path("junit.xml"),
        path("summary.md")
    );
    let outcome = run(&cluster, &line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let read = |name: &str| std::fs::read_to_string(cluster.path(name)).unwrap();
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(outcome.stdout, read("report.json"));
    let page = ask(&cluster, "GET", "stats/requests", "");
    assert_eq!(report["statistics"]["total"]["requests"], page["stats"][0]["num_requests"]);
    assert_eq!(report["verdict"], "passed");
    assert_eq!(report["replicas"], json!({"old": 1, "new": 3, "restored": true}));
    let phases = report["phases"].as_array().unwrap().iter().map(|phase| phase["name"].as_str());
    let phases: Vec<_> = phases.map(Option::unwrap).collect();
    assert_eq!(phases, ["scale", "pods", "workers", "start", "follow", "results", "put-back"]);
    assert_eq!(report["test"]["lowestUsers"], 20);
    assert!(read("report.html").contains("Locust Test Report"));
    for (file, begin) in [
        ("load_stats.csv", "Type,Name,Request Count,"),
        ("load_stats_history.csv", "Timestamp,User Count,"),
        ("load_failures.csv", "Method,Name,Error,"),
        ("load_exceptions.csv", "Count,Message,"),
        ("junit.xml", "<?xml"),
        ("summary.md", "before\n"),
    ] {
        assert!(read(file).starts_with(begin), "{file}: {}", read(file));
    }
    assert!(read("load_stats_history.csv").lines().count() > 1);
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_scaled() {
    let cluster = cluster();
    let line = "run --replicas=3 -u 20 -r 20 -t 3s --html /nonexistent/report.html";
    let outcome = run(&cluster, line);
    outcome.exits(1, "");
    assert!(outcome.stderr.contains("--html"), "{outcome:?}");
    assert_eq!(cluster.request_lines(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn reports_on_a_redirected_stdout_stand_before_the_summary() {
    let cluster = cluster();
    let line = "run -u 20 -r 20 -t 1s --json-file /dev/stdout --markdown /dev/fd/1";
    let mut running = Running::start(&cluster, line);
    assert_eq!(running.end(), Some(0), "{}", running.stderr());
    let text = running.stdout();
    has_in_order(
        &text,
        &["{\n  \"version\": 1,", "\n}\n### Load test of ", "\nTYPE ", "verdict: passed\n"],
    );
}

#[test]
fn failed_requests_fail_the_test_with_exit_code_99() {
    let cluster = cluster();
    let line = "run --replicas=3 -u 20 -r 20 -t 3s --option failure-percent=50";
    let outcome = run(&cluster, line);
    assert_eq!(outcome.code, Some(99), "{outcome:?}");
    assert!(outcome.stdout.contains("\nverdict: failed: "), "{outcome:?}");
    assert!(outcome.stderr.ends_with(BACK), "{outcome:?}");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn conditions_decide_instead_of_any_failure() {
    let cluster = cluster();
    for (condition, code) in [
        ("failures>90%", 0),
        ("failures>10%", 99),
        ("p95>25ms", 99),
        ("users<20", 0),
        ("requests<1000000", 99),
    ] {
        let line = format!(
            "run --replicas=3 -u 20 -r 20 -t 3s --option failure_percent=50 --fail-if {condition}"
        );
        let outcome = run(&cluster, &line);
        assert_eq!(outcome.code, Some(code), "{condition}: {outcome:?}");
        assert_eq!(cluster.workers(), 1);
    }
}

#[test]
fn a_condition_ends_the_test_early() {
    let cluster = cluster();
    let line =
        "run --replicas=3 -u 20 -r 20 -t 10m --option failure_percent=50 --abort-if failures>20%";
    let outcome = run(&cluster, line);
    assert_eq!(outcome.code, Some(99), "{outcome:?}");
    assert!(outcome.stdout.contains("the test was ended by --abort-if"), "{outcome:?}");
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["state"], "stopped");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn results_that_could_be_read_only_once_are_kept_and_are_an_error() {
    let cluster = cluster();
    let handle = cluster.handle();
    let forbidden = Action::Answer {
        status: 403,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: br#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no more","reason":"Forbidden","code":403}"#
            .to_vec(),
    };
    let first = Fault::once(Action::DelayAnswer(std::time::Duration::ZERO));
    handle.inject(first.at("proxy/stats/requests/csv"));
    handle.inject(Fault::once(forbidden).at("proxy/stats/requests/csv").times(Fault::ALWAYS));
    // A page of a proxy in place of the report is tried again.
    handle.inject(Fault::once(Action::html(502)).at("proxy/stats/report"));
    let html = cluster.path("report.html");
    let line = format!("run --replicas=3 -u 20 -r 20 -t 2s -o json --html={}", html.display());
    let outcome = run(&cluster, &line);
    assert_eq!((outcome.code, cluster.workers()), (Some(1), 1), "{outcome:?}");
    let error = "the results may not be final, because a later read failed: ";
    assert!(outcome.stderr.contains(error), "{outcome:?}");
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(report["errors"].to_string().contains(error), "{outcome:?}");
    assert!(report["statistics"]["total"]["requests"].as_i64() > Some(0), "{outcome:?}");
    assert!(html.exists());
}

#[test]
fn keep_leaves_the_workers() {
    let cluster = cluster();
    let outcome = run(&cluster, "run --replicas=3 --keep -u 20 -r 20 -t 2s");
    assert_eq!((outcome.code, cluster.workers()), (Some(0), 3), "{outcome:?}");
}

#[test]
fn the_report_has_the_new_number_also_of_a_test_that_was_never_started() {
    let cluster = cluster();
    cluster.handle().pause_controllers();
    let outcome = run(&cluster, "run --replicas=3 -u 20 -t 3s --timeout=1s -o json");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["replicas"], json!({"old": 1, "new": 3, "restored": true}));
}

#[test]
fn the_report_does_not_claim_that_a_count_of_somebody_else_was_put_back() {
    let cluster = cluster();
    let mut running = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 10m -o json");
    running.wait_for("running, 20 users");
    cluster.handle().set_replicas(SLAVE, 5);
    running.interrupt();
    assert_eq!(running.end(), Some(130), "{}", running.stderr());
    let report: Value = serde_json::from_str(&running.stdout()).unwrap();
    assert_eq!(report["replicas"], json!({"old": 1, "new": 3, "restored": false}));
    assert_eq!(cluster.workers(), 5);
}

#[test]
fn the_number_of_workers_is_derived_from_the_users() {
    let cluster = cluster();
    let outcome = run(&cluster, "run --users-per-worker=10 -u 21 -r 21 -t 2s");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    has_in_order(&outcome.stderr, &["scaled from 1 to 3\n", BACK]);
}

#[test]
fn a_dry_run_starts_nothing() {
    let cluster = cluster();
    let outcome = run(&cluster, "run --replicas=3 -u 20 -r 20 -t 2s --dry-run --fail-if p95>1s");
    outcome.warns(
        "deployment.apps/locust-slave scaled (server dry run) from 1 to 3\n\
         The test can be started (dry run: it was not started)\n",
        "Using Locust at service/locust-master\n",
    );
    assert_eq!(cluster.workers(), 1);
    assert!(cluster.request_lines().iter().all(|line| !line.ends_with("proxy/swarm")));
}

#[test]
fn following_costs_locust_two_requests_per_look() {
    let cluster = cluster();
    let mut run = Running::start(&cluster, "run -u 20 -r 20 -t 6s");
    run.wait_for("running, 20 users");
    cluster.handle().clear_requests();
    run.wait_for("verdict: passed");
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    let lines = cluster.request_lines();
    let end = lines.iter().position(|line| line.ends_with("proxy/stats/requests/csv"));
    let lines = &lines[..end.unwrap()];
    let to = |end: &str| lines.iter().filter(|line| line.ends_with(end)).count();
    // One look at the page and one at the statistics, in turn. The last look sees that the test has ended.
    assert!(to("proxy/").abs_diff(to("proxy/stats/requests")) <= 1, "{lines:#?}");
    assert!(to("proxy/logs") <= 1, "{lines:#?}");
}

#[test]
fn a_run_whose_test_did_not_begin_says_so_once_and_each_report_names_the_phase() {
    let cluster = cluster();
    let refused = br#"{"success":false,"message":"no"}"#.to_vec();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Action::Answer { status: 200, headers, body: refused };
    cluster.handle().inject(Fault::once(answer).at("proxy/swarm"));
    let path = |name: &str| cluster.path(name).display().to_string();
    let line = format!(
        "run --replicas=3 -u 20 -r 20 -t 10m --csv={} --html={} --json-file={} --junit={} --markdown={}",
        path("r"),
        path("r.html"),
        path("r.json"),
        path("r.xml"),
        path("r.md")
    );
    let outcome = run(&cluster, &line);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let lines: Vec<_> = outcome.stderr.lines().rev().take(3).collect();
    let note = "Note: the test did not begin, so there are no results for --html and --csv";
    assert_eq!(lines[1], note, "{outcome:?}");
    assert!(lines[0].starts_with("error: starting the test: "), "{outcome:?}");
    assert_eq!(lines[2], BACK.trim_end(), "{outcome:?}");
    for name in ["r.json", "r.xml", "r.md"] {
        let text = std::fs::read_to_string(cluster.path(name)).unwrap();
        assert!(text.contains("starting the test"), "{name}: {text}");
        assert!(!text.contains("fetched"), "{name}: {text}");
    }
    for name in ["r.html", "r_stats.csv", "r_stats_history.csv", "r_failures.csv"] {
        assert!(!cluster.path(name).exists(), "{name}");
    }
}

/// Locust 2.25 refuses POST /stop with the status 500.
#[test]
fn a_test_of_locust_2_25_is_stopped_and_judged() {
    let locust_release = "2.25.0".parse().unwrap();
    let cluster = TestCluster::with(Options { locust_release, ..Options::default() });
    let line = "run --replicas=3 -u 20 -r 20 -t 10m --abort-if requests>0";
    let outcome = run(&cluster, line);
    assert_eq!(outcome.code, Some(99), "{outcome:?}");
    assert!(outcome.stdout.contains("the test was ended by --abort-if"), "{outcome:?}");
    has_in_order(&outcome.stderr, &["Locust has started the test\n", BACK]);
    let stops = cluster.request_lines();
    let stops = stops.iter().filter(|line| line.ends_with("proxy/stop"));
    let methods: Vec<_> = stops.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(methods, ["POST", "GET"]);
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["state"], "stopped");
    assert_eq!(cluster.workers(), 1);
}

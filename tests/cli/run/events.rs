//! Events during a test: what others change, and failures of Locust and of the API server.

use locustctl::sandbox::{Action, Fault, Options};
use serde_json::Value;
use support::SLAVE;
use support::cluster::TestCluster;
use support::running::Running;
use support::serving::wait_until;
use support::swarm::{ask, ask_for_text, reset_statistics, wait_for_workers};
use support::waiting::{MASTER, cluster};

use super::command::has_in_order;

const LINE: &str = "run --replicas=3 -u 20 -r 20 -t 10m";

fn running_test(cluster: &TestCluster, line: &str) -> Running {
    let run = Running::start(cluster, line);
    run.wait_for("running, 20 users");
    run
}

#[test]
fn a_test_that_somebody_else_stops_is_reported_as_not_run() {
    let cluster = cluster();
    let mut run = running_test(&cluster, LINE);
    ask(&cluster, "POST", "stop", "");
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    assert!(run.stderr().contains("error: following the test: the test stopped after"));
    assert!(run.stdout().contains("verdict: not run: the test stopped after"), "{}", run.stdout());
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn users_that_a_leaving_worker_takes_along_are_given_back() {
    let cluster = cluster();
    let mut run = running_test(&cluster, "run --replicas=3 -u 20 -r 20 -t 10m");
    // Locust rebalances the users itself after the first change, but not after the second.
    cluster.handle().set_replicas(SLAVE, 2);
    wait_for_workers(&cluster, 2);
    cluster.handle().set_replicas(SLAVE, 1);
    wait_for_workers(&cluster, 1);
    run.wait_for("redistributed 20 users over 1 worker");
    run.wait_for("somebody else scaled deployment.apps/locust-slave from ");
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["user_count"], 20);
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_signal_during_a_rebalance_waits_for_the_answer_before_the_test_is_stopped() {
    let cluster = cluster();
    let mut run = running_test(&cluster, LINE);
    cluster.handle().clear_requests();
    cluster.handle().inject(Fault::once(Action::HoldAnswer).at("proxy/swarm"));
    // Locust itself moves the users after the first change, but not after the second.
    for count in [2, 1] {
        cluster.handle().set_replicas(SLAVE, count);
        wait_for_workers(&cluster, count as usize);
    }
    let has = |end: &str| cluster.request_lines().iter().any(|line| line.ends_with(end));
    wait_until(|| has("proxy/swarm"), || format!("a start: {}", run.stderr()));
    run.interrupt();
    run.wait_for("Interrupted: locustctl undoes its changes before it ends");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(!has("proxy/stop"), "a start after the stop would begin another test");
    cluster.handle().clear_faults();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert!(has("proxy/stop") && !run.stderr().contains("has not answered"), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1);
}

/// Runs a test on this release. A worker leaves, and locustctl redistributes the users, but the answer to its start is
/// lost.
fn with_lost_start(release: &str) -> (TestCluster, Running) {
    let locust_release = release.parse().unwrap();
    let cluster = TestCluster::with(Options { locust_release, ..Options::default() });
    let run = running_test(&cluster, LINE);
    cluster.handle().inject(Fault::once(Action::CloseAfter).at("proxy/swarm"));
    let workers =
        || ask(&cluster, "GET", "stats/requests", "")["workers"].as_array().unwrap().len();
    for count in [2, 1] {
        cluster.handle().set_replicas(SLAVE, count);
        wait_until(|| workers() as i64 == count, || workers().to_string());
    }
    run.wait_for("Note: Locust did not answer: ");
    run.wait_for("Note: the test has all its 20 users again, after ");
    assert_eq!(cluster.handle().pending_faults(), 0);
    (cluster, run)
}

#[test]
fn a_rebalance_whose_answer_is_lost_is_not_an_edit_by_somebody_else() {
    for release in ["2.47.0", "2.46.6"] {
        let (cluster, mut run) = with_lost_start(release);
        if release == "2.46.6" {
            // Two looks into the log show an edit there.
            cluster.handle().clear_requests();
            cluster.wait_for_requests(2, |request| request.line().ends_with("proxy/logs"));
            cluster.handle().clear_requests();
            cluster.wait_for_requests(2, |request| request.line().ends_with("stats/requests"));
        }
        run.interrupt();
        assert_eq!(run.end(), Some(130), "{}", run.stderr());
        assert!(!run.stderr().contains("edited the test"), "{release}: {}", run.stderr());
    }
}

/// From now on, Locust does not hear from one of three workers, as after SIGKILL: 13 of 20 users are left.
fn lose_a_worker(cluster: &TestCluster) {
    let mut stats = ask(cluster, "GET", "stats/requests", "");
    stats["workers"][0]["state"] = "missing".into();
    stats["worker_count"] = 2.into();
    let id = stats["workers"][0]["id"].as_str().unwrap();
    let line = format!("Worker {id} failed to send heartbeat, setting state to missing.");
    let in_page = [("\"worker_count\":3", "\"worker_count\":2")];
    answer_always(cluster, 13, stats, &in_page, Some(&line));
}

/// From now on, Locust shows these statistics, this number of users, a page with these replacements, and one more line
/// in the master's log.
fn answer_always(
    cluster: &TestCluster,
    users: i64,
    mut stats: Value,
    in_page: &[(&str, &str)],
    line: Option<&str>,
) {
    let users_in_page = ("\"user_count\":20", &*format!("\"user_count\":{users}"));
    let mut page = ask_for_text(cluster, "");
    for (from, to) in in_page.iter().copied().chain([users_in_page]) {
        assert!(page.contains(from), "{from}: {page}");
        page = page.replace(from, to);
    }
    stats["user_count"] = users.into();
    let mut log = ask(cluster, "GET", "logs", "");
    let lines = log["master"].as_array_mut().unwrap();
    let (time, _) = lines.last().unwrap().as_str().unwrap().split_once(": ").unwrap();
    let line = line.map(|line| format!("{time}: {line}"));
    lines.extend(line.map(Value::from));
    // Each path contains that of the page, so the page comes last.
    let report = ask_for_text(cluster, "stats/report");
    for (path, body) in [
        ("stats/requests", stats.to_string()),
        ("stats/report", report),
        ("logs", log.to_string()),
        ("", page),
    ] {
        let answer = Action::Answer { status: 200, headers: Vec::new(), body: body.into_bytes() };
        let fault = Fault::once(answer).on("GET").at(&format!("proxy/{path}"));
        cluster.handle().inject(fault.times(Fault::ALWAYS));
    }
}

#[test]
fn users_of_a_worker_that_locust_does_not_hear_from_are_noted_and_so_is_their_return() {
    let cluster = cluster();
    let report = cluster.path("report.json");
    let line = format!("{LINE} --json-file={}", report.display());
    let mut run = running_test(&cluster, &line);
    let worker = ask(&cluster, "GET", "stats/requests", "")["workers"][0]["id"].clone();
    let (pod, _) = worker.as_str().unwrap().rsplit_once('_').unwrap();
    lose_a_worker(&cluster);
    let notes = [
        "the number of connected workers changed from 3 to 2",
        "the test has 13 of 20 users",
        &format!(
            "ready, but not connected to Locust: {pod}; locustctl redistributes the users when "
        ),
        "the test has all its 20 users again, after ",
    ];
    run.wait_for(notes[2]);
    cluster.handle().clear_faults();
    run.wait_for(notes[3]);
    has_in_order(&run.stderr(), &notes);
    assert_eq!(run.stderr().matches(notes[1]).count(), 1, "{}", run.stderr());
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    let written: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    has_in_order(&written["notes"].to_string(), &notes);
}

#[test]
fn a_test_that_was_stopped_while_locust_started_users_has_ended() {
    let cluster = cluster();
    let mut run = running_test(&cluster, LINE);
    let stats = ask(&cluster, "GET", "stats/requests", "");
    // Locust's state stays `running`.
    answer_always(&cluster, 0, stats, &[], Some("a_1 (index 0) reported that it has stopped"));
    cluster.wait_for_requests(1, |request| request.line().ends_with("proxy/stop"));
    cluster.handle().clear_faults();
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    let error = "error: following the test: the test stopped after";
    assert!(run.stderr().contains(error), "{}", run.stderr());
    assert!(!run.stderr().contains("reading the results"), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1, "{}", run.stderr());
}

#[test]
fn a_test_without_users_whose_end_is_not_in_the_log_goes_on() {
    let cluster = cluster();
    let mut run = running_test(&cluster, LINE);
    let stats = ask(&cluster, "GET", "stats/requests", "");
    answer_always(&cluster, 0, stats, &[], None);
    cluster.handle().clear_requests();
    cluster.wait_for_requests(3, |request| request.line().ends_with("proxy/stats/requests"));
    cluster.handle().clear_faults();
    run.wait_for("the test has all its 20 users again, after ");
    let is_stop = |line: &String| line.ends_with("proxy/stop");
    assert!(!cluster.request_lines().iter().any(is_stop), "{}", run.stderr());
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
}

#[test]
fn the_lowest_number_of_users_includes_those_while_locust_starts_all_users_again() {
    let cluster = cluster();
    let report = cluster.path("report.json");
    let line = format!("{LINE} --json-file={}", report.display());
    let mut run = running_test(&cluster, &line);
    let mut stats = ask(&cluster, "GET", "stats/requests", "");
    stats["state"] = "spawning".into();
    let state = [("\"state\":\"running\"", "\"state\":\"spawning\"")];
    answer_always(&cluster, 4, stats, &state, None);
    run.wait_for("spawning, 4 users");
    cluster.handle().clear_faults();
    ask(&cluster, "POST", "stop", "");
    run.end();
    let written: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(written["test"]["lowestUsers"], 4, "{written:#}");
}

#[test]
fn an_edit_and_a_reset_by_somebody_else_are_noted() {
    let cluster = cluster();
    let mut run = running_test(&cluster, LINE);
    ask(&cluster, "POST", "swarm", "user_count=30&spawn_rate=30");
    run.wait_for("Note: somebody else edited the test; the wanted number of users is 30 now\n");
    // A reset is noticed when the number of requests falls from one look to the next.
    run.wait_for(" of 10m0s: running, 30 users");
    reset_statistics(&cluster);
    run.wait_for("Note: the statistics were reset during the test\n");
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["user_count"], 30);
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
}

#[test]
fn an_edit_by_somebody_else_is_noted_on_a_release_whose_page_does_not_show_it() {
    let locust_release = "2.32.2".parse().unwrap();
    let cluster = TestCluster::with(Options { locust_release, ..Options::default() });
    let mut run = running_test(&cluster, LINE);
    ask(&cluster, "POST", "swarm", "user_count=10&spawn_rate=10");
    run.wait_for("Note: somebody else edited the test\n");
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
}

#[test]
fn a_master_that_is_restarted_ends_the_run() {
    let cluster = cluster();
    let mut run = running_test(&cluster, LINE);
    cluster.handle().set_replicas(MASTER, 0);
    let is_gone = || ask(&cluster, "GET", "stats/requests", "")["code"] == 503;
    wait_until(is_gone, || "the end of the master".to_owned());
    cluster.handle().set_replicas(MASTER, 1);
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    assert!(run.stderr().contains("following the test: Locust's master was restarted"));
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_master_that_does_not_come_back_ends_the_run_after_the_time_limit() {
    let cluster = cluster();
    let mut run = running_test(&cluster, &format!("{LINE} --timeout=5s"));
    cluster.handle().set_replicas(MASTER, 0);
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    // Each of several errors is marked, and the first failure is printed at once.
    let errors = [
        "\nNote: Locust did not answer: ",
        "\nerror: following the test: ",
        "\nerror: stopping the test of Locust at ",
    ];
    has_in_order(&run.stderr(), &[&errors[..], &["\nerror: reading the results: "]].concat());
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn single_answers_that_are_lost_do_not_end_the_run() {
    let cluster = cluster();
    let mut run = running_test(&cluster, "run --replicas=3 -u 20 -r 20 -t 8s");
    let handle = cluster.handle();
    handle.inject(Fault::once(Action::CloseBefore).at("proxy/stats/requests").times(2));
    handle.inject(Fault::once(Action::html(502)).at("proxy/stats/requests/csv"));
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert!(run.stdout().ends_with("verdict: passed\n"), "{}", run.stdout());
}

/// The text is followed by a time of 15 seconds or more, and by Locust's state.
#[track_caller]
fn assert_waited(stderr: &str, text: &str) {
    let (_, rest) =
        stderr.rsplit_once(text).unwrap_or_else(|| panic!("{text:?} is not in {stderr}"));
    let (seconds, rest) = rest.split_once(" s ").unwrap();
    assert!(seconds.parse::<u64>().unwrap() >= 15, "{stderr}");
    assert!(rest.starts_with("its state is ready\n"), "{stderr}");
}

#[test]
fn a_start_that_starts_nothing_is_an_error() {
    let cluster = cluster();
    // Locust says "Swarming started" also if it starts nothing.
    let started = Action::Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: br#"{"success":true,"message":"Swarming started","host":null}"#.to_vec(),
    };
    cluster.handle().inject(Fault::once(started).at("proxy/swarm"));
    let mut run = Running::start(&cluster, LINE);
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    assert_waited(&run.stderr(), "error: starting the test: Locust accepted the start, but after ");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_start_that_gets_no_answer_and_starts_nothing_is_an_error() {
    let cluster = cluster();
    cluster
        .handle()
        .inject(Fault::once(Action::CloseBefore).at("proxy/swarm").times(Fault::ALWAYS));
    let mut run = Running::start(&cluster, LINE);
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    let error = "error: starting the test: Locust did not answer the start: ";
    has_in_order(&run.stderr(), &[error, "; after "]);
    assert_waited(&run.stderr(), "; after ");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_start_whose_answer_is_lost_is_followed() {
    let cluster = cluster();
    cluster.handle().inject(Fault::once(Action::CloseAfter).at("proxy/swarm"));
    let mut run = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 3s");
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    let starts = cluster.request_lines();
    assert_eq!(starts.iter().filter(|line| line.ends_with("proxy/swarm")).count(), 1);
}

#[test]
fn a_test_that_outlasts_its_run_time_is_stopped_with_a_note() {
    let cluster = cluster();
    let mut run = running_test(&cluster, "run --replicas=3 -u 20 -r 20 -t 15s");
    // An edit without a run time removes it.
    ask(&cluster, "POST", "swarm", "user_count=20&spawn_rate=20");
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert!(run.stderr().contains("Note: the test was still running after its run time\n"));
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["state"], "stopped");
}

#[test]
fn a_test_that_does_not_stop_is_reported_with_its_state() {
    let cluster = cluster();
    let answer = Action::Answer { status: 200, headers: Vec::new(), body: Vec::new() };
    cluster.handle().inject(Fault::once(answer).at("proxy/stop").times(100));
    let line = "run --replicas=3 -u 20 -r 20 -t 10m --timeout=5s --abort-if users>1";
    let mut run = Running::start(&cluster, line);
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    let error = "stopping the test: its state is still running after 5 s\n";
    has_in_order(&run.stderr(), &["Note: --abort-if was met: users>1: ", error]);
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_failure_of_the_server_for_a_moment_does_not_keep_the_run_from_scaling() {
    for lost in [Action::CloseBefore, Action::CloseAfter] {
        let cluster = cluster();
        let handle = cluster.handle();
        handle.inject(Fault::once(Action::internal_error(None)).on("PATCH").times(2));
        handle.inject(Fault::once(lost).on("PATCH"));
        let mut run = Running::start(&cluster, "run --replicas=3 -- /bin/true");
        assert_eq!(run.end(), Some(0), "{}", run.stderr());
        has_in_order(&run.stderr(), &["scaled from 1 to 3\n", "scaled back from 3 to 1\n"]);
        assert_eq!(cluster.workers(), 1);
    }
}

#[test]
fn a_count_that_somebody_else_sets_between_two_attempts_stays() {
    let cluster = cluster();
    cluster.handle().inject(Fault::once(Action::internal_error(None)).on("PATCH").times(2));
    let mut run = Running::start(&cluster, LINE);
    cluster.wait_for_requests(1, |request| request.line().starts_with("PATCH"));
    cluster.handle().set_replicas(SLAVE, 5);
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    let error = "error: scaling the workers: Expected replicas to be 1, was 5\n";
    assert!(run.stderr().ends_with(error), "{}", run.stderr());
    assert_eq!(cluster.workers(), 5);
}

#[test]
fn ctrl_c_ends_the_attempts_to_scale() {
    let cluster = cluster();
    cluster.handle().inject(Fault::once(Action::internal_error(None)).on("PATCH").times(3));
    let mut run = Running::start(&cluster, LINE);
    cluster.wait_for_requests(1, |request| request.line().starts_with("PATCH"));
    run.interrupt();
    assert_eq!(run.end(), Some(130), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn failures_of_locust_while_the_workers_connect_are_one_line() {
    let cluster = cluster();
    cluster.handle().pause_controllers();
    let mut run = Running::start(&cluster, "run --replicas=3 -u 20 -r 20 -t 10m --timeout=5s");
    run.wait_for("scaled from 1 to 3\n");
    // The texts of the failures alternate.
    for _ in 0..50 {
        cluster.handle().inject(Fault::once(Action::html(502)).at("proxy/"));
        cluster.handle().inject(Fault::once(Action::html(503)).at("proxy/"));
    }
    cluster.handle().resume_controllers();
    assert_eq!(run.end(), Some(1), "{}", run.stderr());
    let failures = run.stderr().matches("Waiting for the workers: the last check failed: ").count();
    assert_eq!(failures, 1, "{}", run.stderr());
    let error = "error: waiting for the workers to connect to Locust: Locust's master did not answer in time: ";
    assert!(run.stderr().contains(error), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1);
}

//! `run -- COMMAND`: the workers are up while the command runs, and the old count comes back.

use locustctl::sandbox::{Account, Action, Fault};
use support::cluster::TestCluster;
use support::running::Running;
use support::scaling::run;
use support::serving::{Http, wait_until};
use support::swarm::{ask, running};
use support::waiting::cluster;
use support::{Outcome, SLAVE, dead_kubeconfig, locustctl};

/// The lines on stderr of a run with three workers.
const UP: &str =
    "Using Locust at service/locust-master\ndeployment.apps/locust-slave scaled from 1 to 3\n";
const BACK: &str = "deployment.apps/locust-slave scaled back from 3 to 1\n";
const NOT_SCALED_BACK: &str =
    "deployment.apps/locust-slave is at 1, as before the run, so locustctl did not scale it back\n";

/// A script that says where Locust is, and waits for the file `go`. It also ends with the test, which removes
/// the directory, because a killed run cannot end it.
pub fn waiting_script(cluster: &TestCluster, before: &str) -> String {
    let (started, go) = (cluster.path("started"), cluster.path("go"));
    let script = format!(
        "{before}\necho $LOCUSTCTL_LOCUST_URL >{started}.part\nmv {started}.part {started}\n\
         while [ -e {script} ] && [ ! -e {go} ]; do sleep 0.05; done\necho done\n",
        script = cluster.path("load-test.sh").display(),
        started = started.display(),
        go = go.display()
    );
    cluster.file("load-test.sh", &script).display().to_string()
}

/// Waits until the script runs. Returns Locust's URL.
pub fn wait_for_script(cluster: &TestCluster, run: &Running) -> String {
    let started = cluster.path("started");
    wait_until(|| started.exists(), || format!("the script: {}", run.stderr()));
    let url = std::fs::read_to_string(&started).unwrap().trim().to_owned();
    std::fs::remove_file(started).unwrap();
    url
}

pub fn patches(cluster: &TestCluster) -> usize {
    cluster.request_lines().iter().filter(|line| line.starts_with("PATCH")).count()
}

#[track_caller]
pub fn has_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not next in {text}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn the_workers_are_connected_while_the_command_runs_and_the_old_count_comes_back() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    let url = wait_for_script(&cluster, &run);
    assert_eq!(cluster.workers(), 3);
    let http = Http::new();
    let asked = http.send(http.request("GET", &format!("{url}worker-count")));
    assert_eq!(asked.json()["worker_count"], 3);
    let posted = http.request("POST", &format!("{url}swarm")).body("user_count=6&spawn_rate=6");
    assert_eq!(http.send(posted).json()["success"], true);
    let stopped = http.send(http.request("POST", &format!("{url}stop")));
    assert_eq!(stopped.json()["message"], "Test stopped");
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!((run.end(), &*run.stdout()), (Some(0), "done\n"), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1);
    has_in_order(&run.stderr(), &[UP, "3 workers are connected to Locust\n", BACK]);
    assert!(run.stderr().ends_with(BACK), "{}", run.stderr());
    assert_eq!(patches(&cluster), 2);
}

#[test]
fn the_relay_refuses_a_request_for_another_host() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut run = Running::start(&cluster, &format!("run -- /bin/sh {script}"));
    let url = wait_for_script(&cluster, &run);
    let http = Http::new();
    let request = http.request("GET", &url).header("host", "rebinding.example.com");
    assert_eq!(http.send(request).status, 421);
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let cluster = cluster();
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)] {
        let file = cluster.file("exit.sh", script);
        let line = format!("run --replicas=3 -- /bin/sh {}", file.display());
        let outcome = run(&cluster, &line);
        outcome.exits(code, "");
        assert!(outcome.stderr.ends_with(BACK), "{}", outcome.stderr);
        assert_eq!(cluster.workers(), 1);
    }
}

#[test]
fn a_command_that_cannot_be_executed_is_refused_before_any_request() {
    let cluster = cluster();
    for program in ["/nonexistent/program", "nonexistent-program"] {
        let outcome = run(&cluster, &format!("run --replicas=3 -- {program}"));
        outcome.exits(127, "");
        let expected =
            format!("error: the command \"{program}\" was not found; nothing was changed\n");
        assert_eq!(outcome.stderr, expected);
    }
    let file = cluster.file("not-executable", "").display().to_string();
    for (program, problem) in [("/", "is a directory"), (&*file, "is not executable")] {
        let outcome = run(&cluster, &format!("run --replicas=3 -- {program}"));
        outcome.exits(126, "");
        let expected = format!("error: the command \"{program}\" {problem}; nothing was changed\n");
        assert_eq!(outcome.stderr, expected);
    }
    assert_eq!(cluster.request_lines(), [""; 0]);
}

#[test]
fn mistakes_are_refused_before_any_request() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = dead_kubeconfig(directory.path());
    let refusal = |line: &str| locustctl(line).kubeconfig(&kubeconfig).run();
    let with_command = |flags: &str| refusal(&format!("run {flags} -- /bin/true"));
    for (outcome, stderr) in [
        (
            with_command("--replicas=0"),
            "error: --replicas must be at least 1: a run needs workers\n",
        ),
        (
            with_command("--replicas=2147483648"),
            "error: --replicas must not be greater than 2147483647, was 2147483648\n",
        ),
        (with_command("deploy/a deploy/b"), "error: run takes one target, but 2 were given\n"),
    ] {
        assert_eq!((outcome.code, &*outcome.stderr), (Some(125), stderr));
    }
}

#[test]
fn a_running_test_is_left_alone() {
    let cluster = running(3);
    cluster.handle().clear_requests();
    let outcome = run(&cluster, "run --replicas=5 -- /bin/true");
    outcome.exits(125, "");
    assert_eq!(
        outcome.stderr,
        "Using Locust at service/locust-master\n\
         error: Locust at service/locust-master is running a test: its state is running, with 60 users. Nothing was \
         changed. To wait for the end of the test, use --wait-for-idle=DURATION\n"
    );
    assert_eq!(patches(&cluster), 0);
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["user_count"], 60);
}

#[test]
fn a_run_waits_for_the_end_of_another_test_if_it_is_told_to() {
    let cluster = running(3);
    let line = "run --replicas=5 --wait-for-idle=2m -- /bin/true";
    let mut run = Running::start(&cluster, line);
    run.wait_for("Waiting until Locust at service/locust-master is idle; its state is running\n");
    assert_eq!(cluster.workers(), 3);
    ask(&cluster, "POST", "stop", "");
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert_eq!(cluster.workers(), 3);
    has_in_order(&run.stderr(), &["scaled from 3 to 5\n", "scaled back from 5 to 3\n"]);
}

#[test]
fn a_count_that_somebody_else_changed_stays() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &run);
    cluster.handle().set_replicas(SLAVE, 5);
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert_eq!(cluster.workers(), 5);
    assert!(
        run.stderr().ends_with(
            "Warning: deployment.apps/locust-slave stays at 5, because somebody else scaled it during the run. \
             Before the run it was at 1\n"
        ),
        "{}",
        run.stderr()
    );
}

#[test]
fn an_old_count_that_somebody_else_has_set_again_is_not_reported_as_scaled_back() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &run);
    cluster.handle().set_replicas(SLAVE, 1);
    // The first attempt is refused without a change.
    let busy = Action::Answer {
        status: 429,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body:
            br#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"busy","code":429}"#
                .to_vec(),
    };
    cluster.handle().inject(Fault::once(busy).on("PATCH"));
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!((run.end(), patches(&cluster)), (Some(0), 3), "{}", run.stderr());
    assert!(run.stderr().ends_with(NOT_SCALED_BACK), "{}", run.stderr());
}

#[test]
fn a_scale_that_was_never_carried_out_is_not_reported_as_scaled_back() {
    let cluster = cluster();
    cluster.handle().inject(Fault::once(Action::CloseBefore).on("PATCH"));
    let outcome = run(&cluster, "run --replicas=3 --timeout=500ms -o json -u 1 -t 1s");
    assert_eq!((outcome.code, cluster.workers()), (Some(1), 1), "{outcome:?}");
    assert!(outcome.stderr.contains(NOT_SCALED_BACK), "{outcome:?}");
    assert!(!outcome.stderr.contains(BACK), "{outcome:?}");
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let expected = serde_json::json!({"old": 1, "new": null, "restored": true});
    assert_eq!(report["replicas"], expected);
}

#[test]
fn a_test_that_the_command_left_running_is_stopped() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &run);
    ask(&cluster, "POST", "swarm", "user_count=6&spawn_rate=6");
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert!(run.stderr().contains("The command left a test running, so locustctl stopped it\n"));
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["state"], "stopped");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn keep_leaves_the_workers_and_their_test() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let line = format!("run --replicas=3 --keep -- /bin/sh {script}");
    let mut run = Running::start(&cluster, &line);
    wait_for_script(&cluster, &run);
    ask(&cluster, "POST", "swarm", "user_count=6&spawn_rate=6");
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert_eq!(cluster.workers(), 3);
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["user_count"], 6);
}

#[test]
fn without_replicas_nothing_is_scaled() {
    let cluster = cluster();
    let outcome = run(&cluster, "run -- /bin/echo done");
    assert_eq!((outcome.code, &*outcome.stdout), (Some(0), "done\n"), "{outcome:?}");
    assert_eq!(patches(&cluster), 0);
    assert!(outcome.stderr.contains("1 worker is connected to Locust\n"), "{outcome:?}");
}

#[test]
fn without_locust_the_command_gets_no_url() {
    let cluster = cluster();
    let file = cluster.file("url.sh", "echo url=$LOCUSTCTL_LOCUST_URL");
    let line = format!("run --replicas=3 --locust=none -- /bin/sh {}", file.display());
    let outcome = run(&cluster, &line);
    let stderr =
        format!("deployment.apps/locust-slave scaled from 1 to 3\n{}{BACK}", waited(&outcome));
    outcome.warns("url=\n", &stderr);
}

/// The lines of the wait for the pods. Their number depends on the machine.
fn waited(outcome: &Outcome) -> String {
    let lines = outcome.stderr.lines().filter(|line| line.contains("locust-slave: "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_dry_run_changes_nothing() {
    let cluster = cluster();
    let outcome = run(&cluster, "run --replicas=3 --dry-run -- /bin/echo done");
    outcome.warns(
        "deployment.apps/locust-slave scaled (server dry run) from 1 to 3\n\
         /bin/echo done (dry run: the command was not run)\n",
        "Using Locust at service/locust-master\n",
    );
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_count_that_cannot_be_put_back_is_an_error_with_the_command_that_does_it() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let line = format!("run --replicas=3 --context=sandbox -- /bin/sh {script}");
    let mut run = Running::start(&cluster, &line);
    wait_for_script(&cluster, &run);
    let forbidden = Action::Answer {
        status: 403,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: br#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"Forbidden","code":403}"#
            .to_vec(),
    };
    cluster.handle().inject(Fault::once(forbidden).on("PATCH"));
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(run.end(), Some(125), "{}", run.stderr());
    assert!(
        run.stderr().ends_with(
            "error: putting the old number of workers back: Error from server (Forbidden): no; to do it by hand, \
             run: locustctl scale --current-replicas=3 --replicas=1 --context=sandbox deployment/locust-slave\n"
        ),
        "{}",
        run.stderr()
    );
}

#[test]
fn the_old_count_comes_back_after_a_lost_answer_and_an_overload() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "");
    let mut run = Running::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    wait_for_script(&cluster, &run);
    let handle = cluster.handle();
    handle.inject(Fault::once(Action::internal_error(None)).on("PATCH"));
    handle.inject(Fault::once(Action::CloseAfter).on("PATCH"));
    std::fs::write(cluster.path("go"), "").unwrap();
    assert_eq!(run.end(), Some(0), "{}", run.stderr());
    assert_eq!(cluster.workers(), 1);
    assert!(run.stderr().ends_with(BACK), "{}", run.stderr());
}

#[test]
fn pods_that_do_not_become_ready_end_the_run_and_the_old_count_comes_back() {
    let cluster = cluster();
    cluster.handle().pause_controllers();
    let outcome = run(&cluster, "run --replicas=3 --timeout=1s -- /bin/echo done");
    outcome.exits(125, "");
    has_in_order(
        &outcome.stderr,
        &[BACK, "error: waiting for the pods: timed out after 1s waiting"],
    );
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_missing_target_gets_the_hints_of_scale() {
    let cluster = cluster();
    let outcome = run(&cluster, "run --replicas=3 deployment/locust-slvae -- /bin/true");
    outcome.exits(125, "");
    assert!(
        outcome.stderr.ends_with(
            "deployment/locust-slave has a similar name: locustctl run --replicas=3 deployment/locust-slave\n"
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_viewer_is_refused_and_nothing_is_changed() {
    let cluster = cluster();
    let kubeconfig = support::waiting::kubeconfig_of(&cluster, cluster.token(Account::Viewer));
    let outcome = locustctl("run --replicas=3 -- /bin/true").kubeconfig(kubeconfig).run();
    outcome.exits(125, "");
    assert_eq!(cluster.workers(), 1);
}

//! Command lines and tests that `run` refuses, before anything is changed.

use support::scaling::run;
use support::swarm::running;
use support::waiting::cluster;
use support::{dead_kubeconfig, locustctl};

use super::command::patches;

#[test]
fn mistakes_are_refused_before_any_request() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = dead_kubeconfig(directory.path());
    for (flags, part) in [
        ("--fail-if=p95>1", "for \"--fail-if\" flag: at character"),
        ("--abort-if=speed>1", "for \"--abort-if\" flag: at character 1:"),
        ("-u 0", "for \"-u, --users\" flag: "),
        ("-u 5 -r 0", "must be a number of users per second, greater than 0"),
        ("-u 5 -t soon", "must be a time such as 20s, 10m or 1h30m"),
        ("-u 5 -t 0", "must be a time such as 20s, 10m or 1h30m"),
        ("--option x", "must have the form KEY=VALUE"),
        ("--replicas=2 --users-per-worker=5 -u 9", "cannot be used together"),
        ("--users-per-worker=5", "--users-per-worker needs the number of users: -u/--users"),
        ("-r 5 -t 1m", "--spawn-rate needs the number of users: -u/--users"),
        ("-t 1m -- /bin/true", "--run-time cannot be used with a command"),
        ("--user=1000 -r 5 -t 1m", "--spawn-rate needs the number of users: -u/--users"),
        (
            "--user=1000 -t 1m",
            "--user=1000 names a user of the kubeconfig; the number of Locust's users is --users=1000\n",
        ),
    ] {
        let outcome = locustctl(&format!("run {flags}")).kubeconfig(&kubeconfig).run();
        let code =
            if flags.contains("--run-time") || flags.contains("/bin/true") { 125 } else { 1 };
        outcome.exits(code, "");
        assert!(outcome.stderr.contains(part), "{flags}: {}", outcome.stderr);
    }
}

#[test]
fn mistakes_beside_a_command_have_the_exit_code_125() {
    for (line, code) in [
        ("run --replicas=x -- /bin/true", 125),
        ("run --unknown -- /bin/true", 125),
        ("--replicas=x run -- /bin/true", 125),
        ("run --profile=x -- /bin/true", 125),
        ("run --replicas=x --", 1),
        ("run --replicas=x", 1),
        ("scale --replicas=x -- /bin/true", 1),
    ] {
        let outcome = locustctl(line).run();
        outcome.exits(code, "");
        assert!(outcome.stderr.starts_with("error: "), "{line}: {}", outcome.stderr);
    }
    assert_eq!(locustctl("run --help -- /bin/true").run().code, Some(0));
}

#[test]
fn settings_that_locust_would_ignore_are_refused() {
    let cluster = cluster();
    for (flags, part) in [
        ("-t 1m", "the number of users is missing: give it with -u/--users\n"),
        ("-u 5", "the run time is missing: give it with -t/--run-time"),
        ("-u 5 -t 1m --user-class=U", "its master runs without --class-picker\n"),
        ("-u 5 -t 1m --shape-class=S", "its master runs without --class-picker\n"),
        (
            "-u 5 -t 1m --option tenant=1",
            "the locustfile has no such option, only failure_percent\n",
        ),
        ("-u 5 -t 1m --fail-if p12>1s", "--fail-if 'p12>1s': Locust's results do not have p12"),
        ("-u 5 -t 1m --abort-if p50>1s", "--abort-if 'p50>1s': Locust does not report p50"),
        ("-u 5 -t 1m --locust=none", "a test needs Locust: leave out --locust=none"),
    ] {
        let outcome = run(&cluster, &format!("run --replicas=3 {flags}"));
        outcome.exits(1, "");
        assert!(outcome.stderr.contains(part), "{flags}: {}", outcome.stderr);
    }
    assert_eq!(patches(&cluster), 0);
}

#[test]
fn a_run_without_workers_is_refused() {
    let cluster = cluster();
    cluster.handle().set_replicas(support::SLAVE, 0);
    let outcome = run(&cluster, "run -u 5 -t 1m");
    outcome.exits(1, "");
    assert!(
        outcome.stderr.ends_with(
            "deployment.apps/locust-slave has no replicas, so there are no workers: give their number with \
             --replicas\n"
        ),
        "{outcome:?}"
    );
}

#[test]
fn a_running_test_is_left_alone() {
    let cluster = running(3);
    cluster.handle().clear_requests();
    let outcome = run(&cluster, "run --replicas=5 -u 5 -t 1m");
    outcome.exits(1, "");
    assert!(outcome.stderr.contains("its state is running, with 60 users."), "{outcome:?}");
    assert_eq!(patches(&cluster), 0);
}

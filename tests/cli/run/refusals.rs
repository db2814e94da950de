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
        ("-u 0", "for \"-u, --users\" flag: must be a number from 1 to 4294967295\n"),
        ("-u 5 -r 0", "must be a number of users per second, greater than 0"),
        ("-u 5 -t soon", "must be a time such as 20s, 10m or 1h30m"),
        ("-u 5 -t 0", "must be a time such as 20s, 10m or 1h30m, and longer than 0s\n"),
        ("-u 5 -t 18446744073709551615", "must not be longer than 8760h, which is one year\n"),
        ("-u 5 -t 9000h", "must not be longer than 8760h, which is one year\n"),
        ("-u 5 -t 1m --fail-if=failures>101%", "the share of failed requests is never above 100%"),
        ("-u 5 -t 1m -o json --dry-run", "-o json cannot be used with --dry-run: "),
        (
            "-u 5 -t 1m -o json --markdown=/dev/stdout",
            "error: -o json and --markdown /dev/stdout both write to stdout: leave out one of them\n",
        ),
        ("-u 5 -t 1m --timeout=0s", "--timeout must be greater than 0: "),
        ("-u 5 -t 1m --host=", "--host is empty: give a value, or leave out the flag\n"),
        // Nothing is said about a test that is refused.
        ("-u 5 -t 1s --replicas=0", "error: --replicas must be at least 1: a run needs workers\n"),
        (
            "-u 4000000000 -t 1s --users-per-worker=1",
            "error: --users-per-worker=1 and --users=4000000000 would need 4000000000 workers, but the maximum is \
             2147483647\n",
        ),
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
        assert!(!outcome.stderr.contains("Warning"), "{flags}: {}", outcome.stderr);
    }
}

#[test]
fn two_reports_in_one_file_are_refused_however_the_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = dead_kubeconfig(directory.path());
    let path = |name: &str| directory.path().join(name);
    std::fs::create_dir(path("real")).unwrap();
    std::fs::write(path("file"), "").unwrap();
    std::os::unix::fs::symlink("real", path("link")).unwrap();
    std::os::unix::fs::symlink("file", path("other")).unwrap();
    for (html, junit, is_same) in [
        ("x", "./x", true),
        ("x", "real/../x", true),
        ("real/x", "link/x", true),
        ("file", "other", true),
        ("x", "y", false),
        ("/dev/null", "/dev/null", false),
    ] {
        // The next check refuses a namespace, if the files are accepted.
        let line = format!("run -u 5 -r 5 -t 1m --html={html} --junit={junit} -n a/b");
        let outcome = locustctl(&line).kubeconfig(&kubeconfig).current_dir(directory.path()).run();
        outcome.exits(1, "");
        let refusal = format!("error: --html and --junit name the same file: {junit}\n");
        assert_eq!(outcome.stderr == refusal, is_same, "{html} {junit}: {}", outcome.stderr);
    }
    let line = "run -u 5 -r 5 -t 1m --html=/proc/x";
    let outcome = locustctl(line).kubeconfig(&kubeconfig).run();
    assert!(!outcome.stderr.contains("does not exist"), "{outcome:?}");
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
fn an_alias_in_the_kuberc_beside_a_command_has_the_exit_code_125() {
    let directory = tempfile::tempdir().unwrap();
    let kuberc = directory.path().join("kuberc");
    let text = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n\
                aliases: [{name: lt, command: run}, {name: sc, command: scale}]\n";
    std::fs::write(&kuberc, text).unwrap();
    let lines = [("lt --replicas=3 -- /bin/true", 125), ("lt --replicas=3", 1), ("sc -- x", 1)];
    for (line, code) in lines {
        let outcome = locustctl(line).env("KUBERC", &kuberc).run();
        outcome.exits(code, "");
        assert!(outcome.stderr.starts_with("error"), "{line}: {}", outcome.stderr);
    }
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
        (
            "-u 5 -t 1m --locust=none",
            "a test needs Locust, so it cannot be used with --locust=none\n",
        ),
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

//! `locustctl serve` with pipes in place of files, and with a log that nobody reads: no request may wait for
//! them.

use std::path::Path;
use std::process::Command;

use locustctl::sandbox::Account;
use support::cluster::TestCluster;
use support::running::Running;
use support::serving::{Serving, wait_until};
use support::tls::Certificate;

/// More than the pipe of stderr takes.
const OVER_PIPE_CAPACITY: usize = 100_000;

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_log_that_nobody_reads_stops_no_answer() {
    let cluster = TestCluster::start();
    let mut serving = Serving::start_unread(cluster.kubeconfig(), &["-v=9"]);
    for _ in 0..100 {
        assert_eq!(serving.put("?dryRun=true", r#"{"replicas": 2}"#).status, 200);
    }
    assert_eq!(serving.get("/healthz").status, 200);
    let metrics = serving.get("/metrics").text;
    assert!(metrics.contains("locustctl_log_lines_dropped_total 0"), "{metrics}");
    serving.read_log();
    let count = || serving.stderr().matches("scale (dry run)").count();
    wait_until(|| count() == 100, || format!("the whole log, not {} changes", count()));
    assert!(serving.stderr().len() > OVER_PIPE_CAPACITY);
}

#[test]
fn the_last_line_is_in_the_log() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.signal("TERM");
    let (code, log) = serving.wait();
    assert_eq!(code, Some(0));
    assert!(log.contains("shutting down after signal Terminate"), "{log}");
}

#[test]
fn a_key_can_come_from_a_pipe() {
    let cluster = TestCluster::start();
    let certificate = Certificate::of(&cluster);
    let flags = certificate.flags();
    let key = flags.iter().find_map(|flag| flag.strip_prefix("--tls-key=")).unwrap();
    let content = std::fs::read(key).unwrap();
    let pipe = cluster.file("pipe", "");
    std::fs::remove_file(&pipe).unwrap();
    make_pipe(&pipe);
    let flag = format!("--tls-key={}", pipe.display());
    let flags: Vec<_> = flags.iter().filter(|flag| !flag.starts_with("--tls-key")).collect();
    let flags: Vec<_> = flags.into_iter().copied().chain([&*flag]).collect();
    let serving = std::thread::scope(|scope| {
        scope.spawn(|| std::fs::write(&pipe, content).unwrap());
        Serving::start(&cluster, &flags)
    });
    assert_eq!(serving.get("/healthz").status, 200);
}

#[test]
fn a_token_file_that_is_a_pipe_is_waited_for_and_ctrl_c_ends_the_wait() {
    let cluster = TestCluster::start();
    let pipe = cluster.file("pipe", "");
    std::fs::remove_file(&pipe).unwrap();
    make_pipe(&pipe);
    let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let inline = format!("token: {}", cluster.token(Account::Admin));
    let from_pipe = text.replacen(&inline, &format!("tokenFile: {}", pipe.display()), 1);
    assert_ne!(from_pipe, text);
    let kubeconfig = cluster.file("with-pipe", &from_pipe);
    for command in ["serve --listen=127.0.0.1:0", "scale --replicas=3"] {
        let line = format!("{command} --kubeconfig={}", kubeconfig.display());
        let mut running = Running::start(&cluster, &line);
        running.wait_for("is a pipe, and no program writes to it");
        running.interrupt();
        assert_eq!(running.end(), Some(130), "{command}: {}", running.stderr());
    }
    let mut running = Running::start(
        &cluster,
        &format!("scale --replicas=3 --kubeconfig={}", kubeconfig.display()),
    );
    std::fs::write(&pipe, cluster.token(Account::Admin)).unwrap();
    assert_eq!(running.end(), Some(0), "{}", running.stderr());
    assert_eq!(cluster.workers(), 3);
}

#[test]
fn a_pipe_without_a_writer_does_not_keep_ctrl_c_from_the_start() {
    let cluster = TestCluster::start();
    let certificate = Certificate::of(&cluster);
    let pipe = cluster.file("pipe", "");
    std::fs::remove_file(&pipe).unwrap();
    make_pipe(&pipe);
    let pipe = pipe.display();
    let flags = certificate.flags();
    let cert = flags.iter().find(|flag| flag.starts_with("--tls-cert=")).unwrap();
    for flags in [format!("{cert} --tls-key={pipe}"), format!("--auth-token-file={pipe}")] {
        let line = format!("serve --listen=127.0.0.1:0 {flags}");
        let mut running = Running::start(&cluster, &line);
        running.wait_for_handlers();
        running.interrupt();
        assert_eq!(running.end(), Some(130), "{flags}: {}", running.stderr());
    }
}

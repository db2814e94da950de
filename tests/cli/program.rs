//! The program in its environment: its name, its streams, its signals.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use locustctl::sandbox::{Action, Fault};
use support::cluster::{TestCluster, WORKERS};
use support::running::Running;
use support::{Outcome, locustctl};

fn scale(cluster: &TestCluster, line: &str, stdout: Stdio) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_locustctl"))
        .args(line.split_whitespace())
        .env_clear()
        .env("KUBECONFIG", cluster.kubeconfig())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn full() -> Stdio {
    std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn messages_of_a_kubectl_plugin_show_the_command_that_the_user_typed() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = directory.path().join("kubectl-locust");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_locustctl"), &plugin).unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(&plugin).args(args).env_clear().output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(
        run(&["scale", "--bogus"]),
        (
            Some(1),
            "error: unknown flag: --bogus\nSee 'kubectl locust scale --help' for usage.\n"
                .to_owned()
        )
    );
    assert_eq!(
        run(&["nonsense"]),
        (Some(1), "error: unknown command \"nonsense\" for \"kubectl locust\"\n".to_owned())
    );
}

#[test]
fn as_a_kubectl_plugin_its_help_has_the_name_that_the_user_typed() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = directory.path().join("kubectl-locust");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_locustctl"), &plugin).unwrap();
    for (args, usage) in [
        (&["--help"][..], "Usage: kubectl locust [OPTIONS] <COMMAND>"),
        (&["scale", "--help"], "Usage: kubectl locust scale [OPTIONS] [TARGET]..."),
        (&["scale", "--help"], "  kubectl locust scale --replicas=3\n"),
        (&[], "kubectl locust --sandbox scale --replicas=3"),
    ] {
        let output = Command::new(&plugin).args(args).env_clear().output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains(usage), "{help}");
        assert!(!help.contains("kubectl-locust") && !help.contains("  locustctl scale"), "{help}");
    }
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn kubectl_runs_locustctl_as_a_plugin() {
    let cluster = TestCluster::start();
    let plugin = cluster.path("kubectl-locust");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_locustctl"), plugin).unwrap();
    let path = format!("{}:{}", cluster.directory().display(), std::env::var("PATH").unwrap());
    let output = Command::new("kubectl")
        .args(["locust", "scale", "--replicas=3"])
        .env_clear()
        .env("PATH", path)
        .env("HOME", cluster.directory())
        .env("KUBECONFIG", cluster.kubeconfig())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout, "deployment.apps/locust-slave scaled from 1 to 3\n");
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn printed_objects_equal_kubectls_byte_for_byte() {
    let cluster = TestCluster::start();
    let annotations = serde_json::json!({
        "long": "a sentence that goes on for longer than a line of eighty columns can hold, and then some more",
        "quoted": "it's: \"quoted\" <&>", "empty": "", "yes": "yes", "number": "0123", "lines": "one\n two\n",
        "tab": "a\tb", "when": "2026-11-23T16:48:32Z", "a10": "1", "a2": "2",
    });
    let mut object = cluster.handle().object(WORKERS).unwrap();
    object["metadata"]["annotations"] = annotations;
    cluster.handle().put_object(WORKERS, object);
    cluster.handle().pause_controllers();
    for format in ["json", "yaml"] {
        // The same count changes nothing, so both programs see the same object.
        let locustctl_output = locustctl(&format!("scale --replicas=1 -o {format}"))
            .kubeconfig(cluster.kubeconfig())
            .run();
        let kubectl_output = Command::new("kubectl")
            .args(["get", "deployment/locust-slave", "-o", format])
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", cluster.directory())
            .env("KUBECONFIG", cluster.kubeconfig())
            .output()
            .unwrap();
        assert_eq!(locustctl_output.stdout, String::from_utf8(kubectl_output.stdout).unwrap());
    }
}

#[test]
fn on_a_full_disk_a_lost_line_is_a_warning_and_a_lost_object_an_error() {
    let cluster = TestCluster::start();
    let warning = "Warning: write /dev/stdout: no space left on device: deployment.apps/locust-slave scaled from 1 to 3\n";
    assert_eq!(scale(&cluster, "scale --replicas=3", full()), (Some(0), warning.to_owned()));
    for format in ["json", "yaml"] {
        let line = format!("scale --replicas=2 -o {format}");
        let expected = "error: write /dev/stdout: no space left on device\n".to_owned();
        assert_eq!(scale(&cluster, &line, full()), (Some(1), expected));
    }
    assert_eq!(cluster.workers(), 2);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let cluster = TestCluster::start();
    for line in [
        "scale --replicas=3",
        "scale --replicas=2 -o json",
        // A Locust that answers late would be a warning.
        "status --locust=none",
        "--help",
        "completion bash",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(scale(&cluster, line, writer.into()), (Some(0), String::new()), "{line}");
    }
}

#[test]
fn a_full_disk_for_stderr_does_not_stop_a_scale() {
    let cluster = TestCluster::start();
    let output = Command::new(env!("CARGO_BIN_EXE_locustctl"))
        .args(["scale", "--by=-5", "deploy/locust-slave", "deploy/locust-master"])
        .env_clear()
        .env("KUBECONFIG", cluster.kubeconfig())
        .stderr(full())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &*stdout),
        (
            Some(0),
            "deployment.apps/locust-slave scaled from 1 to 0\ndeployment.apps/locust-master scaled from 1 to 0\n"
        )
    );
}

/// The program with these signals at their default or ignored, however the tests were started.
fn with_signals(ignored: bool) -> Command {
    let mut command = Command::new("env");
    let option = if ignored { "--ignore-signal" } else { "--default-signal" };
    command.arg(format!("{option}=HUP,INT,TERM")).arg(env!("CARGO_BIN_EXE_locustctl"));
    command
}

/// Starts a scale, and sends the signal during its PATCH.
fn interrupted(args: &[&str], signal: &str) -> (Option<i32>, String) {
    interrupted_at(args, signal, &[Action::Hold], "")
}

/// The same with other faults, one for each PATCH. The signal comes when stderr has the text `note`.
fn interrupted_at(
    args: &[&str],
    signal: &str,
    actions: &[Action],
    note: &str,
) -> (Option<i32>, String) {
    let cluster = TestCluster::start();
    for action in actions {
        cluster.handle().inject(Fault::once(action.clone()).on("PATCH").at("locust-slave"));
    }
    let mut scale = Running::start(&cluster, &args.join(" "));
    cluster.wait_for_requests(actions.len(), |request| {
        request.method == "PATCH" && request.path_and_query.contains("locust-slave")
    });
    scale.wait_for(note);
    scale.signal(signal);
    (scale.end(), scale.stderr())
}

const UNDER_WAY: &str = "interrupted: the change of deployment.apps/locust-slave from 1 to 3 was sent and may take effect; to see the number of replicas, run: locustctl status";
const LOOK: &str = " deployment/locust-slave";

#[test]
fn an_interruption_reports_the_pending_change() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let ended = interrupted(&["scale", "--replicas=3"], signal);
        assert_eq!(ended, (Some(code), format!("error: {UNDER_WAY}{LOOK}\n")));
    }
}

#[test]
fn the_command_after_an_interruption_names_the_same_cluster() {
    let args = ["scale", "--replicas=3", "--context=sandbox", "--wait", "-n", "default"];
    let (_, stderr) = interrupted(&args, "INT");
    let flags = " --context=sandbox --namespace=default";
    assert_eq!(stderr, format!("error: {UNDER_WAY}{flags}{LOOK}\n"));
}

#[test]
fn a_request_that_a_busy_server_refused_is_not_pending() {
    let busy = Action::too_many_requests(Some(30));
    let (code, stderr) = interrupted_at(&["scale", "--replicas=3"], "INT", &[busy], "Waiting 30 s");
    let end =
        "error: interrupted: no change was under way; not changed: deployment.apps/locust-slave\n";
    assert_eq!(code, Some(130));
    assert!(stderr.ends_with(end), "{stderr}");
}

#[test]
fn an_unclear_change_stays_pending_while_a_busy_server_refuses_the_next_one() {
    let actions = [Action::unavailable(Some(0)), Action::too_many_requests(Some(30))];
    let (code, stderr) =
        interrupted_at(&["scale", "--replicas=3"], "INT", &actions, "Waiting 30 s");
    assert_eq!(code, Some(130));
    assert!(stderr.ends_with(&format!("{UNDER_WAY}{LOOK}\n")), "{stderr}");
}

#[test]
fn a_dry_run_is_never_pending() {
    let args = ["scale", "--replicas=3", "--dry-run=server"];
    let (code, stderr) = interrupted(&args, "INT");
    assert_eq!(code, Some(130));
    assert!(stderr.starts_with("error: interrupted: no change was "), "{stderr}");
}

#[test]
fn an_interruption_does_not_hide_an_error() {
    let args = ["scale", "--replicas=3", "deploy", "zz", "locust-slave"];
    let (code, stderr) = interrupted(&args, "INT");
    assert_eq!(
        (code, stderr),
        (
            Some(130),
            format!(
                "Error from server (NotFound): deployments.apps \"zz\" not found\n{UNDER_WAY}{LOOK}\n"
            )
        )
    );
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let cluster = TestCluster::start();
    cluster.handle().inject(Fault::once(Action::Hold).on("PATCH"));
    let child = with_signals(true)
        .args(["scale", "--replicas=3"])
        .env_clear()
        .env("KUBECONFIG", cluster.kubeconfig())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    cluster.wait_for_requests(1, |request| request.method == "PATCH");
    let kill = format!("kill -HUP {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    cluster.handle().clear_faults();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
}

struct Sandbox {
    child: Child,
    lines: Vec<String>,
}

fn start_sandbox() -> Sandbox {
    let mut child = with_signals(false)
        .args(["sandbox", "--pod-ready-after=50ms"])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    for line in stdout.lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().contains("Ctrl-C") {
            break;
        }
    }
    Sandbox { child, lines }
}

impl Sandbox {
    fn kubeconfig(&self) -> String {
        let line = self.lines.iter().find(|line| line.contains("export KUBECONFIG=")).unwrap();
        line.split_once('=').unwrap().1.to_owned()
    }

    fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("sh")
                .args(["-c", &format!("kill -{signal} {pid}")])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_sandbox_prints_how_to_use_it_and_ends_cleanly() {
    for signal in ["INT", "TERM", "HUP"] {
        let sandbox = start_sandbox();
        let kubeconfig = sandbox.kubeconfig();
        let use_it = || -> Outcome { locustctl("scale --by=+1").kubeconfig(&kubeconfig).run() };
        use_it().prints("deployment.apps/locust-slave scaled from 1 to 2\n");
        use_it().prints("deployment.apps/locust-slave scaled from 2 to 3\n");
        assert_eq!(sandbox.end(signal), Some(0));
        assert!(!std::path::Path::new(&kubeconfig).exists(), "{kubeconfig}");
    }
}

#[test]
fn without_a_browser_serve_says_so_and_serves() {
    let cluster = TestCluster::start();
    let mut serve = Running::start_with("serve --open --listen=127.0.0.1:0", |command| {
        command.env("KUBECONFIG", cluster.kubeconfig()).env("PATH", "/nonexistent");
    });
    serve.wait_for(
        "Warning: the browser was not opened, since no program that opens a browser was found. Open http://127.0.0.1:",
    );
    serve.interrupt();
    assert_eq!(serve.end(), Some(0), "{}", serve.stderr());
}

#[test]
fn a_sandbox_says_that_it_stops() {
    let mut sandbox = Running::start_with("sandbox", |_| {});
    sandbox.wait_for("Press Ctrl-C to stop it.");
    sandbox.interrupt();
    assert_eq!((sandbox.end(), &*sandbox.stderr()), (Some(0), "Stopping the simulated cluster\n"));
}

#[test]
fn only_the_owner_can_read_the_sandboxs_kubeconfig() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = start_sandbox();
    let kubeconfig = std::path::PathBuf::from(sandbox.kubeconfig());
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&kubeconfig), mode(kubeconfig.parent().unwrap())), (0o600, 0o700));
    assert_eq!(sandbox.end("TERM"), Some(0));
}

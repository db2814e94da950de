//! Signals in every phase of every command. A test waits until the phase has begun, and then sends the
//! signal.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use locustctl::sandbox::{Action, Fault};
use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, default_response};
use support::running::Running;
use support::serving::{Http, Serving, wait_until};
use support::swarm::running;
use support::terminal::Terminal;

const UNCHANGED: &str = "error: interrupted: nothing was changed\n";

/// A server that never answers.
struct SilentServer(TcpListener);

impl SilentServer {
    fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    /// Waits for a request, and leaves it open.
    fn request(&self) -> TcpStream {
        let (mut stream, _) = self.0.accept().unwrap();
        assert!(stream.read(&mut [0; 64]).unwrap() > 0);
        stream
    }
}

/// The signals that end a command, and its exit codes.
const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

/// Sends the signals, each to a new call that has reached its phase. The call must end with the code of
/// the signal, and with this text at the end of stderr.
#[track_caller]
fn ends(start: impl Fn() -> (Running, Option<TcpStream>), stderr: &str) {
    for (signal, code) in SIGNALS {
        let (mut running, _open) = start();
        running.signal(signal);
        assert_eq!(running.end(), Some(code), "{signal}: {}", running.stderr());
        let said = running.stderr();
        assert!(said.ends_with(stderr), "{said:?} does not end with {stderr:?}");
    }
}

#[test]
fn a_server_that_never_answers() {
    let (cluster, server) = (TestCluster::start(), SilentServer::start());
    for (line, stderr) in [
        // Discovery.
        ("scale --replicas=2 swarm/x", UNCHANGED),
        ("scale --replicas=2 deployments --all", UNCHANGED),
        (
            "scale --replicas=2 deployment/x",
            "error: interrupted: no change was under way; not changed: deployment.apps/x\n",
        ),
        ("status", "error: interrupted: locustctl has not received all answers yet\n"),
        ("status --watch", ""),
        ("rebalance", UNCHANGED),
        ("rebalance --watch", ""),
        ("serve --listen=127.0.0.1:0 swarm/x", "error: interrupted: serve had not started yet\n"),
        ("version", "error: interrupted: the server had not answered yet\n"),
    ] {
        let line = format!("{line} --server={}", server.url());
        ends(|| (Running::start(&cluster, &line), Some(server.request())), stderr);
    }
}

#[test]
fn a_locust_that_never_answers() {
    let (cluster, locust) = (TestCluster::start(), SilentServer::start());
    for (line, stderr) in [
        ("scale --replicas=2", UNCHANGED),
        ("status", "error: interrupted: locustctl has not received all answers yet\n"),
        ("rebalance", UNCHANGED),
    ] {
        let line = format!("{line} --locust={}", locust.url());
        ends(|| (Running::start(&cluster, &line), Some(locust.request())), stderr);
    }
    assert_eq!(cluster.workers(), 1);
}

/// A program that tells that it has started, and then waits.
fn sleeper(cluster: &TestCluster, name: &str) -> (PathBuf, PathBuf) {
    let started = cluster.path("started");
    let program = cluster.path(name);
    support::script::write(&program, &format!(": > {}\nexec sleep 60", started.display()));
    (program, started)
}

fn wait_for_file(path: &PathBuf) {
    wait_until(|| path.exists(), || path.display().to_string());
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_credential_plugin_that_never_ends() {
    let cluster = TestCluster::start();
    let (plugin, started) = sleeper(&cluster, "plugin");
    let user = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: Never}}}}",
        plugin.display()
    );
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: '{}'}}}}]\nusers: [{{name: u, user: {user}}}]\n",
        cluster.server()
    );
    let kubeconfig = cluster.file("with-plugin", &text);
    let start = || {
        let running = Running::start_with("scale --replicas=2", |command| {
            command.env("KUBECONFIG", &kubeconfig).env("PATH", "/usr/bin:/bin");
        });
        wait_for_file(&started);
        (running, None)
    };
    ends(start, UNCHANGED);
}

#[test]
fn a_kustomization_that_is_never_built() {
    let cluster = TestCluster::start();
    let (_, started) = sleeper(&cluster, "kustomize");
    cluster.file("kustomization.yaml", "resources: []\n");
    let start = || {
        let running = Running::start_with("scale --replicas=2 -k .", |command| {
            let path = format!("{}:/usr/bin:/bin", cluster.directory().display());
            command.env("KUBECONFIG", cluster.kubeconfig()).env("PATH", path);
            command.current_dir(cluster.directory());
        });
        wait_for_file(&started);
        (running, None)
    };
    ends(start, UNCHANGED);
}

#[test]
fn a_manifest_on_stdin_that_never_ends() {
    let cluster = TestCluster::start();
    let start = || {
        let running = Running::start_with("scale --replicas=2 -f -", |command| {
            command.env("KUBECONFIG", cluster.kubeconfig()).stdin(Stdio::piped());
        });
        running.wait_for_handlers();
        (running, None)
    };
    ends(start, UNCHANGED);
}

#[test]
fn workers_that_never_connect() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(default_response);
    let line = format!("scale --replicas=2 --wait --locust={}", locust.url());
    let start = || {
        let running = Running::start(&cluster, &line);
        // The progress is shown while the workers connect.
        running.wait_for("Waiting for the workers: 0 connected, 2 ready pods not connected\n");
        (running, None)
    };
    ends(
        start,
        "error: interrupted while waiting for the workers to connect to Locust: the workers were scaled; \
         0 connected, 2 ready pods not connected\n",
    );
}

#[test]
fn the_search_for_a_similar_name() {
    let cluster = TestCluster::start();
    let listing = "deployments?";
    cluster.handle().inject(
        Fault::once(Action::Delay(Duration::from_secs(60)))
            .on("GET")
            .at(listing)
            .times(Fault::ALWAYS),
    );
    let start = || {
        cluster.handle().clear_requests();
        let running = Running::start(&cluster, "scale --replicas=2 deployment/locust-slvae");
        let is_listing = || cluster.request_lines().iter().any(|line| line.contains(listing));
        wait_until(is_listing, || "the LIST".to_owned());
        running
    };
    let error = "Error from server (NotFound): deployments.apps \"locust-slvae\" not found\n";
    for (signal, code) in SIGNALS {
        // locustctl searches for two seconds. On a busy machine, a signal can arrive later.
        let is_interrupted = (0..5).any(|_| {
            let mut running = start();
            running.signal(signal);
            let ended = running.end();
            assert!(running.stderr().ends_with(error), "{signal}: {}", running.stderr());
            ended == Some(code)
        });
        assert!(is_interrupted, "{signal}");
    }
}

#[test]
fn a_watch_between_two_looks() {
    let cluster = TestCluster::start();
    let start = || {
        let running = Running::start(&cluster, "status --watch");
        running.wait_for("Replicas:");
        (running, None)
    };
    ends(start, "");
}

#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    let cluster = running(3);
    let mut terminal = Terminal::start(&cluster, "scale --replicas=1 --locust=auto");
    terminal.wait_for("Continue? [y/N] ");
    terminal.press("\u{3}");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.ends_with(&format!("\n{UNCHANGED}")), "{screen}");
    assert_eq!(cluster.workers(), 3);
}

#[test]
fn text_that_was_typed_before_the_question_is_no_answer() {
    let cluster = running(3);
    cluster.handle().inject(Fault::once(Action::Hold).at("proxy/logs"));
    let mut terminal = Terminal::start(&cluster, "scale --replicas=1 --locust=auto");
    cluster.wait_for_requests(1, |request| request.line().contains("proxy/logs"));
    terminal.press("y\n");
    // The terminal has received it.
    terminal.wait_for("y\n");
    cluster.handle().clear_faults();
    terminal.wait_for("Continue? [y/N] ");
    terminal.press("n\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(1), "{screen}");
    assert!(
        screen.contains("error: nothing was changed, since the answer was not yes"),
        "{screen}"
    );
    assert_eq!(cluster.workers(), 3);
}

#[test]
fn a_ramp_that_a_signal_interrupts_says_so_and_a_second_signal_ends_it() {
    let cluster = running(5);
    let slow = Fault::once(Action::DelayAnswer(Duration::from_secs(60)));
    cluster.handle().inject(slow.at("proxy/swarm"));
    let line = "scale --replicas=1 --locust=auto --rebalance=ramp";
    let mut scale = Running::start(&cluster, line);
    let starts =
        || cluster.request_lines().iter().filter(|line| line.ends_with("proxy/swarm")).count();
    wait_until(|| starts() == 2, || format!("the first start: {}", scale.stderr()));
    scale.interrupt();
    scale.wait_for("Interrupted: locustctl finishes the start of the users before it ends");
    assert_eq!(scale.insist("TERM"), Some(143), "{}", scale.stderr());
    assert_eq!(starts(), 2, "the second start was not sent");
}

#[test]
fn serve_says_that_it_ends_and_a_second_signal_ends_it() {
    let cluster = TestCluster::start();
    let delay = Action::Delay(Duration::from_secs(60));
    cluster.handle().inject(Fault::once(delay).on("PATCH"));
    let serving = Serving::start(&cluster, &[]);
    serving.wait_for_scale(|reply| reply.status == 200);
    let url = format!("{}/api/scale", serving.url());
    std::thread::spawn(move || {
        let http = Http::new();
        let request = http.request("PUT", &url).header("content-type", "application/json");
        // The connection breaks when serve ends.
        let _ = http.try_send(request.body(r#"{"replicas": 2}"#));
    });
    wait_until(
        || cluster.request_lines().iter().any(|line| line.starts_with("PATCH")),
        || "the PATCH".to_owned(),
    );
    serving.signal("TERM");
    serving.wait_for_log("a second signal stops serve at once");
    // A signal within 300 ms counts as the same one. On a busy machine this time can be longer.
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(400));
        serving.signal("INT");
    }
    let (code, log) = serving.wait();
    assert_eq!(code, Some(130), "{log}");
}

//! The steps of the GitHub Action, run as a runner runs them.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use support::cluster::TestCluster;
use support::serving::wait_until;
use support::swarm::ask;

use super::{fake_program, path_with, text_of, yaml_of};

/// The script of the step `name`.
fn step(name: &str) -> String {
    let action = yaml_of("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).expect(name);
    assert_eq!(step["shell"], "bash");
    step["run"].as_str().unwrap().to_owned()
}

/// Runs a script as GitHub's `shell: bash` does. Signals work, even if this test ignores them.
fn bash(script: &str) -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=INT,TERM", "bash"]);
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
    command
}

/// The step that runs locustctl, with `directory` for its files.
fn run_step(args: &str, cluster: &TestCluster, directory: &Path) -> Command {
    std::os::unix::fs::symlink(support::program(), directory.join("locustctl")).unwrap();
    let mut command = bash(&step("Run locustctl"));
    command
        .env("PATH", path_with(directory))
        .env("LOCUSTCTL_ARGS", args)
        .env("GITHUB_OUTPUT", directory.join("outputs"))
        .env("KUBECONFIG", cluster.kubeconfig());
    command
}

fn run(args: &str, cluster: &TestCluster) -> (Output, String) {
    let directory = tempfile::tempdir().unwrap();
    let output = run_step(args, cluster, directory.path()).output().unwrap();
    (output, std::fs::read_to_string(directory.path().join("outputs")).unwrap())
}

#[test]
fn the_action_runs_a_command_and_reports_its_exit_code() {
    let cluster = TestCluster::start();
    let (output, outputs) = run("scale --replicas=3 'deployment/locust-slave'", &cluster);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "deployment.apps/locust-slave scaled from 1 to 3\n"
    );
    assert_eq!(outputs, "exit-code=0\n");
    let (output, outputs) = run("scale --replicas=4 --current-replicas=9", &cluster);
    assert_eq!((output.status.code(), &*outputs), (Some(1), "exit-code=1\n"));
    assert_eq!(cluster.workers(), 3);
}

/// Sends a signal to this process only, as a runner does: to the shell of the step.
fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_cancelled_job_stops_the_test_and_puts_the_old_count_back() {
    for (signals, code) in [(&["INT"][..], 130), (&["INT", "TERM"], 130), (&["TERM"], 143)] {
        let (cluster, directory) = (TestCluster::start(), tempfile::tempdir().unwrap());
        let output = |name: &str| std::fs::File::create(directory.path().join(name)).unwrap();
        let text = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        let mut step = run_step("run --replicas=3 -u 20 -r 20 -t 10m", &cluster, directory.path())
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"))
            .spawn()
            .unwrap();
        wait_until(|| text("stderr").contains("running, 20 users"), || text("stderr"));
        for name in signals {
            signal(&step, name);
            wait_until(|| text("stderr").contains("scaled back from 3 to 1"), || text("stderr"));
        }
        let status = step.wait().unwrap();
        assert_eq!(status.code(), Some(code), "{signals:?}: {}", text("stderr"));
        assert_eq!(text("outputs"), format!("exit-code={code}\n"));
        assert_eq!(cluster.workers(), 1);
        assert_eq!(ask(&cluster, "GET", "stats/requests", "")["state"], "stopped");
        // The shell adds nothing to the log.
        assert!(!text("stderr").contains("[1]"), "{}", text("stderr"));
    }
}

#[test]
fn the_arguments_of_the_action_are_not_run_by_a_shell() {
    let cluster = TestCluster::start();
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let mark = mark.display();
    let args = format!("scale --replicas=3 '$(touch {mark})' `touch {mark}` ; touch {mark}");
    let (output, _) = run(&args, &cluster);
    assert!(!output.status.success());
    assert_eq!(cluster.workers(), 1);
    assert!(!directory.path().join("mark").exists());
}

#[test]
fn the_example_of_the_action_works() {
    let text = text_of("docs/pipelines.md");
    let (before, after) = text.split_once("\n  uses: locustctl/locustctl@v").unwrap();
    let (_, start) = before.rsplit_once("```yaml\n").unwrap();
    let (end, _) = after.split_once("```").unwrap();
    let example = format!("{start}\n  uses: v{end}");
    let step = serde_saphyr::from_str::<serde_json::Value>(&example).unwrap()[0].clone();
    assert_eq!(step["uses"], concat!("v", env!("CARGO_PKG_VERSION")));
    let action = yaml_of("action.yml");
    for (name, _) in step["with"].as_object().unwrap() {
        assert!(action["inputs"].get(name).is_some(), "the action has no input {name:?}");
    }
    let (cluster, directory) = (TestCluster::start(), tempfile::tempdir().unwrap());
    let args = step["with"]["args"].as_str().unwrap().replace("-t 10m", "-t 1s");
    let output =
        run_step(&args, &cluster, directory.path()).current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(directory.path().join("report.html").exists());
}

/// Runs the installation with an archive of `version` at GitHub. Returns the directories added to
/// `$PATH`.
fn install(version: &str, archive: &Path, checksum: &str) -> (Output, String) {
    let directory = tempfile::tempdir().unwrap();
    let (temporary, path) = (directory.path().join("temporary"), directory.path().join("path"));
    std::fs::create_dir(&temporary).unwrap();
    let name = format!("locustctl-{version}-x86_64-unknown-linux-musl.tar.gz");
    let curl = format!(
        "case \"$*\" in *releases/download/v{version}/{name}*) ;; *) exit 22 ;; esac\n\
         cp {} {name}\n\
         echo '{checksum}  {name}' > {name}.sha256",
        archive.display()
    );
    fake_program(directory.path(), "curl", &curl);
    let output = bash(&step("Install locustctl"))
        .env("PATH", path_with(directory.path()))
        .env("LOCUSTCTL_VERSION", version)
        .env("LOCUSTCTL_OS", "Linux")
        .env("LOCUSTCTL_ARCH", "X64")
        .env("RUNNER_TEMP", &temporary)
        .env("GITHUB_PATH", &path)
        .output()
        .unwrap();
    (output, std::fs::read_to_string(path).unwrap_or_default())
}

#[test]
fn the_action_installs_an_archive_only_if_its_checksum_is_right() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("archive.tar.gz");
    let packed = Command::new("tar")
        .arg("-czf")
        .arg(&archive)
        .args(["--files-from", "/dev/null"])
        .status()
        .unwrap();
    assert!(packed.success());
    let sum = Command::new("sha256sum").arg(&archive).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let sum = sum.split(' ').next().unwrap();
    let (output, path) = install("1.2.3", &archive, sum);
    assert!(output.status.success(), "{output:?}");
    assert!(path.ends_with("/locustctl-1.2.3-x86_64-unknown-linux-musl\n"), "{path}");
    let (output, path) = install("1.2.3", &archive, &sum.replace(['0', '1', '2'], "f"));
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(path, "");
}

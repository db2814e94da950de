//! The steps of the GitHub Action, run as a runner runs them.

use std::path::Path;
use std::process::{Command, Output};

use support::cluster::TestCluster;

use super::{fake_program, path_with, yaml_of};

/// The script of the step `name`.
fn step(name: &str) -> String {
    let action = yaml_of("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).expect(name);
    assert_eq!(step["shell"], "bash");
    step["run"].as_str().unwrap().to_owned()
}

/// Runs a script as GitHub's `shell: bash` does.
fn bash(script: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
    command
}

fn run(args: &str, cluster: &TestCluster) -> (Output, String) {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(support::program(), directory.path().join("locustctl")).unwrap();
    let outputs = directory.path().join("outputs");
    let output = bash(&step("Run locustctl"))
        .env("PATH", path_with(directory.path()))
        .env("LOCUSTCTL_ARGS", args)
        .env("GITHUB_OUTPUT", &outputs)
        .env("KUBECONFIG", cluster.kubeconfig())
        .output()
        .unwrap();
    (output, std::fs::read_to_string(outputs).unwrap())
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

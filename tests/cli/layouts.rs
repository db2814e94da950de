//! `--layout` and `--trouble`: the simulated cluster that a command starts for itself.

use support::running::Running;
use support::{Outcome, locustctl};

const WORKERS: &str = "\
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: users}
  spec:
    replicas: 2
    selector: {matchLabels: {app: users}}
    template:
      metadata: {labels: {app: users}}
      spec: {containers: [{name: c, image: locustio/locust, args: [--worker]}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
";

/// Runs a command with the layout of this content.
fn with_file(content: &str, line: &str) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mine.yaml");
    std::fs::write(&path, content).unwrap();
    let outcome = locustctl(line).arg(format!("--layout={}", path.display())).run();
    let stderr = outcome.stderr.replace(&path.display().to_string(), "mine.yaml");
    Outcome { stderr, ..outcome }
}

#[test]
fn a_command_runs_against_a_named_layout() {
    let line = "--sandbox --layout=google scale --replicas=3 deployment/locust-worker";
    locustctl(line).run().prints("deployment.apps/locust-worker scaled from 1 to 3\n");
    let line = "scale --replicas=2 deploy/demo-locust-worker --layout helm --sandbox";
    locustctl(line).run().prints("deployment.apps/demo-locust-worker scaled from 1 to 2\n");
}

#[test]
fn a_command_runs_against_manifests_of_a_file() {
    with_file(WORKERS, "--sandbox scale --replicas=3 sts/users").warns(
        "statefulset.apps/users scaled from 2 to 3\n",
        "Note: the simulated cluster does not have these types, so it leaves out their objects: networking.k8s.io/v1 Ingress\n",
    );
}

#[test]
fn a_file_that_is_no_layout_is_refused() {
    for (content, expected) in [
        ("", "--layout=mine.yaml: there is no object that a simulated cluster can hold"),
        ("kind: [", "error parsing mine.yaml: "),
        ("a: b", "unable to decode \"mine.yaml\": Object 'Kind' is missing in '{\"a\":\"b\"}'"),
        ("kind: Pod\nmetadata: {name: a}", "--layout=mine.yaml: object 1 has no kind, or no api"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: A}",
            "laying out the simulated cluster: Service \"A\": ",
        ),
    ] {
        let outcome = with_file(content, "--sandbox scale --replicas=3");
        outcome.exits(1, "");
        assert!(outcome.stderr.starts_with(&format!("error: {expected}")), "{}", outcome.stderr);
    }
    let large = "# ".repeat(3 * 1024 * 1024);
    with_file(&large, "--sandbox scale --replicas=3")
        .refuses("error: --layout=mine.yaml: the file is larger than 4 MiB\n");
}

#[test]
fn an_unknown_layout_is_refused_with_the_names() {
    locustctl("--sandbox --layout=helmet scale --replicas=3").run().refuses(
        "error: --layout=helmet: there is no such file, and no layout with this name; the names are: \
         tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints\n",
    );
}

#[test]
fn the_flags_need_a_simulated_cluster() {
    for (flag, name) in [("--layout=helm", "--layout"), ("--trouble=image", "--trouble")] {
        let error = format!(
            "error: {name} is for a simulated cluster: add --sandbox, or use locustctl sandbox\n"
        );
        locustctl(&format!("scale --replicas=3 {flag}")).run().refuses(&error);
    }
}

#[test]
fn trouble_keeps_new_pods_from_starting() {
    for (trouble, reason) in [("image", "ImagePullBackOff"), ("room", "Insufficient cpu")] {
        let line = format!("--sandbox --trouble={trouble} scale --replicas=2 --wait --timeout=2s");
        let outcome = locustctl(&line).run();
        outcome.exits(1, "deployment.apps/locust-slave scaled from 1 to 2\n");
        assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
    }
}

#[test]
fn a_sandbox_has_the_layout() {
    let mut sandbox = Running::start_with("sandbox --layout=helm", |_| {});
    sandbox.wait_for("Press Ctrl-C to stop it.");
    let printed = sandbox.stdout();
    assert!(printed.contains("kubectl get all\n  locustctl status\n"), "{printed}");
    let line = printed.lines().find_map(|line| line.split_once("export KUBECONFIG=")).unwrap();
    locustctl("scale --replicas=2 deployment/demo-locust-worker")
        .kubeconfig(line.1)
        .run()
        .prints("deployment.apps/demo-locust-worker scaled from 1 to 2\n");
    sandbox.interrupt();
    assert_eq!(sandbox.end(), Some(0));
}

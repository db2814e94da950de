//! The real kubectl with the sandbox.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Output, Stdio},
    time::Duration,
};

use locustctl::sandbox::{Discovery, Options, Protocols};
use support::cluster::{TestCluster, WORKERS};

/// kubectl with its own HOME and discovery cache.
fn kubectl(cluster: &TestCluster, arguments: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", cluster.directory())
        .env("KUBECONFIG", cluster.kubeconfig())
        .args(arguments);
    command
}

fn run(cluster: &TestCluster, arguments: &[&str]) -> Output {
    kubectl(cluster, arguments).output().expect("kubectl is installed")
}

/// The output of kubectl. It must succeed.
fn stdout(cluster: &TestCluster, arguments: &[&str]) -> String {
    let output = run(cluster, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {arguments:?}: {stderr}");
    assert_eq!(stderr, "", "kubectl {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn stderr_of_failure(cluster: &TestCluster, arguments: &[&str]) -> String {
    let output = run(cluster, arguments);
    assert!(!output.status.success(), "kubectl {arguments:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

/// The words of each line.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn get_prints_the_same_columns_as_with_a_real_cluster() {
    let cluster = TestCluster::start();
    let printed = stdout(&cluster, &["get", "deployments"]);
    let table = words(&printed);
    assert_eq!(table[0], ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert_eq!(table[1][..4], ["locust-master", "1/1", "1", "1"]);
    assert_eq!(table[2][..4], ["locust-slave", "1/1", "1", "1"]);
    let printed = stdout(&cluster, &["get", "pods", "-l", "role in (worker)"]);
    let table = words(&printed);
    assert_eq!(table[0], ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(table[1][1..4], ["1/1", "Running", "0"]);
    assert_eq!(table.len(), 2);
    let printed = stdout(&cluster, &["get", "service/locust-master", "--no-headers"]);
    assert_eq!(words(&printed)[0][4], "5557/TCP,5558/TCP,8089/TCP");
    let wide = stdout(&cluster, &["get", "deploy", "-o", "wide"]);
    assert!(
        wide.contains("locustio/locust:2.47.0") && wide.contains("app=locust,role=worker"),
        "{wide}"
    );
    for types in ["all", "rs,ns,sts,rc,ds", "nodes,events,cm"] {
        let output = run(&cluster, &["get", types, "-A"]);
        assert!(output.status.success(), "{types}");
    }
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn get_as_yaml_shows_the_whole_object() {
    let cluster = TestCluster::start();
    let yaml = stdout(&cluster, &["get", "deployment/locust-slave", "-o", "yaml"]);
    for line in
        ["kind: Deployment", "  name: locust-slave", "  replicas: 1", "    type: RollingUpdate"]
    {
        assert!(yaml.lines().any(|given| given == line), "{line} is not in\n{yaml}");
    }
    let ready = ["get", "deployment/locust-slave", "-o", "jsonpath={.status.readyReplicas}"];
    assert_eq!(stdout(&cluster, &ready), "1");
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn scale_and_rollout_status() {
    let cluster = TestCluster::start();
    let printed = stdout(&cluster, &["scale", "--replicas=4", "deployment/locust-slave"]);
    assert_eq!(printed, "deployment.apps/locust-slave scaled\n");
    let printed =
        stdout(&cluster, &["rollout", "status", "deployment/locust-slave", "--timeout=20s"]);
    assert!(
        printed.ends_with("deployment \"locust-slave\" successfully rolled out\n"),
        "{printed}"
    );
    cluster.wait_for(WORKERS, |deployment| deployment["status"]["readyReplicas"] == 4);
    assert_eq!(
        words(&stdout(&cluster, &["get", "pods", "-l", "role=worker", "--no-headers"])).len(),
        4
    );
    stdout(&cluster, &["scale", "--replicas=0", "deployment/locust-slave"]);
    cluster.wait_for(WORKERS, |deployment| deployment["status"]["replicas"].is_null());
    assert_eq!(stdout(&cluster, &["get", "pods", "-l", "role=worker", "-o", "name"]), "");
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn scale_with_a_precondition() {
    let cluster = TestCluster::start();
    let scale =
        |current: &'static str| vec!["scale", current, "--replicas=3", "deployment/locust-slave"];
    let refused = stderr_of_failure(&cluster, &scale("--current-replicas=9"));
    assert_eq!(refused, "error: Expected replicas to be 9, was 1\n");
    assert_eq!(cluster.workers(), 1);
    assert_eq!(
        stdout(&cluster, &scale("--current-replicas=1")),
        "deployment.apps/locust-slave scaled\n"
    );
    assert_eq!(cluster.workers(), 3);
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn scale_waits_for_the_count() {
    let cluster = TestCluster::start();
    stdout(&cluster, &["scale", "--replicas=2", "--timeout=10s", "deployment/locust-slave"]);
    assert_eq!(cluster.handle().object(WORKERS).unwrap()["status"]["replicas"], 2);
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn get_with_watch_shows_pods_coming() {
    let cluster = TestCluster::start();
    let mut watch = kubectl(&cluster, &["get", "pods", "-w", "--no-headers", "-l", "role=worker"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    assert!(first.contains("Running"), "{first}");
    cluster.handle().set_replicas(WORKERS, 2);
    let coming = lines.next().unwrap();
    assert!(coming.contains("0/1") && coming.contains("ContainerCreating"), "{coming}");
    let ready = lines.next().unwrap();
    assert!(ready.contains("1/1") && ready.contains("Running"), "{ready}");
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn create_change_and_delete() {
    let cluster = TestCluster::start();
    let create = ["create", "deployment", "web", "--image=example.com/web:1", "--replicas=2"];
    assert_eq!(stdout(&cluster, &create), "deployment.apps/web created\n");
    let error = stderr_of_failure(&cluster, &create);
    assert!(error.contains("deployments.apps \"web\" already exists"), "{error}");
    stdout(&cluster, &["rollout", "status", "deployment/web", "--timeout=20s"]);
    stdout(&cluster, &["set", "image", "deployment/web", "web=example.com/web:2"]);
    stdout(&cluster, &["rollout", "status", "deployment/web", "--timeout=20s"]);
    let image =
        ["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].spec.containers[0].image}"];
    assert_eq!(stdout(&cluster, &image), "example.com/web:2");
    stdout(&cluster, &["rollout", "undo", "deployment/web"]);
    stdout(&cluster, &["rollout", "status", "deployment/web", "--timeout=20s"]);
    assert_eq!(stdout(&cluster, &image), "example.com/web:1");
    stdout(&cluster, &["label", "deployment/web", "team=load"]);
    let printed = stdout(&cluster, &["delete", "deployment", "web", "--timeout=20s"]);
    assert!(printed.starts_with("deployment.apps \"web\" deleted"), "{printed}");
    let gone = stderr_of_failure(&cluster, &["get", "deployment", "web"]);
    assert_eq!(gone, "Error from server (NotFound): deployments.apps \"web\" not found\n");
    assert_eq!(stdout(&cluster, &["get", "pods,rs", "-l", "app=web", "-o", "name"]), "");
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn a_deleted_pod_is_replaced() {
    let cluster = TestCluster::start();
    let name = stdout(&cluster, &["get", "pods", "-l", "role=worker", "-o", "name"]);
    stdout(&cluster, &["delete", name.trim(), "--timeout=20s"]);
    let new = stdout(&cluster, &["get", "pods", "-l", "role=worker", "-o", "name"]);
    assert_ne!(name, new);
    stdout(&cluster, &["wait", "--for=condition=Ready", new.trim(), "--timeout=20s"]);
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn manifests_of_the_other_kinds() {
    let cluster = TestCluster::start();
    let file = cluster.directory().join("web.yaml");
    let template = "{metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: example.com/web:1}]}}";
    let manifest = format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web}}\nspec:\n  replicas: 2\n  serviceName: web\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template: {template}\n---\n\
         apiVersion: v1\nkind: ReplicationController\nmetadata: {{name: old}}\nspec:\n  replicas: 1\n  \
         template: {}\n",
        template.replace("app: web", "app: old")
    );
    std::fs::write(&file, manifest).unwrap();
    stdout(&cluster, &["apply", "-f", file.to_str().unwrap()]);
    stdout(&cluster, &["rollout", "status", "statefulset/web", "--timeout=20s"]);
    stdout(&cluster, &["scale", "--replicas=3", "statefulset/web", "rc/old", "--timeout=10s"]);
    let pods = stdout(&cluster, &["get", "pods", "-l", "app=web", "-o", "name"]);
    assert_eq!(pods, "pod/web-0\npod/web-1\npod/web-2\n");
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn the_other_accounts_are_refused() {
    let cluster = TestCluster::start();
    let scale = ["--context=sandbox-viewer", "scale", "--replicas=3", "deployment/locust-slave"];
    assert_eq!(
        stderr_of_failure(&cluster, &scale),
        "Error from server (Forbidden): deployments.apps \"locust-slave\" is forbidden: User \"sandbox-viewer\" \
         cannot patch resource \"deployments/scale\" in API group \"apps\" in the namespace \"default\"\n"
    );
    stdout(&cluster, &["--context=sandbox-viewer", "get", "deployments"]);
    let expired = stderr_of_failure(&cluster, &["--context=sandbox-expired", "get", "deployments"]);
    assert!(expired.contains("You must be logged in to the server"), "{expired}");
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn kubectl_works_with_http_1() {
    let options = Options {
        protocols: Protocols::Http1Only,
        pod_ready_after: Duration::ZERO,
        ..Options::default()
    };
    let cluster = TestCluster::with(options);
    stdout(&cluster, &["scale", "--replicas=2", "deployment/locust-slave", "--timeout=10s"]);
    assert!(cluster.handle().requests().iter().all(|request| !request.http2));
}

/// One cluster with custom resources for each kind of discovery.
fn with_custom_resources() -> [TestCluster; 2] {
    [Discovery::Aggregated, Discovery::LegacyOnly].map(|discovery| {
        TestCluster::with(Options { custom_resources: true, discovery, ..Options::default() })
    })
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn custom_resources_are_scaled() {
    const BIG: &str = "/apis/load.example.com/v1/namespaces/default/swarms/big";
    const UNSET: &str = "/apis/load.example.com/v1/namespaces/default/swarms/unset";
    for cluster in with_custom_resources() {
        let scaled = "swarm.load.example.com/big scaled\n";
        assert_eq!(stdout(&cluster, &["scale", "--replicas=3", "sw/big"]), scaled);
        assert_eq!(cluster.handle().replicas(BIG), Some(3));
        let printed = stdout(&cluster, &["scale", "swarms", "--all", "--replicas=5"]);
        assert_eq!(printed, format!("{scaled}swarm.load.example.com/unset scaled\n"));
        assert_eq!(cluster.handle().replicas(UNSET), Some(5));
        let refused = ["scale", "--current-replicas=4", "--replicas=1", "swarm/big"];
        let refused = stderr_of_failure(&cluster, &refused);
        assert_eq!(refused, "error: Expected replicas to be 4, was 5\n");
    }
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn a_deprecated_version_brings_a_warning() {
    for cluster in with_custom_resources() {
        let old = ["get", "swarms.v1alpha1.load.example.com", "big", "-o", "name"];
        let output = run(&cluster, &old);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "swarm.load.example.com/big\n");
        let warning = "Warning: load.example.com/v1alpha1 Swarm is deprecated; use load.example.com/v1 Swarm\n";
        assert_eq!(String::from_utf8_lossy(&output.stderr), warning);
    }
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn an_object_without_a_scale_is_not_scaled() {
    for cluster in with_custom_resources() {
        cluster.handle().put_object(
            "/apis/apps/v1/namespaces/default/daemonsets/agent",
            serde_json::json!({ "spec": {} }),
        );
        let refused = stderr_of_failure(&cluster, &["scale", "--replicas=1", "ds/agent"]);
        let missing = "the server could not find the requested resource";
        assert_eq!(refused, format!("Error from server (NotFound): {missing}\n"));
    }
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn a_list_comes_in_pages() {
    let cluster = TestCluster::start();
    let types = ["pods", "deployments", "namespaces", "services"];
    for kind in types {
        let all = stdout(&cluster, &["get", kind, "-o", "name", "--chunk-size=0"]);
        assert_eq!(stdout(&cluster, &["get", kind, "-o", "name", "--chunk-size=1"]), all);
    }
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn kubectl_completes_the_plugin() {
    let cluster = TestCluster::start();
    let programs = tempfile::tempdir().unwrap();
    let completion =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/kubectl_complete-locust");
    for (original, name) in
        [(support::program(), "kubectl-locust"), (completion, "kubectl_complete-locust")]
    {
        std::os::unix::fs::symlink(original, programs.path().join(name)).unwrap();
    }
    let path = std::env::var_os("PATH").unwrap();
    let path = std::iter::once(programs.path().to_owned()).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(path).unwrap();
    let complete = || {
        let words = ["__complete", "locust", "scale", "deployment/locust-s"];
        let completed = kubectl(&cluster, &words).env("PATH", &path).output().unwrap();
        String::from_utf8(completed.stdout).unwrap()
    };
    // On a busy machine, a completion may exceed its time limit. Then it offers nothing.
    let mut answers = std::iter::repeat_with(complete).take(10);
    let answer = answers.find(|answer| answer != ":4\n");
    assert_eq!(answer.as_deref(), Some("deployment/locust-slave\n:4\n"));
}

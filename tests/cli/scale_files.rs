//! Targets from manifests, end to end.

use std::fs;
use std::path::Path;

use locustctl::sandbox::Account;
use support::cluster::TestCluster;
use support::{Locustctl, Outcome, locustctl};

const SLAVE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: locust-slave, labels: {role: worker}}
spec: {replicas: 9}
";
const MASTER: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: locust-master, namespace: default}
";
const SLAVE_SCALED: &str = "deployment.apps/locust-slave scaled from 1 to 3\n";
const MASTER_SCALED: &str = "deployment.apps/locust-master scaled from 1 to 3\n";
const MASTER_WARNING: &str = "Warning: deployment.apps/locust-master runs Locust's master, and now has 3 replicas. \
     Several masters split the workers and the users of a test between them. Scale deployment.apps/locust-master to 1 again\n";

/// Runs `scale --replicas=3 LINE` in a directory with these files.
fn call(cluster: &TestCluster, directory: &Path, line: &str) -> Locustctl {
    locustctl(&format!("scale --replicas=3 {line}"))
        .kubeconfig(cluster.kubeconfig())
        .current_dir(directory)
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

fn scaled_both(outcome: &Outcome) {
    outcome.warns(&format!("{SLAVE_SCALED}{MASTER_SCALED}"), MASTER_WARNING);
}

#[test]
fn every_kind_of_source_is_read() {
    let both = format!("{SLAVE}---\n{MASTER}");
    let files = [("a.yaml", SLAVE), ("b.yaml", MASTER), ("d/1.yml", SLAVE), ("d/2.json", MASTER)];
    for line in ["-f a.yaml,b.yaml", "-f a.yaml -f b.yaml", "--filename=d", "-f d/*", "-f ?.yaml"] {
        let (cluster, directory) = (TestCluster::start(), directory(&files));
        scaled_both(&call(&cluster, directory.path(), line).run());
    }
    let (cluster, directory) = (TestCluster::start(), directory(&[]));
    scaled_both(&call(&cluster, directory.path(), "-f -").stdin(&both).run());
}

#[test]
fn subdirectories_are_read_with_recursive() {
    let files = [("d/a.yaml", SLAVE), ("d/deep/b.yaml", MASTER), ("d/deep/notes.txt", "no")];
    let (cluster, directory) = (TestCluster::start(), directory(&files));
    call(&cluster, directory.path(), "-f d").run().prints(SLAVE_SCALED);
    let outcome = call(&cluster, directory.path(), "-R -f d").run();
    assert_eq!(
        outcome.stdout,
        format!("deployment.apps/locust-slave scaled from 3 to 3 (no change)\n{MASTER_SCALED}")
    );
}

#[test]
fn unreadable_files_do_not_stop_the_others() {
    let files = [
        ("1.yaml", SLAVE),
        ("2.yaml", "apiVersion: v1\nind: ReplicationController\nmetadata: {name: x}\n"),
        ("3.yaml", "a: [\n"),
        ("4.yaml", MASTER),
        ("5.yaml", "apiVersion: foo.io/v1\nkind: Foo\nmetadata: {name: f}\n"),
    ];
    let (cluster, directory) = (TestCluster::start(), directory(&files));
    let outcome = call(&cluster, directory.path(), "-f .").run();
    assert_eq!(outcome.stdout, format!("{SLAVE_SCALED}{MASTER_SCALED}"));
    let expected = "\
unable to decode \"2.yaml\": Object 'Kind' is missing in '{\"apiVersion\":\"v1\",\"ind\":\"ReplicationController\",\"metadata\":{\"name\":\"x\"}}'
error parsing 3.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content
resource mapping not found for name: \"f\" namespace: \"\" from \"5.yaml\": no matches for kind \"Foo\" in version \"foo.io/v1\"
ensure CRDs are installed first
";
    let expected = format!("{MASTER_WARNING}{expected}");
    assert_eq!((outcome.code, outcome.stderr), (Some(1), expected));
}

#[test]
fn labels_select_objects_of_a_file() {
    let both = format!("{SLAVE}---\n{MASTER}");
    let (cluster, directory) = (TestCluster::start(), directory(&[("a.yaml", &both)]));
    call(&cluster, directory.path(), "-f a.yaml -l role=worker").run().prints(SLAVE_SCALED);
    call(&cluster, directory.path(), "-f a.yaml -l role=other")
        .run()
        .refuses("error: no objects passed to scale\n");
}

#[test]
fn a_given_namespace_must_equal_the_files_namespace() {
    let (cluster, directory) = (TestCluster::start(), directory(&[("a.yaml", MASTER)]));
    call(&cluster, directory.path(), "-f a.yaml -n other").run().refuses(
        "error: the namespace from the provided object \"default\" does not match the namespace \
         \"other\". You must pass '--namespace=default' to perform this operation.\n",
    );
    call(&cluster, directory.path(), "-f a.yaml -n default")
        .run()
        .warns(MASTER_SCALED, MASTER_WARNING);
}

#[test]
fn an_object_of_a_file_is_printed_as_in_the_file() {
    let (cluster, directory) = (TestCluster::start(), directory(&[("a.yaml", SLAVE)]));
    call(&cluster, directory.path(), "-f a.yaml -o yaml").run().prints(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    role: worker\n  \
         name: locust-slave\n  namespace: default\nspec:\n  replicas: 3\n",
    );
    let paths = cluster.request_lines();
    assert!(paths.iter().all(|line| line.contains("/locust-slave/scale")), "{paths:?}");
}

#[test]
fn incompatible_flags_send_no_request() {
    let files = [("a.yaml", SLAVE), ("empty.yaml", ""), ("empty/readme.txt", "")];
    let (cluster, directory) = (TestCluster::start(), directory(&files));
    for (line, expected) in [
        (
            "-f a.yaml deployment/a",
            "error: resource/name arguments cannot be provided when a path is specified\n",
        ),
        (
            "-f a.yaml deployment",
            "error: when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well\n",
        ),
        ("-f a.yaml -k .", "error: only one of -f or -k can be specified\n"),
        ("-k . -R", "error: the -k flag can't be used with -f or -R\n"),
        ("-f - -f -", "error: standard input cannot be used for multiple arguments\n"),
        ("-f no.yaml", "error: the path \"no.yaml\" does not exist\n"),
        (
            "-f no.yaml -f b.yaml",
            "the path \"no.yaml\" does not exist\nthe path \"b.yaml\" does not exist\n",
        ),
        (
            "-f empty",
            "error: error reading [empty]: recognized file extensions are [.json .yaml .yml]\n",
        ),
        ("-f empty.yaml", "error: no objects passed to scale\n"),
    ] {
        call(&cluster, directory.path(), line).run().refuses(expected);
    }
    assert!(cluster.request_lines().is_empty());
}

#[test]
fn a_flag_without_a_file_does_not_select_the_default_target() {
    let (cluster, directory) = (TestCluster::start(), directory(&[]));
    for line in ["-f=", "-R", "-k="] {
        let outcome = call(&cluster, directory.path(), line).run();
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{line}");
    }
    let outcome = call(&cluster, directory.path(), "-f").arg("").run();
    assert!(outcome.stderr.starts_with("error: You must provide one or more resources"));
    assert!(cluster.request_lines().is_empty());
}

#[test]
fn the_command_is_recorded_without_its_secrets() {
    let (cluster, directory) = (TestCluster::start(), directory(&[]));
    let cause = |cluster: &TestCluster| {
        let object = cluster.handle().object(support::SLAVE).unwrap();
        object["metadata"]["annotations"]["kubernetes.io/change-cause"].clone()
    };
    let notice = "Flag --record has been deprecated, --record will be removed in the future\n";
    let dry =
        call(&cluster, directory.path(), "deploy/locust-slave --record --dry-run=server").run();
    assert_eq!(dry.stderr, notice);
    assert!(cause(&cluster).is_null(), "a dry run records no change-cause");
    let outcome = call(
        &cluster,
        directory.path(),
        &format!(
            "deploy/locust-slave --record -n default --token={}",
            cluster.token(Account::Admin)
        ),
    )
    .run();
    outcome.warns(SLAVE_SCALED, notice);
    assert_eq!(
        cause(&cluster),
        "locustctl scale deploy/locust-slave --replicas=3 --record=true --namespace=default"
    );
}

#[test]
fn a_manifest_whose_spec_is_no_map_is_refused() {
    let manifest = |spec: &str| MASTER.replace("locust-master", "locust-slave") + spec;
    for (spec, is_refused) in [
        ("spec: text\n", true),
        ("spec: [1]\n", true),
        ("spec:\n", true),
        ("spec: {}\n", false),
        ("spec: {paused: true}\n", false),
        ("", false),
    ] {
        let files = [("a.yaml", &*manifest(spec))];
        let (cluster, directory) = (TestCluster::start(), directory(&files));
        let outcome = call(&cluster, directory.path(), "-f a.yaml -o json").run();
        match is_refused {
            true => outcome.refuses(
                "error: value cannot be set because .spec is not a map[string]interface{}\n",
            ),
            false => assert_eq!(outcome.code, Some(0), "{spec}: {outcome:?}"),
        }
        assert_eq!(cluster.workers(), if is_refused { 1 } else { 3 }, "{spec}");
    }
}

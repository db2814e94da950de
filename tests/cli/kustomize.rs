//! Tests of `-k`: the manifests and the messages of the kustomize program.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use support::cluster::TestCluster;
use support::{Outcome, locustctl};

const SLAVE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: locust-slave}\n";
const SCALED: &str = "deployment.apps/locust-slave scaled from 1 to 3\n";
const DEPRECATED: &str = "# Warning: 'commonLabels' is deprecated. Please use 'labels' instead. \
                          Run 'kustomize edit fix' to update your Kustomization automatically.\n";

/// A directory `k` with a kustomization and the workers' manifest.
struct Directory(tempfile::TempDir);

impl Directory {
    fn with(kustomization: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("k")).unwrap();
        fs::write(directory.path().join("k/kustomization.yaml"), kustomization).unwrap();
        fs::write(directory.path().join("k/slave.yaml"), SLAVE).unwrap();
        Self(directory)
    }

    /// Creates a directory for `$PATH`. It holds only `kustomize`, a shell script with this content.
    fn builder(&self, script: &str) -> PathBuf {
        let bin = self.0.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        support::script::write(&bin.join("kustomize"), script);
        bin
    }

    fn scale(&self, cluster: &TestCluster, name: &str, path: impl Into<OsString>) -> Outcome {
        locustctl(&format!("scale --replicas=3 -k {name}"))
            .kubeconfig(cluster.kubeconfig())
            .current_dir(self.0.path())
            .env("PATH", path.into())
            .run()
    }
}

fn printing(text: &str) -> String {
    format!("printf '{}'", text.replace('\n', "\\n"))
}

#[test]
fn the_installed_builder_is_used_and_its_absence_reported() {
    let (cluster, directory) = (TestCluster::start(), Directory::with("resources: []\n"));
    let bin = directory.builder(&format!("[ \"$*\" = \"build -- k\" ] && {}", printing(SLAVE)));
    directory.scale(&cluster, "k", &bin).prints(SCALED);
    let outcome = directory.scale(&cluster, "k", "/nonexistent");
    outcome.exits(1, "");
    assert!(
        outcome.stderr.contains("kustomize") && outcome.stderr.contains("kubectl"),
        "{}",
        outcome.stderr
    );
    let outcome = directory.scale(&cluster, "empty", &bin);
    assert!(outcome.stderr.starts_with("error: must build at directory: not a valid directory"));
}

#[test]
fn a_builder_in_the_current_directory_is_not_run() {
    let (cluster, directory) = (TestCluster::start(), Directory::with("resources: []\n"));
    let bin = directory.builder(&format!(": > ran; {}", printing(SLAVE)));
    for name in ["kustomize", "kubectl"] {
        let here = directory.0.path().join(name);
        fs::copy(bin.join("kustomize"), &here).unwrap();
        for path in [".", ":/nonexistent", "/nonexistent::", "./bin/..:/nonexistent"] {
            directory.scale(&cluster, "k", path).refuses(&format!(
                "error: {name}: cannot run executable found relative to current directory: remove \
                 \".\" and empty elements from $PATH\n"
            ));
        }
        fs::remove_file(here).unwrap();
    }
    assert!(!directory.0.path().join("ran").exists());
    assert!(cluster.request_lines().is_empty());
    // An element that has no builder is harmless.
    let path = std::env::join_paths(["".into(), ".".into(), bin]).unwrap();
    directory.scale(&cluster, "k", path).prints(SCALED);
}

#[test]
fn every_form_of_builder_error_is_reported() {
    let (cluster, directory) = (TestCluster::start(), Directory::with("resources: []\n"));
    for (complaint, expected) in [
        ("Error: no such base", "error: no such base\n"),
        ("no such base", "error: no such base\n"),
        ("# Warning: old\nError: no such base", "# Warning: old\nerror: no such base\n"),
        (
            "E1125 02:57:10.736631   23295 run.go:72] \"command failed\" err=\"no \\\\\"base\\\\\"\"",
            "error: no \"base\"\n",
        ),
        ("", "error: kustomize failed: exit status: 3\n"),
    ] {
        let bin = directory.builder(&format!("{} >&2; exit 3", printing(complaint)));
        directory.scale(&cluster, "k", bin).refuses(expected);
    }
    assert!(cluster.request_lines().is_empty());
}

#[test]
fn the_builders_warnings_are_printed() {
    let (cluster, directory) = (TestCluster::start(), Directory::with("resources: []\n"));
    let bin = directory.builder(&format!("echo '# Warning: old' >&2; {}", printing(SLAVE)));
    let outcome = directory.scale(&cluster, "k", bin);
    outcome.warns(SCALED, "# Warning: old\n");
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn the_real_builder_works() {
    let cluster = TestCluster::start();
    let path = std::env::var_os("PATH").unwrap();
    let broken = Directory::with("resources: [nofile.yaml]\n").scale(&cluster, "k", &path);
    broken.exits(1, "");
    let begins = "error: accumulating resources: accumulation err='accumulating resources from 'nofile.yaml'";
    assert!(broken.stderr.starts_with(begins), "{broken:?}");
    let old = Directory::with("resources: [slave.yaml]\ncommonLabels: {a: b}\n");
    let outcome = old.scale(&cluster, "k", &path);
    outcome.warns(SCALED, DEPRECATED);
}

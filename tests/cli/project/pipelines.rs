//! The recipes in docs/pipelines.md, run against the simulated cluster with a short run time.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use locustctl::sandbox::{Rights, Rule};
use serde_json::Value;
use support::cluster::TestCluster;
use support::rights::Right;
use support::serving::wait_until;
use support::waiting::{cluster, kubeconfig_of, slow_cluster};
use support::{locustctl, program};

use super::text_of;

const RECIPES: &str = "docs/pipelines.md";

const TOKEN: &str = "the-token-of-the-job";

/// The code of the recipe with this title.
fn recipe(title: &str) -> String {
    let text = text_of(RECIPES);
    let (_, section) = text.split_once(&format!("\n## {title}\n")).unwrap();
    let code = section.split("```").nth(1).unwrap();
    let (_, code) = code.split_once('\n').unwrap();
    code.replace("-t 10m", "-t 1s").replace("--run-time=10m", "--run-time=1s")
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The environment of a script, with the program in `PATH`.
fn environment(cluster: &TestCluster) -> [(&'static str, OsString); 4] {
    let directory = program().parent().unwrap().to_owned();
    let path = [directory.as_path(), Path::new("/usr/bin"), Path::new("/bin")];
    [
        ("PATH", std::env::join_paths(path).unwrap()),
        ("HOME", cluster.directory().into()),
        ("KUBECONFIG", cluster.kubeconfig().into()),
        ("GITHUB_STEP_SUMMARY", cluster.path("summary.md").into()),
    ]
}

/// Runs the script in the directory of the cluster.
fn shell(cluster: &TestCluster, script: &str) -> Output {
    Command::new("sh")
        .args(["-euc", script])
        .env_clear()
        .envs(environment(cluster))
        .current_dir(cluster.directory())
        .output()
        .unwrap()
}

/// Runs the script. The test passes, and these files exist afterwards.
fn passes(script: &str, files: &[&str]) {
    let cluster = cluster();
    let output = shell(&cluster, script);
    assert_eq!(output.status.code(), Some(0), "{script}\n{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("verdict: passed"), "{output:?}");
    for file in files {
        let length =
            fs::metadata(cluster.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(length.len() > 0, "{file}");
    }
    assert_eq!(cluster.workers(), 1, "the old count is back");
}

#[test]
fn the_recipe_for_github_actions_works() {
    let steps = yaml(&recipe("GitHub Actions"))["jobs"]["load-test"]["steps"].clone();
    let script = steps[0]["run"].as_str().unwrap();
    passes(script, &["summary.md", "report.html", "report.json"]);
    assert_eq!(steps[1]["with"]["path"], "report.*");
}

#[test]
fn a_cancelled_job_at_github_puts_the_old_count_back() {
    let text = recipe("GitHub Actions").replace("-t 1s", "-t 10m");
    let steps = yaml(&text)["jobs"]["load-test"]["steps"].clone();
    let cluster = cluster();
    let script = cluster.file("script.sh", steps[0]["run"].as_str().unwrap());
    let log = cluster.path("log");
    // A runner starts a script like this, and sends the signal to this process only.
    let mut step = Command::new("/usr/bin/env")
        .args(["--default-signal=INT,TERM", "bash", "-e"])
        .arg(script)
        .env_clear()
        .envs(environment(&cluster))
        .current_dir(cluster.directory())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let said = || fs::read_to_string(&log).unwrap();
    wait_until(|| said().contains("running, "), said);
    let process = step.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &process]).status().unwrap().success());
    assert_eq!(step.wait().unwrap().code(), Some(130), "{}", said());
    assert_eq!(cluster.workers(), 1, "{}", said());
}

#[test]
fn the_recipe_for_gitlab_works() {
    let job = yaml(&recipe("GitLab CI"))["load-test"].clone();
    passes(job["script"][0].as_str().unwrap(), &["report.xml", "report.html"]);
    assert_eq!(job["artifacts"]["reports"]["junit"], "report.xml");
}

#[test]
fn the_recipe_for_jenkins_works() {
    let text = recipe("Jenkins");
    // In Groovy's ''', a backslash joins two lines, as in sh.
    passes(text.split("'''").nth(1).unwrap(), &["report.xml", "report.html"]);
}

#[test]
fn the_recipe_for_make_works() {
    let text = recipe("Make");
    let (_, commands) = text.split_once("load-test:\n").unwrap();
    passes(
        &commands.replace('\t', ""),
        &[
            "load-test_stats.csv",
            "load-test_stats_history.csv",
            "load-test_failures.csv",
            "load-test.html",
        ],
    );
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn the_job_runs_with_exactly_the_rights_of_its_role() {
    let text = recipe("A Kubernetes Job");
    let objects: Vec<Value> = text.split("\n---\n").map(yaml).collect();
    let find = |kind: &str| objects.iter().find(|object| object["kind"] == kind).unwrap();
    let rules = &find("Role")["rules"];
    let rule = |rule: &Value| {
        let [verbs, groups, resources, names] =
            ["verbs", "apiGroups", "resources", "resourceNames"].map(|field| words(&rule[field]));
        Rule::new(&verbs, &groups, &resources, &names).in_namespace("default")
    };
    let cluster = slow_cluster();
    let rights = Rights::Rules(rules.as_array().unwrap().iter().map(rule).collect());
    cluster.handle().add_account(TOKEN, "system:serviceaccount:default:load-test", rights);
    let container = &find("Job")["spec"]["template"]["spec"]["containers"][0];
    let log = cluster.path("termination-log");
    fs::write(&log, "").unwrap();
    let args = words(&container["args"]);
    let args: Vec<_> =
        args.iter().map(|arg| arg.replace("/dev/termination-log", log.to_str().unwrap())).collect();
    let outcome = support::Locustctl::new(&args).kubeconfig(kubeconfig_of(&cluster, TOKEN)).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(fs::read_to_string(&log).unwrap().contains("passed"));
    let used = Right::used_by(&cluster.handle().requests(), TOKEN);
    assert_eq!(used, Right::of_rules(rules));
}

#[test]
fn every_recipe_is_tested() {
    let text = text_of(RECIPES);
    let titles: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(titles, ["GitHub Actions", "GitLab CI", "Jenkins", "Make", "A Kubernetes Job"]);
    for title in titles {
        assert!(recipe(title).contains("=1s") || recipe(title).contains("-t 1s"), "{title}");
    }
    // The shape of the command is that of the help.
    let help = locustctl("run --help").run().stdout;
    for flag in ["--markdown", "--html", "--json-file", "--junit", "--csv", "--fail-if"] {
        assert!(help.contains(flag), "{flag}");
    }
}

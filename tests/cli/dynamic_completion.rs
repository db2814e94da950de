//! Dynamic completion: the candidates that the binary offers to the shells.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use locustctl::sandbox::{Action, Fault, Options, Rights};
use serde_json::json;
use support::cluster::TestCluster;
use support::serving::wait_until;
use support::{Locustctl, Outcome, dead_kubeconfig};

const BUILT_IN: &str = "deployment replicaset replicationcontroller statefulset";

/// Much longer than one second, for busy machines.
const LONG_DELAY: Duration = Duration::from_secs(30);

/// Asks as bash's script does, about the last word of `locustctl LINE`. A blank at the end of the
/// line begins a new word.
fn asked(line: &str) -> Locustctl {
    let words: Vec<_> = line.split(' ').collect();
    Locustctl::new(["--", "locustctl"].iter().chain(&words))
        .env("LOCUSTCTL_COMPLETE", "bash")
        .env("_CLAP_IFS", " ")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
}

/// The candidates. The call must succeed quickly and print nothing else.
#[track_caller]
fn answer(call: Locustctl) -> String {
    let started = Instant::now();
    let Outcome { code, stdout, stderr } = call.run();
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert!(started.elapsed() < LONG_DELAY, "{:?}", started.elapsed());
    stdout
}

/// Asks until the answer is this one. On a very busy machine there are no candidates, since they would
/// take more than a second.
#[track_caller]
pub fn answers_in_time(ask: impl Fn() -> String, expected: &str, line: &str) {
    let last = RefCell::new(String::new());
    wait_until(
        || {
            last.replace(ask());
            *last.borrow() == expected
        },
        || format!("{expected:?} for {line:?}; the last answer was {last:?}"),
    );
}

#[track_caller]
fn answers(cluster: &TestCluster, table: &[(&str, &str)]) {
    for (line, expected) in table {
        let ask = || answer(asked(line).kubeconfig(cluster.kubeconfig()));
        answers_in_time(ask, expected, line);
    }
}

fn deployment(name: &str) -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}},
                 "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}},
    })
}

#[test]
fn names_of_the_kubeconfig_are_offered_without_a_request() {
    let cluster = TestCluster::start();
    answers(
        &cluster,
        &[
            ("scale --context ", "sandbox sandbox-expired sandbox-viewer"),
            ("--context ", "sandbox sandbox-expired sandbox-viewer"),
            ("--context sandbox-v", "sandbox-viewer"),
            ("scale --context=sandbox-", "--context=sandbox-expired --context=sandbox-viewer"),
            ("status --cluster ", "sandbox"),
            ("scale --context nonsense", ""),
            // Flags on the line count, wherever they stand.
            ("--kubeconfig /nonexistent scale --context ", ""),
            ("scale --kubeconfig=/nonexistent --context ", ""),
        ],
    );
    assert_eq!(cluster.request_lines(), Vec::<String>::new());
}

#[test]
fn types_names_and_namespaces_come_from_the_cluster() {
    let cluster = TestCluster::start();
    answers(
        &cluster,
        &[
            ("scale ", &format!("{BUILT_IN} job")),
            ("scale rep", "replicaset replicationcontroller"),
            ("scale -n ", "default kube-system"),
            ("scale -nkube", "-nkube-system"),
            ("--namespace=d", "--namespace=default"),
            ("scale --namespace=d", "--namespace=default"),
            ("scale deployment/", "deployment/locust-master deployment/locust-slave"),
            ("resize deploy.apps/locust-s", "deploy.apps/locust-slave"),
            ("scale deploy ", "locust-master locust-slave"),
            ("scale deploy locust-slave ", "locust-master"),
            ("scale deploy/locust-slave deploy/", "deploy/locust-master"),
            ("scale deploy/locust-slave dep", "deployment/"),
            ("scale deploy x/", ""),
            ("scale deploy/ x", ""),
            ("scale -n kube-system deploy ", ""),
            ("scale --replicas 3 deploy ", "locust-master locust-slave"),
            ("--replicas 3 --context sandbox scale deploy ", "locust-master locust-slave"),
            ("status ", &format!("{BUILT_IN} job")),
            ("status deployment/locust-s", "deployment/locust-slave"),
            ("serve --max-replicas=9 deployment/locust-s", "deployment/locust-slave"),
            ("status deploy locust-s", "locust-slave"),
            ("status deploy locust-slave ", ""),
            ("status deploy/locust-slave ", ""),
            ("scale nonsense/", ""),
            // An invalid line gets no candidates.
            ("scale --bogus deploy ", ""),
            ("scale --replicas=x deploy/", ""),
        ],
    );
}

#[test]
fn custom_types_with_a_scale_subresource_are_offered() {
    let cluster = TestCluster::with(Options { custom_resources: true, ..Options::default() });
    answers(
        &cluster,
        &[
            ("scale ", &format!("{BUILT_IN} swarm job")),
            ("scale sw", "swarm"),
            ("scale deploy/locust-slave sw", "swarm/"),
        ],
    );
}

#[test]
fn flags_and_their_values_are_offered() {
    let cluster = TestCluster::start();
    answers(
        &cluster,
        &[
            ("scale --dry-run=", "--dry-run=none --dry-run=client --dry-run=server"),
            ("scale --rep", "--replicas"),
            ("status -o ", "json yaml"),
            ("scale --output=y", "--output=yaml"),
            ("stat", "status"),
            ("completion ", "bash elvish fish powershell zsh"),
        ],
    );
    let ask = || answer(asked("scale -").kubeconfig(cluster.kubeconfig()));
    let flags = std::iter::repeat_with(ask).find(|flags| !flags.is_empty()).unwrap();
    for flag in ["--replicas", "--selector", "--dry-run", "--namespace", "--help"] {
        assert!(flags.split(' ').any(|offered| offered == flag), "{flag}: {flags}");
    }
    assert!(!flags.contains("--record"), "{flags}");
}

#[test]
fn files_are_offered_for_a_manifest() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("workers.yaml"), "").unwrap();
    std::fs::create_dir(directory.path().join("more")).unwrap();
    let ask = || answer(asked("scale -f ").current_dir(directory.path()));
    answers_in_time(ask, ". more/ workers.yaml", "scale -f ");
}

#[test]
fn names_of_the_sandbox_are_offered() {
    for line in ["--sandbox scale deploy locust-s", "scale --sandbox deploy locust-s"] {
        answers_in_time(|| answer(asked(line)), "locust-slave", line);
    }
}

#[test]
fn without_a_cluster_the_built_in_types_are_offered() {
    let directory = tempfile::tempdir().unwrap();
    let dead = dead_kubeconfig(directory.path());
    let broken = directory.path().join("broken");
    std::fs::write(&broken, "contexts: [").unwrap();
    for (line, expected) in [
        ("scale ", BUILT_IN),
        ("scale -v=9 ", BUILT_IN),
        ("scale deploy/", ""),
        ("scale --bogus ", ""),
        ("scale -n ", ""),
    ] {
        for kubeconfig in [&dead, &broken, &PathBuf::from("/nonexistent")] {
            answers_in_time(|| answer(asked(line).kubeconfig(kubeconfig)), expected, line);
        }
    }
    assert_eq!(answer(asked("--context ").kubeconfig(&broken)), "");
}

#[test]
fn a_server_that_hangs_does_not_delay_the_answer() {
    let cluster = TestCluster::start();
    let hang = || Fault::once(Action::Delay(Duration::from_secs(60))).times(Fault::ALWAYS);
    cluster.handle().inject(hang());
    answers(&cluster, &[("scale ", BUILT_IN), ("scale deploy/", ""), ("scale -n ", "")]);
}

#[test]
fn without_the_right_to_list_nothing_is_offered() {
    let cluster = TestCluster::start();
    cluster.handle().add_account("token-without-any-rights", "nobody", Rights::Rules(Vec::new()));
    let line = "scale --token token-without-any-rights ";
    let types = format!("{BUILT_IN} job");
    for (rest, expected) in [("", types.as_str()), ("deploy/", ""), ("-n ", "")] {
        answers(&cluster, &[(&format!("{line}{rest}"), expected)]);
    }
    answers(&cluster, &[("scale --context sandbox-expired deploy/", "")]);
}

#[test]
fn a_name_that_a_shell_could_evaluate_is_not_offered() {
    let cluster = TestCluster::start();
    let evil = ["$(touch pwned)", "`id`", "a;id", "a b", "a\u{1b}[2J", "a\nb", "-rf", "ok-name"];
    let items: Vec<_> = evil.map(deployment).into();
    let list = json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "items": items});
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("warning".to_owned(), "299 - \"be warned\"".to_owned()),
    ];
    let body = list.to_string().into_bytes();
    let action = Action::Answer { status: 200, headers, body };
    cluster.handle().inject(Fault::once(action).at("/deployments").times(Fault::ALWAYS));
    answers(&cluster, &[("scale deploy ", "ok-name")]);
}

#[test]
fn at_most_300_names_are_offered() {
    let cluster = TestCluster::start();
    cluster.handle().pause_controllers();
    for i in 0..400 {
        let path = format!("/apis/apps/v1/namespaces/default/deployments/d{i:03}");
        cluster.handle().put_object(&path, deployment(&format!("d{i:03}")));
    }
    let ask = || {
        let names = answer(asked("scale deploy d").kubeconfig(cluster.kubeconfig()));
        names.split(' ').count().to_string()
    };
    answers_in_time(ask, "300", "scale deploy d");
    answers(&cluster, &[("scale deploy d399", "d399")]);
}

/// A kubeconfig with a user that has this script as its plugin.
fn with_plugin(cluster: &TestCluster, script: &str) -> PathBuf {
    support::script::write(&cluster.path("plugin"), script);
    let (server, authority) = (cluster.server(), cluster.certificate_authority_file());
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: '{server}', certificate-authority: '{}'}}}}]\n\
         users:\n- name: u\n  user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, \
         command: ./plugin, interactiveMode: IfAvailable}}}}\n",
        authority.display()
    );
    cluster.file("config", &text)
}

#[test]
fn a_plugin_that_hangs_is_killed_and_its_output_is_dropped() {
    let cluster = TestCluster::start();
    let started = cluster.path("started");
    let script = format!("echo some noise >&2; echo $$ > '{}'; exec sleep 60", started.display());
    let config = with_plugin(&cluster, &script);
    let mut process = String::new();
    // On a very busy machine, the plugin is not started in time, or there are no candidates.
    wait_until(
        || {
            let _ = std::fs::remove_file(&started);
            let call = asked("scale ").kubeconfig(&config).env("PATH", "/usr/bin:/bin");
            let is_built_in = answer(call) == BUILT_IN;
            process = std::fs::read_to_string(&started).unwrap_or_default();
            is_built_in && !process.is_empty()
        },
        || format!("{BUILT_IN:?} and a plugin that was started"),
    );
    let process = Path::new("/proc").join(process.trim());
    let is_gone =
        || !std::fs::read_to_string(process.join("cmdline")).is_ok_and(|line| !line.is_empty());
    let waiting = Instant::now();
    while !is_gone() {
        assert!(waiting.elapsed() < LONG_DELAY, "the plugin still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_plugin_that_the_kuberc_forbids_is_not_run() {
    let cluster = TestCluster::start();
    let started = cluster.path("started");
    let config = with_plugin(&cluster, &format!("touch '{}'", started.display()));
    let kuberc = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n\
                  credentialPluginPolicy: DenyAll\n";
    let kuberc = cluster.file("kuberc", kuberc);
    let call = asked("scale deploy ").kubeconfig(&config).env("KUBERC", kuberc);
    assert_eq!(answer(call), "");
    assert!(!started.exists());
}

#[test]
fn an_endless_kubeconfig_does_not_delay_the_answer() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(answer(asked("scale --context ").kubeconfig(&pipe)), "");
}

#[test]
fn the_variable_alone_does_not_start_completion() {
    let call = support::locustctl("--sandbox scale --replicas=3").env("LOCUSTCTL_COMPLETE", "bash");
    call.run().prints("deployment.apps/locust-slave scaled from 1 to 3\n");
}

#[test]
fn invalid_requests_get_no_candidates() {
    for index in ["99", "0", "-1", "x", ""] {
        let call = asked("scale dep").env("_CLAP_COMPLETE_INDEX", index);
        let answer = answer(call);
        assert!(matches!(&*answer, "" | "deployment"), "{index}: {answer}");
    }
    assert_eq!(answer(asked("scale dep").env("LOCUSTCTL_COMPLETE", "tcsh")), "");
}

#[test]
fn every_shell_gets_a_script_that_calls_the_binary() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = support::locustctl(&format!("completion {shell}")).run();
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{shell}");
        assert!(outcome.stdout.contains("LOCUSTCTL_COMPLETE"), "{shell}");
        let ask = || {
            let call = Locustctl::new(["--", "locustctl", "scale", "dep"])
                .env("LOCUSTCTL_COMPLETE", shell)
                .env("_CLAP_COMPLETE_INDEX", "2");
            answer(call).trim_end().to_owned()
        };
        answers_in_time(ask, "deployment", shell);
    }
}

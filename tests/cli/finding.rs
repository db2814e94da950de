//! The workers and Locust's master are found, whatever their names are: the default target,
//! `--locust=auto`, and `status -A`.

use locustctl::sandbox::{Layout, Rights, Rule};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::layouts::{laid_out, named, row};
use support::terminal::Terminal;
use support::waiting::kubeconfig_of;
use support::{Outcome, locustctl};

fn run(cluster: &TestCluster, line: &str) -> Outcome {
    locustctl(line).kubeconfig(cluster.kubeconfig()).run()
}

/// The LISTs that were sent, without their parameters.
fn lists(cluster: &TestCluster) -> Vec<String> {
    let is_list = |line: &String| line.contains("limit=");
    let plural = |line: &String| {
        let path = line.split('?').next().unwrap();
        path.rsplit('/').next().unwrap().to_owned()
    };
    let mut lists: Vec<_> =
        cluster.request_lines().iter().filter(|it| is_list(it)).map(plural).collect();
    lists.sort();
    lists
}

#[test]
fn each_type_is_listed_once_and_none_if_the_target_exists() {
    let cluster = named("google");
    run(&cluster, "status --locust=none");
    let autoscalers = ["horizontalpodautoscalers", "scaledobjects"];
    let of_workloads = |lists: Vec<String>| -> Vec<String> {
        lists.into_iter().filter(|it| !autoscalers.contains(&it.as_str())).collect()
    };
    assert_eq!(
        of_workloads(lists(&cluster)),
        ["deployments", "jobs", "replicasets", "replicationcontrollers", "statefulsets"]
    );
    for (line, count) in [
        ("status --locust=none deployment/locust-worker", 0),
        ("scale --replicas=2 deployment/locust-worker", 0),
        // The Services, the pods, and the pods of the target.
        ("status deployment/locust-worker", 3),
        ("rebalance deployment/locust-worker", 3),
    ] {
        cluster.handle().clear_requests();
        let outcome = run(&cluster, line);
        assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
        assert_eq!(of_workloads(lists(&cluster)).len(), count, "{line}: {:?}", lists(&cluster));
    }
    let slave = named("tutorial");
    run(&slave, "scale --replicas=2");
    assert_eq!(slave.request_lines().len(), 2, "{:?}", slave.request_lines());
    slave.handle().clear_requests();
    run(&slave, "status --locust=none");
    assert_eq!(of_workloads(lists(&slave)), [""; 0]);
}

#[test]
fn a_script_must_name_the_workers_that_it_changes() {
    let cluster = named("google");
    let missing = "Error from server (NotFound): deployments.apps \"locust-slave\" not found\n";
    for (command, rest) in
        [("scale --replicas=0", "scale --replicas=0"), ("rebalance", "rebalance")]
    {
        let hint = format!(
            "deployment/locust-worker looks like Locust workers: locustctl {rest} deployment/locust-worker\n"
        );
        run(&cluster, command).refuses(&format!("{missing}{hint}"));
    }
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-worker";
    assert_eq!(cluster.handle().replicas(path), Some(1));
}

#[test]
fn on_a_terminal_the_only_workers_are_scaled_with_a_note() {
    let cluster = named("google");
    let terminal = Terminal::start(&cluster, "scale --replicas=3");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(
        screen.contains(
            "Note: deployment.apps/locust-slave does not exist. locustctl uses deployment.apps/locust-worker, \
             the only workers of Locust in namespace default\n"
        ),
        "{screen}"
    );
    assert!(screen.contains("deployment.apps/locust-worker scaled from 1 to 3\n"), "{screen}");
}

#[test]
fn a_typed_name_is_never_replaced() {
    let cluster = named("google");
    let (_, screen) = Terminal::start(&cluster, "scale --replicas=3 deployment/locust-slave").end();
    assert!(screen.contains("deployments.apps \"locust-slave\" not found"), "{screen}");
    let call = locustctl("status").env("LOCUSTCTL_TARGET", "deployment/locust-slave");
    let outcome = call.kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-worker";
    assert_eq!(cluster.handle().replicas(path), Some(1));
}

/// An installation with a second Deployment of workers.
fn two_teams() -> TestCluster {
    let cluster = named("google");
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-worker";
    let mut second = cluster.handle().object(path).unwrap();
    second["metadata"] = json!({"name": "mail-worker", "namespace": "default"});
    cluster.handle().put_object(&path.replace("locust-worker", "mail-worker"), second);
    cluster
}

#[test]
fn several_workers_are_listed_with_the_commands_and_none_is_changed() {
    let cluster = two_teams();
    for command in ["status", "serve", "scale --replicas=0", "rebalance"] {
        let outcome = run(&cluster, command);
        assert_eq!((outcome.code, &*outcome.stdout), (Some(1), ""), "{outcome:?}");
        for name in ["locust-worker", "mail-worker"] {
            let line =
                format!("looks like Locust workers: locustctl {command} deployment/{name}\n");
            assert!(outcome.stderr.contains(&line), "{line} in {outcome:?}");
        }
    }
    let (code, screen) = Terminal::start(&cluster, "scale --replicas=0").end();
    assert_eq!(code, Some(1), "{screen}");
}

fn with_rules(cluster: &TestCluster, rules: Vec<Rule>) -> std::path::PathBuf {
    cluster.handle().add_account("tester-token-of-the-test", "tester", Rights::Rules(rules));
    kubeconfig_of(cluster, "tester-token-of-the-test")
}

#[test]
fn a_forbidden_list_is_an_error_that_names_the_right() {
    let cluster = named("google");
    let rules = vec![Rule::new(&["get", "list"], &["apps"], &["deployments", "replicasets"], &[])];
    let kubeconfig = with_rules(&cluster, rules);
    let outcome = locustctl("status").kubeconfig(kubeconfig).run();
    assert_eq!((outcome.code, &*outcome.stdout), (Some(1), ""), "{outcome:?}");
    for text in
        ["locustctl cannot look for other workers: ", "cannot list resource \"statefulsets\""]
    {
        assert!(outcome.stderr.contains(text), "{outcome:?}");
    }
}

#[test]
fn a_missing_right_for_locust_is_named() {
    let cluster = named("tutorial");
    let read = || Rule::new(&["get"], &["apps"], &["deployments"], &[]);
    let pods = || Rule::new(&["list"], &[""], &["pods"], &[]);
    let services = || Rule::new(&["list"], &[""], &["services"], &[]);
    for (rules, right) in [
        (vec![read(), pods()], "cannot list resource \"services\""),
        (vec![read(), pods(), services()], "cannot get resource \"services/proxy\""),
    ] {
        let kubeconfig = with_rules(&cluster, rules);
        let outcome = locustctl("status").kubeconfig(kubeconfig).run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let locust = row(&outcome, "Locust");
        assert!(locust.starts_with("locustctl is not allowed to ask Locust: "), "{outcome:?}");
        assert!(locust.contains(right), "{outcome:?}");
    }
}

#[test]
fn each_reason_why_locust_is_silent_has_its_own_sentence() {
    let status = |layout: &str, rest: &str| {
        locustctl(&format!("--sandbox --layout={layout} status {rest}")).run()
    };
    let endpoints = status("no-endpoints", "");
    assert!(row(&endpoints, "Locust").contains("has no endpoints"), "{endpoints:?}");
    let cluster = named("tutorial");
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-master";
    cluster.handle().set_replicas(path, 0);
    cluster.wait_for(path, |object| object["status"]["replicas"].as_i64().unwrap_or(0) == 0);
    let scaled_down = run(&cluster, "status");
    assert!(row(&scaled_down, "Locust").contains("has no endpoints"), "{scaled_down:?}");
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-slave";
    let workers = cluster.handle().object(path).unwrap();
    let empty = laid_out(Layout::new([workers]).unwrap());
    let nothing = run(&empty, "status");
    assert!(
        row(&nothing, "Locust").starts_with("there is no Locust in namespace default; "),
        "{nothing:?}"
    );
    assert!(!status("tutorial", "--locust=none").stdout.contains("Locust:"));
}

#[test]
fn the_web_ui_without_a_service_is_reached_through_the_pod() {
    let outcome = locustctl("--sandbox --layout=locust-io status job/demo-worker").run();
    assert!(row(&outcome, "Locust").starts_with("pod/demo-master"), "{outcome:?}");
    assert_eq!(row(&outcome, "Workers"), "1 connected", "{outcome:?}");
}

#[test]
fn scale_waits_for_a_master_that_comes_up_later() {
    let cluster = named("tutorial");
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-master";
    cluster.handle().set_replicas(path, 0);
    cluster.wait_for(path, |object| object["status"]["replicas"].as_i64().unwrap_or(0) == 0);
    let handle = cluster.handle().clone();
    let starting = std::thread::spawn(move || {
        let is_scaled = || handle.requests().iter().any(|request| request.method == "PATCH");
        support::serving::wait_until(is_scaled, || "the PATCH".to_owned());
        handle.set_replicas(path, 1);
    });
    let outcome = run(&cluster, "scale --replicas=2 --locust");
    starting.join().unwrap();
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 2\n");
    assert!(outcome.stderr.contains("Waiting for Locust's master: "), "{outcome:?}");
    assert!(outcome.stderr.ends_with("2 workers are connected to Locust\n"), "{outcome:?}");
}

#[test]
fn scale_fails_if_the_master_is_not_there_at_the_end() {
    let cluster = named("tutorial");
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-master";
    cluster.handle().set_replicas(path, 0);
    cluster.wait_for(path, |object| object["status"]["replicas"].as_i64().unwrap_or(0) == 0);
    let outcome = run(&cluster, "scale --replicas=1 --locust --timeout=2s");
    outcome.exits(1, "deployment.apps/locust-slave scaled from 1 to 1 (no change)\n");
    let error = "error: the workers were scaled, but Locust's master did not answer within 2s: ";
    assert!(outcome.stderr.contains(error), "{outcome:?}");
    let outcome = run(&cluster, "scale --replicas=0 --locust");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 0\n");
    assert!(
        outcome.stderr.starts_with("Note: locustctl did not check for a running test: "),
        "{outcome:?}"
    );
}

#[test]
fn with_locust_a_scale_waits_until_the_workers_are_connected() {
    let cluster = named("tutorial");
    let outcome = run(&cluster, "scale --replicas=3 --locust");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 3\n");
    assert!(outcome.stderr.ends_with("3 workers are connected to Locust\n"), "{outcome:?}");
}

#[test]
fn an_address_after_a_blank_is_refused_with_the_right_spelling() {
    let cluster = named("tutorial");
    for (line, address) in [
        ("scale --replicas=3 --locust service/x", "service/x"),
        ("status --locust http://a:8089", "http://a:8089"),
        ("scale --replicas=3 --locust auto", "auto"),
        ("rebalance --locust pod/x", "pod/x"),
    ] {
        let error = format!(
            "error: {address:?} is an address of Locust, not a target: write it as --locust={address}\n"
        );
        run(&cluster, line).refuses(&error);
    }
    assert_eq!(cluster.request_lines(), [""; 0]);
}

#[test]
fn several_locusts_are_told_apart_by_what_the_workers_connect_to() {
    let cluster = named("google");
    let rename = |path: &str, of: &dyn Fn(&mut Value)| {
        let mut object = cluster.handle().object(path).unwrap();
        object["metadata"] =
            json!({"labels": object["metadata"]["labels"], "namespace": "default"});
        of(&mut object);
        cluster.handle().put_object(&path.replace("locust-master", "mail-master"), object);
    };
    let labels = json!({"app": "mail-master"});
    rename("/apis/apps/v1/namespaces/default/deployments/locust-master", &|object| {
        object["spec"]["selector"]["matchLabels"] = labels.clone();
        object["spec"]["template"]["metadata"]["labels"] = labels.clone();
        object["status"] = Value::Null;
    });
    rename("/api/v1/namespaces/default/services/locust-master-web", &|object| {
        object["spec"]["selector"] = labels.clone();
    });
    cluster.wait_for("/apis/apps/v1/namespaces/default/deployments/mail-master", |object| {
        object["status"]["readyReplicas"] == 1
    });
    let outcome = run(&cluster, "status");
    assert!(row(&outcome, "Locust").starts_with("service/locust-master-web"), "{outcome:?}");
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-worker";
    let mut workers = cluster.handle().object(path).unwrap();
    let env = json!([{"name": "LOCUST_MODE", "value": "worker"}]);
    workers["metadata"] = json!({"name": "users", "namespace": "default"});
    workers["spec"]["template"]["spec"]["containers"][0]["env"] = env;
    workers["spec"]["replicas"] = json!(0);
    cluster.handle().put_object(&path.replace("locust-worker", "users"), workers);
    let several = run(&cluster, "rebalance deployment/users");
    assert_eq!(several.code, Some(1), "{several:?}");
    for flag in ["--locust=service/locust-master-web:", "--locust=service/mail-master-web:"] {
        assert!(several.stderr.contains(flag), "{several:?}");
    }
}

#[test]
fn status_of_the_cluster_lists_every_locust_with_its_test() {
    let outcome = locustctl("--sandbox --layout=google status -A").run();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{outcome:?}");
    assert_eq!(
        outcome.stdout,
        "NAMESPACE  WORKERS                   READY  LOCUST                     STATE  CONNECTED  USERS\n\
         default    deployment/locust-worker  1/1    service/locust-master-web  ready  1          0\n"
    );
    let json = locustctl("--sandbox --layout=helm status --all-namespaces -o json").run();
    let status: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        status["locusts"],
        json!([{"namespace": "default", "target": "deployment/demo-locust-worker",
            "replicas": {"desired": 1, "ready": 1},
            "locust": {"at": "service/demo-locust", "state": "ready", "users": 0, "workers": 1}}])
    );
    let cluster = two_teams();
    cluster.handle().clear_requests();
    run(&cluster, "status -A");
    assert_eq!(
        lists(&cluster),
        [
            "deployments",
            "jobs",
            "pods",
            "replicasets",
            "replicationcontrollers",
            "services",
            "statefulsets"
        ]
    );
    run(&cluster, "status -A deployment/a").refuses(
        "error: status -A shows every Locust of the cluster: leave out the target \"deployment/a\"\n",
    );
}

#[test]
fn status_of_the_cluster_lists_what_it_may_read() {
    let cluster = named("tutorial");
    let list = |groups: &[&str], resources: &[&str]| Rule::new(&["list"], groups, resources, &[]);
    let rules = vec![list(&["apps"], &["*"]), list(&[""], &["*"])];
    let outcome = locustctl("status -A").kubeconfig(with_rules(&cluster, rules)).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let note = "Note: the list may be incomplete: Error from server (Forbidden): jobs.batch is forbidden: ";
    assert!(outcome.stderr.starts_with(note), "{outcome:?}");
    let row = "\ndefault    deployment/locust-slave  1/1 ";
    assert!(outcome.stdout.contains(row), "{outcome:?}");
    assert!(outcome.stdout.contains("cannot get resource \"services/proxy\""), "{outcome:?}");
}

#[test]
fn a_second_master_gets_a_warning() {
    let cluster = named("tutorial");
    let warning = |name: &str, count: i64| {
        format!(
            "Warning: deployment.apps/{name} runs Locust's master, and now has {count} replicas. Several \
             masters split the workers and the users of a test between them. Scale deployment.apps/{name} to 1 again\n"
        )
    };
    run(&cluster, "scale --replicas=2 deployment/locust-master")
        .warns("deployment.apps/locust-master scaled from 1 to 2\n", &warning("locust-master", 2));
    assert_eq!(cluster.request_lines().len(), 2, "a plain scale has two requests");
    run(&cluster, "scale --replicas=1 deployment/locust-master")
        .prints("deployment.apps/locust-master scaled from 2 to 1\n");
    let path = "/apis/apps/v1/namespaces/default/deployments/locust-master";
    let mut other = cluster.handle().object(path).unwrap();
    other["metadata"] = json!({"name": "load", "namespace": "default"});
    cluster.handle().put_object(&path.replace("locust-master", "load"), other);
    let outcome = run(&cluster, "scale --replicas=2 --locust=none deployment/load");
    assert!(outcome.stderr.contains(&warning("load", 2)), "{outcome:?}");
}

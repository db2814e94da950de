//! `locustctl status`: cluster, user, replicas, autoscalers, and the running test.

use locustctl::sandbox::{Action, Fault, Rights, Rule};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::swarm::{running, start_test, wait_for_workers};
use support::{Outcome, SLAVE, locustctl};

fn status(cluster: &TestCluster, flags: &str) -> Outcome {
    locustctl(&format!("status {flags}")).kubeconfig(cluster.kubeconfig()).run()
}

/// Lists this under the plural name from now on.
fn list(cluster: &TestCluster, plural: &str, items: Value) {
    let body = json!({"kind": "List", "apiVersion": "v1", "items": items}).to_string();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Action::Answer { status: 200, headers, body: body.into() };
    cluster.handle().inject(Fault::once(answer).at(&format!("/{plural}")).times(Fault::ALWAYS));
}

fn autoscaler(name: &str, owners: Value) -> Value {
    json!({
        "metadata": {"name": name, "ownerReferences": owners},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "locust-slave"},
            "minReplicas": 2,
            "maxReplicas": 10,
        },
    })
}

#[test]
fn status_shows_the_server_the_credentials_and_the_replicas() {
    let cluster = TestCluster::start();
    cluster.handle().set_replicas(SLAVE, 3);
    cluster.wait_for(SLAVE, |object| object["status"]["readyReplicas"] == 3);
    let server = cluster.server();
    status(&cluster, "--locust=none").prints(&format!(
        "Server:      {server}\n\
         Context:     sandbox\n\
         Namespace:   default\n\
         Credentials: token\n\
         Target:      deployment.apps/locust-slave\n\
         Replicas:    3 desired, 3 current, 3 updated, 3 ready\n"
    ));
}

#[test]
fn json_output_is_an_object() {
    let cluster = TestCluster::start();
    let outcome = status(&cluster, "-o json deploy/locust-master");
    let object: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(object["target"], "deployment.apps/locust-master");
    assert_eq!(object["replicas"], json!({"desired": 1, "current": 1, "updated": 1, "ready": 1}));
    assert_eq!((object["context"].as_str(), &object["autoscalers"]), (Some("sandbox"), &json!([])));
    let yaml = status(&cluster, "-o yaml");
    assert!(yaml.stdout.contains("\nreplicas:\n  current: 1\n  desired: 1\n"), "{yaml:?}");
    status(&cluster, "-o wide").refuses(
        "error: unable to match a printer suitable for the output format \"wide\", allowed formats are: json,yaml\n",
    );
}

#[test]
fn an_autoscaler_of_the_target_brings_a_warning() {
    let cluster = TestCluster::start();
    list(&cluster, "horizontalpodautoscalers", json!([autoscaler("by-cpu", Value::Null)]));
    let outcome = status(&cluster, "");
    assert_eq!(
        (outcome.code, &*outcome.stderr),
        (
            Some(0),
            "Warning: HorizontalPodAutoscaler \"by-cpu\" keeps deployment.apps/locust-slave between 2 and 10 replicas, so it may undo a manual scale\n"
        )
    );
    let other = status(&cluster, "deploy/locust-master");
    assert_eq!((other.code, &*other.stderr), (Some(0), ""));
    let object: Value = serde_json::from_str(&status(&cluster, "-o json").stdout).unwrap();
    assert_eq!(
        object["autoscalers"],
        json!([{"kind": "HorizontalPodAutoscaler", "name": "by-cpu", "min": 2, "max": 10}])
    );
}

#[test]
fn a_scaled_object_is_named_instead_of_its_autoscaler() {
    let cluster = TestCluster::start();
    let owners = json!([{"kind": "ScaledObject", "name": "by-users"}]);
    list(&cluster, "horizontalpodautoscalers", json!([autoscaler("keda-hpa-by-users", owners)]));
    let scaled = json!({
        "metadata": {"name": "by-users"},
        "spec": {"scaleTargetRef": {"name": "locust-slave"}, "maxReplicaCount": 50},
    });
    list(&cluster, "scaledobjects", json!([scaled]));
    let outcome = status(&cluster, "");
    assert_eq!(
        outcome.stderr,
        "Warning: ScaledObject \"by-users\" keeps deployment.apps/locust-slave between 0 and 50 replicas, so it may undo a manual scale\n"
    );
}

#[test]
fn a_paused_scaled_object_brings_only_a_note() {
    let cluster = TestCluster::start();
    let scaled = json!({
        "metadata": {"name": "by-users", "annotations": {"autoscaling.keda.sh/paused": "true"}},
        "spec": {"scaleTargetRef": {"name": "locust-slave"}, "minReplicaCount": 2, "maxReplicaCount": 50,
            "idleReplicaCount": 0},
    });
    list(&cluster, "scaledobjects", json!([scaled]));
    let outcome = status(&cluster, "");
    assert_eq!(
        outcome.stderr,
        "Note: ScaledObject \"by-users\" is paused and does not scale deployment.apps/locust-slave; once resumed, it keeps deployment.apps/locust-slave between 2 and 50 replicas, or at 0 without activity\n"
    );
    let object: Value = serde_json::from_str(&status(&cluster, "-o json").stdout).unwrap();
    assert_eq!(object["autoscalers"][0]["pause"], json!({"state": "paused"}));
    assert_eq!(object["autoscalers"][0]["idle"], 0);
}

#[test]
fn a_missing_right_to_list_autoscalers_is_only_a_note() {
    let cluster = TestCluster::start();
    let rules = vec![Rule::new(&["get"], &["apps"], &["deployments"], &[])];
    cluster.handle().add_account("token-of-dave", "dave", Rights::Rules(rules));
    let outcome = status(&cluster, "--token=token-of-dave");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let expected = "Note: locustctl cannot tell whether scaledobjects or horizontalpodautoscalers change the replicas of deployment.apps/locust-slave: Error from server (Forbidden): scaledobjects.keda.sh is forbidden: ";
    assert!(outcome.stderr.starts_with(expected), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
}

#[test]
fn a_scale_does_not_look_for_autoscalers() {
    let cluster = TestCluster::start();
    list(&cluster, "horizontalpodautoscalers", json!([autoscaler("by-cpu", Value::Null)]));
    locustctl("scale --replicas=3")
        .kubeconfig(cluster.kubeconfig())
        .run()
        .prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    assert_eq!(cluster.handle().requests().len(), 2);
}

#[test]
fn invalid_targets_are_refused() {
    let cluster = TestCluster::start();
    status(&cluster, "deploy a b").refuses("error: status takes one target, but 2 were given\n");
    status(&cluster, "-n nowhere")
        .refuses("Error from server (NotFound): namespaces \"nowhere\" not found\n");
    status(&cluster, "-o json big")
        .refuses("error: the server doesn't have a resource type \"big\"\n");
    status(&cluster, "deploy/zz")
        .refuses("Error from server (NotFound): deployments.apps \"zz\" not found\n");
}

/// The part of `status` about Locust.
fn locust_lines(outcome: &Outcome) -> Vec<&str> {
    let names = ["Locust:", "State:", "Workers:"];
    outcome.stdout.lines().filter(|line| names.iter().any(|name| line.starts_with(name))).collect()
}

/// Another Deployment in the sandbox, with this specification for its pods.
fn deploy(cluster: &TestCluster, name: &str, pod_spec: Value) {
    let labels = json!({"app": "other"});
    let spec = json!({"replicas": 2, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod_spec}});
    let path = format!("/apis/apps/v1/namespaces/default/deployments/{name}");
    cluster.handle().put_object(&path, json!({"spec": spec}));
    cluster.wait_for(&path, |object| object["status"]["readyReplicas"] == 2);
}

#[test]
fn a_locust_with_workers_in_other_pods_is_reported_as_another_test() {
    let cluster = running(3);
    deploy(&cluster, "web-worker", json!({"containers": [{"name": "web", "image": "web:1"}]}));
    let outcome = status(&cluster, "deploy/web-worker");
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    let row = "Locust:      Locust at service/locust-master has 3 workers, and none of them runs in a pod of \
               deployment.apps/web-worker\n";
    assert!(outcome.stdout.ends_with(row), "{outcome:?}");
    let named = status(&cluster, "deploy/web-worker --locust=service/locust-master");
    assert!(named.stderr.contains("connected workers in other pods: 3\n"), "{named:?}");
    let rebalance = locustctl("rebalance deploy/web-worker --locust=service/locust-master")
        .kubeconfig(cluster.kubeconfig())
        .run();
    let error = "error: this Locust runs another test: its connected workers are not in the \
                target's pods; name the right Locust with --locust\n";
    assert_eq!(rebalance.code, Some(1), "{rebalance:?}");
    assert!(rebalance.stderr.ends_with(error), "{rebalance:?}");
}

#[test]
fn without_the_right_to_list_pods_only_locusts_data_is_judged() {
    let cluster = running(3);
    let rules = vec![
        Rule::new(&["get"], &["apps"], &["deployments"], &[]),
        Rule::new(&["list"], &["*"], &["horizontalpodautoscalers", "scaledobjects"], &[]),
        Rule::new(&["get"], &[""], &["services/proxy"], &["locust-master:8089"]),
    ];
    cluster.handle().add_account("token-of-erin", "erin", Rights::Rules(rules));
    let outcome = status(&cluster, "--token=token-of-erin");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let note =
        "Note: the pods of deployment.apps/locust-slave cannot be listed: pods is forbidden: ";
    assert!(outcome.stderr.contains(note), "{outcome:?}");
    let [_, state, workers] = locust_lines(&outcome)[..] else { panic!("{outcome:?}") };
    assert!(state.starts_with("State:       running, 60 of 60 users, "), "{outcome:?}");
    assert_eq!(workers, "Workers:     3 connected");
}

#[test]
fn workers_with_host_network_are_only_counted() {
    let cluster = TestCluster::start();
    let mut deployment = cluster.handle().object(SLAVE).unwrap();
    deployment["spec"]["replicas"] = json!(2);
    deployment["spec"]["template"]["spec"]["hostNetwork"] = json!(true);
    cluster.handle().put_object(SLAVE, deployment);
    cluster.wait_for(SLAVE, |object| object["status"]["updatedReplicas"] == 2);
    cluster.wait_for(SLAVE, |object| object["status"]["readyReplicas"] == 2);
    wait_for_workers(&cluster, 2);
    let outcome = status(&cluster, "");
    let note = "Note: the pods have hostNetwork, so locustctl can only count the workers\n";
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), note), "{outcome:?}");
    assert!(outcome.stdout.contains("\nWorkers:     2 connected\n"), "{outcome:?}");
}

#[test]
fn pods_with_truncated_names_belong_to_their_deployment() {
    let cluster = TestCluster::start();
    cluster.handle().set_replicas(SLAVE, 0);
    let name = format!("{}-slave", "w".repeat(44));
    let container = json!({"name": "locust", "image": "locust:1", "args": ["--worker"]});
    deploy(&cluster, &name, json!({"containers": [container]}));
    wait_for_workers(&cluster, 2);
    start_test(&cluster);
    let target = format!("deploy/{name}");
    let outcome = status(&cluster, &target);
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{outcome:?}");
    let [_, state, workers] = locust_lines(&outcome)[..] else { panic!("{outcome:?}") };
    assert!(state.contains("running, 60 of 60 users, "), "{outcome:?}");
    assert_eq!(workers, "Workers:     2 connected");
    let scaled = locustctl(&format!("scale --replicas=1 --locust=auto {target}"))
        .kubeconfig(cluster.kubeconfig())
        .run();
    assert_eq!(scaled.code, Some(0), "{scaled:?}");
    assert!(scaled.stderr.contains("1 worker is connected to Locust\n"), "{scaled:?}");
    assert!(scaled.stderr.ends_with("the test has all its 60 users\n"), "{scaled:?}");
}

//! The types that can be scaled, their names, and the forms of the result.

use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::{Outcome, SLAVE, locustctl};

fn run(cluster: &TestCluster, line: &str) -> Outcome {
    locustctl(line).kubeconfig(cluster.kubeconfig()).run()
}

/// A cluster with one more object of each scalable kind.
fn with_every_kind() -> TestCluster {
    let cluster = TestCluster::start();
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "staging"}});
    cluster.handle().put_object("/api/v1/namespaces/staging", namespace);
    for (version, kind, path) in [
        ("apps/v1", "StatefulSet", "/apis/apps/v1/namespaces/default/statefulsets/web"),
        ("apps/v1", "ReplicaSet", "/apis/apps/v1/namespaces/default/replicasets/front"),
        ("v1", "ReplicationController", "/api/v1/namespaces/default/replicationcontrollers/old"),
        ("apps/v1", "Deployment", "/apis/apps/v1/namespaces/staging/deployments/locust-slave"),
    ] {
        let labels = json!({"app": "x"});
        let selector = match kind {
            "ReplicationController" => labels.clone(),
            _ => json!({"matchLabels": labels}),
        };
        let name = path.rsplit('/').next().unwrap();
        let namespace = path.split('/').rev().nth(2).unwrap();
        cluster.handle().put_object(
            path,
            json!({
                "apiVersion": version,
                "kind": kind,
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"replicas": 1, "selector": selector, "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "c", "image": "i"}]},
                }},
            }),
        );
    }
    cluster
}

#[test]
fn every_kind_is_found_by_every_spelling() {
    let cluster = with_every_kind();
    for (target, printed) in [
        ("deployment/locust-slave", "deployment.apps/locust-slave"),
        ("Deployment.v1.apps locust-slave", "deployment.apps/locust-slave"),
        ("deploy.apps/locust-slave", "deployment.apps/locust-slave"),
        ("sts web", "statefulset.apps/web"),
        ("statefulsets.apps/web", "statefulset.apps/web"),
        ("rs/front", "replicaset.apps/front"),
        ("REPLICASETS front", "replicaset.apps/front"),
        ("rc old", "replicationcontroller/old"),
        ("replicationcontrollers.v1./old", "replicationcontroller/old"),
    ] {
        run(&cluster, &format!("scale --replicas=1 {target}"));
        run(&cluster, &format!("scale --replicas=2 {target}"))
            .prints(&format!("{printed} scaled from 1 to 2\n"));
        run(&cluster, &format!("resize --by=+1 {target}"))
            .prints(&format!("{printed} scaled from 2 to 3\n"));
    }
}

#[test]
fn the_default_target_can_be_named_in_the_environment() {
    let cluster = with_every_kind();
    for (target, printed) in [
        ("sts/web", "statefulset.apps/web scaled from 1 to 2\n"),
        ("rs front", "replicaset.apps/front scaled from 1 to 2\n"),
        ("", "deployment.apps/locust-slave scaled from 1 to 2\n"),
    ] {
        locustctl("scale --replicas=2")
            .kubeconfig(cluster.kubeconfig())
            .env("LOCUSTCTL_TARGET", target)
            .run()
            .prints(printed);
    }
}

#[test]
fn a_default_target_takes_the_forms_of_an_argument() {
    let cluster = with_every_kind();
    let error = "the server doesn't have a resource type \"locust-master\"\n\
                 If locust-master is the name of a Deployment, write deployment/locust-master\n";
    run(&cluster, "scale --replicas=2 locust-master").refuses(&format!("error: {error}"));
    locustctl("scale --replicas=2")
        .kubeconfig(cluster.kubeconfig())
        .env("LOCUSTCTL_TARGET", "locust-master")
        .run()
        .refuses(&format!("error: $LOCUSTCTL_TARGET is \"locust-master\": {error}"));
}

#[test]
fn a_missing_object_from_the_variable_is_reported_with_the_variable() {
    let cluster = with_every_kind();
    let typed = run(&cluster, "scale --replicas=2 deployment/nothing");
    for subcommand in ["scale --replicas=2", "status"] {
        let call = locustctl(subcommand).kubeconfig(cluster.kubeconfig());
        let outcome = call.env("LOCUSTCTL_TARGET", "deployment/nothing").run();
        let hint = "The target comes from $LOCUSTCTL_TARGET, which is \"deployment/nothing\"\n";
        assert_eq!(outcome.stderr.replace(hint, ""), typed.stderr, "{subcommand}");
        assert!(outcome.stderr.contains(hint), "{subcommand}: {outcome:?}");
    }
}

#[test]
fn the_namespace_can_be_chosen() {
    let cluster = with_every_kind();
    run(&cluster, "scale --replicas=5 -n staging")
        .prints("deployment.apps/locust-slave scaled from 1 to 5\n");
    assert_eq!(cluster.handle().replicas(SLAVE), Some(1));
}

#[test]
fn several_targets_are_all_tried_and_every_error_is_reported() {
    let cluster = with_every_kind();
    let outcome = run(&cluster, "scale --replicas=4 deploy/zz sts/web deploy/yy rc/old");
    assert_eq!(
        outcome.stdout,
        "statefulset.apps/web scaled from 1 to 4\nreplicationcontroller/old scaled from 1 to 4\n"
    );
    assert_eq!(
        outcome.stderr,
        "Error from server (NotFound): deployments.apps \"zz\" not found\n\
         Error from server (NotFound): deployments.apps \"yy\" not found\n"
    );
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn types_and_names_are_combined() {
    let cluster = with_every_kind();
    let outcome = run(&cluster, "scale --replicas=2 deploy,sts locust-slave web");
    assert_eq!(
        outcome.stdout,
        "deployment.apps/locust-slave scaled from 1 to 2\nstatefulset.apps/web scaled from 1 to 2\n"
    );
    assert_eq!(outcome.stderr.lines().count(), 2, "{}", outcome.stderr);
}

#[test]
fn the_object_is_printed_with_its_new_count() {
    let cluster = with_every_kind();
    let json = run(&cluster, "scale --replicas=3 -o json");
    let object: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, &*json.stderr), (Some(0), ""));
    assert_eq!(object["kind"], "Deployment");
    assert_eq!(object["spec"]["replicas"], 3);
    assert_eq!(object["metadata"].get("managedFields"), None);
    assert!(
        json.stdout
            .starts_with("{\n    \"apiVersion\": \"apps/v1\",\n    \"kind\": \"Deployment\",\n")
    );

    let yaml = run(&cluster, "scale --replicas=0 -o yaml");
    assert!(
        yaml.stdout.starts_with("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n"),
        "{}",
        yaml.stdout
    );
    assert!(yaml.stdout.contains("\n  replicas: 0\n"), "{}", yaml.stdout);

    run(&cluster, "scale --replicas=2 -o name").prints("deployment.apps/locust-slave\n");
    assert_eq!(cluster.handle().replicas(SLAVE), Some(2));
}

#[test]
fn printing_the_object_needs_no_further_request() {
    let cluster = with_every_kind();
    cluster.handle().clear_requests();
    run(&cluster, "scale --replicas=3 -o json");
    let lines: Vec<_> = cluster
        .handle()
        .requests()
        .into_iter()
        .map(|request| (request.method, request.path_and_query))
        .collect();
    let expected = [("GET", SLAVE.to_owned()), ("PATCH", format!("{SLAVE}/scale"))];
    assert_eq!(lines, expected.map(|(method, path)| (method.to_owned(), path)));
}

#[test]
fn a_dry_run_prints_the_object_as_it_would_be() {
    let cluster = with_every_kind();
    for way in ["client", "server"] {
        let outcome = run(&cluster, &format!("scale --replicas=7 --dry-run={way} -o yaml"));
        assert!(outcome.stdout.contains("\n  replicas: 7\n"), "{outcome:?}");
        assert_eq!(cluster.handle().replicas(SLAVE), Some(1));
    }
}

#[test]
fn the_first_command_of_the_readme_needs_no_cluster() {
    locustctl("--sandbox scale --replicas=3")
        .run()
        .prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    locustctl("scale --sandbox --by=+1 deploy/locust-slave")
        .run()
        .prints("deployment.apps/locust-slave scaled from 1 to 2\n");
}

#[test]
fn http_1_also_needs_only_one_connection() {
    let cluster = TestCluster::with(locustctl::sandbox::Options {
        protocols: locustctl::sandbox::Protocols::Http1Only,
        ..Default::default()
    });
    run(&cluster, "scale --replicas=3").prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    let requests = cluster.handle().requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].connection, requests[1].connection);
}

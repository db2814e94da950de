//! The selection of objects: types, names, labels, all.

use locustctl::sandbox::{Account, Action, Fault};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::{Outcome, locustctl};

fn run(cluster: &TestCluster, line: &str) -> Outcome {
    locustctl(line).kubeconfig(cluster.kubeconfig()).run()
}

fn path(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/default/deployments/{name}")
}

/// Adds Deployments with one replica to the cluster.
fn put(cluster: &TestCluster, name: &str, labels: Value) {
    let selector = json!({"app": name});
    cluster.handle().put_object(
        &path(name),
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default", "labels": labels},
            "spec": {"replicas": 1, "selector": {"matchLabels": selector}, "template": {
                "metadata": {"labels": selector},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            }},
        }),
    );
}

fn replicas(cluster: &TestCluster, name: &str) -> Option<i64> {
    cluster.handle().object(&path(name)).unwrap()["spec"]["replicas"].as_i64()
}

/// Method and path of all requests, in order.
fn requests(cluster: &TestCluster) -> Vec<String> {
    let requests = cluster.handle().requests();
    requests.iter().map(|seen| format!("{} {}", seen.method, seen.path_and_query)).collect()
}

#[test]
fn a_selector_needs_one_list_and_one_patch_for_each_object() {
    let cluster = TestCluster::start();
    for (name, run) in [("hello-1", "hello"), ("hello-2", "hello"), ("other", "other")] {
        put(&cluster, name, json!({"run": run}));
    }
    let outcome = run(&cluster, "scale --replicas=2 deploy -l run=hello");
    assert_eq!(
        outcome.stdout,
        "deployment.apps/hello-1 scaled from 1 to 2\ndeployment.apps/hello-2 scaled from 1 to 2\n"
    );
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let mut requests = requests(&cluster);
    requests.sort();
    assert_eq!(
        requests,
        [
            "GET /apis/apps/v1/namespaces/default/deployments?labelSelector=run%3Dhello&limit=250",
            "PATCH /apis/apps/v1/namespaces/default/deployments/hello-1/scale",
            "PATCH /apis/apps/v1/namespaces/default/deployments/hello-2/scale",
        ]
    );
    assert_eq!(replicas(&cluster, "other"), Some(1));
}

#[test]
fn all_selects_every_object_of_the_types_in_the_namespace() {
    let cluster = TestCluster::start();
    let outcome = run(&cluster, "scale --by=+1 deploy,rs,deployments.apps --all");
    let scaled: Vec<_> =
        outcome.stdout.lines().filter(|line| line.ends_with("from 1 to 2")).collect();
    assert_eq!(scaled.len(), 4, "{}", outcome.stdout);
    assert!(scaled[0].starts_with("deployment.apps/locust-master "), "{}", outcome.stdout);
    assert!(scaled[2].starts_with("replicaset.apps/locust-master-"), "{}", outcome.stdout);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn an_empty_selection_is_an_error() {
    let cluster = TestCluster::start();
    run(&cluster, "scale --replicas=2 deploy -l a=b")
        .refuses("error: no objects passed to scale\n");
    run(&cluster, "scale --replicas=2 sts --all").refuses("error: no objects passed to scale\n");
}

#[test]
fn a_list_comes_in_pages() {
    let cluster = TestCluster::start();
    for index in 0..300 {
        put(&cluster, &format!("many-{index:03}"), json!({"many": "yes"}));
    }
    let outcome = run(&cluster, "scale --replicas=0 deploy -l many=yes");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let names = outcome.stdout.lines().map(|line| line.split(' ').next().unwrap().to_owned());
    let expected = (0..300).map(|index| format!("deployment.apps/many-{index:03}"));
    assert!(names.eq(expected), "the targets are scaled in the order of the list");
    let requests = requests(&cluster);
    assert_eq!(requests.iter().filter(|request| request.starts_with("GET")).count(), 2);
    assert_eq!(requests.iter().filter(|request| request.starts_with("PATCH")).count(), 300);
    assert_eq!(requests.len(), 302);
}

#[test]
fn an_expired_list_restarts() {
    let cluster = TestCluster::start();
    for index in 0..300 {
        put(&cluster, &format!("many-{index:03}"), json!({"many": "yes"}));
    }
    let expired = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "The provided continue parameter is too old", "reason": "Expired", "code": 410,
    });
    let gone = Action::Answer {
        status: 410,
        headers: vec![("content-type".into(), "application/json".into())],
        body: expired.to_string().into_bytes(),
    };
    cluster.handle().inject(Fault::once(gone).on("GET").at("continue="));
    let outcome = run(&cluster, "scale --replicas=2 deploy -l many=yes");
    assert_eq!(
        (outcome.code, outcome.stdout.lines().count()),
        (Some(0), 300),
        "{}",
        outcome.stderr
    );
    let lists: Vec<_> =
        requests(&cluster).into_iter().filter(|line| line.starts_with("GET")).collect();
    assert_eq!(lists.len(), 4, "{lists:?}");
    assert!(lists.iter().all(|line| line.contains("limit=250")), "{lists:?}");
}

#[test]
fn the_servers_error_about_a_selector_is_passed_on() {
    let cluster = TestCluster::start();
    let outcome = run(&cluster, "scale --replicas=2 deploy -l a==b=c");
    outcome.exits(1, "");
    assert!(
        outcome.stderr.starts_with(
            "Error from server (BadRequest): Unable to find \"apps/v1, Resource=deployments\" \
             that match label selector \"a==b=c\", field selector \"\": "
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn every_target_is_tried_and_every_failure_is_reported() {
    let cluster = TestCluster::start();
    let outcome = run(&cluster, "scale --replicas=2 deploy zz locust-slave yy locust-master");
    assert_eq!(
        outcome.stdout,
        "deployment.apps/locust-slave scaled from 1 to 2\ndeployment.apps/locust-master scaled from 1 to 2\n"
    );
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (
            Some(1),
            "Warning: deployment.apps/locust-master runs Locust's master, and now has 2 replicas. Several masters \
             split the workers and the users of a test between them. Scale deployment.apps/locust-master to 1 again\n\
             Error from server (NotFound): deployments.apps \"zz\" not found\n\
             Error from server (NotFound): deployments.apps \"yy\" not found\n"
        )
    );
}

#[test]
fn a_target_given_twice_is_changed_twice_in_order() {
    let cluster = TestCluster::start();
    let outcome = run(&cluster, "scale --by=+2 deploy locust-slave locust-master locust-slave");
    assert_eq!(
        outcome.stdout,
        "deployment.apps/locust-slave scaled from 1 to 3\n\
         deployment.apps/locust-master scaled from 1 to 3\n\
         deployment.apps/locust-slave scaled from 3 to 5\n"
    );
}

#[test]
fn a_busy_server_gets_fewer_concurrent_requests() {
    let cluster = TestCluster::start();
    for index in 0..40 {
        put(&cluster, &format!("many-{index:02}"), json!({"many": "yes"}));
    }
    let busy = Fault::once(Action::too_many_requests(Some(0))).on("PATCH").times(60);
    cluster.handle().inject(busy);
    let outcome = run(&cluster, "scale --replicas=2 deploy -l many=yes");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(outcome.stdout.lines().count(), 40);
}

#[test]
fn many_targets_share_one_connection() {
    let cluster = TestCluster::start();
    let names: Vec<_> = (0..50).map(|index| format!("many-{index:02}")).collect();
    for name in &names {
        put(&cluster, name, json!({}));
    }
    let outcome = run(&cluster, &format!("scale --replicas=2 deploy {}", names.join(" ")));
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 50), "{}", outcome.stderr);
    let requests = cluster.handle().requests();
    let connections: std::collections::BTreeSet<_> =
        requests.iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), 1);
}

#[test]
fn unknown_types_are_reported_like_in_kubectl() {
    let cluster = TestCluster::start();
    for (args, expected) in [
        ("widget/a", "error: the server doesn't have a resource type \"widget\"\n"),
        (
            "deploy/locust-slave widget.v1.x/a",
            "error: the server doesn't have a resource type \"widget\"\n",
        ),
        (
            "Deploy a",
            "error: the server doesn't have a resource type \"Deploy\"\nDid you mean deploy?\n",
        ),
        (
            "deployments.v9.apps/a",
            "error: the server doesn't have a resource type \"deployments\"\nDid you mean deployments/a?\n",
        ),
        (
            "locust-slave",
            "error: the server doesn't have a resource type \"locust-slave\"\n\
             If locust-slave is the name of a Deployment, write deployment/locust-slave\n",
        ),
    ] {
        run(&cluster, &format!("scale --replicas=2 {args}")).refuses(expected);
    }
    assert_eq!(replicas(&cluster, "locust-slave"), Some(1));
}

#[test]
fn a_bad_default_target_names_the_variable() {
    let cluster = TestCluster::start();
    let outcome = locustctl("scale --replicas=1")
        .kubeconfig(cluster.kubeconfig())
        .env("LOCUSTCTL_TARGET", "widget/a")
        .run();
    outcome.refuses(
        "error: $LOCUSTCTL_TARGET is \"widget/a\": the server doesn't have a resource type \"widget\"\n",
    );
}

#[test]
fn a_missing_target_brings_a_suggestion() {
    let cluster = TestCluster::start();
    let missing = "Error from server (NotFound): deployments.apps";
    let outcome = run(&cluster, "scale --replicas=3 deploy/locust-slvae -n default");
    assert_eq!(
        outcome.stderr,
        format!(
            "{missing} \"locust-slvae\" not found\ndeployment/locust-slave has a similar name: \
             locustctl scale --replicas=3 --namespace=default deployment/locust-slave\n"
        )
    );
    let outcome = run(&cluster, "scale --by=-1 deploy/locust-worker");
    assert_eq!(
        outcome.stderr,
        format!(
            "{missing} \"locust-worker\" not found\ndeployment/locust-slave looks like Locust \
             workers: locustctl scale --by=-1 deployment/locust-slave\n"
        )
    );
    let flags = "--context=sandbox --namespace=default --as=admin --dry-run=server";
    let outcome = run(&cluster, &format!("scale --replicas=3 deploy/locust-worker {flags}"));
    assert!(
        outcome.stderr.ends_with(&format!(
            ": locustctl scale --replicas=3 {flags} deployment/locust-slave\n"
        )),
        "{outcome:?}"
    );
    let outcome = run(&cluster, "status deploy/locust-worker -n default --context sandbox");
    let expected =
        ": locustctl status --namespace=default --context=sandbox deployment/locust-slave\n";
    assert!(outcome.stderr.ends_with(expected), "{outcome:?}");
    let outcome = run(&cluster, "status deploy/locust-worker");
    assert!(outcome.stderr.ends_with(": locustctl status deployment/locust-slave\n"));
    run(&cluster, "scale --replicas=3 deploy/zz").refuses(&format!("{missing} \"zz\" not found\n"));
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn a_suggestion_names_the_same_cluster_and_no_secret() {
    let cluster = TestCluster::start();
    let (server, ca) = (cluster.server(), cluster.certificate_authority_file());
    let token = cluster.token(Account::Admin);
    let place = format!("--server={server} --certificate-authority={}", ca.display());
    let outcome =
        locustctl(&format!("scale --by=+1 deploy/locust-worker {place} --token={token}")).run();
    assert!(
        outcome.stderr.ends_with(&format!(
            ": locustctl scale --by=+1 {place} --token=TOKEN deployment/locust-slave\n"
        )),
        "{outcome:?}"
    );
    let outcome = locustctl("--sandbox scale --by=+1 deploy/locust-worker --dry-run=client").run();
    let suggestion = "locustctl scale --sandbox --by=+1 --dry-run=client deployment/locust-slave";
    assert!(outcome.stderr.ends_with(&format!(": {suggestion}\n")), "{outcome:?}");
    let tried = locustctl(suggestion.strip_prefix("locustctl ").unwrap()).run();
    tried.prints("deployment.apps/locust-slave scaled (dry run) from 1 to 2\n");
}

#[test]
fn a_suggestion_for_an_object_of_a_manifest_names_its_namespace() {
    let cluster = TestCluster::start();
    let manifest = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: locust-worker, namespace: default}}";
    let outcome = locustctl("scale --replicas=2 -f -")
        .kubeconfig(kubeconfig_in(&cluster, "elsewhere"))
        .stdin(manifest)
        .run();
    let expected = ": locustctl scale --replicas=2 --namespace=default deployment/locust-slave\n";
    assert!(outcome.stderr.ends_with(expected), "{outcome:?}");
}

/// The cluster's kubeconfig with this namespace in its contexts.
fn kubeconfig_in(cluster: &TestCluster, namespace: &str) -> std::path::PathBuf {
    let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let context = |line: &str| match line.trim_start().strip_prefix("namespace:") {
        Some(_) => line.replace("default", namespace),
        None => line.to_owned(),
    };
    let lines: Vec<_> = text.lines().map(context).collect();
    cluster.file("elsewhere-kubeconfig", &lines.join("\n"))
}

#[test]
fn programs_and_users_without_the_right_to_list_get_no_suggestion() {
    let cluster = TestCluster::start();
    let missing = "Error from server (NotFound): deployments.apps \"locust-slvae\" not found\n";
    for format in ["json", "yaml", "name"] {
        run(&cluster, &format!("scale --replicas=3 deploy/locust-slvae -o {format}"))
            .refuses(missing);
    }
    let forbidden = Action::Answer { status: 403, headers: Vec::new(), body: Vec::new() };
    cluster.handle().inject(Fault::once(forbidden).on("GET").at("limit=").times(Fault::ALWAYS));
    run(&cluster, "scale --replicas=3 deploy/locust-slvae").refuses(missing);
}

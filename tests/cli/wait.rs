//! `--wait` and `--timeout`: conditions, ends, and messages.

use std::process::{Command, Stdio};

use locustctl::sandbox::{Action, Fault, Options, PodFailure};
use serde_json::json;
use support::SLAVE;
use support::cluster::TestCluster;
use support::scaling::run;
use support::waiting::{
    MASTER, SCALED, cluster, fails_after_scaling, ready, run_while, slow_cluster, wait_for_watches,
    watches,
};

#[test]
fn wait_lasts_until_the_new_pods_are_ready() {
    let cluster = slow_cluster();
    let outcome = run(&cluster, "scale --replicas=3 --wait");
    outcome.exits(0, SCALED);
    assert_eq!(ready(&cluster, SLAVE), 3);
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert_eq!(lines.first(), Some(&"deployment.apps/locust-slave: 1 of 3 replicas are ready"));
    assert_eq!(lines.last(), Some(&"deployment.apps/locust-slave: 3 of 3 replicas are ready"));
    let watches = watches(&cluster);
    assert!(watches[0].contains("&fieldSelector=metadata.name%3Dlocust-slave"), "{watches:?}");
    assert_eq!(watches.len(), 1);
}

#[test]
fn ready_pods_bring_no_message() {
    let cluster = cluster();
    run(&cluster, "scale --replicas=1 --wait")
        .prints("deployment.apps/locust-slave scaled from 1 to 1 (no change)\n");
    assert_eq!(watches(&cluster), Vec::<String>::new());
}

#[test]
fn wait_lasts_until_the_last_pod_is_gone() {
    let cluster = cluster();
    let outcome = run(&cluster, "scale --replicas=0 --wait");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 0\n");
    let object = cluster.handle().object(SLAVE).unwrap();
    assert_eq!(object["status"]["replicas"].as_i64().unwrap_or_default(), 0);
}

#[test]
fn another_scale_ends_the_wait_with_its_count() {
    let cluster = cluster();
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    let outcome = run_while(&cluster, "scale --replicas=3 --wait", || {
        cluster.handle().set_replicas(SLAVE, 5);
    });
    fails_after_scaling(
        &outcome,
        "error: deployment.apps/locust-slave was scaled to 3, but then another client scaled it to 5\n",
    );
}

#[test]
fn a_target_that_is_deleted_ends_the_wait() {
    let cluster = cluster();
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    let outcome = run_while(&cluster, "scale --replicas=3 --wait", || {
        cluster.handle().delete_object(SLAVE);
    });
    fails_after_scaling(
        &outcome,
        "error: deployment.apps/locust-slave was scaled to 3, but then it was deleted\n",
    );
}

#[test]
fn pods_that_do_not_start_are_reported_with_the_reason() {
    for (trouble, ready, why) in [
        (
            PodFailure::ImagePull,
            1,
            "2 pods: ImagePullBackOff: Back-off pulling image \"locustio/locust:2.47.0\": ErrImagePull: not found",
        ),
        (
            PodFailure::Unschedulable,
            1,
            "2 pods: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.",
        ),
        (
            PodFailure::Quota(2),
            2,
            "FailedCreate: pods \"pod\" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=2, limited: pods=2",
        ),
    ] {
        let cluster = cluster();
        cluster.handle().set_pod_failure(Some(trouble.clone()));
        let outcome = run(&cluster, "scale --replicas=3 --wait --timeout=4s");
        let error = format!(
            "error: timed out after 4s waiting for deployment.apps/locust-slave: {ready} of 3 replicas are ready\n  {why}\n"
        );
        fails_after_scaling(&outcome, &error);
    }
}

#[test]
fn several_targets_share_one_watch() {
    let cluster = slow_cluster();
    let outcome = run(&cluster, "scale --replicas=3 --wait deploy locust-slave locust-master");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!((ready(&cluster, SLAVE), ready(&cluster, MASTER)), (3, 3));
    let watches = watches(&cluster);
    assert_eq!(watches.len(), 1, "{watches:?}");
    assert!(!watches[0].contains("fieldSelector"), "{watches:?}");
}

#[test]
fn each_target_has_its_own_outcome() {
    let cluster = cluster();
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    let line = "scale --replicas=0 --wait --timeout=30s deploy zz locust-slave";
    let outcome = run(&cluster, line);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 1 to 0\n");
    assert!(outcome.stderr.contains("deployments.apps \"zz\" not found"), "{outcome:?}");
    assert!(!outcome.stderr.contains("timed out"), "{outcome:?}");
}

#[test]
fn a_timeout_of_zero_equals_no_timeout() {
    let waiting = cluster();
    let outcome = run(&waiting, "scale --replicas=3 --wait --timeout=0s");
    outcome.exits(0, SCALED);
    assert_eq!(ready(&waiting, SLAVE), 3);
    let plain = cluster();
    plain.handle().pause_controllers();
    run(&plain, "scale --replicas=3 --timeout=0s").prints(SCALED);
    let help = support::locustctl("scale --help").run().stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "With --timeout alone, scale waits until as many pods exist as requested";
    assert!(help.contains(expected), "{help}");
}

#[test]
fn timeout_without_wait_waits_for_spec_and_status_of_the_scale() {
    let cluster = cluster();
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    // kubectl ignores the readiness of pods.
    run(&cluster, "scale --replicas=3 --timeout=20s").prints(SCALED);
    assert_eq!(watches(&cluster), Vec::<String>::new());
    let gets = cluster.request_lines().iter().filter(|line| line.starts_with("GET")).count();
    assert!(gets >= 2);
}

#[test]
fn timeout_without_wait_ends_with_kubectls_error_after_the_line() {
    // It reads once before the change, and then at once and every second.
    for (timeout, expected) in [("1900ms", 2..=3), ("-1s", 1..=1)] {
        let cluster = cluster();
        cluster.handle().pause_controllers();
        let outcome = run(&cluster, &format!("scale --replicas=3 --timeout={timeout}"));
        fails_after_scaling(
            &outcome,
            "error: timed out waiting for \"locust-slave\" to be synced\n",
        );
        assert_eq!(outcome.stderr.lines().count(), 1);
        let gets = cluster.request_lines().iter().filter(|line| line.starts_with("GET")).count();
        assert!(expected.contains(&gets), "{timeout}: {:?}", cluster.request_lines());
    }
}

#[test]
fn timeout_without_wait_fails_if_another_client_scales() {
    let cluster = cluster();
    cluster.handle().inject(Fault::once(Action::Rival(5)).on("GET").at("/scale"));
    cluster.handle().inject(Fault::once(Action::Rival(7)).on("GET").at("/scale"));
    let outcome = run(&cluster, "scale --replicas=3 --timeout=5s");
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 5 to 3\n");
    assert_eq!(
        outcome.stderr,
        "error: deployment.apps/locust-slave was scaled to 3, but then another client scaled it to 7\n"
    );
}

#[test]
fn a_dry_run_and_a_timeout_of_zero_do_not_wait() {
    let cluster = cluster();
    for (flags, expected) in [
        ("--wait --dry-run=client", "scaled (dry run) from 1 to 3"),
        ("--timeout=1m --dry-run=server", "scaled (server dry run) from 1 to 3"),
        ("--timeout=0", "scaled from 1 to 3"),
    ] {
        run(&cluster, &format!("scale --replicas=3 {flags}"))
            .prints(&format!("deployment.apps/locust-slave {expected}\n"));
    }
}

#[test]
fn a_negative_timeout_ends_immediately() {
    let cluster = cluster();
    let outcome = run(&cluster, "scale --replicas=3 --wait --timeout=-1s");
    fails_after_scaling(
        &outcome,
        "error: timed out after -1s waiting for deployment.apps/locust-slave\n",
    );
}

#[test]
fn invalid_durations_are_refused_with_pflags_error() {
    let cluster = cluster();
    let outcome = run(&cluster, "scale --replicas=3 --timeout=5");
    let error = "error: invalid argument \"5\" for \"--timeout\" flag: time: missing unit in duration \"5\"\n";
    assert!(outcome.stderr.starts_with(error), "{outcome:?}");
}

#[test]
fn wait_works_for_stateful_sets() {
    let cluster = cluster();
    let path = "/apis/apps/v1/namespaces/default/statefulsets/users";
    cluster.handle().put_object(path, json!({
        "kind": "StatefulSet", "apiVersion": "apps/v1",
        "spec": {"replicas": 1, "serviceName": "users", "selector": {"matchLabels": {"app": "users"}},
            "template": {"metadata": {"labels": {"app": "users"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]}}},
    }));
    let outcome = run(&cluster, "scale --replicas=2 --wait sts/users");
    outcome.exits(0, "statefulset.apps/users scaled from 1 to 2\n");
    assert_eq!(cluster.handle().object(path).unwrap()["status"]["readyReplicas"], 2);
}

#[test]
fn an_interrupted_wait_reports_that_the_scale_was_made() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let cluster = cluster();
        cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
        let child = Command::new("env")
            .arg("--default-signal=HUP,INT,TERM")
            .arg(env!("CARGO_BIN_EXE_locustctl"))
            .args(["scale", "--replicas=3", "--wait"])
            .env_clear()
            .env("KUBECONFIG", cluster.kubeconfig())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_watches(&cluster, 1);
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), SCALED);
        let stderr = String::from_utf8(output.stderr).unwrap();
        let end = "error: interrupted while waiting: deployment.apps/locust-slave was scaled from 1 to 3 and keeps that count; 1 of 3 replicas were ready\n";
        assert!(stderr.ends_with(end), "{stderr}");
    }
}

#[test]
fn wait_for_a_custom_type_uses_its_scale() {
    let cluster = TestCluster::with(Options { custom_resources: true, ..Options::default() });
    let path = "/apis/load.example.com/v1/namespaces/default/swarms/big";
    let outcome = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&cluster, "scale swarms/big --replicas=5 --wait"));
        cluster.wait_for(path, |object| object["spec"]["workers"] == 5);
        let mut object = cluster.handle().object(path).unwrap();
        object["status"]["workers"] = json!(5);
        // One read before the change, and one after it that finds no replicas.
        cluster.wait_for_requests(2, |request| {
            let is_read = request.method == "GET" && request.path_and_query.ends_with("big/scale");
            is_read && request.status.is_some()
        });
        cluster.handle().put_object(path, object);
        running.join().unwrap()
    });
    outcome.exits(0, "swarm.load.example.com/big scaled from 4 to 5\n");
    let lines = "swarm.load.example.com/big: 0 of 5 replicas exist\nswarm.load.example.com/big: 5 of 5 replicas exist\n";
    assert_eq!(outcome.stderr, lines);
}

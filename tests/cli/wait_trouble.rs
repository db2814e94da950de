//! `--wait` with problems: broken watches, an unreachable server, few rights.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault, PodFailure, Rights, Rule};
use support::running::Running;
use support::scaling::run;
use support::waiting::{
    SCALED, cluster, cluster_with, fails_after_scaling, kubeconfig_of, ready, run_while,
    slow_cluster, wait_for_watches, watches,
};
use support::{SLAVE, locustctl};

#[test]
fn without_the_right_to_list_pods_no_reason_is_given() {
    let cluster = cluster();
    let rules = vec![
        Rule::new(&["get", "patch"], &["apps"], &["deployments/scale"], &[]),
        Rule::new(&["get", "list", "watch"], &["apps"], &["deployments"], &[]),
    ];
    cluster.handle().add_account("token-of-a-narrow-account", "narrow", Rights::Rules(rules));
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    let kubeconfig = kubeconfig_of(&cluster, "token-of-a-narrow-account");
    let outcome = locustctl("scale --replicas=3 --wait --timeout=3s").kubeconfig(kubeconfig).run();
    fails_after_scaling(
        &outcome,
        "1 of 3 replicas are ready\n  its pods cannot be listed: pods is forbidden: User \"narrow\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"\n",
    );
}

#[test]
fn without_the_right_to_watch_wait_polls() {
    let cluster = slow_cluster();
    let rules = vec![
        Rule::new(&["get", "patch"], &["apps"], &["deployments/scale"], &[]),
        Rule::new(&["get"], &["apps"], &["deployments"], &[]),
    ];
    cluster.handle().add_account("token-of-a-narrow-account", "narrow", Rights::Rules(rules));
    let kubeconfig = kubeconfig_of(&cluster, "token-of-a-narrow-account");
    let outcome = locustctl("scale --replicas=3 --wait").kubeconfig(kubeconfig).run();
    outcome.exits(0, SCALED);
    let note = "Note: deployments.apps cannot be watched, so locustctl reads them every second: deployments.apps \"locust-slave\" is forbidden: User \"narrow\" cannot watch resource";
    assert!(outcome.stderr.contains(note), "{outcome:?}");
    assert_eq!(ready(&cluster, SLAVE), 3);
}

#[test]
fn with_only_the_right_to_scale_the_state_is_unknown() {
    let cluster = cluster();
    let rules = vec![Rule::new(&["get", "patch"], &["apps"], &["deployments/scale"], &[])];
    cluster.handle().add_account("token-of-a-narrow-account", "narrow", Rights::Rules(rules));
    let kubeconfig = kubeconfig_of(&cluster, "token-of-a-narrow-account");
    let outcome = locustctl("scale --replicas=3 --wait").kubeconfig(kubeconfig).run();
    fails_after_scaling(
        &outcome,
        "error: deployment.apps/locust-slave was scaled to 3, but its readiness is unknown: deployments.apps \"locust-slave\" is forbidden: User \"narrow\" cannot get resource \"deployments\" in API group \"apps\" in the namespace \"default\"\n",
    );
}

#[test]
fn a_watch_that_ends_or_breaks_is_resumed() {
    for action in [
        Action::EndWatch(Duration::from_millis(100)),
        Action::BreakWatch(Duration::from_millis(100)),
        Action::CloseAfter,
        Action::unavailable(None),
        Action::too_many_requests(Some(1)),
    ] {
        let cluster = cluster();
        cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
        cluster.handle().inject(Fault::once(action.clone()).at("watch=1"));
        let outcome = run_while(&cluster, "scale --replicas=3 --wait", || {
            wait_for_watches(&cluster, 2);
            cluster.handle().set_pod_failure(None);
        });
        assert_eq!((outcome.code, &*outcome.stdout), (Some(0), SCALED), "{action:?} {outcome:?}");
        assert_eq!(watches(&cluster).len(), 2, "{action:?}");
    }
}

#[test]
fn an_unreachable_server_is_reported_only_while_it_is_unreachable() {
    let away = || Fault::once(Action::unavailable(None)).on("GET");
    for (fault, reason) in [
        (
            away().times(Fault::ALWAYS),
            "\n  the last request to the server failed: the server is currently unable to handle the request\n",
        ),
        (away().at("watch=1").times(Fault::ALWAYS), "ErrImagePull: not found\n"),
        (away().at("watch=1"), "ErrImagePull: not found\n"),
    ] {
        let cluster = cluster();
        cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
        cluster.handle().inject(fault);
        let line = "scale --current-replicas=1 --replicas=3 --wait --timeout=4s";
        let outcome = run(&cluster, line);
        fails_after_scaling(&outcome, reason);
    }
}

#[test]
fn a_watch_that_is_held_back_does_not_delay_the_result() {
    let long = Duration::from_secs(30);
    for action in [Action::HoldWatch(long), Action::Delay(long)] {
        let cluster = slow_cluster();
        cluster.handle().inject(Fault::once(action.clone()).at("watch=1").times(Fault::ALWAYS));
        let outcome = run(&cluster, "scale --replicas=3 --wait --timeout=10s");
        assert_eq!((outcome.code, &*outcome.stdout), (Some(0), SCALED), "{action:?} {outcome:?}");
        assert_eq!(watches(&cluster).len(), 1, "{action:?}");
    }
}

#[test]
fn a_server_that_hangs_does_not_delay_the_end_of_a_wait() {
    let cluster = cluster();
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    cluster.handle().inject(Fault::once(Action::Hold).at("watch=1"));
    // Without an end of its own, the command would wait for the held requests for ever.
    let outcome = run_while(&cluster, "scale --replicas=3 --wait --timeout=10s", || {
        let hold = Fault::once(Action::Hold).on("GET").at("deployments/locust-slave");
        cluster.handle().inject(hold.times(Fault::ALWAYS));
    });
    outcome.exits(1, SCALED);
}

#[test]
fn after_watches_without_events_the_state_is_re_read() {
    let cluster = cluster_with(Duration::from_millis(700));
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let nothing = Action::Answer { status: 200, headers, body: Vec::new() };
    cluster.handle().inject(Fault::once(nothing).at("watch=1").times(Fault::ALWAYS));
    // Without a new read, the wait would end with its limit.
    let mut scale = Running::start(&cluster, "scale --replicas=3 --wait --timeout=1h");
    assert_eq!((scale.end(), &*scale.stdout()), (Some(0), SCALED), "{}", scale.stderr());
}

#[test]
fn after_a_compaction_the_state_is_re_read() {
    let cluster = cluster();
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    // The server compacts its history after the first watch, and before it handles the second one.
    cluster.handle().inject(Fault::once(Action::EndWatch(Duration::ZERO)).at("watch=1"));
    cluster.handle().inject(Fault::once(Action::Hold).at("watch=1"));
    let outcome = run_while(&cluster, "scale --replicas=3 --wait", || {
        wait_for_watches(&cluster, 2);
        cluster.handle().set_pod_failure(None);
        cluster.wait_for(SLAVE, |object| object["status"]["readyReplicas"] == 3);
        cluster.handle().compact();
        cluster.handle().clear_faults();
    });
    outcome.exits(0, SCALED);
    let gets = cluster.request_lines();
    let gets = gets.iter().filter(|line| line.ends_with("deployments/locust-slave")).count();
    // A list at first, one after the watch without events, and one after the refused watch.
    assert_eq!(gets, 3, "{:?}", cluster.request_lines());
}

#[test]
fn the_request_timeout_does_not_end_a_watch() {
    let cluster = cluster();
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    let outcome = run_while(&cluster, "scale --replicas=3 --wait --request-timeout=4s", || {
        std::thread::sleep(Duration::from_secs(5));
        cluster.handle().set_pod_failure(None);
    });
    outcome.exits(0, SCALED);
    assert_eq!(watches(&cluster).len(), 1);
}

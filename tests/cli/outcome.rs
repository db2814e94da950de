//! The output agrees with the server. Each test compares the output of a scale with the count in the cluster
//! and with the recorded requests.

use locustctl::sandbox::Action;
use support::SLAVE;
use support::cluster::TestCluster;
use support::scaling::{at, on_patch, replicas, run};

/// The verbs of the recorded requests.
fn verbs(cluster: &TestCluster) -> Vec<String> {
    cluster.handle().requests().into_iter().map(|request| request.method).collect()
}

#[test]
fn the_old_and_the_new_count_are_printed() {
    for (old, new, line) in [
        (1, 3, "scaled from 1 to 3"),
        (3, 3, "scaled from 3 to 3 (no change)"),
        (3, 0, "scaled from 3 to 0"),
        (0, 3, "scaled from 0 to 3"),
        (0, 0, "scaled from 0 to 0 (no change)"),
    ] {
        let cluster = at(old);
        run(&cluster, &format!("scale --replicas={new}"))
            .prints(&format!("deployment.apps/locust-slave {line}\n"));
        assert_eq!(replicas(&cluster), new);
    }
}

#[test]
fn a_plain_scale_is_two_requests_on_one_connection() {
    let cluster = at(1);
    run(&cluster, "scale --replicas=3").prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    let requests = cluster.handle().requests();
    let lines: Vec<_> =
        requests.iter().map(|r| (r.method.as_str(), r.path_and_query.as_str())).collect();
    let path = format!("{SLAVE}/scale");
    assert_eq!(lines, [("GET", path.as_str()), ("PATCH", path.as_str())]);
    assert_eq!(requests[0].connection, requests[1].connection);
}

#[test]
fn a_precondition_is_part_of_a_single_request() {
    let cluster = at(1);
    run(&cluster, "scale --current-replicas=1 --replicas=3")
        .prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    assert_eq!(verbs(&cluster), ["PATCH"]);
}

#[test]
fn a_precondition_of_zero_holds_at_zero() {
    let cluster = at(0);
    run(&cluster, "scale --current-replicas=0 --replicas=3")
        .prints("deployment.apps/locust-slave scaled from 0 to 3\n");
    assert_eq!((verbs(&cluster), replicas(&cluster)), (vec!["PATCH".to_owned()], 3));
    run(&cluster, "scale --current-replicas=0 --replicas=5")
        .refuses("error: Expected replicas to be 0, was 3\n");
    assert_eq!(replicas(&cluster), 3);
}

#[test]
fn a_precondition_that_does_not_hold_changes_nothing() {
    let cluster = at(3);
    for expected in ["9", "0", "2147483648"] {
        run(&cluster, &format!("scale --current-replicas={expected} --replicas=5"))
            .refuses(&format!("error: Expected replicas to be {expected}, was 3\n"));
    }
    assert_eq!(replicas(&cluster), 3);
}

#[test]
fn a_resource_version_is_also_a_precondition() {
    let cluster = at(3);
    let object = cluster.handle().object(SLAVE).unwrap();
    let version = object["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    run(&cluster, "scale --resource-version=99999 --replicas=5")
        .refuses(&format!("error: Expected resource version to be 99999, was {version}\n"));
    assert_eq!(replicas(&cluster), 3);
    run(&cluster, &format!("scale --resource-version={version} --replicas=5"))
        .prints("deployment.apps/locust-slave scaled from 3 to 5\n");
    assert_eq!(replicas(&cluster), 5);
}

#[test]
fn a_resource_version_that_goes_stale_in_between_changes_nothing() {
    let cluster = at(3);
    let object = cluster.handle().object(SLAVE).unwrap();
    let version = object["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    on_patch(&cluster, 1, Action::Rival(7));
    let outcome = run(&cluster, &format!("scale --resource-version={version} --replicas=5"));
    outcome.exits(1, "");
    let expected = format!("error: Expected resource version to be {version}, was ");
    assert!(outcome.stderr.starts_with(&expected), "{outcome:?}");
    assert_eq!(replicas(&cluster), 7);
}

#[test]
fn of_two_false_preconditions_the_count_is_reported_first() {
    let cluster = at(3);
    run(&cluster, "scale --current-replicas=9 --resource-version=1 --replicas=5")
        .refuses("error: Expected replicas to be 9, was 3\n");
}

#[test]
fn the_printed_old_count_is_the_one_that_was_replaced() {
    let cluster = at(1);
    on_patch(&cluster, 1, Action::Rival(7));
    run(&cluster, "scale --replicas=3").prints("deployment.apps/locust-slave scaled from 7 to 3\n");
    assert_eq!(verbs(&cluster), ["GET", "PATCH", "GET", "PATCH"]);
}

#[test]
fn a_relative_change_is_never_lost_in_a_race() {
    let cluster = at(1);
    on_patch(&cluster, 3, Action::RivalIncrement);
    run(&cluster, "scale --by=+2").prints("deployment.apps/locust-slave scaled from 4 to 6\n");
    assert_eq!(replicas(&cluster), 6);
}

#[test]
fn after_ten_lost_races_the_error_is_reported() {
    let cluster = at(1);
    on_patch(&cluster, 100, Action::RivalIncrement);
    run(&cluster, "scale --replicas=50").refuses(
        "error: deployment.apps/locust-slave was not scaled: another client changed its \
         number of replicas during each of 10 attempts; it is at 11 now\n",
    );
    assert_eq!(verbs(&cluster).iter().filter(|verb| *verb == "PATCH").count(), 10);
}

#[test]
fn conflicts_that_the_server_reports_are_retried() {
    let cluster = at(1);
    on_patch(&cluster, 2, Action::conflict());
    run(&cluster, "scale --replicas=3").prints("deployment.apps/locust-slave scaled from 1 to 3\n");
}

#[test]
fn a_relative_change_stops_at_zero_with_a_note() {
    let cluster = at(2);
    let outcome = run(&cluster, "scale --by=-5");
    assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled from 2 to 0\n");
    assert_eq!(
        outcome.stderr,
        "Warning: deployment.apps/locust-slave was at 2 and cannot go below 0\n"
    );
    assert_eq!((outcome.code, replicas(&cluster)), (Some(0), 0));
}

#[test]
fn a_relative_change_beyond_int32_is_refused_before_the_patch() {
    let cluster = at(2);
    run(&cluster, "scale --by=+2147483647").refuses(
        "error: deployment.apps/locust-slave cannot be scaled from 2 by +2147483647: the maximum is 2147483647 replicas\n",
    );
    assert_eq!(verbs(&cluster), ["GET"]);
    run(&cluster, "scale --by=+2147483645 --dry-run=server")
        .prints("deployment.apps/locust-slave scaled (server dry run) from 2 to 2147483647\n");
}

#[test]
fn a_relative_change_to_zero_has_no_note() {
    let cluster = at(2);
    run(&cluster, "scale --by=-2").prints("deployment.apps/locust-slave scaled from 2 to 0\n");
}

#[test]
fn a_relative_change_with_a_precondition_is_one_request() {
    let cluster = at(2);
    run(&cluster, "scale --by=+3 --current-replicas=2")
        .prints("deployment.apps/locust-slave scaled from 2 to 5\n");
    assert_eq!(verbs(&cluster), ["PATCH"]);
}

#[test]
fn a_dry_run_on_the_server_changes_nothing() {
    let cluster = at(1);
    run(&cluster, "scale --replicas=3 --dry-run=server")
        .prints("deployment.apps/locust-slave scaled (server dry run) from 1 to 3\n");
    assert_eq!(replicas(&cluster), 1);
    assert!(cluster.handle().requests()[1].path_and_query.ends_with("/scale?dryRun=All"));
    run(&cluster, "scale --replicas=3 --current-replicas=9 --dry-run=server")
        .refuses("error: Expected replicas to be 9, was 1\n");
}

#[test]
fn a_dry_run_on_the_client_only_reads() {
    let cluster = at(1);
    run(&cluster, "scale --replicas=3 --dry-run=client")
        .prints("deployment.apps/locust-slave scaled (dry run) from 1 to 3\n");
    assert_eq!(verbs(&cluster), ["GET"]);
    let unmet = run(&cluster, "scale --replicas=3 --current-replicas=9 --dry-run=client");
    unmet.warns(
        "deployment.apps/locust-slave scaled (dry run) from 1 to 3\n",
        "Warning: the condition would not hold: Expected replicas to be 9, was 1\n",
    );
}

#[test]
fn deprecated_spellings_of_dry_run_work_with_a_warning() {
    let cluster = at(1);
    for (flag, warning) in [
        ("--dry-run", "--dry-run is deprecated and can be replaced with --dry-run=client."),
        (
            "--dry-run=true",
            "--dry-run=true is deprecated (boolean value) and can be replaced with --dry-run=client.",
        ),
    ] {
        let outcome = run(&cluster, &format!("scale --replicas=3 {flag}"));
        assert_eq!(outcome.stdout, "deployment.apps/locust-slave scaled (dry run) from 1 to 3\n");
        assert!(
            outcome.stderr.starts_with('W') && outcome.stderr.ends_with(&format!("] {warning}\n")),
            "{outcome:?}"
        );
    }
    assert_eq!(replicas(&cluster), 1);
    let outcome = run(&cluster, "scale --replicas=3 --dry-run=false");
    assert!(outcome.stderr.ends_with(
        "] --dry-run=false is deprecated (boolean value) and can be replaced with --dry-run=none.\n"
    ));
    assert_eq!(replicas(&cluster), 3);
}

#[test]
fn a_count_that_the_server_changed_is_printed_and_is_an_error() {
    let cluster = at(1);
    let scale =
        r#"{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{},"spec":{"replicas":10}}"#;
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    on_patch(&cluster, 1, Action::Answer { status: 200, headers, body: scale.into() });
    let outcome = run(&cluster, "scale --replicas=50");
    assert_eq!(
        (outcome.code, &*outcome.stdout, &*outcome.stderr),
        (
            Some(1),
            "deployment.apps/locust-slave scaled from 1 to 10\n",
            "error: deployment.apps/locust-slave: locustctl requested 50 replicas, but the server set 10\n"
        )
    );
}

//! `scale --remember` and `scale --restore`.

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::SLAVE;
use support::cluster::TestCluster;
use support::scaling::{at, replicas, run};

const ANNOTATION: &str = "locustctl/remembered-replicas";

fn note(cluster: &TestCluster) -> Value {
    let object = cluster.handle().object(SLAVE).unwrap();
    let text = object["metadata"]["annotations"][ANNOTATION].as_str();
    text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

fn set_note(cluster: &TestCluster, text: &str) {
    let mut object = cluster.handle().object(SLAVE).unwrap();
    object["metadata"]["annotations"][ANNOTATION] = json!(text);
    cluster.handle().put_object(SLAVE, object);
}

#[test]
fn the_replaced_number_is_kept_and_restored() {
    let cluster = at(3);
    run(&cluster, "scale --replicas=0 --remember")
        .prints("deployment.apps/locust-slave scaled from 3 to 0\n");
    assert_eq!(note(&cluster), json!({"replaced": 3, "set": 0}));
    run(&cluster, "scale --restore").prints("deployment.apps/locust-slave scaled from 0 to 3\n");
    assert_eq!((replicas(&cluster), note(&cluster)), (3, Value::Null));
    let path = SLAVE;
    let (get, patch) = (format!("GET {path}"), format!("PATCH {path}"));
    assert_eq!(cluster.request_lines(), [get.clone(), patch.clone(), get, patch]);
}

#[test]
fn an_object_without_annotations_gets_one() {
    let cluster = at(3);
    let mut object = cluster.handle().object(SLAVE).unwrap();
    object["metadata"].as_object_mut().unwrap().remove("annotations");
    cluster.handle().put_object(SLAVE, object);
    run(&cluster, "scale --by=-3 --remember")
        .prints("deployment.apps/locust-slave scaled from 3 to 0\n");
    assert_eq!(note(&cluster), json!({"replaced": 3, "set": 0}));
}

#[test]
fn a_second_remember_keeps_the_first_number() {
    let cluster = at(3);
    run(&cluster, "scale --replicas=0 --remember");
    run(&cluster, "scale --replicas=0 --remember")
        .prints("deployment.apps/locust-slave scaled from 0 to 0 (no change)\n");
    assert_eq!(note(&cluster), json!({"replaced": 3, "set": 0}));
    cluster.handle().set_replicas(SLAVE, 5);
    run(&cluster, "scale --replicas=1 --remember")
        .prints("deployment.apps/locust-slave scaled from 5 to 1\n");
    assert_eq!(note(&cluster), json!({"replaced": 5, "set": 1}));
}

#[test]
fn restore_without_a_fitting_annotation_changes_nothing() {
    let cluster = at(2);
    let refuses = |why: &str| {
        run(&cluster, "scale --restore")
            .refuses(&format!("error: deployment.apps/locust-slave was not restored: {why}\n"));
        assert_eq!(replicas(&cluster), 2);
    };
    refuses(
        "it has no annotation locustctl/remembered-replicas, which --remember writes. To scale it, use \
         --replicas=COUNT instead of --restore",
    );
    set_note(&cluster, r#"{"replaced":3,"set":0}"#);
    refuses(
        "it is at 2 now, but --remember had scaled it to 0. To scale it to the old number, use --replicas=3 instead \
         of --restore",
    );
    assert_eq!(note(&cluster), json!({"replaced": 3, "set": 0}));
    set_note(&cluster, "three");
    refuses(
        "its annotation locustctl/remembered-replicas is \"three\", which locustctl cannot read. To scale it, use \
         --replicas=COUNT instead of --restore; a later --remember replaces the annotation",
    );
    assert!(cluster.request_lines().iter().all(|line| line.starts_with("GET")));
}

#[test]
fn a_change_by_another_client_is_noticed() {
    let cluster = at(3);
    cluster.handle().inject(Fault::once(Action::Rival(7)).on("PATCH"));
    run(&cluster, "scale --replicas=0 --remember")
        .prints("deployment.apps/locust-slave scaled from 7 to 0\n");
    assert_eq!(note(&cluster), json!({"replaced": 7, "set": 0}));
    cluster.handle().inject(Fault::once(Action::Rival(2)).on("PATCH"));
    run(&cluster, "scale --restore").refuses(
        "error: deployment.apps/locust-slave was not restored: it is at 2 now, but --remember had \
         scaled it to 0. To scale it to the old number, use --replicas=7 instead of --restore\n",
    );
    assert_eq!((replicas(&cluster), note(&cluster)), (2, json!({"replaced": 7, "set": 0})));
}

#[test]
fn the_conditions_of_a_scale_hold_for_remember() {
    let cluster = at(3);
    run(&cluster, "scale --replicas=0 --remember --current-replicas=2")
        .refuses("error: Expected replicas to be 2, was 3\n");
    run(&cluster, "scale --replicas=0 --remember --resource-version=1").exits(1, "");
    assert_eq!((replicas(&cluster), note(&cluster)), (3, Value::Null));
    let version = cluster.handle().object(SLAVE).unwrap();
    let version = version["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    run(&cluster, &format!("scale --replicas=0 --remember --resource-version={version}"))
        .prints("deployment.apps/locust-slave scaled from 3 to 0\n");
    assert_eq!(note(&cluster), json!({"replaced": 3, "set": 0}));
}

#[test]
fn a_dry_run_writes_nothing() {
    let cluster = at(3);
    run(&cluster, "scale --replicas=0 --remember --dry-run=client")
        .prints("deployment.apps/locust-slave scaled (dry run) from 3 to 0\n");
    run(&cluster, "scale --replicas=0 --remember --dry-run=server")
        .prints("deployment.apps/locust-slave scaled (server dry run) from 3 to 0\n");
    assert_eq!((replicas(&cluster), note(&cluster)), (3, Value::Null));
    run(&cluster, "scale --replicas=0 --remember");
    for (mode, shown) in [("client", "dry run"), ("server", "server dry run")] {
        run(&cluster, &format!("scale --restore --dry-run={mode}"))
            .prints(&format!("deployment.apps/locust-slave scaled ({shown}) from 0 to 3\n"));
    }
    assert_eq!((replicas(&cluster), note(&cluster)), (0, json!({"replaced": 3, "set": 0})));
}

#[test]
fn many_targets_are_remembered_and_restored() {
    let cluster = at(3);
    run(&cluster, "scale --replicas=0 --remember deployments --all").prints(
        "deployment.apps/locust-master scaled from 1 to 0\ndeployment.apps/locust-slave scaled from 3 to 0\n",
    );
    run(&cluster, "scale --restore deployments -l app=locust").prints(
        "deployment.apps/locust-master scaled from 0 to 1\ndeployment.apps/locust-slave scaled from 0 to 3\n",
    );
    let outcome = run(&cluster, "scale --restore deployments --all");
    outcome.exits(1, "");
    assert_eq!(outcome.stderr.matches("was not restored").count(), 2, "{}", outcome.stderr);
}

#[test]
fn the_printed_object_has_the_restored_number() {
    let cluster = at(3);
    run(&cluster, "scale --replicas=0 --remember");
    run(&cluster, "scale --restore -o jsonpath={.kind}/{.spec.replicas}").prints("Deployment/3");
    run(&cluster, "scale --replicas=0 --remember -o name").prints("deployment.apps/locust-slave\n");
}

#[test]
fn a_lost_answer_is_not_taken_for_a_success() {
    let cluster = at(3);
    cluster.handle().inject(Fault::once(Action::CloseAfter).on("PATCH"));
    let outcome = run(&cluster, "scale --replicas=0 --remember");
    outcome.exits(1, "");
    assert!(outcome.stderr.contains("is at 0 now"), "{}", outcome.stderr);
}

#[test]
fn flags_that_contradict_restore_are_refused_before_any_request() {
    let cluster = at(3);
    for (flags, error) in [
        (
            "--restore --replicas=3",
            "--restore and --replicas cannot be used together: the number comes from the annotation",
        ),
        (
            "--restore --by=+1",
            "--restore and --by cannot be used together: the number comes from the annotation",
        ),
        (
            "--restore --remember",
            "--restore and --remember cannot be used together: --restore removes the annotation",
        ),
        (
            "--restore --current-replicas=0",
            "--restore and --current-replicas cannot be used together: --restore needs the number \
             that --remember set",
        ),
        ("--remember", "required flag(s) \"replicas\" not set"),
    ] {
        run(&cluster, &format!("scale {flags}")).refuses(&format!("error: {error}\n"));
    }
    assert_eq!(cluster.request_lines(), [""; 0]);
}

#[test]
fn only_built_in_kinds_are_remembered() {
    for line in ["scale --replicas=2 --remember locusttest/demo", "scale --restore locusttest/demo"]
    {
        support::locustctl(&format!("--sandbox --layout=locust-cloud {line}")).run().refuses(
            "error: --remember and --restore are only for Deployments, StatefulSets, ReplicaSets and \
             ReplicationControllers; nothing was changed\n",
        );
    }
}

#[test]
fn a_user_who_may_only_scale_is_told_which_right_is_missing() {
    let cluster = at(3);
    let outcome = run(&cluster, "scale --replicas=0 --remember --context=sandbox-viewer");
    outcome.exits(1, "");
    assert!(outcome.stderr.contains("cannot patch resource \"deployments\""), "{}", outcome.stderr);
}

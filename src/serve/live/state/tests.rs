use serde_json::json;

use super::*;

fn object(version: &str, replicas: i64) -> Workload {
    let object = json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}});
    serde_json::from_value(object).unwrap()
}

fn state() -> TargetState {
    let limits = Limits { min: 0, max: 100 };
    let text = || "x".to_owned();
    let (kind, name, namespace, cluster) = (text(), text(), text(), text());
    let target = TargetInfo { kind, name, namespace, cluster, context: None, simulated: false };
    let mut state = TargetState::new(target, limits);
    assert!(state.set_target_from_watch(WorkloadKind::Deployment, &object("9", 9)));
    state
}

#[test]
fn a_read_is_the_present_state_unless_a_newer_update_came_during_it() {
    // The version of the read, that of an event during it, and the counts after both.
    for (read, event, expected) in [
        ("10", None, 1),
        ("8", None, 1),
        ("10", Some("11"), 2),
        ("11", Some("10"), 1),
        ("9", Some("10"), 2),
        ("x", Some("10"), 1),
    ] {
        let mut state = state();
        let updates = state.updates();
        if let Some(event) = event {
            assert!(state.set_target_from_watch(WorkloadKind::Deployment, &object(event, 2)));
        }
        let is_present =
            state.set_target_from_read(WorkloadKind::Deployment, &object(read, 1), updates);
        assert_eq!(
            (is_present, state.desired()),
            (expected == 1, Some(expected)),
            "{read} {event:?}"
        );
    }
}

#[test]
fn an_event_that_is_older_than_the_last_update_is_ignored() {
    let mut state = state();
    assert!(!state.set_target_from_watch(WorkloadKind::Deployment, &object("8", 1)));
    assert!(!state.set_deleted(&object("8", 1)));
    assert_eq!(state.desired(), Some(9));
    assert!(state.set_deleted(&object("10", 1)));
    assert_eq!(state.connection_state(), ConnectionState::TargetMissing);
    assert!(state.set_target_from_watch(WorkloadKind::Deployment, &object("8", 1)));
}

#[test]
fn a_missing_object_is_the_present_state_unless_an_update_came_during_the_read() {
    let mut state = state();
    assert!(!state.set_missing_from_read(state.updates() - 1));
    assert_eq!(state.desired(), Some(9));
    assert!(state.set_missing_from_read(state.updates()));
    assert_eq!(state.desired(), None);
}

#[test]
fn a_read_that_a_deletion_overtakes_does_not_bring_the_object_back() {
    let mut state = state();
    let updates = state.updates();
    assert!(state.set_deleted(&object("10", 9)));
    assert!(!state.set_target_from_read(WorkloadKind::Deployment, &object("9", 9), updates));
    assert_eq!(state.connection_state(), ConnectionState::TargetMissing);
    // A read after the deletion shows a new object, even if etcd was restored from a backup.
    let updates = state.updates();
    assert!(state.set_target_from_read(WorkloadKind::Deployment, &object("8", 1), updates));
    assert_eq!(state.desired(), Some(1));
}

//! When a Lease is free, and what its next holder writes.

use tokio::time::advance;

use super::*;

fn lease() -> Lease {
    Lease::new("default", "a", "me".to_owned(), Duration::from_secs(15))
}

fn record(holder: &str, renewed: &str) -> Record {
    Record::of(&json!({"spec": {"holderIdentity": holder, "renewTime": renewed,
        "acquireTime": "2026-01-01T00:00:00.000000Z", "leaseDurationSeconds": 10,
        "leaseTransitions": 4}}))
}

#[tokio::test(start_paused = true)]
async fn a_lease_expires_when_its_record_has_not_changed_for_its_duration() {
    let mut lease = lease();
    let expires_in = |lease: &mut Lease, renewed| {
        lease.other_holder(&record("you", renewed)).map(|h| h.expires_in)
    };
    assert_eq!(expires_in(&mut lease, "1"), Some(Duration::from_secs(10)));
    advance(Duration::from_secs(9)).await;
    assert_eq!(expires_in(&mut lease, "1"), Some(Duration::from_secs(1)));
    assert_eq!(expires_in(&mut lease, "2"), Some(Duration::from_secs(10)), "it was renewed");
    advance(Duration::from_millis(10_001)).await;
    assert_eq!(expires_in(&mut lease, "2"), None);
}

#[tokio::test(start_paused = true)]
async fn an_own_a_released_and_an_empty_lease_are_free() {
    for record in [record("me", "1"), record("", "1"), Record::of(&json!({"spec": 7}))] {
        assert_eq!(lease().other_holder(&record), None, "{record:?}");
    }
}

#[test]
fn a_renewal_keeps_the_time_of_acquisition_and_a_change_of_hands_is_counted() {
    let mut object = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"strategy": "x"}});
    let renewed = lease().own_record(&record("me", "1"));
    assert_eq!((renewed.transitions, renewed.acquired.as_str().unwrap().len()), (4, 27));
    assert_eq!(renewed.acquired, "2026-01-01T00:00:00.000000Z");
    let taken = lease().own_record(&record("you", "1"));
    assert_ne!(taken.acquired, "2026-01-01T00:00:00.000000Z");
    taken.write_to(&mut object);
    assert_eq!(object["spec"]["leaseTransitions"], 5);
    assert_eq!(object["spec"]["leaseDurationSeconds"], 15);
    assert_eq!(
        (&object["spec"]["strategy"], &object["metadata"]["labels"]["a"]),
        (&json!("x"), &json!("b"))
    );
}

#[test]
fn the_identity_of_another_holder_is_safe_to_show() {
    let holder = lease().other_holder(&record(&format!("a\n\u{1b}[2J{}", "x".repeat(500)), "1"));
    let identity = holder.unwrap().identity;
    assert!(identity.chars().count() == 128 && !identity.contains(['\n', '\u{1b}']), "{identity}");
}

use std::future::pending;

use super::super::examples::{known, look};
use super::*;

fn health(users: i64, workers: usize, idle: usize) -> Health {
    let now = look("2.47.0", &[60]).told(60.0);
    Health { users, workers, idle, ..judge(&now, None, None) }
}

#[test]
fn each_outcome_is_a_sentence() {
    let repaired =
        |was, workers| Outcome::Repaired { was, now: health(60, workers, 0), sent: known(60) };
    let in_vain = |users, idle| Outcome::Unconfirmed {
        sent: Some((health(15, 2, 0), known(60))),
        now: health(users, 2, idle),
    };
    for (outcome, expected) in [
        (Outcome::Left(health(60, 2, 0)), "the test has all its 60 users"),
        (
            repaired(health(15, 1, 0), 1),
            "the test had 15 of 60 users; redistributed 60 users over 1 worker",
        ),
        (
            repaired(health(60, 4, 1), 4),
            "1 of 4 workers had no users; redistributed 60 users over 4 workers",
        ),
        (
            repaired(health(30, 4, 2), 4),
            "the test had 30 of 60 users, and 2 of 4 workers had no users; redistributed 60 users \
             over 4 workers",
        ),
        (
            in_vain(15, 0),
            "locustctl asked Locust for the users again, but the test has 15 of 60 users",
        ),
        (
            in_vain(60, 1),
            "locustctl asked Locust for the users again, but 1 of 2 workers has no users",
        ),
        (
            in_vain(89, 0),
            "locustctl asked Locust for the users again, but the test has 89 users instead of 60",
        ),
        (Outcome::Unconfirmed { sent: None, now: health(15, 2, 0) }, "the test has 15 of 60 users"),
    ] {
        assert_eq!(outcome.to_string(), expected);
    }
    let lacking = judge(&look("2.47.0", &[60, 0]).told(60.0), None, None);
    let said = Outcome::NotAsked(lacking).to_string();
    assert_eq!(said, "1 of 2 workers has no users; not redistributed (--rebalance=never)");
}

#[test]
fn only_users_that_are_there_are_well() {
    let now = || health(60, 1, 0);
    let repaired = Outcome::Repaired { was: now(), now: now(), sent: known(60) };
    let unconfirmed = Outcome::Unconfirmed { sent: None, now: now() };
    for (outcome, expected, is_sent) in [
        (Outcome::Left(now()), true, false),
        (Outcome::NotAsked(now()), false, false),
        (repaired, true, true),
        (unconfirmed, false, false),
    ] {
        assert_eq!((outcome.is_well(), outcome.sent().is_some()), (expected, is_sent));
    }
}

#[tokio::test(start_paused = true)]
async fn a_repair_that_was_begun_is_ended_after_a_signal() {
    let unfinished = Unfinished::default();
    let begun = async {
        let _begun = unfinished.begin();
        // The longest time between the two starts, and that of the second.
        sleep(SETTLING + Duration::from_secs(1)).await;
        "done"
    };
    assert_eq!(unfinished.or_signal(begun, sleep(PERIOD)).await, Ok("done"));
    let not_begun = async {
        let begun = unfinished.begin();
        sleep(PERIOD).await;
        drop(begun);
        pending::<()>().await;
    };
    let start = Instant::now();
    assert_eq!(unfinished.or_signal(not_begun, sleep(PERIOD * 2)).await, Err(()));
    assert!(start.elapsed() < PERIOD * 3, "nothing is waited for");
    let hanging = async {
        let _begun = unfinished.begin();
        pending::<()>().await;
    };
    assert_eq!(unfinished.or_signal(hanging, sleep(PERIOD)).await, Err(()));
}

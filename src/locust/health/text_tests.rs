//! The sentences on the health of a test.

use super::*;

fn health(verdict: Verdict, users: i64, idle: usize) -> Health {
    let state = "running".to_owned();
    Health { state, users, wanted: Some(60), workers: 3, idle, verdict }
}

#[test]
fn the_text_of_a_shortage_has_the_numbers() {
    let shortage = |users, idle| health(Verdict::Healthy, users, idle).shortage();
    assert_eq!(shortage(15, 0), "the test has 15 of 60 users");
    assert_eq!(shortage(15, 1), "the test has 15 of 60 users, and 1 of 3 workers has no users");
    assert_eq!(shortage(15, 3), "the test has 15 of 60 users", "the statistics may be outdated");
    assert_eq!(shortage(60, 2), "2 of 3 workers have no users");
    assert_eq!(shortage(89, 0), "the test has 89 users instead of 60");
    assert_eq!(shortage(60, 0), "the test has 60 of 60 users in state running");
}

#[test]
fn each_verdict_has_a_sentence() {
    let why = || "why".to_owned();
    for (verdict, users, idle, expected) in [
        (Verdict::NoTest, 0, 0, "no test is running (Locust's state is running)"),
        (Verdict::Ended, 0, 0, "the test has ended, although Locust's state is running"),
        (
            Verdict::WorkersLost,
            0,
            0,
            "Locust stopped the test, because it lost all its workers: start the test again",
        ),
        (Verdict::Healthy, 60, 0, "the test has all its 60 users"),
        (Verdict::Starting, 15, 0, "the test is still starting its users: 15 of 60"),
        (
            Verdict::Surplus,
            89,
            0,
            "the test has 89 users instead of 60: old users may still be finishing their tasks, or \
             Locust still counts a worker that is gone",
        ),
        (
            Verdict::Shaped,
            15,
            1,
            "the test has 15 of 60 users until the next step of its LoadTestShape",
        ),
        (
            Verdict::Shaped,
            60,
            1,
            "1 of 3 workers has no users until the next step of the test's LoadTestShape",
        ),
        (
            Verdict::WorkerSilent(why()),
            15,
            0,
            "the test has 15 of 60 users; a rebalance must wait: why",
        ),
        (
            Verdict::Unsafe(why()),
            15,
            0,
            "the test has 15 of 60 users; locustctl does not redistribute the users: why. To start the \
             missing users yourself, press Edit in Locust's page",
        ),
        (
            Verdict::Unknown(why()),
            15,
            0,
            "locustctl cannot tell how many users the test should have: why; press Edit in Locust's \
             page to set the number",
        ),
    ] {
        assert_eq!(health(verdict, users, idle).to_string(), expected);
    }
}

#[test]
fn without_a_wanted_number_the_sentence_has_the_present_users() {
    let sentence = |verdict| Health { wanted: None, ..health(verdict, 15, 0) }.to_string();
    assert_eq!(
        sentence(Verdict::Healthy),
        "a LoadTestShape sets the number of users; the test has 15 users"
    );
    assert_eq!(sentence(Verdict::Starting), "the test is still starting its users: 15 so far");
}

#[test]
fn a_verdict_is_a_success_or_an_alarm() {
    let why = || "why".to_owned();
    // The verdict, and the results of `is_alarming` and `is_well`.
    for (verdict, expected) in [
        (Verdict::NoTest, (false, true)),
        (Verdict::Ended, (false, true)),
        (Verdict::WorkersLost, (true, false)),
        (Verdict::SingleProcess, (false, true)),
        (Verdict::Healthy, (false, true)),
        (Verdict::Starting, (false, true)),
        (Verdict::Shaped, (true, true)),
        (Verdict::TooOld, (false, false)),
        (Verdict::Foreign, (false, false)),
        (Verdict::Surplus, (false, false)),
        (Verdict::MasterBroken, (true, false)),
        (Verdict::WorkerSilent(why()), (true, false)),
        (Verdict::Unsafe(why()), (true, false)),
        (Verdict::Unknown(why()), (true, false)),
    ] {
        let health = health(verdict, 60, 0);
        assert_eq!((health.is_alarming(), health.is_well()), expected, "{health:?}");
        assert!(!health.needs_rebalance(), "{health:?}");
    }
    let starting = health(Verdict::Unknown(why()), 60, 0);
    assert!(!Health { state: "spawning".to_owned(), ..starting }.is_alarming());
}

//! Random changes of the number of workers during a test.

use std::thread::sleep;
use std::time::Duration;

use fastrand::Rng;

use crate::locust_process::{LATEST, Monitor, Scenario, is_long};

const CHANGES: usize = 15;
const FIRST: i64 = 3;

/// The numbers of workers in one sequence, from 1 to 5. No number follows itself.
fn sequence(seed: u64) -> Vec<i64> {
    let mut random = Rng::with_seed(seed);
    let mut now = FIRST;
    let mut next = |index: usize| {
        let fits = |count: &i64| match (index, seed % 2) {
            (0, 0) => *count < FIRST,
            (0, _) => *count > FIRST,
            _ => *count != now,
        };
        let choices: Vec<_> = (1..=5).filter(fits).collect();
        now = choices[random.usize(..choices.len())];
        now
    };
    (0..CHANGES).map(&mut next).collect()
}

#[test]
fn half_of_the_sequences_begin_with_a_scale_down() {
    for seed in 0..20 {
        let counts = sequence(seed);
        assert_eq!(counts.len(), CHANGES);
        assert_eq!(counts[0] < FIRST, seed % 2 == 0, "{counts:?}");
        assert!(counts.windows(2).all(|pair| pair[0] != pair[1]), "{counts:?}");
        assert!(counts.iter().all(|count| (1..=5).contains(count)), "{counts:?}");
    }
}

/// Makes changes of one sequence, and checks the reports and the test after each.
fn run_sequence(release: &str, seed: u64) {
    let counts = sequence(seed);
    let scenario = Scenario::new(release).with_60_users(FIRST);
    let monitor = Monitor::start(&scenario.locust);
    let mut random = Rng::with_seed(seed);
    let mut before = FIRST;
    for count in &counts {
        let step = format!("{release}, seed {seed}, {counts:?}, {before} to {count}");
        let outcome = scenario.scale(*count);
        assert_eq!(outcome.code, Some(0), "{step}: {outcome:?}");
        scenario.assert_users_are_stable(60);
        assert!(!scenario.locust.is_broken(), "{step}");
        let shares = scenario.locust.users_by_worker();
        assert_eq!(i64::try_from(shares.len()), Ok(*count), "{step}: {shares:?}");
        let line = format!("deployment.apps/locust-slave scaled from {before} to {count}");
        assert!(outcome.stdout.starts_with(&line), "{step}: {outcome:?}");
        let noun = if *count == 1 { "worker" } else { "workers" };
        let repaired = format!("redistributed 60 users over {count} {noun}");
        let whole = "the test has all its 60 users";
        let is_reported = outcome.stderr.contains(&repaired) || outcome.stderr.contains(whole);
        assert!(is_reported, "{step}: {outcome:?}");
        assert!(monitor.decrease().is_none(), "{step}: {:?}", monitor.decrease());
        before = *count;
        sleep(Duration::from_secs(random.u64(..3)));
    }
    scenario.assert_posts_ask_for(60);
    monitor.assert_state_throughout(&["running", "spawning"]);
    // Old workers may keep their users for a moment while new workers start theirs.
    assert!(monitor.highest_users() <= 120, "{release}, seed {seed}");
}

/// Runs one sequence on the first release. With `tests/run.sh --long`, four on each of them.
fn run_sequences(releases: [&str; 2], seed: u64) {
    if !is_long() {
        return run_sequence(releases[0], seed);
    }
    for release in releases {
        for seed in 0..4 {
            run_sequence(release, seed);
        }
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn random_changes_on_new_releases_lose_no_user_and_no_statistics() {
    run_sequences([LATEST, "2.46.4"], 0);
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn random_changes_on_old_releases_lose_no_user_and_no_statistics() {
    run_sequences(["2.32.2", "2.25.0"], 1);
}

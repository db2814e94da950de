//! Whether a running test has lost users, and whether it can be given them back without harm.
//!
//! Locust (measured with 2.47) balances out the first change among its workers after a ramp-up and
//! none after it: users of workers that leave are gone, newcomers stay idle. The same start once
//! more (`POST /swarm` with the same numbers) puts that right at once and keeps the statistics, but
//! only while the test runs: in any other state it would start one.

use super::swarm::{Settings, Stats};

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Nothing, for this reason.
    NotNeeded(String),
    /// The same start once more.
    Repair(Repair),
    /// Something is wrong, and to put it right without asking could do harm.
    ByHand {
        /// What is wrong, in a sentence.
        wrong: String,
        /// Why it is not done, and what to do.
        why: String,
    },
}

/// The start that puts it right.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    /// Users that the test wants.
    pub users: u64,
    /// As it was.
    pub spawn_rate: f64,
    /// Users that there are.
    pub now: i64,
    /// Workers without any.
    pub idle: usize,
}

/// Judges by how it is now, and by the users that there were before the workers changed; `before`
/// is absent when nobody looked.
pub fn judge(before: Option<&Stats>, now: &Stats, settings: Option<&Settings>) -> Verdict {
    if !now.is_running() {
        let state = if now.state.is_empty() { "unknown" } else { &now.state };
        return Verdict::NotNeeded(format!("no test is running (Locust's state is {state})"));
    }
    if now.workers.is_none() {
        return Verdict::NotNeeded("Locust runs without workers, in a single process".to_owned());
    }
    if settings.is_some_and(Settings::is_shaped) {
        // It asks for its users at each of its steps, and a start without it would give it up.
        return Verdict::NotNeeded("a LoadTestShape decides over the users".to_owned());
    }
    let users = settings.map_or(now.user_count, |settings| settings.user_count);
    let workers = now.counted().count();
    let idle = now.counted().filter(|worker| worker.user_count == 0).count();
    let Some(wanted) = wanted(before, settings) else {
        return Verdict::NotNeeded(format!(
            "how many users the test wants is not known; it has {users}"
        ));
    };
    if now.state == "spawning" {
        return Verdict::NotNeeded(format!(
            "the test is still starting its users: {users} of {wanted}"
        ));
    }
    // Fewer users than workers leave some idle anyhow.
    let are_idle = idle > 0 && wanted >= workers as u64;
    let is_lost = i128::from(users) < i128::from(wanted);
    if !is_lost && !are_idle {
        return Verdict::NotNeeded(format!("the test has all its {wanted} users"));
    }
    let wrong = match is_lost {
        true => format!("users {users} of {wanted}"),
        false => format!("{idle} of {workers} workers have no users"),
    };
    let by_hand = |why: String| Verdict::ByHand { wrong: wrong.clone(), why };
    let again = "press Edit in Locust's page and start the same numbers again";
    if workers == 0 {
        return by_hand("no worker is connected".to_owned());
    }
    let Some(settings) = settings else {
        return by_hand(format!(
            "this release of Locust does not tell how the test was started: {again}"
        ));
    };
    if let Some(time) = &settings.run_time {
        return by_hand(format!(
            "the test has a run time ({time}), which a new start would begin anew or cancel: {again}, \
             with the time that is left"
        ));
    }
    let Some(spawn_rate) = settings.spawn_rate else {
        return by_hand(format!("Locust does not tell the spawn rate: {again}"));
    };
    Verdict::Repair(Repair { users: wanted, spawn_rate, now: users, idle })
}

/// What the test wants: what was asked for. Where a release does not bring that up to date, it is as
/// many users as there were before, if they were more.
fn wanted(before: Option<&Stats>, settings: Option<&Settings>) -> Option<u64> {
    let asked = settings.and_then(|settings| settings.num_users);
    let asked =
        asked.filter(|asked| asked.fract() == 0.0 && *asked < 1e12).map(|asked| asked as u64);
    if settings.is_some_and(Settings::tells_wanted) {
        return asked;
    }
    let had = before.filter(|before| before.state == "running");
    let had = had.and_then(|before| u64::try_from(before.user_count).ok()).filter(|had| *had > 0);
    asked.max(had)
}

#[cfg(test)]
mod tests {
    use super::super::swarm::Worker;
    use super::*;

    fn stats(state: &str, users: &[i64]) -> Stats {
        let worker = |users: &i64| Worker {
            user_count: *users,
            state: "running".to_owned(),
            ..Worker::default()
        };
        Stats {
            state: state.to_owned(),
            user_count: users.iter().sum(),
            workers: Some(users.iter().map(worker).collect()),
            ..Stats::default()
        }
    }

    fn settings(now: &Stats, wanted: f64) -> Settings {
        Settings {
            state: now.state.clone(),
            user_count: now.user_count,
            num_users: Some(wanted),
            spawn_rate: Some(10.0),
            ..Settings::default()
        }
    }

    fn repair(users: u64, now: i64, idle: usize) -> Verdict {
        Verdict::Repair(Repair { users, spawn_rate: 10.0, now, idle })
    }

    #[test]
    fn lost_users_and_idle_workers_are_put_right() {
        for (users, wanted, expected) in [
            (vec![15], 60.0, repair(60, 15, 0)),
            (vec![7, 7, 6, 0], 20.0, repair(20, 20, 1)),
            (vec![0], 5.0, repair(5, 0, 1)),
        ] {
            let now = stats("running", &users);
            assert_eq!(judge(None, &now, Some(&settings(&now, wanted))), expected, "{users:?}");
        }
    }

    #[test]
    fn what_is_as_wanted_is_left_alone() {
        for (state, users, wanted) in [
            ("running", vec![30, 30], 60.0),
            // Two users cannot be on three workers.
            ("running", vec![1, 1, 0], 2.0),
            ("spawning", vec![15, 0], 60.0),
            ("ready", vec![0], 60.0),
            ("stopped", vec![0], 60.0),
            ("stopping", vec![1], 60.0),
            ("", vec![1], 60.0),
        ] {
            let now = stats(state, &users);
            let verdict = judge(None, &now, Some(&settings(&now, wanted)));
            assert!(matches!(verdict, Verdict::NotNeeded(_)), "{state} {users:?} {verdict:?}");
        }
        let alone = Stats { workers: None, ..stats("running", &[1]) };
        assert!(matches!(judge(None, &alone, None), Verdict::NotNeeded(_)));
    }

    #[test]
    fn what_could_do_harm_is_left_to_people() {
        let now = stats("running", &[15]);
        let usual = settings(&now, 60.0);
        for (settings, expected) in [
            (Some(Settings { run_time: Some("3m".into()), ..usual.clone() }), "run time (3m)"),
            (Some(Settings { spawn_rate: None, ..usual.clone() }), "spawn rate"),
            (None, "does not tell how the test was started"),
        ] {
            match judge(Some(&stats("running", &[30, 30])), &now, settings.as_ref()) {
                Verdict::ByHand { wrong, why } => {
                    assert_eq!(wrong, "users 15 of 60");
                    assert!(why.contains(expected), "{why}");
                }
                other => panic!("{other:?}"),
            }
        }
        for settings in [
            Settings { hide_common_options: true, ..usual.clone() },
            Settings { has_shape: true, ..usual.clone() },
        ] {
            let verdict = judge(Some(&stats("running", &[30, 30])), &now, Some(&settings));
            assert!(
                matches!(verdict, Verdict::NotNeeded(ref why) if why.contains("LoadTestShape"))
            );
        }
        let none = stats("running", &[]);
        let verdict = judge(None, &none, Some(&settings(&none, 60.0)));
        assert!(
            matches!(verdict, Verdict::ByHand { ref why, .. } if why == "no worker is connected")
        );
    }

    #[test]
    fn users_from_before_count_where_an_old_release_forgets_them() {
        let now = stats("running", &[15]);
        let stale = settings(&now, 1.0);
        assert_eq!(
            judge(Some(&stats("running", &[30, 30])), &now, Some(&stale)),
            repair(60, 15, 0)
        );
        // A release that tells what is wanted is believed: somebody may have edited the test.
        let told =
            Settings { version: "2.47.0".to_owned(), num_users: Some(10.0), ..stale.clone() };
        let before = stats("running", &[48, 48]);
        assert!(matches!(judge(Some(&before), &now, Some(&told)), Verdict::NotNeeded(_)));
        // While it was still ramping up, the users of that moment say nothing.
        let expected = Verdict::NotNeeded("the test has all its 1 users".to_owned());
        assert_eq!(judge(Some(&stats("spawning", &[30, 30])), &now, Some(&stale)), expected);
    }
}

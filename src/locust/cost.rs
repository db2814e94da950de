//! Warnings before a change: its effects on a running test.

use super::health::Health;
use super::log::MasterLog;
use super::look::Look;
use super::page::Page;
use super::release::Release;
use super::stats::is_running;
use crate::scaling::NewCount;
use crate::text::quantity;

/// If the moved users would need more than this many seconds at the spawn rate, locustctl warns.
const MAX_BURST: f64 = 5.0;

/// The usual time, in seconds, until one pod has ended and its worker has left Locust.
const STEP_SECONDS: u64 = 2;

/// The numbers of a test that a change of its workers affects.
#[derive(Debug, Clone, Copy)]
pub struct Test<'a> {
    /// State of Locust's runner.
    pub state: &'a str,
    /// Users that are running.
    pub users: i64,
    /// Connected workers.
    pub workers: i64,
}

/// How locustctl starts lost users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStart {
    /// At once.
    AtOnce,
    /// At once. The warning names `--rebalance=ramp`.
    AtOnceWithRampHint,
    /// At the spawn rate.
    Ramp,
}

/// A change of the number of pods of one target.
#[derive(Debug, Clone, Copy)]
pub struct PodChange {
    /// Connected workers in these pods.
    pub workers: i64,
    /// Pods that have connected workers.
    pub pods: i64,
    /// The new number of pods.
    pub new: NewCount,
}

/// A sentence on what a running test loses by these changes; `None` if it loses nothing.
pub fn cost(test: Test<'_>, changes: &[PodChange]) -> Option<String> {
    let Test { state, users, workers } = test;
    let leaving = leaving(changes);
    if !is_running(state) || leaving <= 0 {
        return None;
    }
    let users = quantity(users, "user");
    if ends_test(test, changes) {
        return Some(format!("a test is running with {users}: without workers it ends"));
    }
    let their = if leaving == 1 { "its" } else { "their" };
    let (all, leaving) = (quantity(workers, "worker"), quantity(leaving, "worker"));
    Some(format!(
        "a test is running with {users} on {all}; {leaving} will leave, and up to 3 s of {their} statistics are lost"
    ))
}

/// All workers of the test leave.
pub fn ends_test(test: Test<'_>, changes: &[PodChange]) -> bool {
    leaving(changes) >= test.workers
}

/// A warning on users that start at once after these changes or, without changes, by a rebalance. Locust ignores
/// the spawn rate for users that move to other workers. `health` is the judgement of this look. `None` if the users
/// would need at most [`MAX_BURST`] seconds at the spawn rate.
pub fn burst_warning(
    look: &Look,
    health: &Health,
    changes: &[PodChange],
    start: UserStart,
) -> Option<String> {
    let workers = i64::try_from(health.workers).unwrap_or(i64::MAX);
    let test = Test { state: look.state(), users: health.users, workers };
    if !is_running(test.state) || ends_test(test, changes) {
        return None;
    }
    let rate = look.page.as_ref().and_then(|page| page.spawn_rate);
    let logged = look.log.as_ref().and_then(|log| log.last_spawn()).map(|spawn| spawn.rate);
    let rate = rate.or(logged).filter(|rate| *rate > 0.0)?;
    let Users { at_once, with_ramp } = users_to_start(look, health, test, changes);
    let users = match start {
        UserStart::Ramp => at_once,
        UserStart::AtOnce | UserStart::AtOnceWithRampHint => at_once.saturating_add(with_ramp),
    };
    let subject = match changes.is_empty() {
        true => "a rebalance would start",
        false => "this change would start",
    };
    let hint = match (start == UserStart::AtOnceWithRampHint && with_ramp > 0, at_once) {
        (true, 0) => "; --rebalance=ramp starts them at the spawn rate".to_owned(),
        (true, _) => format!("; --rebalance=ramp starts {with_ramp} of them at the spawn rate"),
        (false, _) => String::new(),
    };
    (users > 1 && users as f64 / rate > MAX_BURST).then(|| {
        format!("{subject} about {users} users at once, although the spawn rate is {rate} per second{hint}")
    })
}

/// A warning on a reset of the statistics. Locust resets them after each start of users, also when it
/// moves users itself.
pub fn reset_warning(look: &Look) -> Option<String> {
    let resets = look.log.as_ref().is_some_and(|log| log.resets_stats());
    (look.is_running() && resets).then(|| {
        "Locust runs with --reset-stats, so it resets its statistics when users move to other workers"
            .to_owned()
    })
}

/// Users that start after a change.
struct Users {
    /// Users that start at once, also with `--rebalance=ramp`: those that move to other workers.
    at_once: i64,
    /// Users that start at the spawn rate with `--rebalance=ramp`, and otherwise at once: the lost ones.
    with_ramp: i64,
}

/// The users that Locust and a rebalance would start. The missing users and the share of the workers without users are
/// not added, because they may count the same users.
fn users_to_start(look: &Look, health: &Health, test: Test<'_>, changes: &[PodChange]) -> Users {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let Test { users, workers, .. } = test;
    let share = |users: i64, of: i64, all: i64| users.saturating_mul(of) / all.max(1);
    let (leaving, joining) = (leaving(changes), joining(changes));
    let needs_rebalance = health.needs_rebalance();
    let idle = if needs_rebalance { count(health.idle) } else { 0 };
    let idle_share = share(users, idle, workers);
    // Locust moves the users of the first worker that leaves. Those of the others are lost.
    let moves_first = look.log.as_ref().is_some_and(MasterLog::will_move_users);
    let (at_once, lost) = match leaving {
        0 => (share(users, joining.saturating_add(idle), workers.saturating_add(joining)), 0),
        _ if moves_first => (
            share(users, 1, workers).saturating_add(idle_share),
            share(users, leaving - 1, workers),
        ),
        _ => (idle_share, share(users, leaving, workers)),
    };
    let wanted = health.wanted.filter(|_| needs_rebalance);
    let wanted = wanted.and_then(|wanted| i64::try_from(wanted).ok()).unwrap_or(0);
    let missing = wanted.saturating_sub(users).max(0);
    let with_ramp = lost.saturating_add(missing.saturating_sub(idle_share).max(0));
    Users { at_once, with_ramp }
}

/// A note on a change that is made in steps, with the reason. `ends` is true if all workers of the test
/// leave.
pub fn steps_text(version: &str, steps: u64, ends: bool) -> String {
    let effect = match ends {
        true => "The last step ends the test.",
        false => "Users are missing until the last step.",
    };
    let release = if version.is_empty() {
        "this release of Locust".to_owned()
    } else {
        format!("Locust {version}")
    };
    format!(
        "the master of {release} can stop working when several workers leave a running test at once. \
         locustctl removes one pod after another: {steps} steps, about {} s. {effect} --at-once \
         removes all pods at once.",
        steps * STEP_SECONDS
    )
}

/// A warning that one pod with several workers can break this release of Locust.
pub fn breaks_by_one_pod(look: &Look, changes: &[PodChange]) -> Option<String> {
    let is_several =
        changes.iter().any(|change| change.workers > change.pods && change.leaving() > 0);
    let release = look.page.as_ref().and_then(Page::release);
    let breaks = release.is_none_or(Release::breaks_when_workers_leave);
    (look.is_running() && is_several && breaks).then(|| {
        "each pod has several workers, and they leave at once. The master of this release of Locust \
         can then stop working, and the test ends (locust#3515)"
            .to_owned()
    })
}

/// Workers that leave by these changes.
fn leaving(changes: &[PodChange]) -> i64 {
    changes.iter().map(PodChange::leaving).sum()
}

/// Workers that join. Assumes that each new pod has as many workers as the present pods have on average, and at least
/// one.
fn joining(changes: &[PodChange]) -> i64 {
    let each = |change: &PodChange| (change.workers / change.pods.max(1)).max(1);
    let new_pods = |change: &PodChange| (change.new_pods() - change.pods).max(0);
    changes.iter().map(|change| new_pods(change).saturating_mul(each(change))).sum()
}

impl PodChange {
    fn new_pods(&self) -> i64 {
        match self.new {
            NewCount::Exactly(count) => i64::from(count),
            NewCount::By(by) => self.pods.saturating_add(by).max(0),
        }
    }

    /// Pods come or go, so Locust or locustctl moves users to other workers.
    pub fn moves_users(&self) -> bool {
        self.new_pods() != self.pods
    }

    /// Workers that leave.
    fn leaving(&self) -> i64 {
        let Self { workers, pods, .. } = *self;
        let new = self.new_pods();
        match (new >= pods, workers > pods) {
            (true, _) => 0,
            // Each pod has several workers.
            (false, true) => (workers as f64 * (pods - new) as f64 / pods as f64).round() as i64,
            (false, false) => (workers - new).max(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::look;
    use super::super::health::judge;
    use super::*;

    #[test]
    fn a_warning_counts_all_users_that_start_at_once() {
        use UserStart::{AtOnce, AtOnceWithRampHint, Ramp};
        let change = |pods, new| PodChange { workers: pods, pods, new: NewCount::Exactly(new) };
        let all = look("2.47.0", &[20, 20, 20]).page(|page| page.spawn_rate = Some(1.0));
        let all = all.with_num_users(60.0);
        // Two of five workers have left already.
        let start = super::super::examples::spawn(100, "1.00", 5);
        let quit = |id: u32| format!("Worker 'a_{id}' (index 0) quit. 0 workers ready.");
        let lost = all.clone().with_num_users(100.0).log(&[&start, &quit(1), &quit(2)]);
        let idle = look("2.47.0", &[30, 30, 0, 0]).page(|page| page.spawn_rate = Some(1.0));
        let idle = idle.with_num_users(60.0);
        let replaced = look("2.47.0", &[20, 20, 0]).page(|page| page.spawn_rate = Some(1.0));
        let start = super::super::examples::spawn(60, "1.00", 3);
        let first = all.clone().log(&[&start]);
        let new = "b_1 (index 3) reported as ready. 3 workers connected.";
        let replaced = replaced.with_num_users(60.0).log(&[&start, &quit(1), new]);
        for (name, look, change, start, users) in [
            ("two workers leave", &all, Some(change(3, 1)), AtOnceWithRampHint, Some(40)),
            ("they leave, without the flag", &all, Some(change(3, 1)), AtOnce, Some(40)),
            ("they leave, with a ramp", &all, Some(change(3, 1)), Ramp, None),
            ("one joins", &all, Some(change(3, 4)), AtOnceWithRampHint, Some(15)),
            ("one joins, with a ramp", &all, Some(change(3, 4)), Ramp, Some(15)),
            ("nothing is missing", &all, None, AtOnce, None),
            ("users are missing", &lost, None, AtOnce, Some(40)),
            ("users are missing, and one joins", &lost, Some(change(3, 4)), Ramp, Some(15)),
            ("users are missing, and more leave", &lost, Some(change(3, 1)), AtOnce, Some(80)),
            ("two workers have no users", &idle, None, AtOnce, Some(30)),
            ("two workers have no users, with a ramp", &idle, Some(change(4, 5)), Ramp, Some(36)),
            ("a new worker has no users yet", &replaced, None, AtOnce, Some(20)),
            ("the first worker leaves", &first, Some(change(3, 2)), AtOnceWithRampHint, Some(20)),
            ("the first worker leaves, with a ramp", &first, Some(change(3, 2)), Ramp, Some(20)),
            ("all workers leave", &lost, Some(change(3, 0)), AtOnce, None),
        ] {
            let health = judge(look, None, None);
            let warning = burst_warning(look, &health, change.as_slice(), start);
            let expected = users.map(|users| {
                let is_lost = users == 40 && start == AtOnceWithRampHint;
                let hint = if is_lost {
                    "; --rebalance=ramp starts them at the spawn rate"
                } else {
                    ""
                };
                let subject = match change {
                    Some(_) => "this change would start",
                    None => "a rebalance would start",
                };
                format!("{subject} about {users} users at once, although the spawn rate is 1 per second{hint}")
            });
            assert_eq!(warning, expected, "{name}");
        }
    }

    #[test]
    fn a_warning_names_the_loss_of_a_running_test() {
        let leave = |workers, leaving| {
            let leave = if leaving == 1 { "1 worker" } else { &format!("{leaving} workers") };
            let their = if leaving == 1 { "its" } else { "their" };
            format!(
                "a test is running with 60 users on {workers} workers; {leave} will leave, and up to \
                 3 s of {their} statistics are lost"
            )
        };
        let ends = || "a test is running with 60 users: without workers it ends".to_owned();
        let change = |workers, pods, new| PodChange { workers, pods, new };
        let to = |count| NewCount::Exactly(count);
        for (state, workers, changes, expected) in [
            ("running", 5, vec![change(5, 5, to(1))], Some(leave(5, 4))),
            ("running", 5, vec![change(5, 5, NewCount::By(-4))], Some(leave(5, 4))),
            ("spawning", 5, vec![change(5, 5, to(0))], Some(ends())),
            ("running", 5, vec![change(5, 5, NewCount::By(-9))], Some(ends())),
            ("running", 10, vec![change(10, 5, to(3))], Some(leave(10, 4))),
            ("running", 10, vec![change(10, 5, to(5))], None),
            ("running", 5, vec![change(5, 5, to(9))], None),
            ("running", 3, vec![change(3, 5, to(4))], None),
            // The other workers run in other pods.
            ("running", 10, vec![change(1, 1, to(4))], None),
            ("running", 10, vec![change(1, 1, to(0))], Some(leave(10, 1))),
            ("running", 5, vec![change(3, 3, to(0)), change(2, 2, to(0))], Some(ends())),
            ("running", 5, vec![change(3, 3, to(1)), change(2, 2, to(0))], Some(leave(5, 4))),
            ("stopped", 5, vec![change(5, 5, to(0))], None),
            ("running", 0, vec![change(0, 5, to(0))], None),
        ] {
            let test = Test { state, users: 60, workers };
            assert_eq!(cost(test, &changes), expected, "{state} {workers} {changes:?}");
        }
    }
}

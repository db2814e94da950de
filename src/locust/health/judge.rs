//! The judgement of a running test.

use super::super::log::MasterLog;
use super::super::look::Look;
use super::super::run_time::TimeLimit;
use super::super::start::{KnownStart, Start};
use super::super::wanted_users::{WantedUsers, wanted_users};
use super::types::{Health, Repair, Verdict};

/// Judges a test by three sources: Locust's state `now`, its state `before` the workers changed, and
/// the `known` start of the test. The last two may be absent.
pub fn judge(now: &Look, before: Option<&Look>, known: Option<&KnownStart>) -> Health {
    // The users before an edit say nothing about the test after it.
    let before = before.filter(|before| now.has_same_users_requested(before));
    let mut health = Health {
        state: now.state().to_owned(),
        users: now.users(),
        wanted: None,
        workers: now.worker_count(),
        idle: 0,
        verdict: Verdict::NoTest,
    };
    health.verdict = match obstacle(now, before) {
        Some(verdict) => verdict,
        None if now.is_shaped() => shaped(&mut health, now, before),
        None => match wanted_users(now, before, known) {
            Ok(wanted) => with_wanted(&mut health, wanted, now, before),
            // The master's log is enough to show the progress of the start.
            Err(_) if now.state() == "spawning" => {
                health.wanted =
                    now.log.as_ref().and_then(|log| log.last_spawn()).map(|one| one.users);
                Verdict::Starting
            }
            Err(why) => Verdict::Unknown(why),
        },
    };
    health
}

/// The verdict if there is no test that can be judged.
fn obstacle(now: &Look, before: Option<&Look>) -> Option<Verdict> {
    if now.log.as_ref().is_some_and(|log| log.is_listener_dead()) {
        return Some(Verdict::MasterBroken);
    }
    if before.is_some_and(Look::is_running) && has_lost_all_workers(now) {
        return Some(Verdict::WorkersLost);
    }
    if !now.is_running() {
        return Some(Verdict::NoTest);
    }
    if now.log.as_ref().is_some_and(MasterLog::has_ended) {
        return Some(Verdict::Ended);
    }
    if now.stats.workers.is_none() {
        return Some(Verdict::SingleProcess);
    }
    let is_judged = now.page.as_ref().is_some_and(|page| {
        // A page without a readable release has the form of the judged releases.
        page.release().is_none_or(|release| release.is_judged())
    });
    if !is_judged {
        return Some(Verdict::TooOld);
    }
    let table = now.table();
    (table.own() == 0 && table.foreign > 0).then_some(Verdict::Foreign)
}

/// Locust has stopped the test because of its lost workers. After a scale to 0, no pod is ready, and this is
/// what the user wanted.
fn has_lost_all_workers(now: &Look) -> bool {
    now.log.as_ref().is_some_and(MasterLog::has_lost_all_workers)
        && now.pods.as_ref().is_some_and(|pods| pods.ready_count() > 0)
}

/// Judges a test whose users a LoadTestShape sets. It is never repairable, since a start without the
/// shape's name would switch the shape off.
fn shaped(health: &mut Health, now: &Look, before: Option<&Look>) -> Verdict {
    let logged = now.log.as_ref().and_then(|log| log.last_spawn()).map(|spawn| spawn.users);
    let had = before.filter(|before| before.is_steady).map(Look::users);
    health.wanted = logged.or_else(|| u64::try_from(had?).ok());
    let Some(wanted) = health.wanted else { return Verdict::Healthy };
    health.idle = idle(now, wanted);
    match (now.state(), health.lacks_users() || health.idle > 0) {
        ("spawning", _) => Verdict::Starting,
        (_, true) => Verdict::Shaped,
        (_, false) => Verdict::Healthy,
    }
}

fn with_wanted(
    health: &mut Health,
    wanted: WantedUsers,
    now: &Look,
    before: Option<&Look>,
) -> Verdict {
    let WantedUsers { users, request, spawn_rate, smaller_in_page } = wanted;
    health.wanted = Some(users);
    health.idle = idle(now, users);
    if now.state() == "spawning" {
        return Verdict::Starting;
    }
    if health.has_surplus() {
        return Verdict::Surplus;
    }
    let is_short = health.lacks_users();
    if !is_short && health.idle == 0 {
        return Verdict::Healthy;
    }
    if health.workers == 0 {
        return Verdict::Unsafe("no worker is connected".to_owned());
    }
    if let Some(in_page) = smaller_in_page {
        return Verdict::Unsafe(format!(
            "Locust's page shows {in_page} users, so the test was not started through its web API"
        ));
    }
    if let Some(silent) = silent_worker(now) {
        return Verdict::WorkerSilent(silent);
    }
    if let Some(doubt) = doubt(users, now, before).filter(|_| is_short) {
        return Verdict::Unsafe(doubt.to_owned());
    }
    let Some(spawn_rate) = spawn_rate else {
        return Verdict::Unsafe("Locust does not report the spawn rate".to_owned());
    };
    let user_classes = now.classes.clone().unwrap_or_default();
    let start = Start { users: request, spawn_rate, run_time: None, user_classes };
    Verdict::Repairable(Repair { start, limit: TimeLimit::None, wanted: users })
}

/// The clause on a worker of a ready pod that sends no heartbeats; `None` if there is none. The worker may come back
/// with its users. If it does not, Locust drops it about a minute later, and starts all users again on the other
/// workers.
pub fn silent_worker(now: &Look) -> Option<String> {
    let pod = now.table().silent.into_iter().next()?;
    Some(format!(
        "the worker in pod {pod} sends no heartbeats, and it may come back with its users"
    ))
}

/// Connected workers without users. With fewer users than workers this is normal, and counts as 0.
fn idle(now: &Look, wanted: u64) -> usize {
    match wanted >= now.worker_count() as u64 {
        true => now.idle(),
        false => 0,
    }
}

/// Users of an `earlier` look at this test have ended by themselves: fewer are running now, and more are missing than
/// the workers had that left. False while the number of users is changing. See also [`is_worker_starting`].
pub fn have_users_ended(now: &Look, earlier: &Look) -> bool {
    let had = u64::try_from(earlier.users()).unwrap_or(0);
    // The statistics can be two seconds older than the page and the log.
    let is_certain = is_explained_by_log(had, now).is_some() || now.is_fresh();
    let lacks_users = now.is_steady && now.worker_count() > 0 && now.users() < earlier.users();
    lacks_users && is_certain && doubt(had, now, Some(earlier)).is_some()
}

/// Users have ended by themselves since the last start: the test has fewer users than it should, and the master's log
/// shows that more are missing than the workers had that left. False if the log does not show it, and while the number of
/// users is changing. See also [`is_worker_starting`].
pub fn have_users_ended_since_start(now: &Look, health: &Health) -> bool {
    let lacks_users = now.is_steady && health.lacks_users() && health.workers > 0;
    let wanted = health.wanted.filter(|_| lacks_users);
    wanted.is_some_and(|wanted| is_explained_by_log(wanted, now) == Some(false))
}

/// True if a worker may not have started its users yet: it has none now, and had none in the `earlier` look, or the
/// statistics do not have it. A new worker first calls the locustfile's listeners of `test_start`. `wanted` is the number
/// of users that the test should have. False if they are fewer than the workers, because then some workers have none.
pub fn is_worker_starting(wanted: u64, now: &Look, earlier: Option<&Look>) -> bool {
    let had_users = |id: &str| {
        let workers = earlier.into_iter().flat_map(|earlier| earlier.stats.connected());
        workers.filter(|worker| worker.id == id).any(|worker| worker.user_count > 0)
    };
    let is_starting = now.stats.connected().any(|it| it.user_count == 0 && !had_users(&it.id));
    wanted >= now.worker_count() as u64
        && (is_starting || now.stats.connected().count() < now.worker_count())
}

/// The reason to doubt that the missing users ran on workers that left; `None` if they did. Users that
/// ended by themselves (`StopUser`) have done their work, and a start would repeat it.
fn doubt(wanted: u64, now: &Look, before: Option<&Look>) -> Option<&'static str> {
    let had_all = |look: &Look| u64::try_from(look.users()).is_ok_and(|had| had >= wanted);
    let steady = before.filter(|before| before.is_steady);
    let is_explained = match (is_explained_by_log(wanted, now), before) {
        // If users were missing before, they must have run on workers that had already left.
        (Some(is_explained), _) => {
            let is_earlier_explained =
                |earlier: &Look| is_explained_by_log(wanted, earlier) != Some(false);
            is_explained && steady.is_none_or(|one| had_all(one) || is_earlier_explained(one))
        }
        (None, Some(before)) => steady.is_none_or(had_all) && is_explained_by_workers(now, before),
        (None, None) => {
            return Some(
                "Locust's log does not show if the missing users ran on workers that left, or ended by \
                 themselves",
            );
        }
    };
    (!is_explained).then_some(
        "more users are missing than the lost workers had. Some users may have ended by themselves, \
         and a rebalance would start them again",
    )
}

/// True if the workers that left since the last start had all the missing users; `None` if the
/// master's log does not show it.
fn is_explained_by_log(wanted: u64, look: &Look) -> Option<bool> {
    let log = look.log.as_ref()?;
    if wanted < log.last_spawn()?.workers {
        // Some workers have no users, and the log does not tell which.
        return None;
    }
    let lost_workers = log.left_since_spawn(look.worker_count() as u64)?;
    // Locust spreads users evenly, so each worker has at most this many.
    let share = wanted.div_ceil(log.last_spawn()?.workers.max(1));
    let users = u64::try_from(look.users()).unwrap_or(0);
    Some(users.saturating_add(lost_workers.saturating_mul(share)) >= wanted)
}

/// True if the workers that left since `before` had all the missing users. For masters without a log.
fn is_explained_by_workers(now: &Look, before: &Look) -> bool {
    let is_there = |id: &str| now.stats.connected().any(|worker| worker.id == id);
    let gone = before.stats.connected().filter(|worker| !is_there(&worker.id));
    let lost: i64 = gone.map(|worker| worker.user_count.max(0)).sum();
    let remaining = before.users().saturating_sub(lost);
    lost > 0 && (0..=now.users()).contains(&remaining)
}

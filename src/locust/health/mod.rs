//! The one judgement on a running test: how many users it wants, how many it has, and what may be done.
//!
//! All commands and serve use this judgement. If no source is known to be current, the answer is
//! [`Verdict::Unknown`].

use std::fmt;

use super::look::Look;
use super::release::OLDEST_JUDGED;
use super::run_time::TimeLimit;
use super::start::{KnownStart, Start};
use super::wanted::{Wanted, wanted};

/// The sentence on a broken master; Locust's log alone tells it from a loss of workers.
pub(super) const MASTER_BROKEN: &str = "Locust's master does not hear its workers any more, and the test is over \
                 (locust#3515): restart the master's pod";

/// Health of a running test.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// State of Locust's runner.
    pub state: String,
    /// Users that run.
    pub users: i64,
    /// Users that the test wants; `None` where that is not known, or no test is running.
    pub wanted: Option<u64>,
    /// Workers that are connected.
    pub workers: usize,
    /// Connected workers without users; 0 where the test wants fewer users than it has workers.
    pub idle: usize,
    /// The judgement.
    pub verdict: Verdict,
}

/// The judgement on a test.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// No test is running.
    NoTest,
    /// The test has ended, although Locust's state says that it is running.
    Ended,
    /// Locust runs in a single process.
    SingleProcess,
    /// The release is older than those that are judged.
    TooOld,
    /// The master does not hear its workers any more (locust#3515).
    MasterBroken,
    /// The connected workers run in other pods than the target's.
    Foreign,
    /// All users are there, and every worker has some.
    Healthy,
    /// Locust is still starting users.
    Starting,
    /// More users than wanted: those that were replaced finish their tasks.
    Surplus,
    /// A LoadTestShape sets the users; the next step puts right what is wrong.
    Shaped,
    /// Users are lost, or workers are idle: the same start once more puts it right.
    Repairable(Repair),
    /// Something is wrong, and a start could do harm; the text says why.
    Unsafe(String),
    /// How many users the test wants is not known; the text says why.
    Unknown(String),
}

/// The start that puts a test right.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    /// The numbers to send, without the run time.
    pub start: Start,
    /// The run time to send; judged by [`super::run_time::limit`].
    pub limit: TimeLimit,
    /// Users that the test wants.
    pub wanted: u64,
}

/// Judges a test by how it is `now`, how it was `before` the workers changed, and by its `known`
/// start; both are absent when nobody looked, or nobody knows.
pub fn judge(now: &Look, before: Option<&Look>, known: Option<&KnownStart>) -> Health {
    let mut health = Health {
        state: now.state().to_owned(),
        users: now.users(),
        wanted: None,
        workers: now.worker_count(),
        idle: 0,
        verdict: Verdict::NoTest,
    };
    health.verdict = match obstacle(now) {
        Some(verdict) => verdict,
        None if now.page.as_ref().is_some_and(super::page::Page::is_shaped) => {
            shaped(&mut health, now, before)
        }
        None => match wanted(now, before, known) {
            Ok(wanted) => with_wanted(&mut health, wanted, now, before),
            // The master's log is enough to tell how far Locust is.
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

/// Why there is nothing to judge.
fn obstacle(now: &Look) -> Option<Verdict> {
    if now.log.as_ref().is_some_and(|log| log.is_listener_dead()) {
        return Some(Verdict::MasterBroken);
    }
    if !now.is_running() {
        return Some(Verdict::NoTest);
    }
    if now.log.as_ref().is_some_and(|log| log.has_ended()) {
        return Some(Verdict::Ended);
    }
    if now.stats.workers.is_none() {
        return Some(Verdict::SingleProcess);
    }
    let is_judged = now.page.as_ref().is_some_and(|page| {
        // A release that cannot be read, but has the page of the judged ones.
        page.release().is_none_or(|release| release.is_judged())
    });
    if !is_judged {
        return Some(Verdict::TooOld);
    }
    let table = now.table();
    (table.own() == 0 && table.foreign > 0).then_some(Verdict::Foreign)
}

/// A start without the shape's name would give the shape up, so nothing is ever done.
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

fn with_wanted(health: &mut Health, wanted: Wanted, now: &Look, before: Option<&Look>) -> Verdict {
    let Wanted { users, asked, spawn_rate, exceeds } = wanted;
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
    if let Some(told) = exceeds {
        return Verdict::Unsafe(format!(
            "Locust's page says {told} users, so the test was started in another way"
        ));
    }
    if let Some(doubt) = doubt(users, now, before).filter(|_| is_short) {
        return Verdict::Unsafe(doubt.to_owned());
    }
    let Some(spawn_rate) = spawn_rate else {
        return Verdict::Unsafe("Locust does not tell the spawn rate".to_owned());
    };
    let user_classes = now.classes.clone().unwrap_or_default();
    let start = Start { users: asked, spawn_rate, run_time: None, user_classes };
    Verdict::Repairable(Repair { start, limit: TimeLimit::None, wanted: users })
}

/// Fewer users than workers leave some workers without users anyhow.
fn idle(now: &Look, wanted: u64) -> usize {
    match wanted >= now.worker_count() as u64 {
        true => now.idle(),
        false => 0,
    }
}

/// Why the missing users may have ended by themselves (`StopUser`): then they have done their work,
/// which must not be done twice. `None` when they ran on workers that left.
fn doubt(wanted: u64, now: &Look, before: Option<&Look>) -> Option<&'static str> {
    let had_all = |look: &Look| u64::try_from(look.users()).is_ok_and(|had| had >= wanted);
    let steady = before.filter(|before| before.is_steady);
    let is_explained = match (is_explained_by_log(wanted, now), before) {
        // Users that were missing before must have run on workers that had left before.
        (Some(is_explained), _) => {
            let is_earlier_explained =
                |earlier: &Look| is_explained_by_log(wanted, earlier) != Some(false);
            is_explained && steady.is_none_or(|one| had_all(one) || is_earlier_explained(one))
        }
        (None, Some(before)) => steady.is_none_or(had_all) && is_explained_by_workers(now, before),
        (None, None) => {
            return Some(
                "Locust's log does not show whether the missing users ran on workers that left, or \
                 ended by themselves",
            );
        }
    };
    (!is_explained).then_some(
        "more users are missing than the lost workers had, so some may have ended by themselves; \
         users that end by themselves are not started again",
    )
}

/// The workers that left since the last start had as many users as are missing; `None` where the
/// master's log does not tell.
fn is_explained_by_log(wanted: u64, look: &Look) -> Option<bool> {
    let log = look.log.as_ref()?;
    let left = log.left_since_spawn(look.worker_count() as u64)?;
    // Locust spreads users evenly: each worker has at most this many.
    let share = wanted.div_ceil(log.last_spawn()?.workers.max(1));
    let users = u64::try_from(look.users()).unwrap_or(0);
    Some(users.saturating_add(left.saturating_mul(share)) >= wanted)
}

/// The same without the master's log: by the users that the workers had which are gone.
fn is_explained_by_workers(now: &Look, before: &Look) -> bool {
    let is_there = |id: &str| now.stats.connected().any(|worker| worker.id == id);
    let gone = before.stats.connected().filter(|worker| !is_there(&worker.id));
    let lost: i64 = gone.map(|worker| worker.user_count.max(0)).sum();
    let left = before.users().saturating_sub(lost);
    lost > 0 && (0..=now.users()).contains(&left)
}

impl Health {
    /// The test has fewer users than it wants.
    pub fn lacks_users(&self) -> bool {
        self.wanted.is_some_and(|wanted| i128::from(self.users) < i128::from(wanted))
    }

    /// The test has more users than it wants.
    fn has_surplus(&self) -> bool {
        self.wanted.is_some_and(|wanted| i128::from(self.users) > i128::from(wanted))
    }

    /// `locustctl rebalance` would put something right.
    pub fn needs_rebalance(&self) -> bool {
        matches!(self.verdict, Verdict::Repairable(_))
    }

    /// Something is wrong that a person should know.
    pub fn is_alarming(&self) -> bool {
        use Verdict as V;
        match &self.verdict {
            V::MasterBroken | V::Shaped | V::Repairable(_) | V::Unsafe(_) => true,
            V::Unknown(_) => self.state == "running",
            V::NoTest
            | V::Ended
            | V::SingleProcess
            | V::TooOld
            | V::Foreign
            | V::Healthy
            | V::Starting
            | V::Surplus => false,
        }
    }

    /// The test has what it wants, or there is none.
    pub fn is_well(&self) -> bool {
        use Verdict as V;
        matches!(
            self.verdict,
            V::NoTest | V::Ended | V::SingleProcess | V::Healthy | V::Starting | V::Shaped
        )
    }

    /// The shortage in words: `the test has 15 of 60 users`.
    pub fn shortage(&self) -> String {
        let have = if self.idle == 1 { "has" } else { "have" };
        let Self { state, users, workers, idle, .. } = self;
        let wanted = self.wanted.unwrap_or_default();
        if self.has_surplus() {
            return format!("the test has {users} users instead of {wanted}");
        }
        let idle_workers = format!("{idle} of {workers} workers {have} no users");
        match (self.lacks_users(), *idle > 0 && idle < workers) {
            (true, false) => format!("the test has {users} of {wanted} users"),
            (true, true) => format!("the test has {users} of {wanted} users, and {idle_workers}"),
            (false, _) if *idle == 0 => {
                format!("the test has {users} of {wanted} users in state {state}")
            }
            (false, _) => idle_workers,
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, users, .. } = self;
        let wanted = self.wanted.unwrap_or_default();
        match &self.verdict {
            Verdict::NoTest => {
                let state = if state.is_empty() { "unknown" } else { state };
                write!(f, "no test is running (Locust's state is {state})")
            }
            Verdict::Ended => {
                write!(f, "the test has ended, although Locust's state is {state}")
            }
            Verdict::SingleProcess => {
                f.write_str("Locust runs in a single process, without workers")
            }
            Verdict::TooOld => write!(
                f,
                "locustctl cannot check the users of the test: that needs Locust {OLDEST_JUDGED} \
                 or newer"
            ),
            Verdict::MasterBroken => f.write_str(MASTER_BROKEN),
            Verdict::Foreign => f.write_str(
                "this Locust runs another test: its connected workers are not in the target's pods",
            ),
            Verdict::Healthy if self.wanted.is_none() => {
                write!(f, "a LoadTestShape sets the users; the test has {users}")
            }
            Verdict::Healthy => write!(f, "the test has all its {wanted} users"),
            Verdict::Starting if self.wanted.is_none() => {
                write!(f, "the test is still starting its users: {users} until now")
            }
            Verdict::Starting => {
                write!(f, "the test is still starting its users: {users} of {wanted}")
            }
            Verdict::Surplus => {
                write!(f, "{}: replaced users finish their tasks", self.shortage())
            }
            Verdict::Shaped if !self.lacks_users() => {
                write!(f, "{} until the next step of the test's LoadTestShape", self.shortage())
            }
            Verdict::Shaped => write!(
                f,
                "the test has {users} of {wanted} users until the next step of its LoadTestShape"
            ),
            Verdict::Repairable(_) => f.write_str(&self.shortage()),
            Verdict::Unsafe(why) => write!(f, "{}; not redistributed: {why}", self.shortage()),
            Verdict::Unknown(why) => write!(
                f,
                "it is not known how many users the test wants: {why}; to start a number again, \
                 press Edit in Locust's page"
            ),
        }
    }
}

#[cfg(test)]
mod tests;

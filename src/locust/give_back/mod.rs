//! Giving a running test its users back, and making sure that it has them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::Error;
use super::health::{Health, Repair, Verdict, judge};
use super::log::MasterLog;
use super::look::Look;
use super::master::Master;
use super::memory::StartMemory;
use super::outcome::Outcome;
use super::pods::WorkerPods;
use super::run_time::{TimeLimit, limit};
use super::start::{KnownStart, Start};

/// The time between two looks. Locust's page is never cached.
const PERIOD: Duration = Duration::from_millis(200);

/// Time limit for Locust's own rebalance after the first change of a test, and for the workers'
/// reports (every 3 s).
const SETTLING: Duration = Duration::from_secs(8);

/// Time limit for Locust to start the requested users, and to notice a hanging worker.
const PATIENCE: Duration = Duration::from_secs(15);

/// A test has its users when two looks this far apart tell so. The statistics are cached for less.
const CONFIRMATION: Duration = Duration::from_millis(2100);

/// The same with a worker that was not there before. Locust takes up to 4.5 s to notice that it hangs.
const CONFIRMATION_OF_NEWCOMERS: Duration = Duration::from_secs(5);

/// After a signal: time limit for the second start of a ramp.
const LONGEST_END: Duration = SETTLING.saturating_mul(2);

/// The time between two lines that tell how many users there are.
const REPORT_PERIOD: Duration = Duration::from_secs(3);

/// How a test is given its users back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebalance {
    /// All at once, whatever the spawn rate.
    AtOnce,
    /// At the test's own spawn rate.
    Ramp,
    /// Not at all: it is only judged.
    Never,
}

/// Inputs and options of a rebalance.
pub struct Care<'a, 'b> {
    /// Locust.
    pub master: &'a Master<'b>,
    /// How it was before the workers changed; `None` when nobody looked.
    pub before: Option<&'a Look>,
    /// The last start, where it is known.
    pub known: Option<&'a KnownStart>,
    /// How users are given back.
    pub rebalance: Rebalance,
    /// How long to wait for users that Locust is still starting, or that finish their tasks.
    pub limit: Duration,
    /// Workers that were connected when the pods had settled; `None` when nobody waited for them.
    pub workers: Option<usize>,
    /// Where starts are remembered for the next run of locustctl.
    pub memory: Option<&'a StartMemory>,
    /// Is told of each start as soon as Locust has accepted it.
    pub on_start: Option<&'a (dyn Fn(&KnownStart) + Sync)>,
    /// Set during a ramp: locustctl must not exit between its two starts.
    pub unfinished: Option<&'a Unfinished>,
}

/// True while a ramp is between its two starts: locustctl must finish it before it exits.
#[derive(Debug, Default)]
pub struct Unfinished(AtomicBool);

/// Clears the flag when dropped.
struct Begun<'a>(&'a Unfinished);

impl Unfinished {
    fn begin(&self) -> Begun<'_> {
        self.0.store(true, Ordering::Relaxed);
        Begun(self)
    }

    /// Runs `work` until it ends or `signal` arrives. After the signal it finishes a ramp that has
    /// begun.
    pub async fn or_signal<T, S>(
        &self,
        work: impl Future<Output = T>,
        signal: impl Future<Output = S>,
    ) -> Result<T, S> {
        tokio::pin!(work);
        let signal = tokio::select! {
            done = &mut work => return Ok(done),
            signal = signal => signal,
        };
        let end = Instant::now() + LONGEST_END;
        while self.0.load(Ordering::Relaxed) && Instant::now() < end {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep(PERIOD) => {}
            }
        }
        Err(signal)
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

/// Takes a look at Locust and judges it, with the test's time limit. All commands and serve use
/// this function.
///
/// # Errors
/// Locust does not answer, or with something else.
pub async fn examine(
    master: &Master<'_>,
    pods: Option<WorkerPods>,
    before: Option<&Look>,
    known: Option<&KnownStart>,
    memory: Option<&StartMemory>,
) -> Result<(Look, Health), Error> {
    let now = Look::take(master, pods).await?;
    let health = judge(&now, before, known);
    let health = with_time_limit(master, &now, known, memory, health).await?;
    Ok((now, health))
}

async fn with_time_limit(
    master: &Master<'_>,
    now: &Look,
    known: Option<&KnownStart>,
    memory: Option<&StartMemory>,
    mut health: Health,
) -> Result<Health, Error> {
    if let Verdict::Repairable(repair) = &mut health.verdict {
        let remembered = memory.and_then(|memory| memory.load(&master.place(), now.log.as_ref()));
        repair.limit = limit(master, now, known.or(remembered.as_ref())).await?;
        if let Err(why) = repair.limit.left() {
            health.verdict = Verdict::Unsafe(why);
        }
    }
    Ok(health)
}

impl Care<'_, '_> {
    /// Gives the test its users back where it has lost some or a worker has none, and where that is
    /// safe; then makes sure that it has them. `report` gets lines on how it goes on.
    ///
    /// # Errors
    /// Locust does not answer, or refuses.
    pub async fn give_back(
        &self,
        pods: Option<WorkerPods>,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Outcome, Error> {
        let (look, health) = self.judge_when_quiet(&pods).await?;
        let outcome = self.act(look, health, report).await?;
        match &outcome {
            // The test has changed after the first look.
            Outcome::Unconfirmed { sent: None, .. } => {
                let (look, health) = self.judge_when_quiet(&pods).await?;
                self.act(look, health, report).await
            }
            _ => Ok(outcome),
        }
    }

    async fn act(
        &self,
        look: Look,
        health: Health,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Outcome, Error> {
        match &health.verdict {
            Verdict::Repairable(_) if self.rebalance == Rebalance::Never => {
                Ok(Outcome::NotAsked(health))
            }
            Verdict::Repairable(_) => self.repair(look, health, report).await,
            // A LoadTestShape may change the number at any time.
            Verdict::Healthy | Verdict::Surplus if self.before.is_some() && !look.is_shaped() => {
                self.confirm(look, health, None, report).await
            }
            _ => Ok(Outcome::Left(health)),
        }
    }

    /// Waits for users that Locust balances by itself, and for statistics that are not stale.
    async fn judge_when_quiet(&self, pods: &Option<WorkerPods>) -> Result<(Look, Health), Error> {
        let begin = Instant::now();
        let end = begin + SETTLING;
        let was_starting = self.before.is_some_and(|before| before.state() == "spawning");
        loop {
            let (look, health) =
                examine(self.master, pods.clone(), self.before, self.known, self.memory).await?;
            let may_change = match &health.verdict {
                Verdict::Starting => !was_starting,
                Verdict::Healthy => !look.is_fresh(),
                Verdict::Unsafe(_) | Verdict::Unknown(_) => self.before.is_some(),
                _ => false,
            };
            if let Some(health) = self.lacks_workers(&look, &health) {
                // It may come back with its users: a start now could make them too many.
                if Instant::now() >= begin + self.limit.max(SETTLING) {
                    return Ok((look, health));
                }
            } else if !may_change || Instant::now() >= end {
                return Ok((look, health));
            }
            sleep(PERIOD).await;
        }
    }

    /// The verdict while a worker of a ready pod is not connected any more.
    fn lacks_workers(&self, look: &Look, health: &Health) -> Option<Health> {
        let (now, all) = (look.worker_count(), self.workers?);
        let why = format!("only {now} of {all} workers are still connected to Locust");
        let verdict = Verdict::Unsafe(why);
        let is_running = look.is_running() && now > 0 && now < all;
        is_running.then(|| Health { verdict, ..health.clone() })
    }

    /// A worker is connected that was not there before the change.
    fn has_newcomers(&self, look: &Look) -> bool {
        let Some(before) = self.before else { return false };
        let was_there = |id: &str| before.stats.connected().any(|worker| worker.id == id);
        look.stats.connected().any(|worker| !was_there(&worker.id))
    }

    async fn repair(
        &self,
        mut look: Look,
        was: Health,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Outcome, Error> {
        // Time has passed since: a test that was stopped or edited meanwhile must be left alone.
        let log = self.master.log().await?;
        let Some(page) = self.master.page().await? else { return Ok(Outcome::Left(was)) };
        let start = |log: &Option<MasterLog>| {
            log.as_ref().map(|log| (log.last_spawn(), log.last_start_by_hand()))
        };
        let is_same = look.page.as_ref().is_some_and(|judged| {
            (page.num_users, page.run_time) == (judged.num_users, judged.run_time)
        }) && start(&log) == start(&look.log);
        (look.page, look.log) = (Some(page), log);
        let now = judge(&look, self.before, self.known);
        let (Verdict::Repairable(judged), Verdict::Repairable(_), true) =
            (&was.verdict, &now.verdict, is_same)
        else {
            return Ok(Outcome::Left(now));
        };
        let run_time_before = look.page.as_ref().and_then(|page| page.run_time);
        let sent = match self.rebalance {
            Rebalance::Ramp if now.lacks_users() => self.send_in_steps(judged, &now).await?,
            _ => Some(self.send(&judged.start, &judged.limit).await?),
        };
        let Some(sent) = sent else {
            let (_, now) =
                examine(self.master, look.pods, self.before, self.known, self.memory).await?;
            return Ok(Outcome::Left(now));
        };
        let log = self.master.log().await.unwrap_or_default();
        let logged_at = log.as_ref().and_then(MasterLog::last_start_by_hand);
        let sent = KnownStart { start: sent, at: Instant::now(), run_time_before, logged_at };
        // Before anything else can fail: the next repair has to know it.
        if let Some(memory) = self.memory {
            memory.save(&self.master.place(), log.as_ref(), &sent);
        }
        if let Some(on_start) = self.on_start {
            on_start(&sent);
        }
        let was = Health { verdict: was.verdict.clone(), ..now };
        let resets = |log: &Option<MasterLog>| log.as_ref().is_some_and(MasterLog::resets_stats);
        let is_new = !resets(&look.log);
        let outcome = self.confirm(look, was.clone(), Some((was, sent)), report).await?;
        if is_new && resets(&self.master.log().await.unwrap_or_default()) {
            report("Locust has reset its statistics, since it was started with --reset-stats");
        }
        Ok(outcome)
    }

    async fn send(&self, start: &Start, limit: &TimeLimit) -> Result<Start, Error> {
        let run_time = limit.left().map_err(Error::Refused)?;
        let start = Start { run_time, ..start.clone() };
        self.master.start(&start).await?;
        Ok(start)
    }

    /// Locust still counts the lost users, so that it would start them at once. So it is first told
    /// the number that there is, and then the number that is wanted, which it starts at the spawn
    /// rate.
    /// `None` when the test was stopped or edited between the two.
    async fn send_in_steps(&self, repair: &Repair, now: &Health) -> Result<Option<Start>, Error> {
        let users = u64::try_from(now.users).unwrap_or(0).max(1);
        let spawn_rate = repair.start.spawn_rate.max(repair.wanted as f64);
        let first = Start { users, spawn_rate, ..repair.start.clone() };
        let _unfinished = self.unfinished.map(Unfinished::begin);
        self.send(&first, &repair.limit).await?;
        let end = Instant::now() + SETTLING;
        loop {
            sleep(PERIOD).await;
            match self.master.page().await {
                Ok(Some(page)) if !page.is_running() => return Ok(None),
                Ok(Some(page)) if page.state == "running" => break,
                // The second start must be sent, whatever a single look has come to.
                _ if Instant::now() >= end => break,
                _ => {}
            }
        }
        let log = self.master.log().await.unwrap_or_default();
        let last = log.and_then(|log| log.last_spawn());
        if last.is_some_and(|last| last.users != users) {
            return Ok(None);
        }
        let end = Instant::now() + SETTLING;
        loop {
            match self.send(&repair.start, &repair.limit).await {
                Err(Error::Api(_) | Error::Failure(_)) if Instant::now() < end => {
                    sleep(PERIOD).await;
                }
                result => return result.map(Some),
            }
        }
    }

    /// Waits until all users are there and every worker has some, in two looks.
    async fn confirm(
        &self,
        mut look: Look,
        mut now: Health,
        sent: Option<(Health, KnownStart)>,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Outcome, Error> {
        let wanted = now.wanted.unwrap_or_default();
        let mut end = Instant::now() + self.limit.max(PATIENCE);
        let patience = if sent.is_some() { PATIENCE } else { SETTLING };
        let mut give_up = Instant::now() + patience;
        let mut stands_since: Option<Instant> = None;
        let mut needed = CONFIRMATION;
        let mut next_report = Instant::now() + REPORT_PERIOD;
        loop {
            look.page = self.master.page().await?;
            now.state = look.state().to_owned();
            (now.users, now.workers) = (look.users(), look.worker_count());
            if !look.is_running() {
                let health = judge(&look, self.before, self.known);
                return Ok(Outcome::Left(health));
            }
            let is_right = now.state == "running" && i128::from(now.users) == i128::from(wanted);
            let stands_for = stands_since.map(|since| since.elapsed());
            match stands_for {
                None if is_right => stands_since = Some(Instant::now()),
                Some(stands) if is_right && stands >= needed => {
                    look.stats = self.master.stats().await?;
                    if self.has_newcomers(&look) {
                        needed = CONFIRMATION_OF_NEWCOMERS;
                    }
                    let holders = look.stats.connected().filter(|one| one.user_count > 0).count();
                    now.idle = look.idle();
                    if stands >= needed
                        && look.is_fresh()
                        && holders as u64
                            >= wanted.min(now.workers.max(self.workers.unwrap_or(0)) as u64)
                    {
                        now.idle = 0;
                        now.verdict = Verdict::Healthy;
                        return Ok(match sent {
                            Some((was, sent)) => Outcome::Repaired { was, now, sent },
                            None => Outcome::Left(now),
                        });
                    }
                }
                Some(_) if is_right => {}
                _ => stands_since = None,
            }
            // Users that Locust still starts, or that finish their tasks, are waited for.
            let is_moving = now.state == "spawning" || i128::from(now.users) > i128::from(wanted);
            let is_standing = is_right && stands_for.unwrap_or_default() < needed;
            if is_moving || is_standing {
                give_up = Instant::now() + patience;
            }
            if is_standing {
                end = end.max(Instant::now() + CONFIRMATION);
            }
            if Instant::now() >= end.min(give_up) {
                if let Some(lacking) = self.lacks_workers(&look, &now) {
                    now.verdict = lacking.verdict;
                }
                return Ok(Outcome::Unconfirmed { sent, now });
            }
            if !is_right && Instant::now() >= next_report {
                next_report = Instant::now() + REPORT_PERIOD;
                report(&match now.lacks_users() {
                    true => now.shortage(),
                    false => format!("the test has {} users instead of {wanted}", now.users),
                });
            }
            sleep(PERIOD).await;
        }
    }
}

#[cfg(test)]
mod tests;

//! Judges a test, sends the start that it needs, and confirms the result.

use tokio::time::{Instant, sleep};

use super::super::error::Error;
use super::super::examine::examine;
use super::super::health::{Health, Verdict, is_worker_starting, judge};
use super::super::log::MasterLog;
use super::super::look::Look;
use super::super::outcome::Outcome;
use super::super::pods::WorkerPods;
use super::super::retry::retried;
use super::super::start::KnownStart;
use super::super::timing::{AFTER_FAILURE, LOOK_PERIOD, SETTLE_LIMIT, START_LIMIT};
use super::confirm::confirm;
use super::inputs::{Rebalance, RebalanceMode};
use super::send::send;
use super::start_in_progress::StartInProgress;

/// The result of one judgement.
enum ActionResult {
    Done(Box<Outcome>),
    /// The test has changed since it was judged, so nothing was sent. The caller judges it again.
    Changed(Health),
}

impl Rebalance<'_, '_> {
    /// Redistributes the users if the test has lost some or a worker has none, and if this is safe.
    /// Then waits until the test has all its users. `report` gets lines on the progress.
    ///
    /// # Errors
    /// Locust does not answer, or refuses.
    pub async fn run(
        &self,
        pods: Option<WorkerPods>,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Outcome, Error> {
        let end = Instant::now() + self.limit.max(START_LIMIT);
        let (mut may_judge_again, mut may_send_again) = (true, self.repeats);
        loop {
            let (look, health) = self.judge_when_settled(&pods, report).await?;
            match self.act(look, health, report).await {
                Ok(ActionResult::Changed(_)) if Instant::now() < end => sleep(LOOK_PERIOD).await,
                Ok(ActionResult::Changed(now)) => {
                    return Ok(match now.needs_rebalance() {
                        true => Outcome::Unconfirmed { sent: None, now, is_reset: false },
                        false => Outcome::NothingSent(now),
                    });
                }
                // Without a start, the test did not stay complete. It is judged once more. Without an earlier look, Locust
                // may have noticed a lost worker only now. So the test is judged again while it lacks users, until the
                // time limit.
                Ok(ActionResult::Done(outcome)) if may_judge_again && outcome.is_unsent() => {
                    let has_lost_users = outcome.health().lacks_users();
                    may_judge_again =
                        self.before.is_none() && has_lost_users && Instant::now() < end;
                    sleep(LOOK_PERIOD).await;
                }
                // Without an answer to a start, Locust may have started the users. A new look shows it.
                Err(error) if may_send_again && error.may_pass() => {
                    may_send_again = false;
                    sleep(AFTER_FAILURE).await;
                }
                Ok(ActionResult::Done(outcome)) => return Ok(*outcome),
                Err(error) => return Err(error),
            }
        }
    }

    async fn act(
        &self,
        look: Look,
        health: Health,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ActionResult, Error> {
        let done = match &health.verdict {
            Verdict::Repairable(_) if self.mode == RebalanceMode::Never => {
                Outcome::Disabled(health)
            }
            Verdict::Repairable(_) => return self.repair(look, health, report).await,
            // A LoadTestShape may change the number at any time.
            _ if look.is_shaped() => Outcome::NothingSent(health),
            Verdict::Healthy => confirm(self, look, health, None, report).await?,
            Verdict::Surplus if self.before.is_some() => {
                confirm(self, look, health, None, report).await?
            }
            _ => Outcome::NothingSent(health),
        };
        Ok(ActionResult::Done(Box::new(done)))
    }

    /// Judges the test when Locust has ended its own rebalance and the statistics are fresh.
    async fn judge_when_settled(
        &self,
        pods: &Option<WorkerPods>,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(Look, Health), Error> {
        let mut is_reported = false;
        let begin = Instant::now();
        let mut end = begin + SETTLE_LIMIT;
        let was_starting = self.before.is_some_and(|before| before.state() == "spawning");
        loop {
            let (look, health) = self.examine(pods.clone()).await?;
            let may_change = match &health.verdict {
                Verdict::Starting => !was_starting,
                Verdict::Healthy => !look.is_fresh(),
                // Locust soon notices that a worker is gone, or the old users finish their tasks.
                Verdict::Surplus => self.before.is_none(),
                // Only current statistics show which worker sends no heartbeats.
                Verdict::Repairable(_) => self.workers.is_none() && !look.has_current_workers(),
                Verdict::WorkerSilent(_) | Verdict::Unsafe(_) | Verdict::Unknown(_) => {
                    let wanted = health.wanted.unwrap_or(0);
                    self.before.is_some() || is_worker_starting(wanted, &look, None)
                }
                _ => false,
            };
            if let Some(why) = self.lost_workers(&look, &health.verdict) {
                // The worker may come back with its users. After a start now there would be too many.
                if Instant::now() >= begin + self.limit.max(SETTLE_LIMIT) {
                    return Ok((look, Health { verdict: Verdict::Unsafe(why), ..health }));
                }
                if self.workers.is_none() && !std::mem::replace(&mut is_reported, true) {
                    report(&format!("Waiting: {why}"));
                }
                // When the worker is back, replaced or dropped, Locust may start users.
                end = (begin + self.limit).max(Instant::now() + SETTLE_LIMIT);
            } else if !may_change || Instant::now() >= end {
                return Ok((look, health));
            }
            sleep(LOOK_PERIOD).await;
        }
    }

    async fn examine(&self, pods: Option<WorkerPods>) -> Result<(Look, Health), Error> {
        let Self { master, before, known, memory, .. } = *self;
        retried(|| examine(master, pods.clone(), before, known, memory)).await
    }

    async fn repair(
        &self,
        mut look: Look,
        was: Health,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ActionResult, Error> {
        // The test may have been stopped or edited since it was judged.
        let log = retried(|| self.master.log()).await?;
        let Some(page) = retried(|| self.master.page()).await? else {
            return Ok(ActionResult::Done(Box::new(Outcome::NothingSent(was))));
        };
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
            return Ok(match now.verdict.may_change() {
                true => ActionResult::Changed(now),
                false => ActionResult::Done(Box::new(Outcome::NothingSent(now))),
            });
        };
        let run_time_before = look.page.as_ref().and_then(|page| page.run_time);
        let guard = self.in_progress.map(StartInProgress::begin);
        let Some(start) = send(self, judged, &now).await? else {
            drop(guard);
            let (_, now) = self.examine(look.pods).await?;
            return Ok(ActionResult::Done(Box::new(Outcome::NothingSent(now))));
        };
        let accepted = Instant::now();
        let at = judged.limit.begin(start.run_time).unwrap_or(accepted);
        let log = self.master.log().await.unwrap_or_default();
        let logged_at = log.as_ref().and_then(MasterLog::last_start_by_hand);
        let sent = KnownStart { start, at, run_time_before, logged_at };
        self.remember(&sent, log.as_ref());
        drop(guard);
        let was = Health { verdict: was.verdict.clone(), ..now };
        let resets = |log: &Option<MasterLog>| log.as_ref().is_some_and(MasterLog::resets_stats);
        let pods = look.pods.clone();
        let mut outcome =
            confirm(self, look, was.clone(), Some((was, sent.clone())), report).await?;
        if matches!(outcome, Outcome::Unconfirmed { .. }) {
            let (now, health) = self.examine(pods).await?;
            let last = now.log.as_ref().and_then(MasterLog::last_spawn);
            if last.is_some_and(|last| last.users != sent.start.users) {
                outcome = Outcome::Edited { sent, now: health, is_reset: false };
            }
        }
        if let Outcome::Repaired { is_reset, .. }
        | Outcome::Edited { is_reset, .. }
        | Outcome::Ended { is_reset, .. }
        | Outcome::Unconfirmed { is_reset, .. } = &mut outcome
        {
            *is_reset = resets(&self.master.log().await.unwrap_or_default());
        }
        Ok(ActionResult::Done(Box::new(outcome)))
    }

    /// Remembers a start before anything else can fail, because the next rebalance needs it.
    fn remember(&self, sent: &KnownStart, log: Option<&MasterLog>) {
        if let Some(memory) = self.memory {
            memory.save(&self.master.place(), log, sent);
        }
        if let Some(on_start) = self.on_start {
            on_start(sent);
        }
    }
}

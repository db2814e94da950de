//! Waits until a test has all its users.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::error::Error;
use super::super::health::{Health, Verdict, judge};
use super::super::log::MasterLog;
use super::super::look::Look;
use super::super::outcome::Outcome;
use super::super::retry::retried;
use super::super::start::KnownStart;
use super::super::timing::{LOOK_PERIOD, START_LIMIT};
use super::inputs::Rebalance;

/// A test has its users if two looks this far apart show it. Locust caches the statistics for less.
const CONFIRMATION: Duration = Duration::from_millis(2100);

/// Replaces [`CONFIRMATION`] if a worker is new or may be gone. Locust takes up to 4.5 s to notice that a worker
/// does not answer.
const CONFIRMATION_OF_DOUBTFUL_WORKERS: Duration = Duration::from_secs(5);

/// The time between two lines about the number of users.
const REPORT_PERIOD: Duration = Duration::from_secs(3);

/// Waits until all users are there and every worker has some, in two looks. `sent` is the health
/// before the start and the start itself, if one was sent. `report` gets lines on the progress.
///
/// # Errors
/// Locust does not answer.
pub(super) async fn confirm(
    rebalance: &Rebalance<'_, '_>,
    look: Look,
    now: Health,
    sent: Option<(Health, KnownStart)>,
    report: &mut (dyn FnMut(&str) + Send),
) -> Result<Outcome, Error> {
    let requested = match &sent {
        Some((_, sent)) => Some(sent.start.users),
        None => requested_in(look.log.as_ref()),
    };
    let running = look.clone();
    let mut confirmation = Confirmation::new(rebalance, look, now);
    loop {
        confirmation.look().await?;
        if !confirmation.look.is_running() {
            // The log shows if Locust stopped the test, because it lost all its workers.
            if let Ok(log) = rebalance.master.log().await {
                confirmation.look.log = log;
            }
            let before = rebalance.before.unwrap_or(&running);
            let now = judge(&confirmation.look, Some(before), rebalance.known);
            return Ok(match sent {
                Some((_, sent)) => Outcome::Ended { sent, now, is_reset: false },
                None => Outcome::NothingSent(now),
            });
        }
        let complete_for = confirmation.complete_since.map(|since| since.elapsed());
        if confirmation.is_confirmed(complete_for, sent.is_some()).await? {
            let now = confirmation.healthy();
            return Ok(match sent {
                Some((was, sent)) => Outcome::Repaired { was, now, sent, is_reset: false },
                None => Outcome::NothingSent(now),
            });
        }
        confirmation.extend(complete_for);
        // Locust has noticed a lost worker only now. The caller judges the test again.
        let has_just_lost_users = sent.is_none()
            && rebalance.before.is_none()
            && confirmation.now.state == "running"
            && confirmation.now.lacks_users();
        if has_just_lost_users || confirmation.is_over() {
            return Ok(Outcome::Unconfirmed {
                sent,
                now: confirmation.unconfirmed(),
                is_reset: false,
            });
        }
        if confirmation.is_report_due() {
            let log = retried(|| rebalance.master.log()).await?;
            let last = requested_in(log.as_ref());
            if last.zip(requested).is_some_and(|(last, requested)| last != requested) {
                // The test was edited. The caller judges it again.
                return Ok(Outcome::Unconfirmed {
                    sent,
                    now: confirmation.unconfirmed(),
                    is_reset: false,
                });
            }
            confirmation.report(report);
        }
        sleep(LOOK_PERIOD).await;
    }
}

/// The users of the last start in the master's log.
fn requested_in(log: Option<&MasterLog>) -> Option<u64> {
    log.and_then(MasterLog::last_spawn).map(|spawn| spawn.users)
}

struct Confirmation<'a, 'b, 'c> {
    rebalance: &'a Rebalance<'b, 'c>,
    look: Look,
    now: Health,
    wanted: u64,
    /// The end of the whole wait.
    end: Instant,
    /// The end of the wait if nothing changes any more.
    give_up: Instant,
    /// The time since which the test has all its users.
    complete_since: Option<Instant>,
    /// How long the test must have all its users.
    needed: Duration,
    next_report: Instant,
}

impl<'a, 'b, 'c> Confirmation<'a, 'b, 'c> {
    fn new(rebalance: &'a Rebalance<'b, 'c>, look: Look, now: Health) -> Self {
        let begin = Instant::now();
        Self {
            wanted: now.wanted.unwrap_or_default(),
            rebalance,
            look,
            now,
            end: begin + rebalance.limit.max(START_LIMIT),
            give_up: begin + START_LIMIT,
            complete_since: None,
            needed: CONFIRMATION,
            next_report: begin + REPORT_PERIOD,
        }
    }

    async fn look(&mut self) -> Result<(), Error> {
        self.look.page = retried(|| self.rebalance.master.page()).await?;
        self.now.state = self.look.state().to_owned();
        (self.now.users, self.now.workers) = (self.look.users(), self.look.worker_count());
        Ok(())
    }

    /// The test is running with exactly the wanted number of users.
    fn is_complete(&self) -> bool {
        self.now.state == "running" && i128::from(self.now.users) == i128::from(self.wanted)
    }

    /// All users have been there for long enough, and every worker has some. `complete_for` is the
    /// time since all users were there.
    async fn is_confirmed(
        &mut self,
        complete_for: Option<Duration>,
        is_sent: bool,
    ) -> Result<bool, Error> {
        let is_complete = self.is_complete();
        match complete_for {
            None if is_complete => self.complete_since = Some(Instant::now()),
            Some(time) if is_complete && time >= self.needed => {
                self.look.stats = retried(|| self.rebalance.master.stats()).await?;
                if self.rebalance.has_doubtful_workers(&self.look) {
                    self.needed = CONFIRMATION_OF_DOUBTFUL_WORKERS;
                }
                self.now.idle = self.look.idle();
                return Ok(time >= self.needed && self.have_enough_workers_users(is_sent));
            }
            Some(_) if is_complete => {}
            _ => self.complete_since = None,
        }
        Ok(false)
    }

    /// Enough workers have users: every worker or, with fewer users than workers, as many workers as users. If
    /// locustctl sent no start and there are fewer users than workers, any distribution is accepted, because Locust may
    /// put several users on one worker. The statistics must be fresh.
    fn have_enough_workers_users(&self, is_sent: bool) -> bool {
        if !is_sent && self.wanted < self.now.workers as u64 {
            return self.look.is_fresh();
        }
        let holders = self.look.stats.connected().filter(|one| one.user_count > 0).count();
        let workers = self.now.workers.max(self.rebalance.workers.unwrap_or(0));
        self.look.is_fresh() && holders as u64 >= self.wanted.min(workers as u64)
    }

    /// Moves the deadlines while Locust starts users, while users finish their tasks, and while a
    /// complete test is being confirmed.
    fn extend(&mut self, complete_for: Option<Duration>) {
        let is_moving =
            self.now.state == "spawning" || i128::from(self.now.users) > i128::from(self.wanted);
        let is_confirming = self.is_complete() && complete_for.unwrap_or_default() < self.needed;
        if is_moving || is_confirming {
            self.give_up = Instant::now() + START_LIMIT;
        }
        if is_confirming {
            self.end = self.end.max(Instant::now() + CONFIRMATION);
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.end.min(self.give_up)
    }

    fn is_report_due(&self) -> bool {
        !self.is_complete() && Instant::now() >= self.next_report
    }

    fn report(&mut self, report: &mut (dyn FnMut(&str) + Send)) {
        self.next_report = Instant::now() + REPORT_PERIOD;
        report(&match self.now.lacks_users() {
            true => self.now.shortage(),
            false => format!("the test has {} users instead of {}", self.now.users, self.wanted),
        });
    }

    fn healthy(self) -> Health {
        Health { idle: 0, verdict: Verdict::Healthy, ..self.now }
    }

    fn unconfirmed(self) -> Health {
        match self.rebalance.lost_workers(&self.look, &self.now.verdict) {
            Some(why) => Health { verdict: Verdict::Unsafe(why), ..self.now },
            None => self.now,
        }
    }
}

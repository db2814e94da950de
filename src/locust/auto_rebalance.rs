//! Redistributes the users whenever workers leave a running test: after an eviction, a crash, or a
//! change by an autoscaler or by kubectl.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::error::Error;
use super::examine::examine;
use super::health::{
    Health, Verdict, have_users_ended, have_users_ended_since_start, is_worker_starting, judge,
};
use super::look::Look;
use super::lost_start::{Attempt, LostStart};
use super::master::Master;
use super::memory::StartMemory;
use super::outcome::Outcome;
use super::pods::WorkerPods;
use super::rebalance::{Rebalance, RebalanceMode, StartInProgress};
use super::start::{KnownStart, Start};

/// At most one start is sent in this time.
const START_PERIOD: Duration = Duration::from_secs(30);

/// After this many starts that did not help, no more are sent until the test has all its users again.
const MAX_FAILURES: u32 = 3;

/// The warning after [`MAX_FAILURES`].
const GIVEN_UP: &str = "three starts did not help, so locustctl sends no more until the test has all its users again; \
     check the workers, then press Edit in Locust's page to start the missing users";

/// The users are redistributed when the number of workers has been the same for this long.
const QUIET: Duration = Duration::from_secs(2);

/// Users have ended by themselves if each look has shown it for this long. Shortly after Locust itself has moved
/// users to other workers, some of them can be missing.
const ENDED_PERIOD: Duration = Duration::from_secs(5);

/// [`ENDED_PERIOD`] if a worker has no users, because it may not have started them yet.
const ENDED_PERIOD_WITH_STARTING_WORKER: Duration = Duration::from_secs(60);

/// Watches a running test, and redistributes its users when workers have left.
#[derive(Debug, Default)]
pub struct AutoRebalancer {
    /// The last look at which the test had all its users, or all except those that have ended by themselves.
    steady: Option<Look>,
    /// The time since which each look has shown that users of `steady` ended by themselves.
    ended_since: Option<Instant>,
    /// The last look had another number of users on the workers of `steady`.
    is_edited: bool,
    /// The file that keeps starts for the next run of locustctl.
    memory: Option<StartMemory>,
    /// Time at which the last start was sent or refused. Locust may not have answered it.
    last_start: Mutex<Option<Instant>>,
    /// A start that Locust has accepted, until its result is known to the caller.
    accepted: Mutex<Option<KnownStart>>,
    /// The last start that was sent, until its result is known.
    attempt: Mutex<Option<Attempt>>,
    /// A start whose answer was lost.
    lost: Option<LostStart>,
    /// Starts that did not help, since the test last had all its users.
    failures: u32,
    /// The connected workers at the last look, and since when their number is the same.
    workers: Option<(usize, Instant)>,
}

/// Starts that the caller has not got from a successful rebalance.
#[derive(Debug)]
pub struct UnreportedStarts {
    /// A start that Locust accepted, or that a later look found.
    pub accepted: Option<KnownStart>,
    /// The last start that was sent, if its rebalance failed or was dropped. See [`Attempt::is_open`].
    pub attempt: Option<Attempt>,
}

/// The result of one look.
#[derive(Debug)]
pub struct Watched {
    pub look: Look,
    pub health: Health,
    /// The result of the rebalance, if there was one.
    pub outcome: Option<Outcome>,
}

impl AutoRebalancer {
    /// An `AutoRebalancer` that keeps starts in a file for the next run of locustctl.
    pub fn with_memory(memory: StartMemory) -> Self {
        Self { memory: Some(memory), ..Self::default() }
    }

    /// The last look at which this test had all its users, or all except those that have ended by themselves; `None`
    /// if there was none.
    pub fn steady(&self) -> Option<&Look> {
        self.steady.as_ref()
    }

    /// The test has all its users now. `users` is their number. A caller that does not take a
    /// whole look at every complete test must call this. `has_idle_workers`: some connected workers have no users, so the last start may not have helped.
    pub fn see_all_users(&mut self, users: u64, has_idle_workers: bool) {
        self.ended_since = None;
        // The users that were missing at this look had not ended by themselves.
        self.steady.take_if(|steady| i128::from(steady.users()) < i128::from(users));
        if !has_idle_workers {
            self.failures = 0;
        }
    }

    /// The last look had another number of users than the test should have, on the same workers:
    /// somebody has edited the test, or users have ended by themselves.
    pub fn is_edited(&self) -> bool {
        self.is_edited
    }

    /// The last steady look, if it is valid for this test. A look at an earlier test says nothing about this one.
    fn steady_for(&self, now: &Look, known: Option<&KnownStart>) -> Option<&Look> {
        self.steady.as_ref().filter(|steady| steady.is_valid_for(now, known))
    }

    /// Looks at Locust and judges the test. Sends no start.
    ///
    /// # Errors
    /// Locust does not answer.
    pub async fn look(
        &mut self,
        master: &Master<'_>,
        pods: Option<WorkerPods>,
        known: Option<&KnownStart>,
    ) -> Result<(Look, Health), Error> {
        let (look, health) =
            examine(master, pods.clone(), None, known, self.memory.as_ref()).await?;
        self.find_lost_start(master, &look);
        let steady = self.steady.as_ref();
        self.is_edited = steady.is_some_and(|steady| look.has_other_users_on_same_workers(steady));
        let ended_since = self.ended_since.take();
        if health.verdict == Verdict::NoTest
            && let Some(judged) = self.lost_all_workers(&look, known)
        {
            self.failures = 0;
            return Ok((look, judged));
        }
        match health.verdict {
            Verdict::Healthy if look.is_steady && look.is_fresh() => {
                self.steady = Some(look.clone());
                self.failures = 0;
            }
            Verdict::NoTest
            | Verdict::Ended
            | Verdict::WorkersLost
            | Verdict::MasterBroken
            | Verdict::Foreign => {
                self.steady = None;
                self.failures = 0;
            }
            // An earlier look may show how many users the test should have, and why some are gone.
            Verdict::Unknown(_) | Verdict::Unsafe(_) | Verdict::Repairable(_) => {
                if let Some(before) = self.steady_for(&look, known) {
                    let judged = judge(&look, Some(before), known);
                    match (health.needs_rebalance(), judged.needs_rebalance()) {
                        (false, true) => {
                            let memory = self.memory.as_ref();
                            return examine(master, pods, Some(before), known, memory).await;
                        }
                        (true, false) => return Ok((look, judged)),
                        _ => {}
                    }
                }
                // The users that have ended must not start again. So this look becomes the steady one: if workers leave
                // later, the test had its users before.
                let have_ended = match &self.steady {
                    Some(steady) => have_users_ended(&look, steady),
                    None => have_users_ended_since_start(&look, &health),
                };
                if have_ended {
                    let since = *self.ended_since.insert(ended_since.unwrap_or_else(Instant::now));
                    let steady = self.steady.as_ref();
                    let had = steady.and_then(|steady| u64::try_from(steady.users()).ok());
                    let wanted = health.wanted.or(had).unwrap_or(0);
                    let period = match is_worker_starting(wanted, &look, steady) {
                        true => ENDED_PERIOD_WITH_STARTING_WORKER,
                        false => ENDED_PERIOD,
                    };
                    if since.elapsed() >= period {
                        self.steady = Some(look.clone());
                    }
                }
            }
            _ => {}
        }
        Ok((look, health))
    }

    /// The judgement if Locust has stopped the test of the last steady look, because it lost all its workers.
    fn lost_all_workers(&self, now: &Look, known: Option<&KnownStart>) -> Option<Health> {
        let judged = judge(now, Some(self.steady.as_ref()?), known);
        (judged.verdict == Verdict::WorkersLost).then_some(judged)
    }

    /// Looks at Locust, and redistributes the users when the workers have settled. `report` gets lines
    /// on the progress.
    ///
    /// # Errors
    /// Locust does not answer, or refuses.
    pub async fn look_and_rebalance(
        &mut self,
        master: &Master<'_>,
        pods: Option<WorkerPods>,
        known: Option<&KnownStart>,
        in_progress: Option<&StartInProgress>,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Watched, Error> {
        let (look, health) = self.look(master, pods.clone(), known).await?;
        // The caller does not know a start that was just found.
        let is_found = self.accepted.get_mut().is_some();
        if is_found || !(self.is_quiet(&look) && health.needs_rebalance() && self.may_start()) {
            return Ok(Watched { look, health, outcome: None });
        }
        let (before, memory) = (self.steady_for(&look, known).cloned(), self.memory.clone());
        let on_attempt = |start: &Start, at: Instant| {
            *self.last_start.lock() = Some(Instant::now());
            *self.attempt.lock() = Some(Attempt::new(start, at, &look));
        };
        let on_start = |start: &KnownStart| *self.accepted.lock() = Some(start.clone());
        let rebalance = Rebalance {
            master,
            mode: RebalanceMode::AtOnce,
            before: before.as_ref(),
            known,
            limit: START_PERIOD,
            workers: None,
            memory: memory.as_ref(),
            repeats: false,
            on_attempt: Some(&on_attempt),
            on_start: Some(&on_start),
            in_progress,
        };
        let result = rebalance.run(pods, report).await;
        let is_attempted = self.attempt.get_mut().is_some();
        self.count(&result, is_attempted);
        let is_accepted = self.accepted.get_mut().is_some();
        match &result {
            Ok(_) => {
                self.accepted.get_mut().take();
                self.attempt.get_mut().take();
            }
            Err(error) => {
                if let Some(attempt) = self.attempt.get_mut() {
                    attempt.is_open = is_accepted || error.may_have_been_applied();
                }
            }
        }
        let outcome = result?;
        let health = outcome.health().clone();
        Ok(Watched { look, health, outcome: Some(outcome) })
    }

    /// Returns the starts that were sent or found since the last call, except those of a successful rebalance. Call
    /// it after each [`AutoRebalancer::look`] and [`AutoRebalancer::look_and_rebalance`], also if it failed or was
    /// dropped.
    pub fn take_unreported_starts(&mut self) -> UnreportedStarts {
        let (accepted, attempt) = (self.accepted.get_mut().take(), self.attempt.get_mut().take());
        if let (None, Some(attempt)) = (&accepted, &attempt)
            && attempt.is_open
        {
            self.lost = Some(LostStart::new(attempt.clone()));
        }
        UnreportedStarts { accepted, attempt }
    }

    /// Looks for a start whose answer was lost.
    fn find_lost_start(&mut self, master: &Master<'_>, look: &Look) {
        let Some(lost) = &mut self.lost else { return };
        if let Some(found) = lost.find(look) {
            if let Some(memory) = &self.memory {
                memory.save(&master.place(), look.log.as_ref(), &found);
            }
            *self.accepted.get_mut() = Some(found);
            self.lost = None;
        } else if lost.is_over(look) {
            self.lost = None;
        }
    }

    /// The warning that no more starts are sent, because the last ones did not help; `None` while
    /// starts are sent.
    pub fn given_up(&self) -> Option<&'static str> {
        (self.failures >= MAX_FAILURES).then_some(GIVEN_UP)
    }

    /// Counts a start that was sent or refused. A start without an answer counts as one that did not help.
    fn count(&mut self, result: &Result<Outcome, Error>, is_attempted: bool) {
        if !is_attempted {
            if !matches!(result, Err(Error::Refused(_))) {
                return;
            }
            *self.last_start.get_mut() = Some(Instant::now());
        }
        match result {
            Ok(Outcome::Repaired { .. } | Outcome::Edited { .. }) => self.failures = 0,
            Ok(Outcome::Unconfirmed { sent: Some(_), .. }) | Err(_) => self.failures += 1,
            Ok(_) => {}
        }
    }

    fn may_start(&self) -> bool {
        let is_time = self.last_start.lock().is_none_or(|last| last.elapsed() >= START_PERIOD);
        is_time && self.given_up().is_none()
    }

    /// The workers are those of the ready pods, and their number has been the same for [`QUIET`].
    fn is_quiet(&mut self, look: &Look) -> bool {
        let now = (look.worker_count(), Instant::now());
        let since = match self.workers {
            Some((count, since)) if count == now.0 => since,
            _ => now.1,
        };
        self.workers = Some((now.0, since));
        let is_complete = match &look.pods {
            Some(pods) => look.table().is_complete(pods),
            None => false,
        };
        is_complete && now.1 - since >= QUIET
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::super::examples::{known, look};
    use super::*;

    fn health() -> Health {
        judge(&look("2.47.0", &[60]).with_num_users(60.0), None, None)
    }

    fn unconfirmed() -> Result<Outcome, Error> {
        Ok(Outcome::Unconfirmed {
            sent: Some((health(), known(60))),
            now: health(),
            is_reset: false,
        })
    }

    fn repaired() -> Result<Outcome, Error> {
        Ok(Outcome::Repaired { was: health(), now: health(), sent: known(60), is_reset: false })
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_one_start_is_sent_or_refused_every_30_seconds() {
        let mut rebalancer = AutoRebalancer::default();
        assert!(rebalancer.may_start());
        // The start was sent some seconds before its result was known.
        *rebalancer.last_start.get_mut() = Some(Instant::now());
        advance(Duration::from_secs(10)).await;
        rebalancer.count(&repaired(), true);
        advance(Duration::from_millis(19_999)).await;
        assert!(!rebalancer.may_start());
        advance(Duration::from_millis(1)).await;
        assert!(rebalancer.may_start());
        rebalancer.count(&Err(Error::Refused("no".to_owned())), false);
        assert!(!rebalancer.may_start());
    }

    #[tokio::test(start_paused = true)]
    async fn no_start_is_sent_after_three_that_did_not_help() {
        let mut rebalancer = AutoRebalancer::default();
        for failure in [unconfirmed(), Err(Error::Refused("no".to_owned())), unconfirmed()] {
            advance(START_PERIOD).await;
            assert!(rebalancer.may_start() && rebalancer.given_up().is_none());
            rebalancer.count(&failure, true);
            *rebalancer.last_start.get_mut() = Some(Instant::now());
        }
        advance(START_PERIOD * 100).await;
        assert!(!rebalancer.may_start() && rebalancer.given_up().is_some());
    }

    #[test]
    fn a_test_with_all_its_users_resets_the_failures() {
        let mut rebalancer = AutoRebalancer::default();
        for _ in 0..MAX_FAILURES {
            rebalancer.count(&unconfirmed(), true);
        }
        rebalancer.see_all_users(60, true);
        assert!(rebalancer.given_up().is_some());
        rebalancer.see_all_users(60, false);
        assert!(rebalancer.given_up().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_start_that_helped_resets_the_failures() {
        let mut rebalancer = AutoRebalancer::default();
        rebalancer.count(&unconfirmed(), true);
        rebalancer.count(&Ok(Outcome::NothingSent(health())), false);
        rebalancer.count(&unconfirmed(), true);
        assert_eq!(rebalancer.failures, 2);
        rebalancer
            .count(&Ok(Outcome::Unconfirmed { sent: None, now: health(), is_reset: false }), false);
        assert_eq!(rebalancer.failures, 2);
        rebalancer.count(&repaired(), true);
        assert_eq!(rebalancer.failures, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn users_are_redistributed_when_the_workers_have_settled() {
        let pod = |name: &str| {
            serde_json::from_value(serde_json::json!({"metadata": {"name": name},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
            .unwrap()
        };
        let with = |shares: &[i64], names: &[&str]| {
            let pods: Vec<_> = names.iter().map(|name| pod(name)).collect();
            Look { pods: Some(WorkerPods::new(&pods)), ..look("2.47.0", shares) }
        };
        let mut rebalancer = AutoRebalancer::default();
        let two = with(&[15, 15], &["w-0", "w-1"]);
        assert!(!rebalancer.is_quiet(&two));
        advance(QUIET).await;
        assert!(rebalancer.is_quiet(&two));
        assert!(!rebalancer.is_quiet(&with(&[15], &["w-0"])), "a worker left");
        advance(QUIET).await;
        assert!(
            !rebalancer.is_quiet(&with(&[15], &["w-0", "w-1"])),
            "a pod has no connected worker"
        );
        assert!(rebalancer.is_quiet(&with(&[15], &["w-0"])));
        assert!(!rebalancer.is_quiet(&look("2.47.0", &[15])), "the pods are unknown");
    }
}

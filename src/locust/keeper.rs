//! Keeping a running test's users, for whatever reason workers leave: an eviction, an autoscaler, kubectl.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;
use super::give_back::{Care, Rebalance, Unfinished, examine};
use super::health::{Health, Verdict, judge};
use super::look::Look;
use super::master::Master;
use super::memory::StartMemory;
use super::outcome::Outcome;
use super::pods::WorkerPods;
use super::start::KnownStart;

/// At most one start is sent in this time.
const START_PERIOD: Duration = Duration::from_secs(30);

/// After this many starts that did not help, no more are sent until the test is well again.
const MOST_FAILURES: u32 = 3;

/// The workers must stand still for this long before their users are given back.
const QUIET: Duration = Duration::from_secs(2);

/// Remembers how a test was when all was well, and gives it its users back.
#[derive(Debug, Default)]
pub struct Keeper {
    /// The last look at which the test had all its users.
    steady: Option<Look>,
    /// Where starts are remembered for the next run of locustctl.
    memory: Option<StartMemory>,
    last_start: Option<Instant>,
    failures: u32,
    /// The workers that were connected at the last look, and since when.
    workers: Option<(usize, Instant)>,
}

/// The result of one look.
#[derive(Debug)]
pub struct Watched {
    /// Everything that Locust told.
    pub look: Look,
    /// How it stands with the test.
    pub health: Health,
    /// The result of a rebalance, if one was tried.
    pub outcome: Option<Outcome>,
}

impl Keeper {
    /// Remembers starts for the next run of locustctl, too.
    pub fn with_memory(memory: StartMemory) -> Self {
        Self { memory: Some(memory), ..Self::default() }
    }

    /// The last look at which the test had all its users; `None` when there was none in this test.
    pub fn steady(&self) -> Option<&Look> {
        self.steady.as_ref()
    }

    /// Looks at Locust and judges the test, without doing anything about it.
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
        match health.verdict {
            Verdict::Healthy if look.is_steady && look.is_fresh() => {
                self.steady = Some(look.clone());
                self.failures = 0;
            }
            Verdict::NoTest | Verdict::Ended | Verdict::MasterBroken | Verdict::Foreign => {
                self.steady = None;
                self.failures = 0;
            }
            // An earlier look may tell how many users the test wants, and why some are gone.
            Verdict::Unknown(_) | Verdict::Unsafe(_) if self.steady.is_some() => {
                let before = self.steady.as_ref();
                let judged = judge(&look, before, known);
                if judged.needs_rebalance() {
                    let memory = self.memory.as_ref();
                    return examine(master, pods, before, known, memory).await;
                }
            }
            _ => {}
        }
        Ok((look, health))
    }

    /// Looks at Locust, and gives the test its users back when the workers have settled. `report` gets
    /// lines on how that goes on.
    ///
    /// # Errors
    /// Locust does not answer, or refuses.
    pub async fn keep(
        &mut self,
        master: &Master<'_>,
        pods: Option<WorkerPods>,
        known: Option<&KnownStart>,
        unfinished: Option<&Unfinished>,
        report: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Watched, Error> {
        let (look, health) = self.look(master, pods.clone(), known).await?;
        if !(self.is_quiet(&look) && health.needs_rebalance() && self.may_start()) {
            return Ok(Watched { look, health, outcome: None });
        }
        let (before, memory) = (self.steady.clone(), self.memory.clone());
        let was_sent = AtomicBool::new(false);
        let on_start = |_: &KnownStart| was_sent.store(true, Ordering::Relaxed);
        let care = Care {
            master,
            on_start: Some(&on_start),
            before: before.as_ref(),
            known,
            rebalance: Rebalance::AtOnce,
            limit: START_PERIOD,
            workers: None,
            memory: memory.as_ref(),
            unfinished,
        };
        let result = care.give_back(pods, report).await;
        self.count(&result, was_sent.into_inner());
        let outcome = result?;
        let health = outcome.health().clone();
        Ok(Watched { look, health, outcome: Some(outcome) })
    }

    /// No more starts are sent, since the last ones did not help.
    pub fn has_given_up(&self) -> bool {
        self.failures >= MOST_FAILURES
    }

    /// Counts what came of a repair, if a start was sent or refused.
    fn count(&mut self, result: &Result<Outcome, Error>, was_sent: bool) {
        if !was_sent && !matches!(result, Err(Error::Refused(_))) {
            return;
        }
        let at = result.as_ref().ok().and_then(Outcome::sent).map(|sent| sent.at);
        self.last_start = Some(at.unwrap_or_else(Instant::now));
        match result {
            Ok(Outcome::Repaired { .. }) => self.failures = 0,
            Ok(Outcome::Unconfirmed { sent: Some(_), .. }) | Err(_) => self.failures += 1,
            Ok(_) => {}
        }
    }

    fn may_start(&self) -> bool {
        let is_time = self.last_start.is_none_or(|last| last.elapsed() >= START_PERIOD);
        is_time && !self.has_given_up()
    }

    /// The workers are those of the ready pods, and have been so for a while.
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
        judge(&look("2.47.0", &[60]).told(60.0), None, None)
    }

    fn in_vain() -> Result<Outcome, Error> {
        Ok(Outcome::Unconfirmed { sent: Some((health(), known(60))), now: health() })
    }

    fn repaired() -> Result<Outcome, Error> {
        Ok(Outcome::Repaired { was: health(), now: health(), sent: known(60) })
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_one_start_is_sent_in_half_a_minute() {
        let mut keeper = Keeper::default();
        assert!(keeper.may_start());
        // It was sent some seconds before its end was known.
        let sent = repaired();
        advance(Duration::from_secs(10)).await;
        keeper.count(&sent, true);
        advance(Duration::from_millis(19_999)).await;
        assert!(!keeper.may_start());
        advance(Duration::from_millis(1)).await;
        assert!(keeper.may_start());
    }

    #[tokio::test(start_paused = true)]
    async fn three_starts_that_did_not_help_are_the_last() {
        let mut keeper = Keeper::default();
        for failure in [in_vain(), Err(Error::Refused("no".to_owned())), in_vain()] {
            advance(START_PERIOD).await;
            assert!(keeper.may_start() && !keeper.has_given_up());
            keeper.count(&failure, true);
        }
        advance(START_PERIOD * 100).await;
        assert!(!keeper.may_start() && keeper.has_given_up());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_start_that_helped_makes_up_for_those_that_did_not() {
        let mut keeper = Keeper::default();
        keeper.count(&in_vain(), true);
        keeper.count(&Ok(Outcome::Left(health())), false);
        keeper.count(&in_vain(), true);
        assert_eq!(keeper.failures, 2);
        keeper.count(&Ok(Outcome::Unconfirmed { sent: None, now: health() }), false);
        assert_eq!(keeper.failures, 2);
        keeper.count(&repaired(), true);
        assert_eq!(keeper.failures, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn users_are_given_back_when_the_workers_have_stood_still() {
        let pod = |name: &str| {
            serde_json::from_value(serde_json::json!({"metadata": {"name": name},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
            .unwrap()
        };
        let with = |shares: &[i64], names: &[&str]| {
            let pods: Vec<_> = names.iter().map(|name| pod(name)).collect();
            Look { pods: Some(WorkerPods::new(&pods)), ..look("2.47.0", shares) }
        };
        let mut keeper = Keeper::default();
        let two = with(&[15, 15], &["w-0", "w-1"]);
        assert!(!keeper.is_quiet(&two));
        advance(QUIET).await;
        assert!(keeper.is_quiet(&two));
        assert!(!keeper.is_quiet(&with(&[15], &["w-0"])), "a worker left");
        advance(QUIET).await;
        assert!(!keeper.is_quiet(&with(&[15], &["w-0", "w-1"])), "a pod is not connected");
        assert!(keeper.is_quiet(&with(&[15], &["w-0"])));
        assert!(!keeper.is_quiet(&look("2.47.0", &[15])), "the pods are not known");
    }
}

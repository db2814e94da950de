//! Checks a running test after a change: once the workers are settled, it gets its users back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::backend::Backend;
use super::caller::Caller;
use super::live::EndedChange;
use super::log::{Audit, audit};
use super::open_changes::OpenChange;
use super::settings::RebalancePolicy;
use super::settling::{Settling, settling};
use super::snapshot::{Stage, UserCheck};
use crate::locust::{
    Error, KnownStart, Look, Master, Outcome, Rebalance, RebalanceMode, Search, wait_for_workers,
};
use crate::text::terminal::printable;

/// Time limit for the look at Locust before a change. A slower Locust must not delay the change.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// Time limit for the pods to become ready.
const PODS_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Time limit for the workers to connect. The master notices a killed worker after 4 s.
const WORKERS_LIMIT: Duration = Duration::from_secs(60);

/// Time limit for the workers if the master did not answer before the change.
const SILENT_LIMIT: Duration = Duration::from_secs(10);

/// The test before a change.
pub(super) enum TestBefore {
    /// There is no Locust, or no test is running.
    None,
    Running(Box<Look>),
    /// Locust did not answer in time.
    Unknown,
}

/// A change that was made here while a test was running, or may have been running.
pub(super) struct ChangeDuringTest {
    pub ended: EndedChange,
    /// The requested count.
    pub new: i64,
    /// The test before the change, if known.
    pub before: Option<Box<Look>>,
    pub caller: Caller,
    /// Marks the change as unfinished until it is dropped.
    pub open: OpenChange,
}

/// Redistributes the users of a running test, after changes and on request.
pub(super) struct Rebalancer {
    backend: Arc<Backend>,
    /// The history id of the last change. It ends the checks of earlier changes.
    latest: watch::Sender<u64>,
    /// Turns true when the server stops.
    is_stopping: watch::Receiver<bool>,
}

impl Rebalancer {
    pub(super) fn new(backend: Arc<Backend>, is_stopping: watch::Receiver<bool>) -> Self {
        Self { backend, latest: watch::Sender::new(0), is_stopping }
    }

    /// Looks at the test before a change. It takes at most [`LOOK_LIMIT`].
    pub(super) async fn test_before(&self) -> TestBefore {
        let live = &self.backend.live;
        if live.now().snapshot.locust.is_none() {
            return TestBefore::None;
        }
        let look = async {
            let pods = live.worker_pods();
            match self.backend.find_locust(pods.as_ref()).await? {
                Search::Found(master) => Look::take(&master, pods).await.map(Some),
                Search::Absent | Search::Foreign { .. } => Ok(None),
            }
        };
        match timeout(LOOK_LIMIT, look).await {
            Ok(Ok(Some(look))) if look.is_running() => {
                TestBefore::Running(Box::new(self.best(look)))
            }
            Ok(Ok(_)) => TestBefore::None,
            // Locust exists, or should exist: its answer after the change decides.
            Ok(Err(_)) | Err(_) => TestBefore::Unknown,
        }
    }

    /// Chooses the look that tells the users before a change. If an earlier change has just cost
    /// users, it is the last look at which the test had all of them.
    fn best(&self, now: Look) -> Look {
        match self.backend.live.steady() {
            Some(steady) if now.users() < steady.users() && steady.is_same_test(&now) => {
                Look { pods: now.pods, ..steady }
            }
            _ => now,
        }
    }

    /// Checks a running test after a change, in the background. The result goes to the history, to
    /// the audit log and to the returned receiver.
    pub(super) fn check(
        self: &Arc<Self>,
        change: ChangeDuringTest,
    ) -> oneshot::Receiver<UserCheck> {
        let (sender, users) = oneshot::channel();
        let rebalancer = Arc::clone(self);
        let id = change.ended.id;
        rebalancer.latest.send_replace(id);
        tokio::spawn(async move {
            let mut latest = rebalancer.latest.subscribe();
            let mut is_stopping = rebalancer.is_stopping.clone();
            let outcome = tokio::select! {
                outcome = rebalancer.wait_and_check(&change) => outcome,
                _ = latest.wait_for(|latest| *latest > id) => wrong(
                    "the number of workers changed again before serve could check the users"
                        .to_owned(),
                ),
                _ = is_stopping.wait_for(|is_stopping| *is_stopping) => wrong(
                    "serve ended before it could check the users".to_owned(),
                ),
            };
            let live = &rebalancer.backend.live;
            live.set_users(id, outcome.clone());
            live.request_look();
            audit_rebalance(&change.caller, &outcome);
            drop(change.open);
            // The request may have ended without waiting.
            let _ = sender.send(outcome);
        });
        users
    }

    async fn wait_and_check(&self, change: &ChangeDuringTest) -> UserCheck {
        let live = &self.backend.live;
        let id = change.ended.id;
        let set_waiting =
            |text: &str| live.set_users(id, UserCheck { stage: Stage::Waiting, text: text.into() });
        set_waiting("waiting for the pods");
        match timeout(PODS_LIMIT, settling(live, change.ended, change.new)).await {
            Ok(Settling::Settled) => {}
            Ok(Settling::Overtaken(_)) => {
                return wrong("the count was changed again before all workers were ready".into());
            }
            Ok(Settling::Gone) => return wrong("the target was deleted".into()),
            Err(_) => {
                let limit = PODS_LIMIT.as_secs() / 60;
                return wrong(format!("not all workers were ready within {limit} minutes"));
            }
        }
        set_waiting("waiting for the workers to connect to Locust");
        match self.settle_and_give_back(change).await {
            Ok(users) => users,
            Err(error) => {
                wrong(format!("serve cannot tell whether the test has its users: {error}"))
            }
        }
    }

    async fn settle_and_give_back(&self, change: &ChangeDuringTest) -> Result<UserCheck, Error> {
        let pods = self.backend.live.worker_pods();
        let master = match self.backend.find_locust(pods.as_ref()).await? {
            Search::Found(master) => master,
            Search::Absent => return Ok(wrong("Locust was not found after the change".to_owned())),
            Search::Foreign { place, .. } => {
                return Ok(wrong(format!(
                    "Locust at {place} runs another test: its workers are not in the target's pods"
                )));
            }
        };
        let pods = || std::future::ready(self.backend.live.ready_worker_pods(change.new));
        let limit = if change.before.is_some() { WORKERS_LIMIT } else { SILENT_LIMIT };
        let silent = Look::default();
        let before = change.before.as_deref();
        let settled = wait_for_workers(&master, before.unwrap_or(&silent), limit, pods).await;
        let mode = match self.backend.locust.rebalance {
            RebalancePolicy::Never => RebalanceMode::Never,
            RebalancePolicy::AfterChanges | RebalancePolicy::Always => RebalanceMode::AtOnce,
        };
        let workers = settled.as_ref().ok().copied();
        let outcome = self.give_back(&master, before, mode, workers).await?;
        let is_well = outcome.is_well() && settled.is_ok() && !outcome.health().is_alarming();
        let text = match settled {
            Ok(_) => outcome.to_string(),
            Err(unsettled) => format!("{unsettled}; {outcome}"),
        };
        let stage = if is_well { Stage::Passed } else { Stage::Failed };
        Ok(UserCheck { stage, text: printable(&text) })
    }

    async fn give_back(
        &self,
        master: &Master<'_>,
        before: Option<&Look>,
        mode: RebalanceMode,
        workers: Option<usize>,
    ) -> Result<Outcome, Error> {
        let known = self.backend.known_start();
        let (known, limit) = (known.as_ref(), WORKERS_LIMIT);
        let (memory, ramp) = (None, None);
        let on_start = |sent: &KnownStart| self.backend.remember_start(sent.clone());
        let on_start: Option<&(dyn Fn(&KnownStart) + Sync)> = Some(&on_start);
        let rebalance =
            Rebalance { master, mode, before, known, limit, workers, memory, on_start, ramp };
        rebalance.run(self.backend.live.worker_pods(), &mut |_| {}).await
    }

    /// Redistributes the users of a running test on request. Returns `Ok(None)` if there is no
    /// Locust.
    ///
    /// # Errors
    /// Locust does not answer, or refuses.
    pub(super) async fn rebalance(&self, caller: &Caller) -> Result<Option<Outcome>, Error> {
        let live = &self.backend.live;
        let pods = live.worker_pods();
        let found = self.backend.find_locust(pods.as_ref()).await?;
        let Search::Found(master) = found else { return Ok(None) };
        let steady = live.steady();
        let result = self.give_back(&master, steady.as_ref(), RebalanceMode::AtOnce, None).await;
        let (stage, text) = match &result {
            Ok(outcome) if outcome.is_well() && !outcome.health().is_alarming() => {
                (Stage::Passed, outcome.to_string())
            }
            Ok(outcome) => (Stage::Failed, outcome.to_string()),
            Err(error) => (Stage::Failed, error.to_string()),
        };
        let users = UserCheck { stage, text: printable(&text) };
        audit_rebalance(caller, &users);
        if let Ok(Outcome::Repaired { .. }) = result {
            live.record_repair(users);
        }
        result.map(Some)
    }
}

fn audit_rebalance(caller: &Caller, users: &UserCheck) {
    audit(&Audit {
        who: &caller.name,
        from: caller.from,
        action: "rebalance",
        old: None,
        new: None,
        outcome: users.stage.as_str(),
        detail: &users.text,
    });
}

fn wrong(text: String) -> UserCheck {
    UserCheck { stage: Stage::Failed, text: printable(&text) }
}

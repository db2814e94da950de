//! What a change means for a running test: when the workers are settled, it is given its users back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::RebalanceWhen;
use super::app::{App, OpenChange};
use super::caller::Caller;
use super::live::Ended;
use super::log::{Audit, audit};
use super::settling::Settling;
use super::snapshot::{Stage, Users};
use crate::locust::{
    Error, KnownStart, Look, Master, Outcome, Rebalance, RebalanceMode, Search, wait_for_workers,
};
use crate::text::terminal::printable;

/// A Locust that is slower must not hold up the change.
const QUICK: Duration = Duration::from_secs(2);

/// Time limit for the pods to become ready.
const PODS_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Time limit for the workers to connect; the master notices a killed worker after 4 s.
const WORKERS_LIMIT: Duration = Duration::from_secs(60);

/// Time limit for a master that did not answer before the change.
const SILENT_LIMIT: Duration = Duration::from_secs(10);

/// How it is at Locust before a change.
pub(super) enum Before {
    /// There is none, or no test is running.
    NoTest,
    /// A test is running.
    Running(Box<Look>),
    /// It did not tell in time.
    Unknown,
}

/// A change that was made here while a test was running, or may have been.
pub(super) struct Change {
    /// Its entry in the history.
    pub ended: Ended,
    /// The count that was asked for.
    pub new: i64,
    /// The test before it, where that is known.
    pub before: Option<Box<Look>>,
    /// Who made it.
    pub caller: Caller,
    /// Marks the change as unfinished until it is dropped.
    pub open: OpenChange,
}

impl App {
    /// How it is at Locust before a change; at once, or it is not known.
    pub(super) async fn before(&self) -> Before {
        if self.live.now().snapshot.locust.is_none() {
            return Before::NoTest;
        }
        let asking = async {
            let pods = self.live.worker_pods();
            match self.location().find(&self.client, &self.target, pods.as_ref()).await? {
                Search::Found(master) => Look::take(&master, pods).await.map(Some),
                Search::Absent | Search::Foreign { .. } => Ok(None),
            }
        };
        match timeout(QUICK, asking).await {
            Ok(Ok(Some(look))) if look.is_running() => Before::Running(Box::new(self.best(look))),
            Ok(Ok(_)) => Before::NoTest,
            // It is there, or is said to be: what it says later counts.
            Ok(Err(_)) | Err(_) => Before::Unknown,
        }
    }

    /// Chooses the look that tells the users before a change. If an earlier change has just cost
    /// users, it is the last look at which the test had all of them.
    fn best(&self, now: Look) -> Look {
        match self.live.steady() {
            Some(steady) if now.users() < steady.users() && steady.is_same_test(&now) => {
                Look { pods: now.pods, ..steady }
            }
            _ => now,
        }
    }

    /// Sees to a running test after a change, in the background; what came of it is told in the
    /// history, in the audit line, and to whoever waits for it.
    pub(super) fn look_after(self: &Arc<Self>, change: Change) -> oneshot::Receiver<Users> {
        let (told, users) = oneshot::channel();
        let app = Arc::clone(self);
        let id = change.ended.id;
        app.latest.send_replace(id);
        tokio::spawn(async move {
            let mut latest = app.latest.subscribe();
            let mut is_stopping = app.is_stopping.clone();
            let outcome = tokio::select! {
                outcome = app.see_through(&change) => outcome,
                _ = latest.wait_for(|latest| *latest > id) => wrong(
                    "the number of workers changed again before serve could check the users"
                        .to_owned(),
                ),
                _ = is_stopping.wait_for(|is_stopping| *is_stopping) => wrong(
                    "serve ended before it could check the users".to_owned(),
                ),
            };
            app.live.users(id, outcome.clone());
            app.live.look_again();
            app.note(&change.caller, &outcome);
            drop(change.open);
            // Nobody may be waiting any more.
            let _ = told.send(outcome);
        });
        users
    }

    async fn see_through(&self, change: &Change) -> Users {
        let id = change.ended.id;
        let waiting =
            |text: &str| self.live.users(id, Users { stage: Stage::Waiting, text: text.into() });
        waiting("waiting for the pods");
        match timeout(PODS_LIMIT, self.settling(change.ended, change.new)).await {
            Ok(Settling::Settled) => {}
            Ok(Settling::Overtaken(_)) => {
                return wrong("the count was changed again before all were ready".into());
            }
            Ok(Settling::Gone) => return wrong("the workers' Deployment is gone".into()),
            Err(_) => {
                let limit = PODS_LIMIT.as_secs() / 60;
                return wrong(format!("not all workers were ready within {limit} minutes"));
            }
        }
        waiting("waiting for the workers to connect to Locust");
        match self.settle_and_give_back(change).await {
            Ok(users) => users,
            Err(error) => {
                wrong(format!("serve cannot tell whether the test has its users: {error}"))
            }
        }
    }

    async fn settle_and_give_back(&self, change: &Change) -> Result<Users, Error> {
        let pods = self.live.worker_pods();
        let location = self.location();
        let master = match location.find(&self.client, &self.target, pods.as_ref()).await? {
            Search::Found(master) => master,
            Search::Absent => return Ok(wrong("Locust was not found after the change".to_owned())),
            Search::Foreign { place, .. } => {
                return Ok(wrong(format!(
                    "Locust at {place} runs another test: its workers are not in the target's pods"
                )));
            }
        };
        let pods = || std::future::ready(self.pods_when(change.new));
        let limit = if change.before.is_some() { WORKERS_LIMIT } else { SILENT_LIMIT };
        let silent = Look::default();
        let before = change.before.as_deref();
        let settled = wait_for_workers(&master, before.unwrap_or(&silent), limit, pods).await;
        let mode = match self.locust.rebalance {
            RebalanceWhen::Never => RebalanceMode::Never,
            RebalanceWhen::AfterChanges | RebalanceWhen::Always => RebalanceMode::AtOnce,
        };
        let workers = settled.as_ref().ok().copied();
        let outcome = self.give_back(&master, before, mode, workers).await?;
        let is_well = outcome.is_well() && settled.is_ok() && !outcome.health().is_alarming();
        let text = match settled {
            Ok(_) => outcome.to_string(),
            Err(unsettled) => format!("{unsettled}; {outcome}"),
        };
        let stage = if is_well { Stage::Well } else { Stage::Wrong };
        Ok(Users { stage, text: printable(&text) })
    }

    async fn give_back(
        &self,
        master: &Master<'_>,
        before: Option<&Look>,
        mode: RebalanceMode,
        workers: Option<usize>,
    ) -> Result<Outcome, Error> {
        let known = self.known_start();
        let (known, limit) = (known.as_ref(), WORKERS_LIMIT);
        let (memory, ramp) = (None, None);
        let on_start = |sent: &KnownStart| self.remember_start(sent.clone());
        let on_start: Option<&(dyn Fn(&KnownStart) + Sync)> = Some(&on_start);
        let rebalance =
            Rebalance { master, mode, before, known, limit, workers, memory, on_start, ramp };
        rebalance.run(self.live.worker_pods(), &mut |_| {}).await
    }

    /// Gives a running test its users back, because somebody asks for it.
    ///
    /// # Errors
    /// Locust does not answer, or refuses. `Ok(None)` when there is no Locust.
    pub(super) async fn rebalance(&self, caller: &Caller) -> Result<Option<Outcome>, Error> {
        let pods = self.live.worker_pods();
        let location = self.location();
        let found = location.find(&self.client, &self.target, pods.as_ref()).await?;
        let Search::Found(master) = found else { return Ok(None) };
        let steady = self.live.steady();
        let result = self.give_back(&master, steady.as_ref(), RebalanceMode::AtOnce, None).await;
        let (stage, text) = match &result {
            Ok(outcome) if outcome.is_well() && !outcome.health().is_alarming() => {
                (Stage::Well, outcome.to_string())
            }
            Ok(outcome) => (Stage::Wrong, outcome.to_string()),
            Err(error) => (Stage::Wrong, error.to_string()),
        };
        let users = Users { stage, text: printable(&text) };
        self.note(caller, &users);
        if let Ok(Outcome::Repaired { .. }) = result {
            self.live.users_are_back(users);
        }
        result.map(Some)
    }

    fn note(&self, caller: &Caller, users: &Users) {
        audit(&Audit {
            who: &caller.name,
            from: caller.from,
            action: "rebalance",
            old: None,
            new: None,
            outcome: users.stage.word(),
            detail: &users.text,
        });
    }
}

fn wrong(text: String) -> Users {
    Users { stage: Stage::Wrong, text: printable(&text) }
}

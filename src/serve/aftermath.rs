//! What a change means for a running test: when the workers are settled, it is given its users back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::app::App;
use super::caller::Caller;
use super::live::Ended;
use super::log::{Audit, audit};
use super::settling::Settling;
use super::snapshot::{Stage, Users};
use crate::locust::{Error, Stats};
use crate::scaling::{GivenBack, give_back, settle};
use crate::terminal::printable;

/// A Locust that is slower must not hold up the change.
const QUICK: Duration = Duration::from_secs(2);

/// For the pods to be as they were asked for.
const PODS_LIMIT: Duration = Duration::from_secs(10 * 60);

/// For Locust's master to count the workers in them: a killed one is missed after 4 seconds.
const WORKERS_LIMIT: Duration = Duration::from_secs(60);

/// How it is at Locust before a change.
pub(super) enum Before {
    /// There is none, or no test is running.
    NoTest,
    /// A test is running.
    Running(Stats),
    /// It did not tell in time.
    Unknown,
}

/// The same, when it did not answer before the change either: it may be gone.
const SILENT_LIMIT: Duration = Duration::from_secs(10);

/// A change that was made from here while a test was running, or may have been.
pub(super) struct Change {
    /// As it stands in the history.
    pub ended: Ended,
    /// The count that was asked for.
    pub new: i64,
    /// The test before it, where that is known.
    pub before: Option<Stats>,
    /// Who made it.
    pub caller: Caller,
}

impl App {
    /// How it is at Locust before a change; at once, or it is not known.
    pub(super) async fn before(&self) -> Before {
        if self.live.now().snapshot.locust.is_none() {
            return Before::NoTest;
        }
        let asking = async {
            let master = self.whereabouts().master(&self.client, &self.target).await?;
            match master {
                Some(master) => master.stats().await.map(Some),
                None => Ok(None),
            }
        };
        match timeout(QUICK, asking).await {
            Ok(Ok(Some(stats))) if stats.is_running() => Before::Running(stats),
            Ok(Ok(_)) => Before::NoTest,
            // It is there, or is said to be: what it says later counts.
            Ok(Err(_)) | Err(_) => Before::Unknown,
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
                    "the count was changed again before that was known".to_owned(),
                ),
                _ = is_stopping.wait_for(|is_stopping| *is_stopping) => wrong(
                    "serve ended before that was known".to_owned(),
                ),
            };
            app.live.users(id, outcome.clone());
            app.live.look_again();
            app.note(&change.caller, &outcome);
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
        waiting("waiting until Locust counts the workers");
        match self.settle_and_give_back(change.before.as_ref()).await {
            Ok(users) => users,
            Err(error) => wrong(format!("whether the test has its users is not known: {error}")),
        }
    }

    async fn settle_and_give_back(&self, before: Option<&Stats>) -> Result<Users, Error> {
        let whereabouts = self.whereabouts();
        let Some(master) = whereabouts.master(&self.client, &self.target).await? else {
            return Ok(wrong("Locust is not there any more".to_owned()));
        };
        let pods = || {
            let unknown = || "the pods cannot be seen".to_owned();
            std::future::ready(self.live.ready_pods().ok_or_else(unknown))
        };
        let limit = if before.is_some() { WORKERS_LIMIT } else { SILENT_LIMIT };
        let settled = settle(&master, &[&self.target.name], limit, pods).await;
        let outcome = give_back(&master, before, self.locust.may_rebalance).await?;
        let is_well = outcome.is_well() && settled.is_ok();
        let text = match settled {
            Ok(_) => outcome.to_string(),
            Err(unsettled) => format!("{unsettled}; {outcome}"),
        };
        let stage = if is_well { Stage::Well } else { Stage::Wrong };
        Ok(Users { stage, text: printable(&text) })
    }

    /// Gives a running test its users back, because somebody asks for it.
    ///
    /// # Errors
    /// Locust does not tell, or refuses. `Ok(None)` when there is no Locust.
    pub(super) async fn rebalance(&self, caller: &Caller) -> Result<Option<GivenBack>, Error> {
        let whereabouts = self.whereabouts();
        let Some(master) = whereabouts.master(&self.client, &self.target).await? else {
            return Ok(None);
        };
        let result = give_back(&master, None, true).await;
        let (stage, text) = match &result {
            Ok(outcome) if outcome.is_well() => (Stage::Well, outcome.to_string()),
            Ok(outcome) => (Stage::Wrong, outcome.to_string()),
            Err(error) => (Stage::Wrong, error.to_string()),
        };
        let users = Users { stage, text: printable(&text) };
        self.note(caller, &users);
        if let Ok(GivenBack::Done { .. }) = result
            && stage == Stage::Well
        {
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

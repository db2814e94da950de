//! The work after the change: waits for the pods, and gives a running test its users back.

use std::pin::Pin;
use std::time::Duration;

use anyhow::{Error, anyhow, bail};
use tokio::time::{Instant, sleep};

use super::super::follow_up::FollowUp;
use super::super::hints::MissingTarget;
use super::super::signals::{FINISHING_START, Signal, unless_interrupted};
use super::autoscaling;
use super::locust_search::LocustSearch;
use super::overtaken::overtaken;
use super::results::CompletedChange;
use super::running_test::{RepairProgress, RunningTest};
use super::second_master;
use super::settings::Settings;
use super::waiting::{WaitPlan, last_of_each};
use super::worker_display::WorkerDisplay;
use crate::cluster::api::Client;
use crate::locust::StartInProgress;
use crate::output::Failed;
use crate::scaling::{Order, Target};
use crate::text::go;
use crate::text::terminal::{harmless, say};

/// The time between two looks for the master.
const PERIOD: Duration = Duration::from_secs(1);

/// The state when a signal ends the wait for the master.
const STILL_NO_MASTER: &str = "the workers were scaled, but Locust's master was not found yet";

/// The orders after they were carried out.
pub(super) struct Scaled<'a> {
    pub client: &'a Client,
    pub settings: &'a Settings,
    /// The number of orders.
    pub count: usize,
    pub changes: Vec<CompletedChange>,
    pub errors: Vec<Error>,
    /// Targets that do not exist.
    pub missing: Vec<MissingTarget>,
    pub test: Option<RunningTest<'a>>,
    /// The reason why Locust's master was not found before the change.
    pub missing_master: Option<String>,
    pub orders: Vec<Order>,
    pub locust_error: Option<Error>,
}

/// The orders after the wait.
pub(super) struct Waited<'a> {
    settings: &'a Settings,
    outcome: Outcome,
    locust_error: Option<Error>,
    /// `None` if Locust is not asked.
    repair: Option<Repair<'a>>,
}

/// The Locust whose workers connect and whose test gets its users back, and the targets that run its
/// workers.
struct Repair<'a> {
    client: &'a Client,
    changes: Vec<CompletedChange>,
    master: ExpectedMaster<'a>,
    plan: WaitPlan,
}

enum ExpectedMaster<'a> {
    Found(Box<RunningTest<'a>>),
    /// The master was not found before the change.
    Missing {
        client: &'a Client,
        orders: Vec<Order>,
        why: String,
    },
}

/// The result of the command.
pub(super) struct Outcome {
    pub errors: Vec<Error>,
    /// Targets that do not exist.
    pub missing: Vec<MissingTarget>,
}

impl<'a> Scaled<'a> {
    /// Waits as the flags say. With Locust it always waits until the pods are ready. Then warns about a
    /// second master of Locust, and about autoscalers that will change the counts again.
    ///
    /// # Errors
    /// The signal came.
    pub(super) async fn wait(
        self,
        mut signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Waited<'a>, Failed> {
        let Self { client, settings, count, changes, mut errors, missing, orders, .. } = self;
        let master = match (self.test, self.missing_master) {
            (Some(test), _) => Some(ExpectedMaster::Found(Box::new(test))),
            // Without workers, nothing connects.
            (None, Some(why)) if changes.iter().all(|change| change.new == 0) => {
                say(&harmless(&format!("Note: locustctl did not check for a running test: {why}")));
                None
            }
            (None, Some(why)) => Some(ExpectedMaster::Missing { client, orders, why }),
            (None, None) => None,
        };
        let locust_error = self.locust_error;
        let plan = settings.wait;
        let changes = last_of_each(changes);
        let (mut repair, changed) = (None, changes.clone());
        if let Some(plan) = plan.filter(|_| !changes.is_empty()) {
            let (unmet, signal) = plan.carry_out(client, changes, count, signal.as_mut()).await;
            let are_ready = unmet.is_empty() && plan.is_until_ready();
            errors.extend(unmet);
            if let Some(signal) = signal {
                return Err(Failed::by_signal(signal.number(), errors));
            }
            repair = master.filter(|_| are_ready).map(|master| Repair {
                client,
                changes: changed.clone(),
                master,
                plan,
            });
        }
        // After the wait, because it must see the pods from the start.
        let warnings = async {
            second_master::warn(client, settings, &changed).await;
            autoscaling::warn(client, settings, &changed).await;
        };
        let signal = tokio::select! {
            () = warnings => None,
            signal = signal => Some(signal),
        };
        if let Some(signal) = signal {
            return Err(Failed::by_signal(signal.number(), errors));
        }
        Ok(Waited { settings, outcome: Outcome { errors, missing }, locust_error, repair })
    }
}

impl Waited<'_> {
    /// Waits until the workers are connected, and gives the running test its users back.
    ///
    /// # Errors
    /// The signal came.
    pub(super) async fn redistribute_users(
        self,
        mut signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Outcome, Failed> {
        let Self { settings, mut outcome, locust_error, repair } = self;
        let errors = &mut outcome.errors;
        if let Some(Repair { client, changes, master, plan }) = repair {
            let targets: Vec<_> = changes.iter().map(|change| change.target.clone()).collect();
            let finding = master.found(settings, plan.limit());
            let found = unless_interrupted(finding, signal.as_mut(), STILL_NO_MASTER).await?;
            let test = match found {
                Ok(Some(test)) => test,
                Ok(None) => return Ok(outcome),
                Err(error) => {
                    errors.push(error);
                    return Ok(outcome);
                }
            };
            let progress = RepairProgress {
                in_progress: StartInProgress::default(),
                display: WorkerDisplay::new(),
            };
            let RepairProgress { in_progress, display } = &progress;
            let (limit, rebalance) = (plan.limit(), settings.args.rebalance);
            let follow_up = &settings.follow_up;
            let work = test.redistribute_users(&targets, limit, rebalance, &progress, follow_up);
            let work = async {
                tokio::select! {
                    unmet = work => unmet,
                    () = display.tick() => Vec::new(),
                }
            };
            let overtaken = overtaken(client, &changes, follow_up);
            let work = async {
                let done = in_progress.or_signal(work, overtaken, || {}).await;
                done.unwrap_or_else(|error| {
                    display.end();
                    vec![error]
                })
            };
            match in_progress.or_signal(work, signal, || say(FINISHING_START)).await {
                Ok(unmet) => errors.extend(unmet),
                Err(signal) => {
                    let summary = display.last_summary();
                    display.end();
                    errors.push(interrupted(summary, &targets, follow_up));
                    return Err(Failed::by_signal(signal.number(), outcome.errors));
                }
            }
        }
        outcome.errors.extend(locust_error);
        Ok(outcome)
    }
}

impl<'a> ExpectedMaster<'a> {
    /// Waits until the master answers; `None` if it has the workers of another target.
    ///
    /// # Errors
    /// The master refuses to answer, or does not answer within the limit.
    async fn found(
        self,
        settings: &Settings,
        limit: Duration,
    ) -> Result<Option<Box<RunningTest<'a>>>, Error> {
        let (client, orders, mut why) = match self {
            Self::Found(test) => return Ok(Some(test)),
            Self::Missing { client, orders, why } => (client, orders, why),
        };
        let Some(location) = &settings.location else { return Ok(None) };
        say(&harmless(&format!("Waiting for Locust's master: {why}")));
        let begin = Instant::now();
        loop {
            match LocustSearch::after(client, location, &orders).await {
                LocustSearch::Found(test) => return Ok(Some(test)),
                LocustSearch::Ignored => return Ok(None),
                LocustSearch::Missing { why: now, .. } => why = now,
                LocustSearch::Failed { error, .. } => return Err(error),
            }
            if begin.elapsed() >= limit {
                let limit = go::Duration::from_std(limit);
                bail!(
                    "{}",
                    harmless(&format!(
                        "the workers were scaled, but Locust's master did not answer within {limit}: {why}"
                    ))
                );
            }
            sleep(PERIOD.min(limit)).await;
        }
    }
}

/// The error of a signal after the pods are ready. `summary` is that of the workers, if they were still
/// connecting.
fn interrupted(summary: Option<String>, targets: &[Target], follow_up: &FollowUp) -> Error {
    if let Some(summary) = summary {
        return anyhow!(
            "interrupted while waiting for the workers to connect to Locust: the workers were scaled; \
             {summary}"
        );
    }
    let check = targets
        .first()
        .map(|target| format!("; to check it, run: {}", follow_up.command("status", target)));
    anyhow!(
        "interrupted: the workers were scaled, but the test may not have all its users{}",
        check.unwrap_or_default()
    )
}

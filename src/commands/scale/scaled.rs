//! The work after the change: waits for the pods, and gives a running test its users back.

use std::pin::Pin;

use anyhow::{Error, anyhow};

use super::super::follow_up::FollowUp;
use super::super::hints::MissingTarget;
use super::super::signals::{FINISHING_START, Signal};
use super::autoscaling;
use super::results::CompletedChange;
use super::running_test::{RepairProgress, RunningTest};
use super::settings::Settings;
use super::waiting::WaitPlan;
use super::worker_display::WorkerDisplay;
use crate::cluster::api::Client;
use crate::locust::StartInProgress;
use crate::output::Failed;
use crate::scaling::Target;
use crate::text::terminal::say;

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
    pub locust_error: Option<Error>,
}

/// The orders after the wait.
pub(super) struct Waited<'a> {
    settings: &'a Settings,
    outcome: Outcome,
    locust_error: Option<Error>,
    /// `None` if no test needs its users back.
    repair: Option<Repair<'a>>,
}

/// The test that gets its users back, and the targets that run its workers.
struct Repair<'a> {
    test: RunningTest<'a>,
    targets: Vec<Target>,
    plan: WaitPlan,
}

/// The result of the command.
pub(super) struct Outcome {
    pub errors: Vec<Error>,
    /// Targets that do not exist.
    pub missing: Vec<MissingTarget>,
}

impl<'a> Scaled<'a> {
    /// Warns about autoscalers that will change the counts again.
    ///
    /// # Errors
    /// The signal came.
    pub(super) async fn warn_of_autoscalers(
        self,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Self, Failed> {
        let Self { client, settings, changes, .. } = &self;
        let signal = tokio::select! {
            () = autoscaling::warn(client, settings, changes) => return Ok(self),
            signal = signal => signal,
        };
        Err(Failed::by_signal(signal.number(), self.errors))
    }

    /// Waits as the flags say. Beside a running test it always waits until the pods are ready.
    ///
    /// # Errors
    /// The signal came.
    pub(super) async fn wait(
        self,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Waited<'a>, Failed> {
        let Self { client, settings, count, changes, mut errors, missing, test, locust_error } =
            self;
        let plan = match &test {
            Some(test) if test.is_running() => Some(WaitPlan::until_ready(&settings.args)),
            _ => settings.wait,
        };
        let mut repair = None;
        if let Some(plan) = plan.filter(|_| !changes.is_empty()) {
            let targets = changes.iter().map(|change| change.target.clone()).collect();
            let (unmet, signal) = plan.carry_out(client, changes, count, signal).await;
            let are_ready = unmet.is_empty() && plan.is_until_ready();
            errors.extend(unmet);
            if let Some(signal) = signal {
                return Err(Failed::by_signal(signal.number(), errors));
            }
            repair = test.filter(|_| are_ready).map(|test| Repair { test, targets, plan });
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
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Outcome, Failed> {
        let Self { settings, mut outcome, locust_error, repair } = self;
        let errors = &mut outcome.errors;
        if let Some(Repair { test, targets, plan }) = repair {
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

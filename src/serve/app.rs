//! The state that all requests share, and the change of the count.

use std::sync::Arc;

use axum::http::StatusCode;
use tokio::sync::{OwnedMutexGuard, Semaphore, watch};

use super::backend::Backend;
use super::caller::Caller;
use super::change::{ChangeRequest, ChangeResult, ChangeSummary};
use super::guard::Refusals;
use super::live::Live;
use super::log::{Audit, audit};
use super::metrics::Metrics;
use super::problem::Problem;
use super::rebalancer::{ChangeDuringTest, Rebalancer};
use super::samples::Samples;
use super::settings::{LocustSettings, SharedState, Subject};
use super::snapshot::{Limits, Outcome};
use super::stepping::{SteppedChange, SteppedResult, StepsRefused, read_count};
use super::test_before::{LocustUnreachable, TestBefore};
use super::viewers::Viewers;
use crate::locust::Steps;
use crate::scaling::{self, Condition, DryRun, NewCount, Order, Progress};
use crate::text::terminal::printable;

/// Limit on concurrent looks at Locust for questions. Each one sends several requests to Locust.
const MAX_LOOKS: usize = 16;

/// Limit on concurrent changes. Each one waits for the API server.
const MAX_CHANGES: usize = 16;

pub(super) struct App {
    pub backend: Arc<Backend>,
    pub rebalancer: Arc<Rebalancer>,
    pub metrics: Metrics,
    pub viewers: Viewers,
    pub samples: Samples,
    /// Turns true when the server stops.
    pub is_stopping: watch::Receiver<bool>,
    limits: Limits,
    /// Permits for changes.
    changes: Semaphore,
    /// Permits for looks at Locust for questions.
    looks: Semaphore,
    refusals: Refusals,
}

impl App {
    pub(super) fn new(
        subject: Subject,
        limits: Limits,
        locust: LocustSettings,
        shared: SharedState,
        is_stopping: watch::Receiver<bool>,
    ) -> Self {
        let Subject { client, target, info } = subject;
        let backend =
            Arc::new(Backend::new(client, target, Live::new(info, limits), locust, shared));
        Self {
            rebalancer: Arc::new(Rebalancer::new(Arc::clone(&backend), is_stopping.clone())),
            backend,
            metrics: Metrics::default(),
            viewers: Viewers::default(),
            samples: Samples::default(),
            is_stopping,
            limits,
            changes: Semaphore::new(MAX_CHANGES),
            looks: Semaphore::new(MAX_LOOKS),
            refusals: Refusals::default(),
        }
    }

    /// Changes the count, and writes the result to the audit log and the history. The change is
    /// completed even if the client disconnects.
    ///
    /// # Errors
    /// The answer for a change that failed.
    pub(super) async fn change(
        self: &Arc<Self>,
        request: ChangeRequest,
        caller: Caller,
    ) -> Result<ChangeResult, Problem> {
        let app = Arc::clone(self);
        let task = tokio::spawn(async move { app.carry_out(request, &caller).await });
        task.await.unwrap_or_else(|_| {
            let detail = "The change was interrupted by a bug in locustctl; check the number of workers before \
                          you try again.";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", detail))
        })
    }

    /// Writes a change that was refused before it began to the audit log, unless there are too many.
    pub(super) fn log_refused_change(&self, caller: &Caller, new: Option<i64>, problem: &Problem) {
        self.refusals.log(&Audit {
            who: &caller.name,
            from: caller.from,
            action: "scale",
            old: self.desired(),
            new,
            outcome: "refused",
            detail: problem.detail(),
        });
    }

    /// Writes a change to the audit log. One that changed nothing is not written if there are too many.
    fn log_change(&self, summary: &ChangeSummary, caller: &Caller, action: &str) {
        let line = summary.audit(caller, action);
        match summary.outcome {
            Outcome::Failed => self.refusals.log(&line),
            _ => audit(&line),
        }
    }

    async fn carry_out(
        &self,
        request: ChangeRequest,
        caller: &Caller,
    ) -> Result<ChangeResult, Problem> {
        let Ok(_permit) = self.changes.try_acquire() else {
            let problem = too_many("Too many changes are running; try again in a moment.");
            self.log_refused_change(caller, request.count(), &problem);
            return Err(problem);
        };
        let order = self.order(request);
        if request.is_dry_run {
            let result =
                scaling::scale(&self.backend.client, &order, &Progress::default(), 0).await;
            let summary = ChangeSummary::new(request, &result);
            self.log_change(&summary, caller, "scale (dry run)");
            return summary.answer(None, result);
        }
        self.scale(request, caller, &order).await
    }

    async fn scale(
        &self,
        request: ChangeRequest,
        caller: &Caller,
        order: &Order,
    ) -> Result<ChangeResult, Problem> {
        let Backend { client, target, live, turns, object_events, .. } = &*self.backend;
        let (_turn, unchecked) = turns.begin_change().await;
        let (before, _in_order) = self.test_before(order).await;
        if let TestBefore::Unknown(unreachable) = &before
            && let Some(problem) = self.refuse_removal_without_locust(request, unreachable)
        {
            self.log_refused_change(caller, request.count(), &problem);
            return Err(problem);
        }
        let planned = match &before {
            TestBefore::Running(look) => {
                SteppedChange::plan(&self.backend, order, look, request.ignores_locust).await
            }
            TestBefore::None | TestBefore::Unknown(_) => Ok(None),
        };
        let steps = match planned {
            Ok(steps) => steps,
            Err(_) if request.ignores_locust => None,
            Err(why) => {
                let problem = steps_refused(why);
                self.log_refused_change(caller, request.count(), &problem);
                return Err(problem);
            }
        };
        live.begin_change();
        let mut unfinished = UnfinishedChange { app: self, caller, request: Some(request) };
        let is_stepped = steps.is_some();
        let SteppedResult { scaled: result, stopped, is_count_known } = match &steps {
            Some(steps) => steps.run().await,
            None => scaling::scale(client, order, &Progress::default(), 0).await.into(),
        };
        let renewed = steps.and_then(SteppedChange::renewed);
        let mut summary = ChangeSummary::new(request, &result);
        if summary.outcome == Outcome::Failed {
            summary.old = summary.old.or_else(|| self.desired());
        }
        unfinished.request = None;
        self.metrics.change_ended(summary.outcome);
        self.log_change(&summary, caller, "scale");
        let intermediate = match (summary.old, summary.new) {
            (Some(old), Some(new)) if is_stepped => counts_between(old, new),
            _ => Vec::new(),
        };
        let entry = summary.entry(caller, intermediate);
        object_events.add(target, &live.target_uid(), &entry);
        let ended = live.end_change(entry);
        let check = |new, before| {
            let caller = caller.clone();
            self.rebalancer.check(ChangeDuringTest { ended, new, before, caller, unchecked })
        };
        let may_be_scaled = matches!(summary.outcome, Outcome::Scaled | Outcome::Unknown);
        let new = summary.new.filter(|_| is_count_known);
        let users = match before {
            TestBefore::Running(look) if may_be_scaled => {
                Some(check(new, Some(renewed.map_or(look, Box::new))))
            }
            TestBefore::Unknown(_) if may_be_scaled => Some(check(new, None)),
            TestBefore::Running(_) | TestBefore::Unknown(_) | TestBefore::None => None,
        };
        match stopped {
            Some(stopped) => Err(Problem::new(StatusCode::CONFLICT, "Stopped", stopped)),
            None => {
                let result = summary.answer(Some(ended), result);
                result.map(|result| ChangeResult { users, ..result })
            }
        }
    }

    /// Looks at the test before a change. If a test may be running, this waits for earlier changes.
    /// Later changes wait until the guard is dropped.
    async fn test_before(&self, order: &Order) -> (TestBefore, Option<OwnedMutexGuard<()>>) {
        let turns = &self.backend.turns;
        let before = self.rebalancer.test_before().await;
        if !before.may_be_running() {
            return (before, None);
        }
        if let Some(turn) = turns.try_change_during_test() {
            return (before, Some(turn));
        }
        let turn = turns.change_during_test(self.is_probably_made(order).await).await;
        (self.rebalancer.test_before().await, Some(turn))
    }

    /// The order changes the current count, and its condition and the limits hold. Only such a change ends an
    /// earlier one in steps.
    async fn is_probably_made(&self, order: &Order) -> bool {
        let Some(now) = read_count(&self.backend, order).await else { return false };
        let new = Steps::new(order, now).to;
        let holds = order.condition.replicas.is_none_or(|expected| expected == now);
        holds && new != now && self.limits.allow(new)
    }

    /// Looks at the test for the question before a change.
    ///
    /// # Errors
    /// The answer if there are too many looks at the same time.
    pub(super) async fn look_for_question(&self) -> Result<TestBefore, Problem> {
        let Ok(_permit) = self.looks.try_acquire() else {
            return Err(too_many("Too many questions are being prepared; try again in a moment."));
        };
        Ok(TestBefore::look(&self.backend).await)
    }

    /// Refuses to remove workers while Locust does not answer, if a test may be running.
    fn refuse_removal_without_locust(
        &self,
        request: ChangeRequest,
        unreachable: &LocustUnreachable,
    ) -> Option<Problem> {
        let removes = match request.new {
            NewCount::By(by) => by < 0,
            NewCount::Exactly(new) => self.desired().is_none_or(|now| i64::from(new) < now),
        };
        let risk = unreachable.risk().filter(|_| removes && !request.ignores_locust)?;
        let detail = format!(
            "Nothing was changed. {risk} Try again when Locust answers. To scale now, add \
             \"ignoreLocust\": true to the request, or ignore_locust=yes to the form."
        );
        Some(Problem::new(StatusCode::CONFLICT, "TestUnknown", detail))
    }

    /// The desired count, if known.
    fn desired(&self) -> Option<i64> {
        self.backend.live.now().snapshot.replicas.map(|replicas| replicas.desired)
    }

    fn order(&self, request: ChangeRequest) -> Order {
        Order {
            condition: Condition { replicas: request.current, ..Condition::default() },
            dry_run: if request.is_dry_run { DryRun::Server } else { DryRun::None },
            limits: Some(self.limits),
            ..Order::new(self.backend.target.clone(), request.new)
        }
    }
}

fn too_many(detail: &str) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", detail).with_retry_after(1)
}

/// The answer if workers of a running test cannot be removed one after another.
fn steps_refused(why: StepsRefused) -> Problem {
    let why = match why {
        StepsRefused::LaterChange => {
            let detail = "Nothing was changed, because a later change was requested before this one began. \
                          Check the number of workers. Scale again if you still want this change.";
            return Problem::new(StatusCode::CONFLICT, "Stopped", detail);
        }
        StepsRefused::Unchecked(why) => why,
    };
    let detail = format!(
        "Nothing was changed: {why}. The master of this release of Locust can stop working when several \
         workers leave a running test at once, so serve removes them one after another. Try again in a \
         moment. To scale now, add \"ignoreLocust\": true to the request, or ignore_locust=yes to the form."
    );
    Problem::new(StatusCode::CONFLICT, "TestUnknown", printable(&detail))
}

/// Ends a change in the history if its task ends too early, for example with a panic.
struct UnfinishedChange<'a> {
    app: &'a App,
    caller: &'a Caller,
    /// `None` when the change has ended regularly.
    request: Option<ChangeRequest>,
}

impl Drop for UnfinishedChange<'_> {
    fn drop(&mut self) {
        let Some(request) = self.request else { return };
        let summary = ChangeSummary::interrupted(request);
        self.app.log_change(&summary, self.caller, "scale");
        self.app.metrics.change_ended(summary.outcome);
        self.app.backend.live.end_change(summary.entry(self.caller, Vec::new()));
    }
}

/// The counts between `old` and `new` when pods are removed one after another, without both.
fn counts_between(old: i64, new: i64) -> Vec<i64> {
    (new + 1..old).rev().collect()
}

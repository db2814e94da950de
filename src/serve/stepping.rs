//! Changes of the count during a test whose master breaks when several workers leave at once
//! (locust#3515): pods are removed one after another, and each request tests the count.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::backend::Backend;
use crate::locust::{
    AfterPlan, Look, Master, Search, StepPlans, Steps, StepsOutcome, StepwiseChange,
    breaks_by_leaving, renewed_look, wait_for_workers, wait_until_moved, wait_until_spawned,
};
use crate::scaling::{Condition, DryRun, Order, Progress, ScaleError, Scaled, scale};
use crate::text::terminal::printable;

/// Time limit for one step: the termination of the pod, and until Locust notices it.
const STEP_LIMIT: Duration = Duration::from_secs(60);

/// Time between two looks at the workers that an earlier change has removed.
const LEAVING_PERIOD: Duration = Duration::from_millis(500);

/// A change of the count during a running test whose master breaks when several workers leave at once.
pub(super) struct SteppedChange<'a> {
    backend: &'a Backend,
    order: &'a Order,
    master: Box<Master<'a>>,
    /// The test before the change.
    before: &'a Look,
    /// The last look between two steps, if the test was started again or edited since `before`.
    renewed: Mutex<Option<Look>>,
    steps: Steps,
    /// The caller wants the change also if the workers cannot be followed.
    ignores_locust: bool,
}

/// The reason why the pods cannot be removed one after another now.
#[derive(Debug)]
pub(super) enum StepsRefused {
    /// A later change was requested.
    LaterChange,
    /// A clause.
    Unchecked(String),
}

impl From<String> for StepsRefused {
    fn from(why: String) -> Self {
        Self::Unchecked(why)
    }
}

/// The result of a [`SteppedChange`].
pub(super) struct SteppedResult {
    pub scaled: Result<Scaled, ScaleError>,
    /// The reason why the change stopped in the middle, as sentences.
    pub stopped: Option<String>,
    /// False if the answer to the last request was lost. Then the count is unknown.
    pub is_count_known: bool,
}

/// The result of a change at once.
impl From<Result<Scaled, ScaleError>> for SteppedResult {
    fn from(scaled: Result<Scaled, ScaleError>) -> Self {
        let is_count_known = !matches!(scaled, Err(ScaleError::AnswerLost { .. }));
        Self { scaled, stopped: None, is_count_known }
    }
}

impl<'a> SteppedChange<'a> {
    /// Plans the change, and waits until the workers of an earlier change have left Locust. `None` if the
    /// change needs no steps: the master of this release does not break, or the test runs in other
    /// pods. With `ignores_locust`, there is no wait.
    ///
    /// # Errors
    /// The reason why the pods cannot be removed one after another now. Nothing was changed.
    pub(super) async fn plan(
        backend: &'a Backend,
        order: &'a Order,
        before: &'a Look,
        ignores_locust: bool,
    ) -> Result<Option<Self>, StepsRefused> {
        if !breaks_by_leaving(before) || before.table().own() == 0 {
            return Ok(None);
        }
        let known = backend.live.now().snapshot.replicas.map(|replicas| replicas.desired);
        let Some(from) = (match order.condition.replicas.or(known) {
            Some(count) => Some(count),
            None => read_count(backend, order).await,
        }) else {
            // The scale itself reports why the count cannot be read.
            return Ok(None);
        };
        let steps = Steps::new(order, from);
        let found = backend.find_locust(backend.live.worker_pods().as_ref()).await;
        let master = match found {
            Ok(Search::Found(master)) => master,
            // More workers do no harm.
            _ if steps.count() <= 0 => return Ok(None),
            Ok(Search::Absent | Search::Foreign { .. }) => {
                return Err("Locust was not found any more".to_owned().into());
            }
            Err(error) => return Err(error.to_string().into()),
        };
        let renewed = Mutex::default();
        let change = Self { backend, order, master, before, renewed, steps, ignores_locust };
        if ignores_locust && backend.live.worker_pods().is_none() {
            return Ok(None);
        }
        // A condition of the caller may have another number.
        change.prepare(steps, known.unwrap_or(from)).await?;
        Ok(Some(change))
    }

    /// Checks that the pods can be removed one after another, and waits until the workers that an earlier
    /// change removed have left Locust: if another worker left at the same time, the master would break.
    /// `count` is the current number of replicas.
    async fn prepare(&self, steps: Steps, count: i64) -> Result<(), StepsRefused> {
        let Backend { live, turns, .. } = self.backend;
        if steps.count() <= 0 || self.ignores_locust {
            return Ok(());
        }
        if live.worker_pods().is_none() {
            return Err("the pods of the workers cannot be listed".to_owned().into());
        }
        let end = Instant::now() + STEP_LIMIT;
        let mut now = self.before.clone();
        let mut has_waited = false;
        loop {
            if have_left(&now, count) {
                break;
            }
            if Instant::now() >= end {
                let limit = STEP_LIMIT.as_secs();
                let why = format!(
                    "workers that were removed earlier are still connected to Locust after {limit} s"
                );
                return Err(why.into());
            }
            tokio::select! {
                () = sleep(LEAVING_PERIOD) => {}
                () = turns.another_change_waits() => return Err(StepsRefused::LaterChange),
            }
            let look = Look::take(&self.master, live.worker_pods()).await;
            now = look.map_err(|error| error.to_string())?;
            has_waited = true;
        }
        // Locust may be moving the users of a worker that has just left.
        if has_waited || now.state() == "spawning" {
            wait_until_moved(&self.master).await;
            self.renew().await;
        }
        Ok(())
    }

    /// Carries out the steps.
    pub(super) async fn run(&self) -> SteppedResult {
        let Self { backend, order, .. } = self;
        let mut plans = StepPlans::new(order, self.steps);
        loop {
            let steps = plans.steps();
            let stepped = match self.differing_count(steps).await {
                Some(was) => {
                    let problem =
                        ScaleError::ReplicasDiffer { expected: steps.from, was: Some(was) };
                    StepsOutcome::Failed(problem)
                }
                // The limits do not allow the count, so the scale is refused before the first step.
                None if !self.is_allowed(steps) => {
                    let replicas = Some(steps.from);
                    let condition = Condition { replicas, ..order.condition.clone() };
                    let order = Order { condition, ..(*order).clone() };
                    return scale(&backend.client, &order, &Progress::default(), 0).await.into();
                }
                None => self.step(steps).await,
            };
            match plans.after(stepped) {
                AfterPlan::Retry => {
                    let now = plans.steps();
                    if self.prepare(now, now.from).await.is_err() {
                        // The new plan cannot be carried out, and nothing was changed.
                        let (expected, was) = (steps.from, Some(now.from));
                        return Err(ScaleError::ReplicasDiffer { expected, was }).into();
                    }
                }
                AfterPlan::Report(stepped) => return result(order, steps, stepped),
            }
        }
    }

    fn is_allowed(&self, steps: Steps) -> bool {
        self.order.limits.is_none_or(|limits| limits.allow(steps.to))
    }

    /// The current count, if it differs from the count before the steps. It is read only if the
    /// limits do not allow the new count.
    async fn differing_count(&self, steps: Steps) -> Option<i64> {
        if self.is_allowed(steps) {
            return None;
        }
        read_count(self.backend, self.order).await.filter(|now| *now != steps.from)
    }

    async fn step(&self, steps: Steps) -> StepsOutcome {
        let live = &self.backend.live;
        let has_left = |count| async move {
            let pods = || std::future::ready(live.ready_worker_pods(count));
            tokio::select! {
                settled = wait_for_workers(&self.master, self.before, STEP_LIMIT, pods) => {
                    self.unless_ignored(settled.map_err(|difference| difference.to_string()))?;
                }
                now = self.overtaken(count) => {
                    return Err(format!("another client changed the number of replicas from {count} to {now}"));
                }
                () = self.backend.turns.another_change_waits() => {
                    return Err("a later change was requested".to_owned());
                }
            }
            self.unless_ignored(wait_until_spawned(&self.master, STEP_LIMIT).await)?;
            self.renew().await;
            Ok(())
        };
        let change = StepwiseChange::new(&self.backend.client, self.order, steps);
        change.run(&Progress::default(), 0, has_left).await
    }

    /// The error of a wait, unless the caller wants the change also if the workers cannot be followed.
    fn unless_ignored<T>(&self, waited: Result<T, String>) -> Result<(), String> {
        match waited {
            Err(why) if !self.ignores_locust => Err(why),
            _ => Ok(()),
        }
    }

    /// The last look between two steps, if it was at another test than the look before the change, or the
    /// test was edited since.
    pub(super) fn renewed(self) -> Option<Look> {
        self.renewed.into_inner()
    }

    /// Looks at the test again, because it may have been started again or edited.
    async fn renew(&self) {
        let last = self.renewed.lock().clone();
        let pods = self.backend.live.worker_pods();
        let last = last.as_ref().unwrap_or(self.before);
        if let Some(look) = renewed_look(&self.master, pods, last).await {
            *self.renewed.lock() = Some(look);
        }
    }

    /// Waits until another client changes the count after the step to `count`, and returns the new count.
    /// The known state may be older than that step, so this reads the count from the API server
    /// before it returns.
    async fn overtaken(&self, count: i64) -> i64 {
        let mut frames = self.backend.live.subscribe();
        loop {
            let replicas = frames.borrow_and_update().snapshot.replicas;
            if replicas.is_some_and(|replicas| replicas.desired != count)
                && let Some(now) = read_count(self.backend, self.order).await
                && now != count
            {
                return now;
            }
            if frames.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// True if at most `count` hosts have connected workers, and all of these pods still exist. False also while
/// the statistics are stale. Always true if the workers can only be counted.
fn have_left(look: &Look, count: i64) -> bool {
    let table = look.table();
    let hosts = i64::try_from(table.processes.len()).unwrap_or(i64::MAX);
    look.are_workers_counted_only()
        || (look.has_current_workers() && hosts <= count && table.gone.is_empty())
}

/// Reads the current count; `None` if this fails.
pub(super) async fn read_count(backend: &Backend, order: &Order) -> Option<i64> {
    let dry_run = DryRun::Client;
    let order = Order { dry_run, ..Order::new(order.target.clone(), order.new) };
    scale(&backend.client, &order, &Progress::default(), 0).await.ok()?.old
}

/// The result of the steps.
fn result(order: &Order, steps: Steps, stepped: StepsOutcome) -> SteppedResult {
    let all = steps.count();
    match stepped {
        StepsOutcome::Done(mut scaled) => {
            if steps.are_several() {
                scaled.notes.push(format!("made in {all} steps, one pod after another"));
            }
            Ok(scaled).into()
        }
        StepsOutcome::Stopped { mut scaled, done, why, is_answered } => {
            let (target, now) = (&order.target, scaled.new);
            let text = format!(
                "The scale of {target} stopped at {now} replicas, after {done} of {all} steps: {why}. Scale again to make the other steps."
            );
            scaled.notes.push(format!("stopped after {done} of {all} steps: {why}"));
            let stopped = Some(printable(&text));
            SteppedResult { scaled: Ok(scaled), stopped, is_count_known: is_answered }
        }
        StepsOutcome::Failed(problem) => Err(problem).into(),
    }
}

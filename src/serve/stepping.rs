//! Removes pods one after another, for releases of Locust whose master breaks otherwise (locust#3515).

use std::time::Duration;

use parking_lot::Mutex;

use super::backend::Backend;
use crate::locust::{
    AfterPlan, Look, Master, Search, StepPlans, Steps, StepsOutcome, StepwiseChange, renewed_look,
    steps_for, wait_for_workers, wait_until_spawned,
};
use crate::scaling::{Order, Progress, ScaleError, Scaled, scale};
use crate::text::terminal::printable;

/// Time limit for one step: the termination of the pod, and until Locust notices it.
const STEP_LIMIT: Duration = Duration::from_secs(60);

/// A change of the count during a running test that is made in steps of one pod.
pub(super) struct SteppedChange<'a> {
    backend: &'a Backend,
    order: &'a Order,
    /// The test before the change.
    before: &'a Look,
    /// The last look between two steps, if the test was started again or edited since `before`.
    renewed: Mutex<Option<Look>>,
    steps: Steps,
}

impl<'a> SteppedChange<'a> {
    /// Plans the steps; `None` if the change needs none.
    pub(super) fn plan(backend: &'a Backend, order: &'a Order, before: &'a Look) -> Option<Self> {
        let replicas = backend.live.now().snapshot.replicas?.desired;
        // The end of a step is recognized by the pods.
        backend.live.worker_pods()?;
        let steps = steps_for(order, replicas, before).filter(|_| before.table().own() > 0)?;
        Some(Self { backend, order, before, renewed: Mutex::default(), steps })
    }

    /// Carries out the steps. The text says why the change stopped in the middle, if it did.
    pub(super) async fn run(&self) -> (Result<Scaled, ScaleError>, Option<String>) {
        let Self { backend, order, .. } = *self;
        let pods = backend.live.worker_pods();
        let found = backend.find_locust(pods.as_ref()).await;
        let Ok(Search::Found(master)) = found else {
            // Without Locust, the steps cannot be checked.
            return (scale(&backend.client, order, &Progress::default(), 0).await, None);
        };
        let mut plans = StepPlans::new(order, self.steps);
        loop {
            let steps = plans.steps();
            match plans.after(self.step(steps, &master).await) {
                AfterPlan::Retry => {}
                AfterPlan::Report(stepped) => return result(order, steps, stepped),
            }
        }
    }

    async fn step(&self, steps: Steps, master: &Master<'_>) -> StepsOutcome {
        let live = &self.backend.live;
        let has_left = |count| async move {
            let pods = || std::future::ready(live.ready_worker_pods(count));
            tokio::select! {
                settled = wait_for_workers(master, self.before, STEP_LIMIT, pods) => {
                    settled.map_err(|difference| difference.to_string())?;
                }
                now = self.overtaken(steps, count) => {
                    return Err(format!("another client changed the number of replicas from {count} to {now}"));
                }
            }
            wait_until_spawned(master, STEP_LIMIT).await?;
            self.renew(master).await;
            Ok(())
        };
        let change = StepwiseChange::new(&self.backend.client, self.order, steps);
        change.run(&Progress::default(), 0, has_left).await
    }

    /// The last look between two steps, if it was at another test than the look before the change, or the
    /// test was edited since.
    pub(super) fn renewed(self) -> Option<Look> {
        self.renewed.into_inner()
    }

    /// Looks at the test again, because it may have been started again or edited.
    async fn renew(&self, master: &Master<'_>) {
        let last = self.renewed.lock().clone();
        let pods = self.backend.live.worker_pods();
        if let Some(look) = renewed_look(master, pods, last.as_ref().unwrap_or(self.before)).await {
            *self.renewed.lock() = Some(look);
        }
    }

    /// Waits until another client changes the count after the step to `count`, and returns the new
    /// count. The known state may still be older than that step.
    async fn overtaken(&self, steps: Steps, count: i64) -> i64 {
        let mut frames = self.backend.live.subscribe();
        let mut is_observed = false;
        loop {
            let replicas = frames.borrow_and_update().snapshot.replicas;
            match replicas.map(|replicas| replicas.desired) {
                Some(now) if now == count => is_observed = true,
                Some(now) if is_observed || now < count || now > steps.from => return now,
                _ => {}
            }
            if frames.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The result of the steps, with the reason why they stopped in the middle.
fn result(
    order: &Order,
    steps: Steps,
    stepped: StepsOutcome,
) -> (Result<Scaled, ScaleError>, Option<String>) {
    let all = steps.count();
    match stepped {
        StepsOutcome::Done(mut scaled) => {
            if steps.are_several() {
                scaled.notes.push(format!("made in {all} steps, one pod after another"));
            }
            (Ok(scaled), None)
        }
        StepsOutcome::Stopped { mut scaled, done, why } => {
            let (target, now) = (&order.target, scaled.new);
            let text = format!(
                "The scale of {target} stopped at {now} replicas, after {done} of {all} steps: {why}. Scale again to make the other steps."
            );
            scaled.notes.push(format!("stopped after {done} of {all} steps: {why}"));
            (Ok(scaled), Some(printable(&text)))
        }
        StepsOutcome::Failed(problem) => (Err(problem), None),
    }
}

//! Changes in steps of one pod, for releases of Locust whose master breaks otherwise (locust#3515).

use std::time::Duration;

use super::app::App;
use crate::locust::{
    Look, Master, NewPlan, Search, Steps, StepsOutcome, StepwiseChange, WorkerPods, new_plan,
    steps_for, wait_for_workers, wait_until_spawned,
};
use crate::scaling::{Order, Progress, ScaleError, Scaled, scale};
use crate::text::terminal::printable;

/// How long one step may take: the pod's termination and Locust's notice of it.
const STEP_LIMIT: Duration = Duration::from_secs(60);

/// How often the steps are worked out anew.
const MOST_RACES: usize = 5;

impl App {
    /// The steps in which this order has to be carried out, if any.
    pub(super) fn steps(&self, order: &Order, before: &Look) -> Option<Steps> {
        let replicas = self.live.now().snapshot.replicas?.desired;
        // Without the pods nobody could tell when a step is done.
        self.live.worker_pods()?;
        steps_for(order, replicas, before).filter(|_| before.table().own() > 0)
    }

    /// The pods of the workers, once as many of them are ready as there are to be.
    ///
    /// # Errors
    /// They are not known yet.
    pub(super) fn pods_when(&self, count: i64) -> Result<WorkerPods, String> {
        let pods = self
            .live
            .worker_pods()
            .filter(|pods| i64::try_from(pods.ready_count()).is_ok_and(|ready| ready == count));
        pods.ok_or_else(|| "the new pods are not known yet".to_owned())
    }

    /// Waits until somebody else changes the count after a step to `count`; gives the new one. What is
    /// known of the cluster may still be from before that step.
    async fn overtaken(&self, steps: Steps, count: i64) -> i64 {
        let mut frames = self.live.subscribe();
        let mut is_seen = false;
        loop {
            let replicas = frames.borrow_and_update().snapshot.replicas;
            match replicas.map(|replicas| replicas.desired) {
                Some(now) if now == count => is_seen = true,
                Some(now) if is_seen || now < count || now > steps.from => return now,
                _ => {}
            }
            if frames.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Carries out an order in steps. The text says why it was stopped in the middle, if it was.
    pub(super) async fn scale_in_steps(
        &self,
        order: &Order,
        steps: Steps,
        before: &Look,
    ) -> (Result<Scaled, ScaleError>, Option<String>) {
        let pods = self.live.worker_pods();
        let location = self.location();
        let found = location.find(&self.client, &self.target, pods.as_ref()).await;
        let Ok(Search::Found(master)) = found else {
            // A test is running, but Locust is silent now: it must not be asked about each step.
            return (scale(&self.client, order, &Progress::default(), 0).await, None);
        };
        let mut steps = steps;
        // Somebody else may change the count before the first step.
        for _ in 0..MOST_RACES {
            let stepped = self.step(order, steps, before, &master).await;
            let StepsOutcome::Failed(problem) = &stepped else {
                return told(order, steps, stepped);
            };
            match new_plan(order, problem) {
                Some(NewPlan::Steps(instead)) => steps = instead,
                Some(NewPlan::AtOnce) => break,
                None => return told(order, steps, stepped),
            }
        }
        (scale(&self.client, order, &Progress::default(), 0).await, None)
    }

    async fn step(
        &self,
        order: &Order,
        steps: Steps,
        before: &Look,
        master: &Master<'_>,
    ) -> StepsOutcome {
        let left = |count| async move {
            let pods = || std::future::ready(self.pods_when(count));
            tokio::select! {
                settled = wait_for_workers(master, before, STEP_LIMIT, pods) => {
                    settled.map_err(|unsettled| unsettled.to_string())?;
                }
                now = self.overtaken(steps, count) => {
                    return Err(format!("somebody else changed the count from {count} to {now}"));
                }
            }
            wait_until_spawned(master, STEP_LIMIT).await
        };
        let change = StepwiseChange::new(&self.client, order, steps);
        change.run(&Progress::default(), 0, left).await
    }
}

/// The change, and why it was stopped in the middle, if it was.
fn told(
    order: &Order,
    steps: Steps,
    stepped: StepsOutcome,
) -> (Result<Scaled, ScaleError>, Option<String>) {
    let all = steps.count();
    match stepped {
        StepsOutcome::Done(mut scaled) => {
            scaled.notes.push(format!("made in {all} steps, one pod after another"));
            (Ok(scaled), None)
        }
        StepsOutcome::Stopped { mut scaled, done, why } => {
            let (target, now) = (&order.target, scaled.new);
            let text =
                format!("{target} was scaled to {now} replicas, in {done} of {all} steps: {why}");
            scaled.notes.push(format!("stopped after {done} of {all} steps: {why}"));
            (Ok(scaled), Some(printable(&text)))
        }
        StepsOutcome::Failed(problem) => (Err(problem), None),
    }
}

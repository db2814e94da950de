//! Carries out the orders one after another, some of them in steps.

use std::io::Write;
use std::pin::Pin;
use std::time::Duration;

use anyhow::anyhow;

use super::super::signals::Signal;
use super::results::Results;
use super::running_test::RunningTest;
use crate::cluster::api::Client;
use crate::locust::{AfterPlan, StepPlans, Steps, StepsOutcome, StepwiseChange};
use crate::scaling::{Order, Progress, ScaleError, Scaled, scale_one};
use crate::text::quantity;
use crate::text::terminal::say;

/// Inputs of all orders.
pub(super) struct Stepping<'a, 'b> {
    pub client: &'a Client,
    pub test: &'a RunningTest<'b>,
    pub orders: &'a [Order],
    /// The steps of each order; `None` if it is made at once.
    pub steps: &'a [Option<Steps>],
    /// Time limit for each step.
    pub limit: Duration,
}

impl Stepping<'_, '_> {
    /// Carries out all orders until the signal arrives.
    ///
    /// # Errors
    /// The signal. `results` has the orders that are done.
    pub(super) async fn run<W: Write>(
        &self,
        progress: &Progress,
        results: &mut Results<'_, W>,
        mut signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<(), Signal> {
        let mut blocked = None;
        if (0..self.orders.len()).any(|index| self.removes(index)) {
            let waited = tokio::select! {
                waited = self.test.wait_for_removed(self.orders, self.limit) => waited,
                signal = signal.as_mut() => return Err(signal),
            };
            blocked = waited.err().map(|why| {
                format!(
                    "not scaled, because workers that were removed earlier may not have left Locust: {why}. To \
                     remove the pods without this wait, use --at-once"
                )
            });
        }
        for (index, steps) in self.steps.iter().enumerate() {
            if let Some(why) = blocked.as_ref().filter(|_| self.removes(index)) {
                results.error(index, anyhow!("{why}"));
                continue;
            }
            let leaving = match steps {
                None => self.at_once(index, progress, results, signal.as_mut()).await?,
                Some(steps) => {
                    self.in_steps(index, *steps, progress, results, signal.as_mut()).await?
                }
            };
            // More pods do no harm to the test.
            let has_later = (index + 1..self.orders.len()).any(|later| self.removes(later));
            let leaving = leaving.filter(|_| has_later && blocked.is_none());
            let Some(Leaving { count, is_certain }) = leaving else { continue };
            if let Err(why) = self.wait(index, count, signal.as_mut()).await? {
                let target = &self.orders[index].target;
                let why = if is_certain { &why } else { "the answer to its change was lost" };
                blocked = Some(format!(
                    "not scaled, because the workers of {target} may not have left Locust: {why}"
                ));
            }
        }
        Ok(())
    }

    /// Waits until this order's target has only `count` pods, and the workers of its removed pods
    /// have left Locust. The inner error is the reason why they have not.
    async fn wait(
        &self,
        index: usize,
        count: i64,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Result<(), String>, Signal> {
        tokio::select! {
            waited = self.test.wait_until_left(&self.orders[index].target, count, self.limit) => Ok(waited),
            signal = signal => Err(signal),
        }
    }

    /// Pods can leave by the order with this index.
    fn removes(&self, index: usize) -> bool {
        self.test.pods_before(index).max_leaving(&self.orders[index]) > 0
    }

    /// Makes the change at once. Returns the pods that leave, if any.
    async fn at_once<W: Write>(
        &self,
        index: usize,
        progress: &Progress,
        results: &mut Results<'_, W>,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Option<Leaving>, Signal> {
        tokio::select! {
            outcome = scale_one(self.client, &self.orders[index], progress, index) => {
                let leaving = match &outcome {
                    Ok(scaled) => leaving_by(scaled),
                    // The change may have been made, so pods may be leaving.
                    Err(ScaleError::AnswerLost { .. }) => {
                        let pods = self.test.pods_before(index);
                        pods.replicas_to_leave(&self.orders[index]).map(Leaving::unknown)
                    }
                    Err(_) => None,
                };
                results.take(index, outcome);
                Ok(leaving)
            }
            signal = signal => Err(signal),
        }
    }

    /// Carries out one order in steps. Returns the pods that leave, if any.
    async fn in_steps<W: Write>(
        &self,
        index: usize,
        steps: Steps,
        progress: &Progress,
        results: &mut Results<'_, W>,
        mut signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Option<Leaving>, Signal> {
        let mut plans = StepPlans::new(&self.orders[index], steps);
        loop {
            let steps = plans.steps();
            let stepped = self.attempt(index, steps, progress, results, signal.as_mut()).await?;
            match plans.after(stepped) {
                AfterPlan::Retry => {
                    let now = plans.steps();
                    // Another client has removed pods, and their workers must leave first.
                    let removed = now.from < steps.from && now.count() > 0;
                    if removed && let Err(why) = self.wait(index, now.from, signal.as_mut()).await?
                    {
                        let error = anyhow!(
                            "not scaled, because the workers of pods that another client removed may not have \
                             left Locust: {why}"
                        );
                        results.error(index, error);
                        return Ok(Some(Leaving::unknown(now.from)));
                    }
                }
                AfterPlan::Report(stepped) => {
                    let leaving = match &stepped {
                        StepsOutcome::Done(scaled) => leaving_by(scaled),
                        StepsOutcome::Stopped { scaled, is_answered, .. } => {
                            let leaving = leaving_by(scaled);
                            leaving.map(|one| Leaving { is_certain: *is_answered, ..one })
                        }
                        // The change may have been made, so a pod may be leaving.
                        StepsOutcome::Failed(ScaleError::AnswerLost { .. }) => {
                            Some(Leaving::unknown(steps.from))
                        }
                        StepsOutcome::Failed(_) => None,
                    };
                    self.record(index, steps, stepped, results);
                    return Ok(leaving);
                }
            }
        }
    }

    async fn attempt<W: Write>(
        &self,
        index: usize,
        steps: Steps,
        progress: &Progress,
        results: &mut Results<'_, W>,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<StepsOutcome, Signal> {
        let order = &self.orders[index];
        let (target, all) = (&order.target, steps.count());
        let change = StepwiseChange::new(self.client, order, steps);
        let wait_until_left = |count| async move {
            self.test.wait_until_left(target, count, self.limit).await?;
            let done = steps.from - count;
            let replicas = quantity(count, "replica");
            say(&format!("{target}: step {done} of {all} is done, {replicas}"));
            Ok(())
        };
        tokio::select! {
            stepped = change.run(progress, index, wait_until_left) => Ok(stepped),
            signal = signal => {
                if let Some((old, new)) = change.made() {
                    let done = steps.from - new;
                    results.suffix(index, format!(" (interrupted after {done} of {all} steps)"));
                    results.take(index, Ok(partly_scaled(old, new)));
                }
                Err(signal)
            }
        }
    }

    fn record<W: Write>(
        &self,
        index: usize,
        steps: Steps,
        stepped: StepsOutcome,
        results: &mut Results<'_, W>,
    ) {
        let (target, all) = (&self.orders[index].target, steps.count());
        match stepped {
            StepsOutcome::Done(scaled) => {
                if steps.are_several() {
                    results.suffix(index, format!(" in {all} steps"));
                }
                results.take(index, Ok(scaled));
            }
            StepsOutcome::Stopped { scaled, done, why, .. } => {
                let now = scaled.new;
                results.suffix(index, format!(" (stopped after {done} of {all} steps)"));
                results.take(index, Ok(scaled));
                let error = anyhow!("{target} was scaled to {now} instead of {}: {why}", steps.to);
                results.error(index, error);
            }
            StepsOutcome::Failed(problem) => results.take(index, Err(problem)),
        }
    }
}

/// Pods that leave by a change.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    /// The number of replicas to wait for.
    count: i64,
    /// False if the answer to the change was lost.
    is_certain: bool,
}

impl Leaving {
    /// The change from this number of replicas may have been made.
    fn unknown(count: i64) -> Self {
        Self { count, is_certain: false }
    }
}

fn leaving_by(scaled: &Scaled) -> Option<Leaving> {
    (scaled.old? > scaled.new).then_some(Leaving { count: scaled.new, is_certain: true })
}

/// The result of the steps before an interruption.
fn partly_scaled(old: Option<i64>, new: i64) -> Scaled {
    Scaled { old, new, object: None, notes: Vec::new(), requested: None }
}

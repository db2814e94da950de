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
        for (index, steps) in self.steps.iter().enumerate() {
            let leaving = match steps {
                None => self.at_once(index, progress, results, signal.as_mut()).await?,
                Some(steps) => {
                    self.in_steps(index, *steps, progress, results, signal.as_mut()).await?
                }
            };
            let is_last = index + 1 == self.orders.len();
            let Some(Leaving { count, is_certain }) = leaving.filter(|_| !is_last) else {
                continue;
            };
            let target = &self.orders[index].target;
            let waited = tokio::select! {
                waited = self.test.wait_until_left(target, count, self.limit) => waited,
                signal = &mut signal => return Err(signal),
            };
            if let Err(why) = waited {
                let why = if is_certain { &why } else { "the answer to its change was lost" };
                for rest in index + 1..self.orders.len() {
                    let error = anyhow!(
                        "not scaled, because the workers of {target} may not have left Locust: {why}"
                    );
                    results.error(rest, error);
                }
                break;
            }
        }
        Ok(())
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
                AfterPlan::Retry => {}
                AfterPlan::Report(stepped) => {
                    let leaving = match &stepped {
                        StepsOutcome::Done(scaled) | StepsOutcome::Stopped { scaled, .. } => {
                            leaving_by(scaled)
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
            let noun = if count == 1 { "replica" } else { "replicas" };
            say(&format!("{target}: step {done} of {all} is done, {count} {noun}"));
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

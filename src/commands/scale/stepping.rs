//! Carrying out orders of which some have to be made in steps: one order after another.

use std::io::Write;
use std::pin::Pin;
use std::time::Duration;

use anyhow::anyhow;

use super::super::signals::Signal;
use super::results::Results;
use super::running_test::RunningTest;
use crate::cluster::api::Client;
use crate::locust::{Instead, Stepped, Steps, StepwiseChange, instead_of_steps};
use crate::scaling::{Order, Progress, Scaled, scale_one};
use crate::text::terminal::say;

/// How often the steps are worked out anew.
const MOST_RACES: usize = 5;

/// Everything that the orders need.
pub(super) struct Stepping<'a, 'b> {
    pub client: &'a Client,
    pub test: &'a RunningTest<'b>,
    pub orders: &'a [Order],
    /// The steps of each order; `None` where it is made at once.
    pub steps: &'a [Option<Steps>],
    /// How long each step may take.
    pub limit: Duration,
}

impl Stepping<'_, '_> {
    /// Carries out all orders, until the signal comes.
    ///
    /// # Errors
    /// The signal. What was done until then is in `results`.
    pub(super) async fn run<W: Write>(
        &self,
        progress: &Progress,
        results: &mut Results<'_, W>,
        mut signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<(), Signal> {
        for (index, steps) in self.steps.iter().enumerate() {
            let left = match steps {
                None => self.at_once(index, progress, results, signal.as_mut()).await?,
                Some(steps) => {
                    self.in_steps(index, *steps, progress, results, signal.as_mut()).await?
                }
            };
            let is_last = index + 1 == self.orders.len();
            let Some(count) = left.filter(|_| !is_last) else { continue };
            let target = &self.orders[index].target;
            let waited = tokio::select! {
                waited = self.test.left(target, count, self.limit) => waited,
                signal = &mut signal => return Err(signal),
            };
            if let Err(why) = waited {
                for rest in index + 1..self.orders.len() {
                    results
                        .error(rest, anyhow!("not scaled, since {target} has not settled: {why}"));
                }
                break;
            }
        }
        Ok(())
    }

    /// Gives the new count where pods leave.
    async fn at_once<W: Write>(
        &self,
        index: usize,
        progress: &Progress,
        results: &mut Results<'_, W>,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Option<i64>, Signal> {
        tokio::select! {
            outcome = scale_one(self.client, &self.orders[index], progress, index) => {
                let left = outcome.as_ref().ok().and_then(|scaled| {
                    (scaled.old? > scaled.new).then_some(scaled.new)
                });
                results.take(index, outcome);
                Ok(left)
            }
            signal = signal => Err(signal),
        }
    }

    /// Works out the steps anew when somebody else changes the count before the first one.
    async fn in_steps<W: Write>(
        &self,
        index: usize,
        mut steps: Steps,
        progress: &Progress,
        results: &mut Results<'_, W>,
        mut signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Option<i64>, Signal> {
        for _ in 0..MOST_RACES {
            match self.one(index, steps, progress, results, signal.as_mut()).await? {
                Some(Instead::Steps(instead)) => steps = instead,
                Some(Instead::AtOnce) => break,
                None => return Ok(Some(steps.to)),
            }
        }
        self.at_once(index, progress, results, signal).await
    }

    async fn one<W: Write>(
        &self,
        index: usize,
        steps: Steps,
        progress: &Progress,
        results: &mut Results<'_, W>,
        signal: Pin<&mut impl Future<Output = Signal>>,
    ) -> Result<Option<Instead>, Signal> {
        let order = &self.orders[index];
        let (target, all) = (&order.target, steps.count());
        let change = StepwiseChange::new(self.client, order, steps);
        let left = |count| async move {
            self.test.left(target, count, self.limit).await?;
            say(&format!(
                "{target}: step {} of {all} is done, {count} replicas",
                steps.from - count
            ));
            Ok(())
        };
        let stepped = tokio::select! {
            stepped = change.run(progress, index, left) => stepped,
            signal = signal => {
                if let Some((old, new)) = change.made() {
                    let done = steps.from - new;
                    results.suffix(index, format!(" (interrupted after {done} of {all} steps)"));
                    results.take(index, Ok(made(old, new)));
                }
                return Err(signal);
            }
        };
        match stepped {
            Stepped::Done(scaled) => {
                results.suffix(index, format!(" in {all} steps"));
                results.take(index, Ok(scaled));
            }
            Stepped::Stopped { scaled, done, why } => {
                let now = scaled.new;
                results.suffix(index, format!(" (stopped after {done} of {all} steps)"));
                results.take(index, Ok(scaled));
                results.error(
                    index,
                    anyhow!("{target} was scaled to {now} instead of {}: {why}", steps.to),
                );
            }
            Stepped::Failed(problem) => match instead_of_steps(order, &problem) {
                None => results.take(index, Err(problem)),
                instead => return Ok(instead),
            },
        }
        Ok(None)
    }
}

/// The change as far as it was made.
fn made(old: Option<i64>, new: i64) -> Scaled {
    Scaled { old, new, object: None, notes: Vec::new(), asked_for: None }
}

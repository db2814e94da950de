//! Scaling down one pod after another, for releases whose master breaks when several workers leave a
//! running test at once (locust#3515).

use std::sync::{Mutex, PoisonError};

use super::look::Look;
use super::page::Page;
use super::release::Release;
use crate::cluster::api::Client;
use crate::scaling::{
    Condition, ListedObject, NewCount, Order, Progress, ScaleError, Scaled, count_text, scale_one,
};

/// A change that is made in steps of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// The count at the beginning.
    pub from: i64,
    /// The count that was asked for.
    pub to: i64,
}

/// The result of a change in steps.
#[derive(Debug)]
pub enum Stepped {
    /// All steps were made.
    Done(Scaled),
    /// Some steps were made, and the next one could not be.
    Stopped {
        /// The change as far as it was made.
        scaled: Scaled,
        /// Steps that were made.
        done: i64,
        /// Why the next one was not.
        why: String,
    },
    /// No step was made.
    Failed(ScaleError),
}

impl Steps {
    /// From this count to that of the order.
    pub fn new(order: &Order, replicas: i64) -> Self {
        let to = match order.new {
            NewCount::Exactly(count) => i64::from(count),
            NewCount::By(by) => replicas.saturating_add(by).max(0),
        };
        Self { from: replicas, to }
    }

    /// How many steps there are.
    pub fn count(self) -> i64 {
        self.from - self.to
    }

    /// Two or more pods leave.
    fn are_several(self) -> bool {
        self.count() >= 2
    }
}

/// The steps for this order, if it has to be made in steps: a test is running, its release breaks or
/// cannot be read, and two or more pods leave. `replicas` is the count of the target now.
pub fn steps_for(order: &Order, replicas: i64, before: &Look) -> Option<Steps> {
    let steps = Steps::new(order, replicas);
    let holds = order.condition.replicas.is_none_or(|expected| expected == replicas);
    (holds && steps.are_several() && breaks_by_leaving(before)).then_some(steps)
}

/// A test is running, and its master breaks when several workers leave at once; a release that cannot
/// be read counts as one that breaks.
pub fn breaks_by_leaving(before: &Look) -> bool {
    let release = before.page.as_ref().and_then(Page::release);
    before.is_running() && release.is_none_or(Release::breaks_when_workers_leave)
}

/// The new plan after the count changed before the first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// Other steps.
    Steps(Steps),
    /// No steps: at most one pod leaves.
    AtOnce,
}

/// The new plan if the count changed before the first step. `None` if the order has
/// `--current-replicas`, or if the step failed for another reason.
pub fn instead_of_steps(order: &Order, problem: &ScaleError) -> Option<Instead> {
    let ScaleError::ReplicasDiffer { was: Some(was), .. } = problem else { return None };
    let steps = Steps::new(order, *was);
    let instead = if steps.are_several() { Instead::Steps(steps) } else { Instead::AtOnce };
    order.condition.replicas.is_none().then_some(instead)
}

/// A change in steps: everything that each step needs.
pub struct StepwiseChange<'a> {
    /// The Kubernetes API.
    pub client: &'a Client,
    /// The change as a whole.
    pub order: &'a Order,
    /// Its steps.
    pub steps: Steps,
    /// The steps that were made: the count before them and the count now.
    made: Mutex<Option<(Option<i64>, i64)>>,
}

impl<'a> StepwiseChange<'a> {
    /// Nothing is changed yet.
    pub fn new(client: &'a Client, order: &'a Order, steps: Steps) -> Self {
        Self { client, order, steps, made: Mutex::default() }
    }

    /// The steps that were made: the count before them and the count now.
    pub fn made(&self) -> Option<(Option<i64>, i64)> {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes off one pod after another. After each step but the last, `left` waits until the pod has
    /// ended and its worker has left Locust; it is given the new count, and tells why that did not
    /// happen. The conditions of the order are those of the first step; each later one has the count
    /// of the step before it as its condition. `index` is the order's place in `progress`.
    pub async fn run<F: Future<Output = Result<(), String>>>(
        &self,
        progress: &Progress,
        index: usize,
        mut left: impl FnMut(i64) -> F,
    ) -> Stepped {
        let Steps { from, to } = self.steps;
        let first = Condition { replicas: Some(from), ..self.order.condition.clone() };
        let step = self.step(from - 1, first, self.order.listed.clone());
        let mut scaled = match scale_one(self.client, &step, progress, index).await {
            Ok(scaled) => scaled,
            Err(problem) => return Stepped::Failed(problem),
        };
        self.note(&scaled);
        for count in (to..from - 1).rev() {
            let done = from - count - 1;
            if let Err(why) = left(count + 1).await {
                return Stepped::Stopped { scaled, done, why };
            }
            let condition = Condition { replicas: Some(count + 1), resource_version: None };
            let step = self.step(count, condition, None);
            match scale_one(self.client, &step, progress, index).await {
                Ok(next) => scaled = Scaled { old: scaled.old, ..next },
                Err(problem) => {
                    return Stepped::Stopped { scaled, done, why: explain(&problem) };
                }
            }
            self.note(&scaled);
        }
        Stepped::Done(scaled)
    }

    fn step(&self, count: i64, condition: Condition, listed: Option<ListedObject>) -> Order {
        let new = i32::try_from(count).map_or(self.order.new, NewCount::Exactly);
        Order { new, condition, listed, ..self.order.clone() }
    }

    fn note(&self, scaled: &Scaled) {
        let made = Some((scaled.old, scaled.new));
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = made;
    }
}

fn explain(problem: &ScaleError) -> String {
    match problem {
        ScaleError::ReplicasDiffer { expected, was } => {
            format!("somebody else changed the count from {expected} to {}", count_text(*was))
        }
        problem => problem.to_string(),
    }
}

//! Removes one pod after another, for releases whose master breaks when several workers leave a running
//! test at once (locust#3515).

use parking_lot::Mutex;

use super::look::Look;
use super::page::Page;
use super::release::Release;
use crate::cluster::api::Client;
use crate::scaling::{
    AnnotationChange, Condition, ListedObject, NewCount, Order, Progress, ScaleError, Scaled,
    count_text, scale_one,
};

/// A change that is made in steps of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// Replicas before the first step.
    pub from: i64,
    /// Replicas after the last step.
    pub to: i64,
}

/// The result of a change in steps.
#[derive(Debug)]
pub enum StepsOutcome {
    /// All steps are done.
    Done(Scaled),
    /// Some steps are done, and the next one failed.
    Stopped {
        /// The change by the steps that are done.
        scaled: Scaled,
        /// Number of the steps that are done.
        done: i64,
        /// The reason why the next step failed.
        why: String,
        /// False if the answer to the next step was lost. Then this step may have been made, too.
        is_answered: bool,
    },
    /// The first step failed.
    Failed(ScaleError),
}

impl Steps {
    /// The steps from this number of replicas to that of the order.
    pub fn new(order: &Order, replicas: i64) -> Self {
        let to = match order.new {
            NewCount::Exactly(count) => i64::from(count),
            NewCount::By(by) => replicas.saturating_add(by).max(0),
        };
        Self { from: replicas, to }
    }

    /// The number of steps.
    pub fn count(self) -> i64 {
        self.from - self.to
    }

    /// Two or more pods leave.
    pub fn are_several(self) -> bool {
        self.count() >= 2
    }
}

/// The steps of this order; `None` if the change can be made at once. Steps are needed if a test is
/// running, its release breaks or cannot be read, and pods leave. For a single pod this is one step: its
/// request tests the count, because several pods would leave if another client has added some. `replicas`
/// is the current number of the target. With `--current-replicas`, the steps begin at that number: the
/// order has no effect at another one.
pub fn steps_for(order: &Order, replicas: i64, before: &Look) -> Option<Steps> {
    let steps = Steps::new(order, order.condition.replicas.unwrap_or(replicas));
    (steps.count() > 0 && breaks_by_leaving(before)).then_some(steps)
}

/// A test is running, and its master breaks when several workers leave at once. A release that cannot
/// be read counts as one that breaks.
pub fn breaks_by_leaving(before: &Look) -> bool {
    let release = before.page.as_ref().and_then(Page::release);
    before.is_running() && release.is_none_or(Release::breaks_when_workers_leave)
}

/// The new steps if the number of replicas changed before the first step. `None` if the order has
/// `--current-replicas`, or if the step failed for another reason.
pub fn new_steps(order: &Order, problem: &ScaleError) -> Option<Steps> {
    let ScaleError::ReplicasDiffer { was: Some(was), .. } = problem else { return None };
    order.condition.replicas.is_none().then(|| Steps::new(order, *was))
}

/// A change in steps.
pub struct StepwiseChange<'a> {
    client: &'a Client,
    /// The whole change.
    order: &'a Order,
    steps: Steps,
    /// The replicas before the first step and after the last one that is done.
    made: Mutex<Option<(Option<i64>, i64)>>,
}

impl<'a> StepwiseChange<'a> {
    /// A change that has not begun.
    pub fn new(client: &'a Client, order: &'a Order, steps: Steps) -> Self {
        Self { client, order, steps, made: Mutex::default() }
    }

    /// The replicas before the first step and after the last one that is done; `None` if no step is
    /// done.
    pub fn made(&self) -> Option<(Option<i64>, i64)> {
        *self.made.lock()
    }

    /// Removes one pod after another. If at most one pod leaves, there is one step for the whole change.
    /// After each step but the last, `wait_until_left` gets the new
    /// number of replicas. It waits until the pod has ended and its worker has left Locust, and its
    /// error says why this did not happen. The conditions of the order hold for the first step. The
    /// condition of each later step is the number of replicas after the step before it. `index` is
    /// the order's index in `progress`.
    pub async fn run<F: Future<Output = Result<(), String>>>(
        &self,
        progress: &Progress,
        index: usize,
        mut wait_until_left: impl FnMut(i64) -> F,
    ) -> StepsOutcome {
        let Steps { from, to } = self.steps;
        let Order { condition, new, .. } = self.order;
        // The goal of --by, and of a condition of the user, depends on who has made the change.
        let is_exact = matches!(new, NewCount::Exactly(_));
        let is_of_step = is_exact && *condition == Condition::default();
        let first = Condition { replicas: Some(from), is_of_step, ..condition.clone() };
        let count = if self.steps.are_several() { from - 1 } else { to };
        let step = self.step(count, first, true);
        let mut scaled = match scale_one(self.client, &step, progress, index).await {
            Ok(scaled) => scaled,
            Err(problem) => return StepsOutcome::Failed(problem),
        };
        self.note(&scaled);
        for count in (to..from - 1).rev() {
            let done = from - count - 1;
            if let Err(why) = wait_until_left(count + 1).await {
                return StepsOutcome::Stopped { scaled, done, why, is_answered: true };
            }
            let condition = Condition { is_of_step: is_exact, ..Condition::replicas(count + 1) };
            let step = self.step(count, condition, false);
            match scale_one(self.client, &step, progress, index).await {
                Ok(next) => scaled = Scaled { old: scaled.old, ..next },
                Err(problem) => {
                    let is_answered = !matches!(problem, ScaleError::AnswerLost { .. });
                    let why = explain(&problem);
                    return StepsOutcome::Stopped { scaled, done, why, is_answered };
                }
            }
            self.note(&scaled);
        }
        StepsOutcome::Done(scaled)
    }

    fn step(&self, count: i64, condition: Condition, is_first: bool) -> Order {
        let new = match i32::try_from(count) {
            Ok(count) if self.steps.are_several() => NewCount::Exactly(count),
            _ => self.order.new,
        };
        // After another client's change, the object in the LIST is stale.
        let is_current = |listed: &ListedObject| condition.replicas == Some(listed.replicas);
        let listed = self.order.listed.clone().filter(|listed| is_first && is_current(listed));
        // The first step of --restore removes the annotation.
        let is_left = |annotation_change: &AnnotationChange| {
            *annotation_change == AnnotationChange::Remember || is_first
        };
        let annotation_change = self.order.annotation_change.filter(is_left);
        Order { new, condition, listed, annotation_change, ..self.order.clone() }
    }

    fn note(&self, scaled: &Scaled) {
        let made = Some((scaled.old, scaled.new));
        *self.made.lock() = made;
    }
}

fn explain(problem: &ScaleError) -> String {
    match problem {
        ScaleError::ReplicasDiffer { expected, was } => {
            let now = count_text(*was);
            format!("another client changed the number of replicas from {expected} to {now}")
        }
        problem => problem.to_string(),
    }
}

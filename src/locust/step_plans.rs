//! The plans of a change in steps. A plan becomes stale when the count changes before its first step.

use super::steps::{NewPlan, Steps, StepsOutcome, new_plan};
use crate::scaling::Order;

/// The number of plans for one change.
const MAX_PLANS: usize = 5;

/// The current plan of a change in steps.
pub struct StepPlans<'a> {
    order: &'a Order,
    steps: Steps,
    rest: usize,
}

/// The next action after a plan was carried out.
pub enum AfterPlan {
    /// Carry out the new plan, since the count changed before the first step.
    Retry,
    /// Make the change at once: at most one pod leaves, or the count changed before the first step
    /// of every plan.
    AtOnce,
    /// Report this result.
    Report(StepsOutcome),
}

impl<'a> StepPlans<'a> {
    /// Begins with these steps.
    pub fn new(order: &'a Order, steps: Steps) -> Self {
        Self { order, steps, rest: MAX_PLANS }
    }

    /// The current plan.
    pub fn steps(&self) -> Steps {
        self.steps
    }

    /// Decides what to do after the current plan was carried out.
    pub fn after(&mut self, stepped: StepsOutcome) -> AfterPlan {
        let new_plan = match &stepped {
            StepsOutcome::Failed(problem) => new_plan(self.order, problem),
            StepsOutcome::Done(_) | StepsOutcome::Stopped { .. } => None,
        };
        self.rest = self.rest.saturating_sub(1);
        match new_plan {
            None => AfterPlan::Report(stepped),
            Some(NewPlan::Steps(steps)) if self.rest > 0 => {
                self.steps = steps;
                AfterPlan::Retry
            }
            Some(NewPlan::Steps(_) | NewPlan::AtOnce) => AfterPlan::AtOnce,
        }
    }
}

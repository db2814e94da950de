//! The plans of a change in steps. A plan becomes stale when the count changes before its first step.

use super::steps::{Steps, StepsOutcome, new_steps};
use crate::scaling::{ATTEMPTS, Order, ScaleError};

/// The current plan of a change in steps.
pub struct StepPlans<'a> {
    order: &'a Order,
    steps: Steps,
    /// The number of plans that were carried out.
    attempts: u32,
}

/// The next action after a plan was carried out.
#[derive(Debug)]
pub enum AfterPlan {
    /// Carry out the new plan, since the count changed before the first step.
    Retry,
    /// Report this result.
    Report(StepsOutcome),
}

impl<'a> StepPlans<'a> {
    /// Begins with these steps.
    pub fn new(order: &'a Order, steps: Steps) -> Self {
        Self { order, steps, attempts: 0 }
    }

    /// The current plan.
    pub fn steps(&self) -> Steps {
        self.steps
    }

    /// Decides what to do after the current plan was carried out. If the count changed before the first
    /// step of every plan, nothing was changed, and the result is [`ScaleError::LostRaces`].
    pub fn after(&mut self, stepped: StepsOutcome) -> AfterPlan {
        let StepsOutcome::Failed(problem) = &stepped else { return AfterPlan::Report(stepped) };
        let Some(steps) = new_steps(self.order, problem) else { return AfterPlan::Report(stepped) };
        self.attempts += 1;
        if self.attempts < ATTEMPTS {
            self.steps = steps;
            return AfterPlan::Retry;
        }
        let target = self.order.target.to_string();
        let error = ScaleError::LostRaces { target, last: Some(steps.from) };
        AfterPlan::Report(StepsOutcome::Failed(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::{Condition, NewCount, Target};

    fn order() -> Order {
        Order::new(Target::for_test("a"), NewCount::Exactly(1))
    }

    fn differs(expected: i64, was: i64) -> StepsOutcome {
        StepsOutcome::Failed(ScaleError::ReplicasDiffer { expected, was: Some(was) })
    }

    #[test]
    fn a_count_that_always_changes_is_never_scaled_without_its_condition() {
        let order = order();
        let mut plans = StepPlans::new(&order, Steps { from: 4, to: 1 });
        for was in 5..4 + i64::from(ATTEMPTS) {
            let before = plans.steps().from;
            assert!(matches!(plans.after(differs(before, was)), AfterPlan::Retry), "{was}");
            assert_eq!(plans.steps(), Steps { from: was, to: 1 });
        }
        let AfterPlan::Report(StepsOutcome::Failed(error)) = plans.after(differs(13, 20)) else {
            panic!("the last plan is not reported");
        };
        let expected = "deployment.apps/a was not scaled: another client changed its number of replicas \
                        during each of 10 attempts; it is at 20 now";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_plan_for_one_pod_has_the_new_count_as_its_condition_too() {
        let order = order();
        let mut plans = StepPlans::new(&order, Steps { from: 4, to: 1 });
        assert!(matches!(plans.after(differs(4, 2)), AfterPlan::Retry));
        assert_eq!(plans.steps(), Steps { from: 2, to: 1 });
        assert!(!plans.steps().are_several());
    }

    #[test]
    fn a_condition_of_the_user_is_not_replaced() {
        let condition = Condition::replicas(4);
        let order = Order { condition, ..order() };
        let mut plans = StepPlans::new(&order, Steps { from: 4, to: 1 });
        let AfterPlan::Report(StepsOutcome::Failed(error)) = plans.after(differs(4, 5)) else {
            panic!("a new plan was made");
        };
        assert_eq!(error.to_string(), "Expected replicas to be 4, was 5");
    }
}

//! The question before a change that may be a mistake.

use super::settings::RebalancePolicy;
use super::snapshot::Limits;
use super::test_before::TestBefore;
use crate::locust::{
    PodChange, Test, UserStart, breaks_by_one_pod, burst_warning, cost, ends_test, judge,
    reset_warning,
};
use crate::scaling::NewCount;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The requested number of replicas.
    pub new: i64,
    /// The current number of replicas, if known.
    pub old: Option<i64>,
    pub reason: Reason,
}

/// The reason for a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The cost for a running test, as a sentence.
    Cost(String),
    /// A running test may lose users, and Locust does not answer. The text says so in sentences.
    LocustUnreachable(String),
    /// The new number is 0.
    NoWorkers,
    /// The current number is not known.
    Unknown,
    /// The new number is more than twice the current one.
    MoreThanDouble,
    /// The current number has changed after the confirmation.
    Changed,
}

impl Question {
    /// The question before a change; `None` if it needs none. A number outside the limits needs no
    /// question, because it is refused anyway.
    pub(super) fn of(
        limits: Limits,
        old: Option<i64>,
        new: i32,
        test: &TestBefore,
        policy: RebalancePolicy,
    ) -> Option<Self> {
        let reason = Reason::of(old, new, test, policy)?;
        let new = i64::from(new);
        limits.allow(new).then_some(Self { new, old, reason })
    }

    /// The question after the current number of replicas has changed to `old`.
    pub(super) fn after_conflict(
        old: Option<i64>,
        new: i32,
        test: &TestBefore,
        policy: RebalancePolicy,
    ) -> Self {
        let reason = Reason::of(old, new, test, policy).unwrap_or(Reason::Changed);
        Self { new: new.into(), old, reason }
    }

    /// The question. `name` is the name of the target.
    pub fn title(&self, name: &str) -> String {
        let new = self.new;
        match self.old {
            Some(old) => format!("Scale {name} from {old} to {new}?"),
            None => format!("Scale {name} to {new}?"),
        }
    }

    /// The reason, in sentences.
    pub fn text(&self) -> String {
        match &self.reason {
            Reason::Cost(text) | Reason::LocustUnreachable(text) => text.clone(),
            Reason::NoWorkers => {
                "This change removes all workers. A running test then ends.".to_owned()
            }
            Reason::Unknown => {
                "The current number of workers is unknown. Check the new number.".to_owned()
            }
            Reason::MoreThanDouble => "This is more than twice the current number.".to_owned(),
            Reason::Changed => "The number of workers has changed in the meantime.".to_owned(),
        }
    }

    /// The change removes all workers.
    pub fn is_dangerous(&self) -> bool {
        self.new == 0 && self.old != Some(0)
    }

    /// True if a confirmation makes the change although Locust does not answer.
    pub fn ignores_locust(&self) -> bool {
        matches!(self.reason, Reason::LocustUnreachable(_))
    }
}

impl Reason {
    /// The reason to ask, if there is one: a cost for a running test, or a number that may be a typing
    /// error, because it is 0, more than twice the current one, or the current one is not known.
    fn of(old: Option<i64>, new: i32, test: &TestBefore, policy: RebalancePolicy) -> Option<Self> {
        let count = i64::from(new);
        match (Self::of_test(old, new, test, policy), old) {
            (Some(reason), _) => Some(reason),
            _ if count == 0 && old != Some(0) => Some(Self::NoWorkers),
            (None, None) => Some(Self::Unknown),
            (None, Some(old)) => {
                (count > old.max(1).saturating_mul(2)).then_some(Self::MoreThanDouble)
            }
        }
    }

    /// The effects of this change on a running test.
    fn of_test(
        old: Option<i64>,
        new: i32,
        test: &TestBefore,
        policy: RebalancePolicy,
    ) -> Option<Self> {
        match test {
            TestBefore::None => None,
            TestBefore::Unknown(unreachable) => {
                let removes = old.is_none_or(|old| i64::from(new) < old);
                unreachable.risk().filter(|_| removes).map(Self::LocustUnreachable)
            }
            TestBefore::Running(look) => {
                let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
                let own = look.own_workers();
                let workers = count(look.worker_count());
                let test = Test { state: look.state(), users: look.users(), workers };
                let new = NewCount::Exactly(new);
                let change = PodChange { workers: count(own), pods: old?, new };
                let cost = cost(test, &[change]);
                let breaks = breaks_by_one_pod(look, &[change]);
                let reset =
                    reset_warning(look).filter(|_| cost.is_some() && !ends_test(test, &[change]));
                let moves_users = change.moves_users() && policy != RebalancePolicy::Never;
                let burst =
                    burst_warning(look, &judge(look, None, None), &[change], UserStart::AtOnce)
                        .filter(|_| moves_users);
                let texts = [cost, breaks, reset, burst].into_iter().flatten();
                let sentences: Vec<_> = texts.map(|text| sentence(&text)).collect();
                (!sentences.is_empty()).then(|| Self::Cost(sentences.join(" ")))
            }
        }
    }
}

/// Adds a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::super::test_before::{LastAnswer, LocustUnreachable};
    use super::*;
    use crate::locust::examples::look;

    const LIMITS: Limits = Limits { min: 0, max: 100 };
    const AFTER_CHANGES: RebalancePolicy = RebalancePolicy::AfterChanges;

    #[test]
    fn zero_and_more_than_double_need_a_question() {
        for (old, new, has_question) in [
            (5, 0, true),
            (5, 1, false),
            (5, 10, false),
            (5, 11, true),
            (1, 2, false),
            (1, 3, true),
            (0, 0, false),
            (0, 2, false),
            (0, 3, true),
            (5, 101, false),
        ] {
            let question = Question::of(LIMITS, Some(old), new, &TestBefore::None, AFTER_CHANGES);
            assert_eq!(question.is_some(), has_question, "{old} to {new}");
        }
        for (new, reason) in [(0, Reason::NoWorkers), (3, Reason::Unknown)] {
            let question =
                Question::of(LIMITS, None, new, &TestBefore::None, AFTER_CHANGES).unwrap();
            assert_eq!(question.reason, reason, "unknown to {new}");
        }
    }

    #[test]
    fn fewer_workers_need_a_question_if_locust_does_not_answer_and_may_run_a_test() {
        let unreachable = |last| {
            let why = "Locust does not answer: x".to_owned();
            TestBefore::Unknown(LocustUnreachable { why, last })
        };
        for (last, old, new, has_question) in [
            (LastAnswer::Running(60), Some(5), 4, true),
            (LastAnswer::Running(60), Some(5), 6, false),
            (LastAnswer::Running(60), None, 4, true),
            (LastAnswer::TooOld, Some(5), 4, true),
            (LastAnswer::TooOld, Some(5), 6, false),
            (LastAnswer::NoTest, Some(5), 4, false),
        ] {
            let question = Question::of(LIMITS, old, new, &unreachable(last), AFTER_CHANGES);
            let ignores_locust = question.is_some_and(|question| question.ignores_locust());
            assert_eq!(ignores_locust, has_question, "{last:?} {old:?} {new}");
        }
    }

    #[test]
    fn the_question_names_all_effects_on_a_running_test() {
        let two_each = |version: &str| {
            let mut look = look(version, &[15; 4]).page(|page| page.spawn_rate = Some(1.0));
            for (index, worker) in look.stats.workers.iter_mut().flatten().enumerate() {
                worker.id = format!("w-{}_{index:032x}", index / 2);
            }
            TestBefore::Running(Box::new(look.with_num_users(60.0)))
        };
        let text = |version: &str, new, policy| {
            let question = Question::of(LIMITS, Some(2), new, &two_each(version), policy);
            question.map(|question| question.text()).unwrap_or_default()
        };
        let burst = |users: u32| {
            format!(
                "This change would start about {users} users at once, although the spawn rate is 1 per second."
            )
        };
        let old = text("2.32.2", 1, AFTER_CHANGES);
        assert!(
            old.contains("The master of this release of Locust can then stop working"),
            "{old}"
        );
        assert!(old.ends_with(&burst(30)), "{old}");
        let new = text("2.47.0", 1, AFTER_CHANGES);
        assert!(!new.contains("stop working") && new.ends_with(&burst(30)), "{new}");
        assert!(!text("2.47.0", 1, RebalancePolicy::Never).contains("at once"));
        assert_eq!(text("2.47.0", 3, AFTER_CHANGES), burst(20));
        assert_eq!(text("2.47.0", 2, AFTER_CHANGES), "");
    }
}

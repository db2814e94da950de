//! The question before a change that may be a mistake. `common.js` has the same rules.

use super::snapshot::{Snapshot, Swarm};
use crate::locust::{PodChange, Test, cost};
use crate::scaling::NewCount;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The requested count.
    pub new: i64,
    /// The present count, if known.
    pub old: Option<i64>,
    pub reason: Reason<'a>,
}

/// The reason for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason<'a> {
    /// The cost for a running test, as a sentence.
    Cost(&'a str),
    /// The new count is 0.
    NoWorkers,
    /// The present count is not known.
    Unknown,
    /// The new count is more than twice the present one.
    MoreThanDouble,
    /// The present count has changed after the confirmation.
    Changed,
}

impl<'a> Question<'a> {
    /// The question before a change; `None` if it needs none. A count outside the limits needs no
    /// question, because it is refused anyway.
    pub fn of(
        snapshot: &Snapshot,
        old: Option<i64>,
        new: i32,
        cost: Option<&'a str>,
    ) -> Option<Self> {
        let new = i64::from(new);
        let reason = Reason::of(old, new, cost).filter(|_| snapshot.limits.allow(new))?;
        Some(Self { new, old, reason })
    }

    /// The question after the count has changed to `now`; `None` if that is the requested count.
    pub fn again(now: i64, new: i32, cost: Option<&'a str>) -> Option<Self> {
        let (old, new) = (Some(now), i64::from(new));
        let reason = Reason::of(old, new, cost).unwrap_or(Reason::Changed);
        (new != now).then_some(Self { new, old, reason })
    }

    /// The question. `name` is the name of the target.
    pub fn title(&self, name: &str) -> String {
        let new = self.new;
        match self.old {
            Some(old) => format!("Scale {name} from {old} to {new}?"),
            None => format!("Scale {name} to {new}?"),
        }
    }

    /// The reason, as a sentence.
    pub fn text(&self) -> String {
        match self.reason {
            Reason::Cost(cost) => sentence(cost),
            Reason::NoWorkers => "All workers are removed, and a running test ends.".to_owned(),
            Reason::Unknown => {
                "The current number of workers is unknown. Check the new number.".to_owned()
            }
            Reason::MoreThanDouble => "This is more than twice the present number.".to_owned(),
            Reason::Changed => "The number of workers has changed in the meantime.".to_owned(),
        }
    }
}

impl<'a> Reason<'a> {
    /// The reason to ask, if there is one: a cost for a running test, or a count that may be a typing
    /// error, because it is 0, more than twice the present one, or the present one is not known.
    fn of(old: Option<i64>, new: i64, cost: Option<&'a str>) -> Option<Self> {
        match (cost, old) {
            (Some(cost), _) => Some(Self::Cost(cost)),
            _ if new == 0 && old != Some(0) => Some(Self::NoWorkers),
            (None, None) => Some(Self::Unknown),
            (None, Some(old)) => {
                (new > old.max(1).saturating_mul(2)).then_some(Self::MoreThanDouble)
            }
        }
    }
}

/// The cost of a change for a running test, as a sentence; `None` if there is none.
pub fn cost_of(snapshot: &Snapshot, old: Option<i64>, new: i32) -> Option<String> {
    let Swarm { state, users, workers, target_workers, .. } = snapshot.locust.as_ref()?;
    let test = Test { state, users: *users, workers: *workers };
    let new = NewCount::Exactly(new);
    cost(test, &[PodChange { workers: *target_workers, pods: old?, new }])
}

/// Adds a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::live::Live;
    use crate::serve::snapshot::{Limits, Replicas, TargetInfo};

    fn at(desired: i64) -> Snapshot {
        let text = || "x".to_owned();
        let target = TargetInfo {
            kind: text(),
            name: text(),
            namespace: text(),
            cluster: text(),
            context: None,
        };
        let live = Live::new(target, Limits { min: 0, max: 100 });
        let mut snapshot = live.now().snapshot.clone();
        let (current, ready) = (desired, Some(desired));
        snapshot.replicas = Some(Replicas { desired, current, ready, settled: true });
        snapshot
    }

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
        ] {
            let question = Question::of(&at(old), Some(old), new, None);
            assert_eq!(question.is_some(), has_question, "{old} to {new}");
        }
        for (new, reason) in [(0, Reason::NoWorkers), (3, Reason::Unknown)] {
            let question = Question::of(&at(0), None, new, None).unwrap();
            assert_eq!(question.reason, reason, "unknown to {new}");
        }
        assert!(Question::of(&at(5), Some(5), 101, None).is_none(), "outside the limits");
    }

    #[test]
    fn a_cost_for_a_running_test_needs_a_question() {
        let mut snapshot = at(5);
        assert_eq!(cost_of(&snapshot, Some(5), 4), None);
        let state = "running".to_owned();
        snapshot.locust =
            Some(Swarm { state, users: 60, workers: 5, target_workers: 5, ..Swarm::default() });
        let cost = cost_of(&snapshot, Some(5), 4).unwrap();
        assert!(cost.contains("60 users on 5 workers; 1 of them will leave"), "{cost}");
        assert!(Question::of(&snapshot, Some(5), 4, Some(&cost)).is_some());
        assert_eq!(cost_of(&snapshot, Some(5), 5), None);
    }
}

//! The question before a change that may be a mistake.

use super::snapshot::{Snapshot, Swarm};
use crate::locust::{PodChange, Test, cost};
use crate::scaling::NewCount;

/// A question about a count before it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The count that was asked for.
    pub new: i64,
    /// The count that stands there, where that is known.
    pub old: Option<i64>,
    /// Why it is asked.
    pub reason: Reason<'a>,
}

/// Why a count is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason<'a> {
    /// A running test loses something by it, in a sentence.
    Cost(&'a str),
    /// No worker stays.
    End,
    /// The present count is not known.
    Unknown,
    /// It is more than twice the present count.
    Leap,
    /// The present count is not the one that was confirmed.
    Changed,
}

impl<'a> Question<'a> {
    /// The question before a change; `None` when it needs none. A change that will be refused anyway
    /// needs none.
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

    /// The question after the count has changed to `now`; `None` when that is the wanted one.
    pub fn again(now: i64, new: i32, cost: Option<&'a str>) -> Option<Self> {
        let (old, new) = (Some(now), i64::from(new));
        let reason = Reason::of(old, new, cost).unwrap_or(Reason::Changed);
        (new != now).then_some(Self { new, old, reason })
    }

    /// The question itself; `name` is the target's.
    pub fn title(&self, name: &str) -> String {
        let new = self.new;
        match self.old {
            Some(old) => format!("Scale {name} from {old} to {new}?"),
            None => format!("Scale {name} to {new}?"),
        }
    }

    /// The reason, in a sentence.
    pub fn text(&self) -> String {
        match self.reason {
            Reason::Cost(cost) => sentence(cost),
            Reason::End => "All workers go away, and a running test ends.".to_owned(),
            Reason::Unknown => "How many workers there are now is not known.".to_owned(),
            Reason::Leap => "That is more than twice as many as now.".to_owned(),
            Reason::Changed => "The number of workers has changed meanwhile.".to_owned(),
        }
    }
}

impl<'a> Reason<'a> {
    /// A running test may lose by the change. Nothing at all, and more than twice as many, may be a
    /// slip of the finger; and so may any count where the present one is not known.
    fn of(old: Option<i64>, new: i64, cost: Option<&'a str>) -> Option<Self> {
        match (cost, old) {
            (Some(cost), _) => Some(Self::Cost(cost)),
            _ if new == 0 && old != Some(0) => Some(Self::End),
            (None, None) => Some(Self::Unknown),
            (None, Some(old)) => (new > old.max(1).saturating_mul(2)).then_some(Self::Leap),
        }
    }
}

/// What a running test loses by this change, in a sentence; `None` when nothing.
pub fn cost_of(snapshot: &Snapshot, old: Option<i64>, new: i32) -> Option<String> {
    let Swarm { state, users, workers, own_workers, .. } = snapshot.locust.as_ref()?;
    let test = Test { state, users: *users, workers: *workers };
    let new = NewCount::Exactly(new);
    cost(test, &[PodChange { workers: *own_workers, pods: old?, new }])
}

/// With a capital letter and a full stop.
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
    fn zero_and_more_than_double_are_asked_about() {
        for (old, new, is_asked) in [
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
            assert_eq!(question.is_some(), is_asked, "{old} to {new}");
        }
        for (new, reason) in [(0, Reason::End), (3, Reason::Unknown)] {
            let question = Question::of(&at(0), None, new, None).unwrap();
            assert_eq!(question.reason, reason, "unknown to {new}");
        }
        assert!(Question::of(&at(5), Some(5), 101, None).is_none(), "it is beyond the limits");
    }

    #[test]
    fn what_costs_a_running_test_something_is_asked_about() {
        let mut snapshot = at(5);
        assert_eq!(cost_of(&snapshot, Some(5), 4), None);
        let state = "running".to_owned();
        snapshot.locust =
            Some(Swarm { state, users: 60, workers: 5, own_workers: 5, ..Swarm::default() });
        let cost = cost_of(&snapshot, Some(5), 4).unwrap();
        assert!(cost.contains("60 users on 5 workers; 1 of them will leave"), "{cost}");
        assert!(Question::of(&snapshot, Some(5), 4, Some(&cost)).is_some());
        assert_eq!(cost_of(&snapshot, Some(5), 5), None);
    }
}

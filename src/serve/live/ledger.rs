//! What happened to the count: made from here, or seen in the cluster.

use std::collections::VecDeque;

use super::super::log::now;
use super::super::snapshot::{Change, LONGEST_HISTORY, Outcome, Stage, Users};

/// What became of a change that was made from here.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who made it.
    pub who: String,
    /// The count before.
    pub old: Option<i64>,
    /// Counts that were set on the way to the new one, in their order.
    pub on_the_way: Vec<i64>,
    /// The count that was asked for.
    pub new: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
    /// For people.
    pub message: String,
}

/// The history, and what is needed to tell our own changes from those of others.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The latest first.
    history: VecDeque<Change>,
    last_id: u64,
    under_way: usize,
    /// Counts that were, or may have been, set from here and not yet seen in the cluster; none
    /// where it may be any.
    expected: Vec<Option<i64>>,
    /// Seen while changes were under way: whose they are is not clear yet.
    unclear: Vec<(i64, i64)>,
}

impl Ledger {
    /// A change is about to be made from here.
    pub(super) fn begin(&mut self) {
        self.under_way += 1;
    }

    /// What became of it; gives its id.
    pub(super) fn end(&mut self, entry: Entry) -> u64 {
        self.under_way = self.under_way.saturating_sub(1);
        let Entry { who, old, on_the_way, new, outcome, message } = entry;
        if matches!(outcome, Outcome::Scaled | Outcome::Unknown) {
            self.expected.extend(on_the_way.into_iter().map(Some));
            self.expected.push(new);
        }
        let id = self.note(who, old, new, outcome, message);
        if self.under_way == 0 {
            let unclear = std::mem::take(&mut self.unclear);
            unclear.into_iter().for_each(|(old, new)| self.judge(old, new));
        }
        id
    }

    /// The cluster has another count than before.
    pub(super) fn seen(&mut self, old: i64, new: i64) {
        match self.under_way {
            0 => self.judge(old, new),
            _ => self.unclear.push((old, new)),
        }
    }

    /// The target was read after all changes from here: what is different from now on is not theirs.
    pub(super) fn looked(&mut self) {
        if self.under_way == 0 {
            self.expected.clear();
        }
    }

    /// What a change meant for a running test.
    pub(super) fn users(&mut self, id: u64, users: Users) {
        if let Some(change) = self.history.iter_mut().find(|change| change.id == id) {
            change.users = Some(users);
        }
    }

    /// What was wrong after the latest change was put right since.
    pub(super) fn put_right(&mut self, users: Users) {
        let is_wrong = |change: &&mut Change| {
            change.users.as_ref().is_some_and(|users| users.stage == Stage::Wrong)
        };
        if let Some(change) =
            self.history.iter_mut().find(|change| change.users.is_some()).filter(is_wrong)
        {
            change.users = Some(users);
        }
    }

    /// A running test was given its users back although nothing was changed here.
    pub(super) fn kept(&mut self, count: Option<i64>, users: Users) {
        let (who, message) =
            ("locustctl".to_owned(), "Workers of the test had changed.".to_owned());
        let id = self.note(who, count, count, Outcome::Unchanged, message);
        self.users(id, users);
    }

    pub(super) fn history(&self) -> Vec<Change> {
        self.history.iter().cloned().collect()
    }

    fn judge(&mut self, old: i64, new: i64) {
        match self.expected.iter().position(|count| count.is_none_or(|count| count == new)) {
            // It stands for those before it as well, which a gap in the watch may have hidden.
            Some(place) => drop(self.expected.drain(..=place)),
            None => {
                let who = "somebody else".to_owned();
                self.note(who, Some(old), Some(new), Outcome::Observed, String::new());
            }
        }
    }

    fn note(
        &mut self,
        who: String,
        old: Option<i64>,
        new: Option<i64>,
        outcome: Outcome,
        message: String,
    ) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let users = None;
        self.history.push_front(Change { id, at: now(), who, old, new, outcome, message, users });
        self.history.truncate(LONGEST_HISTORY);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(old: i64, new: i64, outcome: Outcome) -> Entry {
        let (who, message) = ("alice".to_owned(), String::new());
        let on_the_way = Vec::new();
        Entry { who, old: Some(old), on_the_way, new: Some(new), outcome, message }
    }

    fn told(ledger: &Ledger) -> Vec<(String, Option<i64>, Outcome)> {
        ledger
            .history()
            .into_iter()
            .map(|change| (change.who, change.new, change.outcome))
            .collect()
    }

    fn alice(new: i64, outcome: Outcome) -> (String, Option<i64>, Outcome) {
        ("alice".to_owned(), Some(new), outcome)
    }

    fn other(new: i64) -> (String, Option<i64>, Outcome) {
        ("somebody else".to_owned(), Some(new), Outcome::Observed)
    }

    #[test]
    fn a_change_from_here_is_told_once_whenever_the_cluster_shows_it() {
        let mut ledger = Ledger::default();
        ledger.begin();
        ledger.seen(1, 3);
        ledger.end(entry(1, 3, Outcome::Scaled));
        ledger.begin();
        ledger.end(entry(3, 5, Outcome::Scaled));
        ledger.seen(3, 5);
        assert_eq!(told(&ledger), [alice(5, Outcome::Scaled), alice(3, Outcome::Scaled)]);
    }

    #[test]
    fn the_steps_of_a_change_from_here_are_not_told() {
        let mut ledger = Ledger::default();
        ledger.begin();
        ledger.seen(5, 4);
        ledger.seen(4, 2);
        ledger.end(Entry { on_the_way: vec![4, 3, 2], ..entry(5, 1, Outcome::Scaled) });
        ledger.seen(2, 1);
        ledger.seen(1, 3);
        assert_eq!(told(&ledger), [other(3), alice(1, Outcome::Scaled)]);
    }

    #[test]
    fn what_others_change_is_told_as_theirs() {
        let mut ledger = Ledger::default();
        ledger.seen(1, 3);
        ledger.begin();
        ledger.seen(3, 9);
        ledger.end(entry(9, 4, Outcome::Scaled));
        ledger.seen(9, 4);
        ledger.seen(4, 9);
        assert_eq!(told(&ledger), [other(9), other(9), alice(4, Outcome::Scaled), other(3)]);
    }

    #[test]
    fn a_failed_change_explains_nothing_and_an_old_one_neither() {
        let mut ledger = Ledger::default();
        ledger.begin();
        ledger.end(entry(1, 3, Outcome::Failed));
        ledger.seen(1, 3);
        ledger.begin();
        ledger.end(entry(3, 5, Outcome::Scaled));
        ledger.looked();
        ledger.seen(3, 5);
        let expected = [other(5), alice(5, Outcome::Scaled), other(3), alice(3, Outcome::Failed)];
        assert_eq!(told(&ledger), expected);
    }

    #[test]
    fn a_change_that_may_have_been_from_here_is_not_told_as_somebody_elses() {
        let mut ledger = Ledger::default();
        ledger.begin();
        ledger.seen(3, 4);
        ledger.end(Entry { new: None, ..entry(3, 0, Outcome::Unknown) });
        ledger.seen(4, 5);
        assert_eq!(told(&ledger), [other(5), ("alice".to_owned(), None, Outcome::Unknown)]);
    }

    #[test]
    fn the_history_does_not_grow_without_end() {
        let mut ledger = Ledger::default();
        (0..80).for_each(|count| ledger.seen(count, count + 1));
        let history = ledger.history();
        assert_eq!((history.len(), history[0].id, history[0].new), (50, 80, Some(80)));
    }
}

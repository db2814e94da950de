//! The history of the count: changes made here, and changes observed in the cluster.

use std::collections::VecDeque;

use time::OffsetDateTime;

use super::super::log::rfc3339;
use super::super::record::{MAX_RECORDS, Record};
use super::super::snapshot::{Change, MAX_HISTORY, Outcome, Stage, UserCheck};
use super::same_change::{end_old_check, is_same_change, take_later_check};

/// The result of a change that was made here.
#[derive(Debug, Clone)]
pub(crate) struct HistoryEntry {
    /// The person or account that made the change.
    pub changed_by: String,
    /// The count before.
    pub old: Option<i64>,
    /// The counts between the old and the new one, in their order, if the change was made in steps.
    pub intermediate: Vec<i64>,
    /// The requested count.
    pub new: Option<i64>,
    pub outcome: Outcome,
    /// A text for people.
    pub message: String,
}

/// The history. It distinguishes changes made here from those of other clients.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The latest first.
    history: VecDeque<Entry>,
    /// The prefix of the keys of this process.
    process: String,
    last_id: u64,
    /// The number of changes made here that have not ended.
    running: usize,
    /// Counts that were, or may have been, set here and are not yet observed in the cluster. `None`
    /// stands for any count.
    expected: Vec<Option<i64>>,
    /// Old and new counts that were observed while changes were running. They are judged when the
    /// last change has ended.
    pending: Vec<(i64, i64)>,
}

/// A change in the history, and who maintains it.
#[derive(Debug)]
struct Entry {
    record: Record,
    /// True if this process has written it. Other entries are replaced by the stored ones.
    is_own: bool,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            history: VecDeque::new(),
            process: format!("{:016x}", fastrand::u64(..)),
            last_id: 0,
            running: 0,
            expected: Vec::new(),
            pending: Vec::new(),
        }
    }
}

impl Ledger {
    /// Notes that a change begins.
    pub(super) fn begin(&mut self) {
        self.running += 1;
    }

    /// Adds the result of a change, and returns its id.
    pub(super) fn end(&mut self, entry: HistoryEntry) -> u64 {
        self.running = self.running.saturating_sub(1);
        let HistoryEntry { changed_by, old, intermediate, new, outcome, message } = entry;
        if matches!(outcome, Outcome::Scaled | Outcome::Unknown) {
            self.expected.extend(intermediate.iter().copied().map(Some));
            self.expected.push(new);
        }
        let id = self.push(changed_by, old, new, outcome, message);
        if let Some(entry) = self.entry(id) {
            entry.record.via = intermediate;
        }
        if self.running == 0 {
            let pending = std::mem::take(&mut self.pending);
            pending.into_iter().for_each(|(old, new)| self.judge(old, new));
        }
        id
    }

    /// Notes that the count in the cluster has changed.
    pub(super) fn observe(&mut self, old: i64, new: i64) {
        match self.running {
            0 => self.judge(old, new),
            _ => self.pending.push((old, new)),
        }
    }

    /// Notes that the target was read after all changes made here. Later differences come from other
    /// clients.
    pub(super) fn target_was_read(&mut self) {
        if self.running == 0 {
            self.expected.clear();
        }
    }

    /// Sets the users of a running test after the change with this id.
    pub(super) fn set_users(&mut self, id: u64, users: UserCheck) {
        if let Some(entry) = self.entry(id) {
            entry.record.change.users = Some(users);
        }
    }

    /// Notes that a problem of the latest change with users was repaired.
    pub(super) fn record_repair(&mut self, users: UserCheck) {
        let mut entries = self.history.iter_mut();
        let latest = entries.find(|entry| entry.record.change.users.is_some());
        let is_wrong = |entry: &&mut Entry| {
            entry.record.change.users.as_ref().is_some_and(|users| users.stage == Stage::Failed)
        };
        if let Some(entry) = latest.filter(is_wrong) {
            entry.record.change.users = Some(users);
            entry.is_own = true;
        }
    }

    /// Adds a rebalance of a running test without a change made here.
    pub(super) fn record_automatic_rebalance(&mut self, count: Option<i64>, users: UserCheck) {
        let (changed_by, message) =
            ("locustctl".to_owned(), "The workers of the test changed.".to_owned());
        let id = self.push(changed_by, count, count, Outcome::Unchanged, message);
        self.set_users(id, users);
    }

    /// The latest changes, at most [`MAX_HISTORY`].
    pub(super) fn history(&self) -> Vec<Change> {
        self.history.iter().take(MAX_HISTORY).map(|entry| entry.record.change.clone()).collect()
    }

    /// Adds the changes that other processes have stored, and returns all of them, the latest first. A change
    /// that several processes have observed is kept once.
    pub(super) fn merge(&mut self, stored: Vec<Record>) -> Vec<Record> {
        for mut record in stored.into_iter().rev() {
            match self.history.iter_mut().find(|entry| entry.record.key == record.key) {
                Some(known) if known.is_own => take_later_check(&mut known.record, &record),
                Some(known) => {
                    end_old_check(&mut record);
                    record.change.id = known.record.change.id;
                    known.record = record;
                }
                None => {
                    end_old_check(&mut record);
                    self.last_id += 1;
                    record.change.id = self.last_id;
                    self.history.push_front(Entry { record, is_own: false });
                }
            }
        }
        let entries = self.history.make_contiguous();
        entries.sort_by(|one, other| other.record.order().cmp(&one.record.order()));
        let is_repeated = |entry: &Entry| {
            let mut others = self.history.iter();
            others.any(|other| is_same_change(&entry.record, &other.record))
        };
        let repeated: Vec<u64> = self
            .history
            .iter()
            .filter(|entry| is_repeated(entry))
            .map(|entry| entry.record.change.id)
            .collect();
        self.history.retain(|entry| !repeated.contains(&entry.record.change.id));
        self.history.truncate(MAX_RECORDS);
        self.history.iter().map(|entry| entry.record.clone()).collect()
    }

    fn entry(&mut self, id: u64) -> Option<&mut Entry> {
        self.history.iter_mut().find(|entry| entry.record.change.id == id)
    }

    fn judge(&mut self, old: i64, new: i64) {
        match self.expected.iter().position(|count| count.is_none_or(|count| count == new)) {
            // Earlier counts are removed as well: a gap in the watch may have hidden them.
            Some(position) => drop(self.expected.drain(..=position)),
            None => {
                let changed_by = "somebody else".to_owned();
                self.push(changed_by, Some(old), Some(new), Outcome::Observed, String::new());
            }
        }
    }

    fn push(
        &mut self,
        changed_by: String,
        old: Option<i64>,
        new: Option<i64>,
        outcome: Outcome,
        message: String,
    ) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let users = None;
        let now = OffsetDateTime::now_utc();
        let (time, millisecond) = (rfc3339(now), now.millisecond());
        let change = Change { id, time, changed_by, old, new, outcome, message, users };
        let key = format!("{}-{id}", self.process);
        let record = Record { key, millisecond, via: Vec::new(), change };
        self.history.push_front(Entry { record, is_own: true });
        self.history.truncate(MAX_RECORDS);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(old: i64, new: i64, outcome: Outcome) -> HistoryEntry {
        let (changed_by, message) = ("alice".to_owned(), String::new());
        let intermediate = Vec::new();
        HistoryEntry { changed_by, old: Some(old), intermediate, new: Some(new), outcome, message }
    }

    fn changes(ledger: &Ledger) -> Vec<(String, Option<i64>, Outcome)> {
        ledger
            .history()
            .into_iter()
            .map(|change| (change.changed_by, change.new, change.outcome))
            .collect()
    }

    fn alice(new: i64, outcome: Outcome) -> (String, Option<i64>, Outcome) {
        ("alice".to_owned(), Some(new), outcome)
    }

    fn other(new: i64) -> (String, Option<i64>, Outcome) {
        ("somebody else".to_owned(), Some(new), Outcome::Observed)
    }

    #[test]
    fn a_change_made_here_is_listed_once() {
        let mut ledger = Ledger::default();
        ledger.begin();
        ledger.observe(1, 3);
        ledger.end(entry(1, 3, Outcome::Scaled));
        ledger.begin();
        ledger.end(entry(3, 5, Outcome::Scaled));
        ledger.observe(3, 5);
        assert_eq!(changes(&ledger), [alice(5, Outcome::Scaled), alice(3, Outcome::Scaled)]);
    }

    #[test]
    fn the_steps_of_a_change_made_here_are_not_listed() {
        let mut ledger = Ledger::default();
        ledger.begin();
        ledger.observe(5, 4);
        ledger.observe(4, 2);
        ledger.end(HistoryEntry { intermediate: vec![4, 3, 2], ..entry(5, 1, Outcome::Scaled) });
        ledger.observe(2, 1);
        ledger.observe(1, 3);
        assert_eq!(changes(&ledger), [other(3), alice(1, Outcome::Scaled)]);
    }

    #[test]
    fn changes_of_other_clients_are_attributed_to_them() {
        let mut ledger = Ledger::default();
        ledger.observe(1, 3);
        ledger.begin();
        ledger.observe(3, 9);
        ledger.end(entry(9, 4, Outcome::Scaled));
        ledger.observe(9, 4);
        ledger.observe(4, 9);
        assert_eq!(changes(&ledger), [other(9), other(9), alice(4, Outcome::Scaled), other(3)]);
    }

    #[test]
    fn a_failed_or_old_change_does_not_explain_a_new_count() {
        let mut ledger = Ledger::default();
        ledger.begin();
        ledger.end(entry(1, 3, Outcome::Failed));
        ledger.observe(1, 3);
        ledger.begin();
        ledger.end(entry(3, 5, Outcome::Scaled));
        ledger.target_was_read();
        ledger.observe(3, 5);
        let expected = [other(5), alice(5, Outcome::Scaled), other(3), alice(3, Outcome::Failed)];
        assert_eq!(changes(&ledger), expected);
    }

    #[test]
    fn a_change_with_unknown_outcome_explains_the_next_count() {
        let mut ledger = Ledger::default();
        ledger.begin();
        ledger.observe(3, 4);
        ledger.end(HistoryEntry { new: None, ..entry(3, 0, Outcome::Unknown) });
        ledger.observe(4, 5);
        assert_eq!(changes(&ledger), [other(5), ("alice".to_owned(), None, Outcome::Unknown)]);
    }

    #[test]
    fn two_processes_that_checked_the_same_change_agree() {
        let check = |stage, text: &str| UserCheck { stage, text: text.to_owned() };
        for (first, repaired) in [
            (check(Stage::Failed, "b"), check(Stage::Passed, "a")),
            (check(Stage::Failed, "a"), check(Stage::Failed, "b")),
            (check(Stage::Failed, "b"), check(Stage::Failed, "a")),
        ] {
            let (mut one, mut other) = (Ledger::default(), Ledger::default());
            one.begin();
            let id = one.end(entry(1, 3, Outcome::Scaled));
            one.set_users(id, first);
            let stored = other.merge(one.merge(Vec::new()));
            other.record_repair(repaired.clone());
            let stored = one.merge(other.merge(stored));
            assert_eq!(other.merge(stored.clone()), stored, "{repaired:?}");
            assert_eq!(one.merge(stored.clone()), stored, "{repaired:?}");
            let users = stored[0].change.users.clone();
            assert!(repaired.stage == Stage::Failed || users == Some(repaired), "{users:?}");
        }
    }

    #[test]
    fn the_length_of_the_history_is_limited() {
        let mut ledger = Ledger::default();
        (0..80).for_each(|count| ledger.observe(count, count + 1));
        let history = ledger.history();
        assert_eq!((history.len(), history[0].id, history[0].new), (50, 80, Some(80)));
    }
}

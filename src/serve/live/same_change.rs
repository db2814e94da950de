//! Compares the changes of several processes: each replica observes the changes of the others.

use super::super::log::seconds_now;
use super::super::record::Record;
use super::super::snapshot::{Outcome, Stage};

/// The most seconds between the times at which two processes note one change.
const SAME_TIME: i64 = 10;

/// The longest time of a change that is made in steps, in seconds.
const STEPS_TIME: i64 = 30 * 60;

/// The longest time of the check of a running test, in seconds. After it, the check has ended even without a
/// result from its process.
const MAX_CHECK: i64 = 15 * 60;

/// True if `observed` is a change that another process has recorded as `other`. Then `observed` need not be kept.
pub(super) fn is_same_change(observed: &Record, other: &Record) -> bool {
    if observed.change.outcome != Outcome::Observed || observed.process() == other.process() {
        return false;
    }
    let later_by = other.seconds() - observed.seconds();
    let (from, to) = (observed.change.old, observed.change.new);
    match other.change.outcome {
        // Both have observed it. The comparison of the keys keeps one of them.
        Outcome::Observed => {
            (from, to) == (other.change.old, other.change.new)
                && later_by.abs() <= SAME_TIME
                && other.key < observed.key
        }
        Outcome::Scaled | Outcome::Unknown => {
            let is_step = |count: Option<i64>| count.is_some_and(|c| other.via.contains(&c));
            let longest = if other.via.is_empty() { SAME_TIME } else { STEPS_TIME };
            (from == other.change.old || is_step(from))
                && (to == other.change.new || is_step(to))
                && (-SAME_TIME..=longest).contains(&later_by)
        }
        Outcome::Unchanged | Outcome::Failed => false,
    }
}

/// Takes the check of the users from the stored record, if it is later. Another process may have repaired the
/// users. Of two checks with the same result each process takes the same one, so that their histories agree.
pub(super) fn take_later_check(known: &mut Record, stored: &Record) {
    fn order(record: &Record) -> Option<(u8, &str)> {
        let users = record.change.users.as_ref()?;
        let stage = match users.stage {
            Stage::Waiting => 0,
            Stage::Failed => 1,
            Stage::Passed => 2,
        };
        Some((stage, &users.text))
    }
    if order(stored) > order(known) {
        known.change.users.clone_from(&stored.change.users);
    }
}

/// Ends the check in a record whose process has ended without its result.
pub(super) fn end_old_check(record: &mut Record) {
    let is_over = seconds_now() - record.seconds() > MAX_CHECK;
    if let Some(users) = record.change.users.as_mut().filter(|users| users.stage == Stage::Waiting)
        && is_over
    {
        users.stage = Stage::Failed;
        "serve ended before it could check the users".clone_into(&mut users.text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::snapshot::{Change, UserCheck};
    use super::*;

    fn record(key: &str, second: u32, counts: (i64, i64), outcome: Outcome) -> Record {
        let time = format!("2026-01-02T03:04:{second:02}Z");
        let (old, new) = (Some(counts.0), Some(counts.1));
        let (changed_by, message) = (String::new(), String::new());
        let change = Change { id: 0, time, changed_by, old, new, outcome, message, users: None };
        Record { key: key.to_owned(), millisecond: 0, via: Vec::new(), change }
    }

    #[test]
    fn a_change_of_another_replica_is_not_also_somebody_elses() {
        use Outcome::{Failed, Observed, Scaled};
        let observed = record("b-1", 20, (1, 3), Observed);
        for (other, expected) in [
            (record("a-1", 19, (1, 3), Scaled), true),
            (record("a-1", 28, (1, 3), Scaled), true),
            (record("a-1", 31, (1, 3), Scaled), false),
            (record("a-1", 9, (1, 3), Scaled), false),
            (record("a-1", 20, (1, 4), Scaled), false),
            (record("a-1", 20, (2, 3), Scaled), false),
            (record("a-1", 20, (1, 3), Failed), false),
            (record("b-2", 20, (1, 3), Scaled), false),
            (record("a-1", 22, (1, 3), Observed), true),
            (record("c-1", 22, (1, 3), Observed), false),
        ] {
            assert_eq!(is_same_change(&observed, &other), expected, "{other:?}");
        }
        let steps = Record { via: vec![4, 3, 2], ..record("a-1", 59, (5, 1), Scaled) };
        for (counts, expected) in [((5, 4), true), ((4, 2), true), ((2, 1), true), ((4, 7), false)]
        {
            assert_eq!(is_same_change(&record("b-1", 20, counts, Observed), &steps), expected);
        }
        assert!(!is_same_change(&record("a-1", 20, (1, 3), Scaled), &observed));
    }

    #[test]
    fn an_old_unfinished_check_has_ended() {
        let waiting = Some(UserCheck { stage: Stage::Waiting, text: "waiting".to_owned() });
        let mut record = record("a-1", 1, (1, 3), Outcome::Scaled);
        record.change.users.clone_from(&waiting);
        let old = record.clone();
        record.change.time = super::super::super::log::now();
        end_old_check(&mut record);
        assert_eq!(record.change.users, waiting);
        let mut record = old;
        end_old_check(&mut record);
        assert_eq!(record.change.users.unwrap().stage, Stage::Failed);
    }
}

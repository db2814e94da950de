//! The history as it is stored in a ConfigMap: a JSON array, the latest change first.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::snapshot::{Change, Outcome, UserCheck};
use crate::text::terminal::on_one_line;

/// Limit on the stored changes.
pub(super) const MAX_RECORDS: usize = 200;

/// Limit on the stored text, in bytes. A ConfigMap can hold 1 MiB.
const MAX_SIZE: usize = 512 * 1024;

/// Longest name, in characters.
const MAX_NAME: usize = 128;

/// Longest text, in characters.
const MAX_TEXT: usize = 500;

/// Longest key, in bytes.
const MAX_KEY: usize = 64;

/// Limit on the intermediate counts of one change.
const MAX_VIA: usize = 1000;

/// How far the clock of another replica may be ahead, in seconds.
const CLOCK_SKEW: i64 = 60 * 60;

/// A change in the history, with what other processes need to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Identifies the change in all processes: `PROCESS-NUMBER`.
    pub key: String,
    /// The millisecond within the second of the change. It orders the changes of several processes.
    pub millisecond: u16,
    /// The counts between the old and the new one, if the change was made in steps.
    pub via: Vec<i64>,
    /// The change. Its id is the one of this process; it is not stored.
    pub change: Change,
}

/// A record in JSON.
#[derive(Serialize, Deserialize)]
struct StoredRecord {
    key: String,
    at: String,
    #[serde(default, rename = "ms")]
    millisecond: u16,
    who: String,
    old: Option<i64>,
    new: Option<i64>,
    outcome: Outcome,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    users: Option<UserCheck>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    via: Vec<i64>,
}

impl Record {
    /// The process that recorded the change.
    pub(super) fn process(&self) -> &str {
        self.key.rsplit_once('-').map_or("", |(process, _)| process)
    }

    /// The order in every process: by time, and within a second by the key.
    pub(super) fn order(&self) -> (&str, u16, &str, u64) {
        let number = self.key.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
        (&self.change.time, self.millisecond, self.process(), number.unwrap_or_default())
    }

    /// The time of the change, in seconds since 1970.
    pub(super) fn seconds(&self) -> i64 {
        seconds(&self.change.time).unwrap_or_default()
    }
}

/// Reads the stored text. An empty text is an empty history.
///
/// # Errors
/// The text is not a history that locustctl has written: what is wrong, without the contents.
pub(super) fn read(text: &str) -> Result<Vec<Record>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.len() > MAX_SIZE {
        return Err(format!("it is larger than {} KiB", MAX_SIZE / 1024));
    }
    let stored: Vec<StoredRecord> = serde_json::from_str(text).map_err(|error| {
        format!("line {}, column {} is not valid", error.line(), error.column())
    })?;
    if stored.len() > MAX_RECORDS {
        return Err(format!("it has more than {MAX_RECORDS} changes"));
    }
    let latest = OffsetDateTime::now_utc().unix_timestamp() + CLOCK_SKEW;
    let mut keys = HashSet::new();
    let mut records = Vec::with_capacity(stored.len());
    for (index, stored) in stored.into_iter().enumerate() {
        if !keys.insert(stored.key.clone()) {
            return Err(format!("change {} has the same key as another one", index + 1));
        }
        let record = record(stored, latest);
        records.push(record.map_err(|field| format!("change {}: invalid {field}", index + 1))?);
    }
    Ok(records)
}

/// The text of these records, the latest first. The oldest ones are left out if there are too many.
pub(super) fn write(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records.iter().take(MAX_RECORDS) {
        // Plain data: serializing cannot fail.
        let line = serde_json::to_string(&stored(record)).unwrap_or_default();
        if text.len() + line.len() + 4 > MAX_SIZE {
            break;
        }
        text.push_str(if text.is_empty() { "[" } else { ",\n" });
        text.push_str(&line);
    }
    if !text.is_empty() {
        text.push(']');
    }
    text
}

/// Checks a record. The error is the name of the invalid field.
fn record(stored: StoredRecord, latest: i64) -> Result<Record, &'static str> {
    let StoredRecord { key, at, millisecond, who, old, new, outcome, message, users, via } = stored;
    let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let check = |holds: bool, field| if holds { Ok(()) } else { Err(field) };
    let is_count = |count: &i64| (0..=i64::from(i32::MAX)).contains(count);
    check(!key.is_empty() && key.len() <= MAX_KEY && key.chars().all(is_key), "key")?;
    check(at.len() == 20 && seconds(&at).is_some_and(|seconds| seconds <= latest), "at")?;
    check(millisecond < 1000, "ms")?;
    check(old.iter().all(is_count), "old")?;
    check(new.iter().all(is_count), "new")?;
    check(via.len() <= MAX_VIA && via.iter().all(is_count), "via")?;
    let users = users.map(|users| UserCheck { text: shown(&users.text, MAX_TEXT), ..users });
    let change = Change {
        id: 0,
        time: at,
        changed_by: shown(&who, MAX_NAME),
        old,
        new,
        outcome,
        message: shown(&message, MAX_TEXT),
        users,
    };
    Ok(Record { key, millisecond, via, change })
}

fn stored(record: &Record) -> StoredRecord {
    let Record { key, millisecond, via, change } = record;
    let is_count = |count: &i64| (0..=i64::from(i32::MAX)).contains(count);
    StoredRecord {
        key: key.clone(),
        at: change.time.clone(),
        millisecond: *millisecond,
        who: shown(&change.changed_by, MAX_NAME),
        old: change.old.filter(is_count),
        new: change.new.filter(is_count),
        outcome: change.outcome,
        message: shown(&change.message, MAX_TEXT),
        users: change
            .users
            .as_ref()
            .map(|users| UserCheck { stage: users.stage, text: shown(&users.text, MAX_TEXT) }),
        via: via.iter().copied().filter(is_count).take(MAX_VIA).collect(),
    }
}

/// A text that is safe to show, and not too long. A shown text stays as it is.
fn shown(text: &str, limit: usize) -> String {
    on_one_line(text).chars().take(limit).collect()
}

fn seconds(time: &str) -> Option<i64> {
    let time = time.ends_with('Z').then(|| OffsetDateTime::parse(time, &Rfc3339).ok())??;
    Some(time.unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::Stage;
    use super::*;

    fn example(number: u64) -> Record {
        Record {
            key: format!("0123456789abcdef-{number}"),
            millisecond: 250,
            via: vec![4, 3],
            change: Change {
                id: 0,
                time: "2026-01-02T03:04:05Z".to_owned(),
                changed_by: "alice".to_owned(),
                old: Some(5),
                new: Some(2),
                outcome: Outcome::Scaled,
                message: "made in 3 steps".to_owned(),
                users: Some(UserCheck { stage: Stage::Passed, text: "60 users".to_owned() }),
            },
        }
    }

    #[test]
    fn a_history_is_read_as_it_was_written() {
        let records: Vec<_> = (0..MAX_RECORDS as u64).map(example).collect();
        assert_eq!(read(&write(&records)).unwrap(), records);
        assert_eq!((write(&[]).as_str(), read("").unwrap().len()), ("", 0));
        assert_eq!(
            (example(7).process(), example(7).seconds()),
            ("0123456789abcdef", 1_767_323_045)
        );
        let many: Vec<_> = (0..500).map(example).collect();
        assert_eq!(read(&write(&many)).unwrap().len(), MAX_RECORDS);
    }

    #[test]
    fn the_largest_history_fits_into_a_config_map() {
        let mut record = example(1);
        record.change.message = "\u{1F600}".repeat(5000);
        record.change.changed_by = "\u{1F600}".repeat(5000);
        record.change.users =
            Some(UserCheck { stage: Stage::Failed, text: "\u{1F600}".repeat(5000) });
        record.via = (0..5000).collect();
        let records: Vec<_> = (0..300)
            .map(|number| Record { key: format!("a-{number}"), ..record.clone() })
            .collect();
        let text = write(&records);
        assert!(text.len() <= MAX_SIZE, "{}", text.len());
        assert!(read(&text).unwrap().len() > 50);
    }

    #[test]
    fn other_contents_are_refused() {
        let whole = write(&[example(1)]);
        let changed = |from: &str, to: &str| {
            assert!(whole.contains(from), "{from}");
            whole.replace(from, to)
        };
        for (text, expected) in [
            ("{}".to_owned(), "is not valid"),
            ("[".to_owned(), "is not valid"),
            ("[1]".to_owned(), "is not valid"),
            (changed("0123456789abcdef-1", ""), "change 1: invalid key"),
            (changed("0123456789abcdef-1", "A/b"), "change 1: invalid key"),
            (changed("2026-01-02T03:04:05Z", "yesterday"), "change 1: invalid at"),
            (changed("2026-01-02T03:04:05Z", "9999-01-02T03:04:05Z"), "change 1: invalid at"),
            (changed("\"ms\":250", "\"ms\":1000"), "change 1: invalid ms"),
            (changed("\"old\":5", "\"old\":-5"), "change 1: invalid old"),
            (changed("\"new\":2", "\"new\":2147483648"), "change 1: invalid new"),
            (changed("\"via\":[4,3]", "\"via\":[-1]"), "change 1: invalid via"),
            (changed("\"scaled\"", "\"exploded\""), "is not valid"),
            (write(&[example(1), example(1)]), "change 2 has the same key as another one"),
            (" ".repeat(MAX_SIZE + 1), "it is larger than 512 KiB"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.ends_with(expected), "{error} for {text:.80}");
        }
    }

    #[test]
    fn names_and_texts_are_made_harmless() {
        let text = write(&[example(1)]).replace("alice", r"al\u001b[2J\u202eice\n");
        let name = &read(&text).unwrap()[0].change.changed_by;
        assert!(!name.chars().any(|c| c.is_control() || c == '\u{202e}'), "{name}");
    }
}

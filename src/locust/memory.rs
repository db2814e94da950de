//! The file that keeps the starts of locustctl for its next run.
//!
//! A rebalance of a test with a run time sends the time that is left. The next run of locustctl sees only
//! this last start, and cannot know when the test ends. The same is true if the page has the run time of
//! an earlier test, and the rebalance sends none. So locustctl notes its starts in a small file
//! of the user's cache directory. If the file cannot be read or written, this is not an error. The next
//! rebalance then sends nothing, and says why.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::time::Instant;

use super::log::MasterLog;
use super::start::{KnownStart, Start};
use crate::text::bounded;

/// Maximum number of starts in the file. The oldest ones are dropped first.
const MAX_STARTS: usize = 32;

/// Maximum size of the file, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// The file with the starts.
#[derive(Debug, Clone)]
pub struct StartMemory {
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// Address of the master.
    locust: String,
    /// Time of the start in the master's log, by the master's clock. It identifies the start.
    logged_at: String,
    /// Time of the start by the local clock, in seconds since 1970.
    sent_at: f64,
    users: u64,
    spawn_rate: f64,
    run_time: Option<u64>,
    /// The run time in Locust's page before the start.
    #[serde(default)]
    run_time_before: Option<u64>,
    user_classes: Vec<String>,
}

impl StartMemory {
    /// The file in the user's cache directory. Without such a directory, no start is kept.
    pub fn of_user() -> Self {
        Self { path: dirs::cache_dir().map(|cache| cache.join("locustctl").join("starts.json")) }
    }

    /// The last start of the running test, if locustctl sent it. The master's log must not have a
    /// later one.
    pub fn load(&self, place: &str, log: Option<&MasterLog>) -> Option<KnownStart> {
        let at = log?.last_start_by_hand()?;
        let logged_at = at.to_string();
        let entries = read(self.path.as_deref()?);
        let entry = entries
            .into_iter()
            .find(|entry| entry.locust == place && entry.logged_at == logged_at)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
        let passed = Duration::try_from_secs_f64(now - entry.sent_at).ok()?;
        Some(KnownStart {
            start: Start {
                users: entry.users,
                spawn_rate: entry.spawn_rate,
                run_time: entry.run_time,
                user_classes: entry.user_classes,
            },
            at: Instant::now().checked_sub(passed)?,
            run_time_before: entry.run_time_before,
            logged_at: Some(at),
        })
    }

    /// Notes a start of a test for which Locust's page has a run time: its own, or that of an earlier test.
    /// `log` is the master's log after the start.
    pub fn save(&self, place: &str, log: Option<&MasterLog>, known: &KnownStart) {
        let Some(entry) = entry(place, log, known) else { return };
        let Some(path) = &self.path else { return };
        let mut entries = read(path);
        entries.retain(|other| other.locust != place || other.logged_at != entry.logged_at);
        entries.push(entry);
        let surplus = entries.len().saturating_sub(MAX_STARTS);
        entries.drain(..surplus);
        // If this fails, the next rebalance says why it sends nothing.
        let _ = write(path, &entries);
    }
}

fn entry(place: &str, log: Option<&MasterLog>, known: &KnownStart) -> Option<Entry> {
    let Start { users, spawn_rate, run_time, user_classes } = known.start.clone();
    run_time.or(known.run_time_before)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
    Some(Entry {
        locust: place.to_owned(),
        logged_at: log?.last_start_by_hand()?.to_string(),
        sent_at: now - known.at.elapsed().as_secs_f64(),
        users,
        spawn_rate,
        run_time,
        run_time_before: known.run_time_before,
        user_classes,
    })
}

/// The entries of the file; none if it is damaged.
fn read(path: &Path) -> Vec<Entry> {
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let file = fs::File::open(path).ok().filter(|_| is_file);
    let content = file.and_then(|file| bounded::read(file, MAX_FILE).ok()?);
    content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default()
}

/// Writes a draft and renames it, because another process may write at the same time.
fn write(path: &Path, entries: &[Entry]) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut draft = NamedTempFile::new_in(directory)?;
    draft.write_all(&serde_json::to_vec(entries)?)?;
    draft.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn log(seconds: &[u32]) -> MasterLog {
        let lines: Vec<_> = seconds
            .iter()
            .map(|at| {
                format!(
                    "[2026-11-26 14:15:{at:02},000] h/INFO/locust.runners: Sending spawn jobs of 60 users at \
                     10.00 spawn rate to 3 ready workers"
                )
            })
            .collect();
        MasterLog::parse(json!({"master": lines}).to_string().as_bytes()).unwrap()
    }

    fn known(run_time: Option<u64>) -> KnownStart {
        let start = Start { users: 60, spawn_rate: 10.0, run_time, user_classes: Vec::new() };
        KnownStart { start, at: Instant::now(), run_time_before: None, logged_at: None }
    }

    #[tokio::test]
    async fn a_saved_start_is_valid_until_the_next_start_of_the_test() {
        let directory = tempfile::tempdir().unwrap();
        let memory = StartMemory { path: Some(directory.path().join("sub").join("starts.json")) };
        memory.save("http://x/", Some(&log(&[1, 9])), &known(Some(120)));
        let loaded = memory.load("http://x/", Some(&log(&[1, 9]))).unwrap();
        assert_eq!(loaded.start, known(Some(120)).start);
        let left = loaded.ends_at().unwrap().duration_since(Instant::now()).as_secs_f64();
        assert!((60.0..=120.1).contains(&left), "{left}");
        assert_eq!(memory.load("http://x/", Some(&log(&[1, 9, 20]))), None, "the test was edited");
        assert_eq!(
            memory.load("http://y/", Some(&log(&[1, 9]))),
            None,
            "the start belongs to another master"
        );
        assert_eq!(memory.load("http://x/", None), None);
    }

    #[tokio::test]
    async fn a_start_in_the_future_is_unusable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("starts.json");
        let memory = StartMemory { path: Some(path.clone()) };
        memory.save("http://x/", Some(&log(&[1])), &known(Some(120)));
        let mut entries = read(&path);
        // The clock was set back after the start.
        entries[0].sent_at += 60.0;
        write(&path, &entries).unwrap();
        assert_eq!(memory.load("http://x/", Some(&log(&[1]))), None);
    }

    #[tokio::test]
    async fn a_start_is_noted_only_if_the_page_has_a_run_time() {
        let directory = tempfile::tempdir().unwrap();
        let memory = StartMemory { path: Some(directory.path().join("starts.json")) };
        memory.save("http://x/", Some(&log(&[1])), &known(None));
        assert_eq!(memory.load("http://x/", Some(&log(&[1]))), None);
        let of_earlier_test = KnownStart { run_time_before: Some(90), ..known(None) };
        memory.save("http://x/", Some(&log(&[1])), &of_earlier_test);
        let loaded = memory.load("http://x/", Some(&log(&[1]))).unwrap();
        assert_eq!((loaded.run_time_before, loaded.ends_at()), (Some(90), None));
    }

    #[tokio::test]
    async fn a_damaged_file_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("starts.json");
        fs::write(&path, "{").unwrap();
        let memory = StartMemory { path: Some(path.clone()) };
        for at in 1..50 {
            memory.save("http://x/", Some(&log(&[at])), &known(Some(120)));
        }
        assert!(memory.load("http://x/", Some(&log(&[49]))).is_some());
        assert_eq!(read(&path).len(), MAX_STARTS);
        assert_eq!(
            memory.load("http://x/", Some(&log(&[1]))),
            None,
            "the oldest starts are dropped"
        );
    }
}

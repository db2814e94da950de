//! The logs of the master and the workers, in Locust's format.

use std::collections::VecDeque;

use time::{OffsetDateTime, format_description::FormatItem, macros::format_description};
use tokio::time::Instant;

use super::release::LocustRelease;

/// Locust keeps this many log lines of the master.
const MAX_LINES: usize = 500;

/// The sandbox keeps the logs of this many workers.
const MAX_WORKERS: usize = 1000;

const TIME: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second],[subsecond digits:3]");

/// Converts the runtime's clock to the time of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    since: Instant,
    began: OffsetDateTime,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), began: OffsetDateTime::now_utc() }
    }

    /// The time of day, in UTC as in a container.
    pub(super) fn time(&self, at: Instant) -> OffsetDateTime {
        let passed = at.saturating_duration_since(self.since);
        self.began.checked_add(passed.try_into().unwrap_or_default()).unwrap_or(self.began)
    }

    fn stamp(&self, at: Instant) -> String {
        // Formatting fails only for years beyond 9999.
        self.time(at).format(TIME).unwrap_or_default()
    }
}

/// The level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warning,
    Error,
    Critical,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

/// The content of `GET /logs`.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) clock: Clock,
    host: String,
    lines: VecDeque<String>,
    /// The id of each worker, and its only log line.
    workers: VecDeque<(String, String)>,
}

impl Journal {
    pub(super) fn new(host: &str) -> Self {
        Self {
            clock: Clock::new(),
            host: host.to_owned(),
            lines: VecDeque::new(),
            workers: VecDeque::new(),
        }
    }

    /// Adds a line of the module `locust.{module}`.
    pub(super) fn write(&mut self, at: Instant, level: Level, module: &str, text: &str) {
        let (stamp, host, level) = (self.clock.stamp(at), &self.host, level.name());
        self.lines.push_back(format!("[{stamp}] {host}/{level}/locust.{module}: {text}"));
        if self.lines.len() > MAX_LINES {
            self.lines.pop_front();
        }
    }

    /// Adds the first line of a worker. The id of a worker begins with its host.
    pub(super) fn worker_started(&mut self, at: Instant, id: &str, release: LocustRelease) {
        let (stamp, host) = (self.clock.stamp(at), id.split('_').next().unwrap_or(id));
        let line = format!("[{stamp}] {host}/INFO/locust.main: Starting Locust {release}");
        self.workers.push_back((id.to_owned(), line));
        if self.workers.len() > MAX_WORKERS {
            self.workers.pop_front();
        }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The id of each worker, with its log line.
    pub(super) fn workers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.workers.iter().map(|(id, line)| (id.as_str(), line.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_log_keeps_its_last_500_lines() {
        let mut journal = Journal::new("master");
        for number in 0..501 {
            journal.write(Instant::now(), Level::Info, "runners", &format!("line {number}"));
        }
        assert_eq!(journal.lines().count(), 500);
        let first = journal.lines().next().unwrap_or_default();
        assert!(first.ends_with("] master/INFO/locust.runners: line 1"), "{first}");
        assert_eq!(first.find(']'), Some("[2026-11-26 14:15:31,096".len()), "{first}");
    }
}

//! Looks at Locust, for tests.

use serde_json::json;
use tokio::time::Instant;

use super::log::MasterLog;
use super::look::Look;
use super::page::Page;
use super::start::{KnownStart, Start};
use super::stats::{Stats, Worker};

/// The line of a worker that quits.
pub const QUIT: &str = "Worker 'a_1' (index 0) quit. 0 workers ready.";

/// A steady look in state `running`. Each worker has one of the `shares` of the users. The page has a
/// spawn rate of 10, and no `num_users`.
pub fn look(version: &str, shares: &[i64]) -> Look {
    let worker = |(number, users): (usize, &i64)| Worker {
        id: format!("w-{number}_{number:032x}"),
        state: "running".to_owned(),
        user_count: *users,
        ..Worker::default()
    };
    let user_count = shares.iter().sum();
    let page = Page {
        state: "running".to_owned(),
        user_count,
        spawn_rate: Some(10.0),
        worker_count: i64::try_from(shares.len()).ok(),
        version: version.to_owned(),
        ..Page::default()
    };
    let workers = shares.iter().enumerate().map(worker).collect();
    let stats = Stats {
        state: "running".to_owned(),
        user_count,
        workers: Some(workers),
        ..Stats::default()
    };
    Look { page: Some(page), stats, is_steady: true, ..Look::default() }
}

impl Look {
    /// The same look with a changed page.
    pub fn page(mut self, change: impl FnOnce(&mut Page)) -> Self {
        if let Some(page) = &mut self.page {
            change(page);
        }
        self
    }

    /// The same look with this `num_users` in its page.
    pub fn with_num_users(self, num_users: f64) -> Self {
        self.page(|page| page.num_users = Some(num_users))
    }

    /// The same look in another state.
    pub fn with_state(mut self, state: &str) -> Self {
        self.is_steady = state == "running";
        self.page(|page| page.state = state.to_owned())
    }

    /// The same look while the number of users is changing.
    pub fn unsteady(mut self) -> Self {
        self.is_steady = false;
        self
    }

    /// The same look with these messages in the master's log, all at the same time.
    pub fn log(self, messages: &[&str]) -> Self {
        self.log_every(0, messages)
    }

    /// The same with ten seconds between two messages, of which there are at most six.
    pub fn log_10_s_apart(self, messages: &[&str]) -> Self {
        self.log_every(10, messages)
    }

    fn log_every(mut self, seconds: usize, messages: &[&str]) -> Self {
        let line = |(index, message): (usize, &&str)| {
            let level = if message.starts_with("Unhandled") { "CRITICAL" } else { "INFO" };
            let second = index * seconds;
            format!("[2026-11-26 14:15:{second:02},000] host/{level}/locust.runners: {message}")
        };
        let master: Vec<_> = messages.iter().enumerate().map(line).collect();
        self.log = MasterLog::parse(json!({"master": master}).to_string().as_bytes());
        self
    }
}

/// The line of a start.
pub fn spawn(users: u64, rate: &str, workers: u64) -> String {
    format!("Sending spawn jobs of {users} users at {rate} spawn rate to {workers} ready workers")
}

/// A start for this number of users, at 10 users per second.
pub fn known(users: u64) -> KnownStart {
    let start = Start { users, spawn_rate: 10.0, run_time: None, user_classes: Vec::new() };
    KnownStart { start, at: Instant::now(), run_time_before: None, logged_at: None }
}

//! The master's listener, which hears of the workers that join and leave.
//!
//! It also starts the dispatch that balances a change. It then waits a second for reports that
//! only itself could receive, and every other message waits too. Up to 2.46.5 a worker that leaves
//! at the same time ends the listener: the master never hears of a worker again, and misses all of
//! them.

use tokio::time::{Duration, Instant};

/// The master waits this long for reports that do not come.
pub(super) const REPORT_WAIT: Duration = Duration::from_secs(1);

/// A worker that joins or leaves, by its id.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Joined(String),
    Left(String),
}

/// The work of the listener.
#[derive(Debug)]
pub(super) enum Listener {
    Free,
    /// It waits for reports on behalf of one worker; the changes that come meanwhile wait too.
    Busy {
        since: Instant,
        /// The last log line about that worker.
        line: String,
        waiting: Vec<(Instant, Change)>,
    },
    /// It has ended.
    Dead {
        since: Instant,
    },
}

impl Listener {
    /// When it stops waiting for reports.
    pub(super) fn busy_until(&self) -> Option<Instant> {
        match self {
            Self::Busy { since, .. } => since.checked_add(REPORT_WAIT),
            Self::Free | Self::Dead { .. } => None,
        }
    }
}

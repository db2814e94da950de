//! The master's listener. It handles the messages of the workers.
//!
//! The listener also starts the dispatch that rebalances the users after a change. It then waits
//! one second for reports that only the listener itself could receive, so all other messages wait
//! too. Up to 2.46.5, a worker that leaves during that second ends the listener. The master then
//! no longer handles messages, and all its workers go missing.

use tokio::time::{Duration, Instant};

/// How long the master waits for reports.
pub(super) const REPORT_WAIT: Duration = Duration::from_secs(1);

/// A worker has joined or left. It is named by its id.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Joined(String),
    Left(String),
}

#[derive(Debug)]
pub(super) enum Listener {
    Free,
    /// It waits for reports after a change. Changes that arrive in the meantime are queued.
    Busy {
        since: Instant,
        /// The log line for the change.
        line: String,
        waiting: Vec<(Instant, Change)>,
    },
    /// It has ended with an exception.
    Ended {
        since: Instant,
    },
}

impl Listener {
    /// When it stops waiting for reports.
    pub(super) fn busy_until(&self) -> Option<Instant> {
        match self {
            Self::Busy { since, .. } => since.checked_add(REPORT_WAIT),
            Self::Free | Self::Ended { .. } => None,
        }
    }
}

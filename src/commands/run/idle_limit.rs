//! The time limit of `--wait-for-idle`.

use std::time::Duration;

use tokio::time::Instant;

/// The limit of the waits for other tests and other runs.
pub(super) struct IdleLimit {
    end: Instant,
    is_zero: bool,
}

impl IdleLimit {
    /// A limit that begins now. Zero means: do not wait.
    pub(super) fn new(limit: Duration) -> Self {
        Self { end: Instant::now() + limit, is_zero: limit.is_zero() }
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Advice for the error at the end of the limit. `of` is `test` or `run`.
    pub(super) fn advice(&self, of: &str) -> String {
        match self.is_zero {
            true => format!("To wait for the end of the {of}, use --wait-for-idle=DURATION"),
            false => "The time limit of --wait-for-idle is over; give a longer one".to_owned(),
        }
    }
}

//! The phases that a run has entered, with their times.

use time::OffsetDateTime;
use tokio::time::Instant;

use super::phase::PhaseKind;
use super::report::Phase;

/// The phases that a run has entered, in their order.
#[derive(Debug, Default)]
pub struct Timeline {
    closed: Vec<Phase>,
    open: Option<(PhaseKind, OffsetDateTime, Instant)>,
}

impl Timeline {
    /// Ends the current phase, and enters the next one.
    pub fn enter(&mut self, kind: PhaseKind) {
        self.leave(None);
        self.open = Some((kind, OffsetDateTime::now_utc(), Instant::now()));
    }

    /// Ends the current phase. `error` says why it failed.
    pub fn leave(&mut self, error: Option<String>) {
        let Some((kind, started_at, begin)) = self.open.take() else { return };
        let duration = begin.elapsed();
        self.closed.push(Phase { name: kind.name(), started_at, duration, error });
    }

    /// All phases.
    pub fn into_phases(mut self) -> Vec<Phase> {
        self.leave(None);
        self.closed
    }
}

//! What is under way right now, for whoever has to stop in the middle.

use std::sync::{Mutex, PoisonError};

/// The change that was sent and not yet answered.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Option<String>>);

impl Progress {
    /// `the change of deployment.apps/a from 1 to 3`, while its answer is awaited.
    pub fn under_way(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, change: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = change;
    }
}

//! Counts the changes that are not finished.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of changes made here whose check of the running test is unfinished.
#[derive(Debug, Default)]
pub(super) struct OpenChanges(Arc<AtomicUsize>);

/// An unfinished change. Dropping it marks the change as finished.
#[derive(Debug)]
pub(super) struct OpenChange(Arc<AtomicUsize>);

impl OpenChanges {
    pub(super) fn open(&self) -> OpenChange {
        self.0.fetch_add(1, Ordering::Relaxed);
        OpenChange(Arc::clone(&self.0))
    }

    /// True if at least one change is unfinished.
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for OpenChange {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

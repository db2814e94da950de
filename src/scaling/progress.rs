//! The changes that were sent and not answered yet: what to report if a signal ends the program.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};

/// The changes that were sent and not answered yet, by the index of their order.
#[derive(Debug, Default)]
pub struct Progress(Mutex<BTreeMap<usize, String>>);

impl Progress {
    /// Each change without an answer: the index of its order, and a text as `the change of
    /// deployment.apps/a from 1 to 3`. Sorted by index.
    pub fn under_way(&self) -> Vec<(usize, String)> {
        self.lock().iter().map(|(index, change)| (*index, change.clone())).collect()
    }

    /// True if the change of the order with this index has no answer yet.
    pub fn is_under_way(&self, index: usize) -> bool {
        self.lock().contains_key(&index)
    }

    pub(super) fn set(&self, index: usize, change: Option<String>) {
        match change {
            Some(change) => self.lock().insert(index, change),
            None => self.lock().remove(&index),
        };
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, String>> {
        self.0.lock()
    }
}

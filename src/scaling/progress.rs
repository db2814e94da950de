//! What is under way right now, for whoever has to stop in the middle.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The changes that were sent and not yet answered, by the index of their order.
#[derive(Debug, Default)]
pub struct Progress(Mutex<BTreeMap<usize, String>>);

impl Progress {
    /// `the change of deployment.apps/a from 1 to 3`, of each whose answer is awaited, with the
    /// index of its order; in the order of the targets.
    pub fn under_way(&self) -> Vec<(usize, String)> {
        self.lock().iter().map(|(index, change)| (*index, change.clone())).collect()
    }

    /// Whether the answer to the order of this index is awaited.
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

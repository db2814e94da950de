//! The targets of a wait, the condition that ends it, and the observer of its progress.

use super::readiness::Readiness;
use crate::scaling::target::Target;

/// One target to wait for.
#[derive(Debug, Clone)]
pub struct Wait {
    /// The target. Each target occurs once.
    pub target: Target,
    /// The replica count that it was scaled to.
    pub wanted: i64,
}

/// The condition that ends a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// All pods are ready, and no pod is left over. In a type that is not built in, the number of
    /// pods decides alone.
    Ready,
    /// The scale subresource has the new count in its spec and in its status: kubectl's `--timeout`.
    Synced,
}

/// Receives the progress of the waits.
pub trait Observer {
    /// The readiness of the wait with this index has changed.
    fn seen(&mut self, index: usize, readiness: &Readiness);
    /// A sentence for the user.
    fn note(&mut self, text: &str);
}

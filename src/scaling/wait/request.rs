//! The targets of a wait, the condition that ends it, and the observer of its progress.

use super::readiness::Readiness;
use crate::scaling::target::Target;

/// One target to wait for.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Unique among the waits of one call.
    pub target: Target,
    /// The replica count that the target was scaled to.
    pub requested: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitCondition {
    /// All pods are ready, and no surplus pod is left. For custom resources, only the number of pods
    /// is checked.
    Ready,
    /// `spec.replicas` and `status.replicas` of the scale equal the new count. kubectl's `--timeout`
    /// waits for this.
    Synced,
}

/// Receives the progress of the waits.
pub trait Observer {
    /// The readiness of the wait with this index has changed.
    fn readiness_changed(&mut self, index: usize, readiness: &Readiness);
    /// A sentence for the user.
    fn note(&mut self, text: &str);
}

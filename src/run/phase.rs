//! The phases of a run.

use std::fmt;

/// A phase of a run, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseKind {
    /// Find the workers and Locust's master.
    Find,
    /// Wait until no other test is running.
    Idle,
    /// Change the number of workers.
    Scale,
    /// Wait until the pods are ready.
    Pods,
    /// Wait until the workers are connected to Locust.
    Workers,
    /// Run the user's command.
    Command,
}

impl fmt::Display for PhaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Find => "finding Locust",
            Self::Idle => "checking that no test is running",
            Self::Scale => "scaling the workers",
            Self::Pods => "waiting for the pods",
            Self::Workers => "waiting for the workers to connect to Locust",
            Self::Command => "running the command",
        })
    }
}

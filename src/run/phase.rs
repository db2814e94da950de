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
    /// Start the test.
    Start,
    /// Follow the running test.
    Follow,
    /// Stop the test.
    Stop,
    /// Read the final results.
    Results,
    /// Put the old number of workers back.
    PutBack,
}

impl PhaseKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Idle => "idle",
            Self::Scale => "scale",
            Self::Pods => "pods",
            Self::Workers => "workers",
            Self::Command => "command",
            Self::Start => "start",
            Self::Follow => "follow",
            Self::Stop => "stop",
            Self::Results => "results",
            Self::PutBack => "put-back",
        }
    }
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
            Self::Start => "starting the test",
            Self::Follow => "following the test",
            Self::Stop => "stopping the test",
            Self::Results => "reading the results",
            Self::PutBack => "putting the old number of workers back",
        })
    }
}

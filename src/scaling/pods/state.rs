//! The state of a pod in a word, as `kubectl get pods` shows it.

use std::fmt;

/// The state of a pod: its phase, or the reason why it does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodState {
    /// The server has not reported a phase yet.
    Unreported,
    /// The phase `Pending`, without a reason.
    Pending,
    /// The node pulls the images or prepares the containers.
    ContainerCreating,
    /// The init containers run.
    PodInitializing,
    /// The phase `Running`.
    Running,
    /// The containers run, but the pod is not ready.
    NotReady,
    /// All containers have ended without an error.
    Succeeded,
    /// The pod is being deleted.
    Terminating,
    /// The pod makes no progress. The server's reason, as `ImagePullBackOff`.
    Stuck(String),
}

impl PodState {
    /// The state for a phase or a reason of the API server.
    pub(super) fn new(reported: &str) -> Self {
        match reported {
            "" => Self::Unreported,
            "Pending" => Self::Pending,
            "ContainerCreating" => Self::ContainerCreating,
            "PodInitializing" => Self::PodInitializing,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            reason => Self::Stuck(reason.to_owned()),
        }
    }

    /// True if something is wrong that will not pass by waiting a moment.
    pub fn is_stuck(&self) -> bool {
        matches!(self, Self::Stuck(_))
    }
}

impl fmt::Display for PodState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreported => "",
            Self::Pending => "Pending",
            Self::ContainerCreating => "ContainerCreating",
            Self::PodInitializing => "PodInitializing",
            Self::Running => "Running",
            Self::NotReady => "running, but not ready",
            Self::Succeeded => "Succeeded",
            Self::Terminating => "Terminating",
            Self::Stuck(reason) => reason,
        })
    }
}

//! The meaning of the flags of `scale`.

use super::super::follow_up::FollowUp;
use super::super::target::Audience;
use super::waiting::WaitPlan;
use crate::cli::ScaleArgs;
use crate::locust::LocustLocation;
use crate::scaling::{Condition, DryRun, NewCount};

/// The change to make to each target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Set a count.
    Count(NewCount),
    /// Set a count, and keep the replaced one in an annotation.
    Remember(NewCount),
    /// Set the count that an annotation keeps.
    Restore,
}

/// The meaning of the flags.
pub(super) struct Settings {
    pub args: ScaleArgs,
    pub dry_run: DryRun,
    pub goal: Goal,
    pub condition: Condition,
    /// `None` if the command does not wait.
    pub wait: Option<WaitPlan>,
    /// `None` if the command does not ask Locust.
    pub location: Option<LocustLocation>,
    pub warnings_as_errors: bool,
    pub is_namespace_given: bool,
    /// True if the result shows the object.
    pub needs_object: bool,
    pub audience: Audience,
    pub follow_up: FollowUp,
}

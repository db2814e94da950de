//! The meaning of the flags of `scale`.

use super::super::follow_up::FollowUp;
use super::super::target::Audience;
use super::waiting::WaitPlan;
use crate::cli::ScaleArgs;
use crate::locust::LocustLocation;
use crate::scaling::{Condition, DryRun, NewCount};

/// The meaning of the flags.
pub(super) struct Settings {
    pub args: ScaleArgs,
    pub dry_run: DryRun,
    pub new: NewCount,
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

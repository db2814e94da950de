//! The changes of a run that are undone at its end.

use crate::run::ReplacedCount;

/// The changes to undo.
#[derive(Debug, Default)]
pub(super) struct Undo {
    /// `None` if the count was not changed.
    pub count: Option<ReplacedCount>,
    /// The user's command was started. It may have left a test running.
    pub is_command_started: bool,
}

//! The changes of a run that are undone at its end.

use crate::run::ReplacedCount;

/// The changes to undo.
#[derive(Debug, Default)]
pub(super) struct Undo {
    /// `None` if the count was not changed.
    pub count: Option<ReplacedCount>,
    pub test: TestToStop,
}

/// The test that may be running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TestToStop {
    #[default]
    None,
    /// The user's command was started. It may have left a test running.
    OfCommand,
    /// The test of this run.
    Own,
}

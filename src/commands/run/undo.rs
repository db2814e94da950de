//! The changes of a run that are undone at its end.

use crate::run::ReplacedCount;

/// The changes to undo.
#[derive(Debug, Default)]
pub(super) struct Undo {
    /// `None` if the count was not changed.
    pub count: Option<ReplacedCount>,
    /// The server has answered that it set the new count.
    pub is_count_confirmed: bool,
    pub test: TestToStop,
}

/// The test that may be running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TestToStop {
    #[default]
    None,
    /// The user's command was started. It may have left a test running.
    OfCommand,
    /// The start of this run's test was sent. Locust may begin with it later.
    Starting,
    /// The test of this run.
    Own,
}

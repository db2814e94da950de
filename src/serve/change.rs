//! One change of the count: the request, its audit line, its history entry and its answer.

use tokio::sync::oneshot;

use super::caller::Caller;
use super::live::{EndedChange, HistoryEntry};
use super::log::Audit;
use super::problem::Problem;
use super::refusal::{explain, refusal};
use super::snapshot::{Outcome, UserCheck};
use crate::scaling::{self, NewCount, Scaled};
use crate::text::terminal::printable;

/// A requested change of the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChangeRequest {
    pub new: NewCount,
    /// The required current count, if any.
    pub current: Option<i64>,
    /// True if the API server only validates the change.
    pub is_dry_run: bool,
    /// True if the change is also made while Locust does not answer.
    pub ignores_locust: bool,
}

impl ChangeRequest {
    /// The new count, unless it depends on the current one.
    pub(super) fn count(self) -> Option<i64> {
        match self.new {
            NewCount::Exactly(count) => Some(count.into()),
            NewCount::By(_) => None,
        }
    }
}

/// A successful change.
#[derive(Debug)]
pub(super) struct ChangeResult {
    /// The entry in the history; `None` for a dry run.
    pub ended: Option<EndedChange>,
    /// The count before.
    pub old: Option<i64>,
    /// The count now.
    pub new: i64,
    /// Notes, as sentences.
    pub message: String,
    /// Receives the users of a running test when they are known; `None` if no test is running.
    pub users: Option<oneshot::Receiver<UserCheck>>,
}

/// The result of a change, as it is logged.
pub(super) struct ChangeSummary {
    pub old: Option<i64>,
    pub new: Option<i64>,
    pub outcome: Outcome,
    message: String,
}

impl ChangeSummary {
    pub(super) fn new(
        request: ChangeRequest,
        result: &Result<Scaled, scaling::ScaleError>,
    ) -> Self {
        match result {
            Ok(Scaled { old, new, notes, requested, .. }) => {
                let changed = requested.map(|count| {
                    format!("{count} was requested, and the server changed it to {new}")
                });
                let notes: Vec<_> = notes.iter().cloned().chain(changed).collect();
                let is_same = *old == Some(*new);
                let outcome = if is_same { Outcome::Unchanged } else { Outcome::Scaled };
                let message = printable(&notes.join("; "));
                Self { old: *old, new: Some(*new), outcome, message }
            }
            Err(problem) => {
                use scaling::ScaleError as P;
                let outcome = match problem {
                    P::AnswerLost { .. } => Outcome::Unknown,
                    _ => Outcome::Failed,
                };
                let old = match problem {
                    P::ReplicasDiffer { was, .. } => *was,
                    P::LostRaces { last, .. } => *last,
                    _ => None,
                };
                let message = explain(problem);
                Self { old, new: request.count(), outcome, message }
            }
        }
    }

    /// The summary of a change whose task ended too early.
    pub(super) fn interrupted(request: ChangeRequest) -> Self {
        let message =
            "The change was interrupted, and its result is not known. Check the number of workers."
                .to_owned();
        Self { old: None, new: request.count(), outcome: Outcome::Unknown, message }
    }

    /// The line of the audit log.
    pub(super) fn audit<'a>(&'a self, caller: &'a Caller, action: &'a str) -> Audit<'a> {
        Audit {
            who: &caller.name,
            from: caller.from,
            action,
            old: self.old,
            new: self.new,
            outcome: self.outcome.as_str(),
            detail: &self.message,
        }
    }

    pub(super) fn entry(&self, caller: &Caller, intermediate: Vec<i64>) -> HistoryEntry {
        HistoryEntry {
            changed_by: caller.name.clone(),
            old: self.old,
            intermediate,
            new: self.new,
            outcome: self.outcome,
            message: self.message.clone(),
        }
    }

    pub(super) fn answer(
        self,
        ended: Option<EndedChange>,
        result: Result<Scaled, scaling::ScaleError>,
    ) -> Result<ChangeResult, Problem> {
        match result {
            Ok(Scaled { old, new, .. }) => {
                Ok(ChangeResult { ended, old, new, message: self.message, users: None })
            }
            Err(problem) => Err(refusal(&problem)),
        }
    }
}

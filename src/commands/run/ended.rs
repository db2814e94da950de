//! The reason why a run ended, and its exit code.

use std::fmt::Display;

use anyhow::{Error, anyhow};

use super::super::signals::Signal;
use crate::output::Failed;
use crate::run::PhaseKind;
use crate::text::terminal::harmless;

/// The reason why a run ended before its work was done.
#[derive(Debug)]
pub(super) enum Ended {
    Signal(Signal),
    /// The error names the phase.
    Failed(Error),
}

impl Ended {
    pub(super) fn failed(phase: PhaseKind, error: impl Display) -> Self {
        Self::Failed(anyhow!("{phase}: {}", harmless(&error.to_string())))
    }

    /// The result of a run that has not changed anything.
    pub(super) fn without_changes(self, progress: &str) -> Failed {
        match self {
            Self::Signal(signal) => signal.interrupted(progress),
            Self::Failed(error) => error.into(),
        }
    }
}

/// The result of the run. `result` is that of the work, with the exit code, and `errors` are those of the
/// clean-up. `signal` is the first signal.
pub(super) fn conclude(
    result: Result<u8, Ended>,
    errors: Vec<Error>,
    signal: Option<Signal>,
) -> Result<(), Failed> {
    // Lines about the progress stand above the errors, so each error is marked, also if there are several.
    let marked =
        |errors: Vec<Error>| errors.iter().map(|error| anyhow!("error: {error:#}")).collect();
    let (code, all) = match (result, signal) {
        (Err(Ended::Failed(error)), None) => {
            let all = std::iter::once(error).chain(errors).collect();
            return Err(Failed::all(marked(all)));
        }
        (Ok(_), None) if !errors.is_empty() => return Err(Failed::all(marked(errors))),
        (Ok(0), None) => return Ok(()),
        (Ok(code), None) => (code, errors),
        (Err(Ended::Failed(error)), Some(signal)) => {
            (128 + signal.number(), std::iter::once(error).chain(errors).collect())
        }
        (Err(Ended::Signal(signal)), _) | (Ok(_), Some(signal)) => (128 + signal.number(), errors),
    };
    Err(Failed::with_code(code, marked(all)))
}

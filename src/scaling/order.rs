//! What is ordered, and what can come of it.

use serde_json::Value;

use super::Target;
use crate::api::Error;

/// How often a scale is tried while somebody else keeps changing the count.
pub(super) const ATTEMPTS: u32 = 10;

/// What the new count shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewCount {
    /// This many.
    Exactly(i32),
    /// This many more, or less; never below zero.
    By(i64),
}

/// What must hold for the scale to take place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// `--current-replicas`
    pub replicas: Option<i64>,
    /// `--resource-version`
    pub resource_version: Option<String>,
}

/// Whether and where the change is only tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// The change is made.
    None,
    /// Nothing but reading; conditions are not checked, as in kubectl.
    Client,
    /// The server checks everything and stores nothing.
    Server,
}

/// One scale, as ordered.
#[derive(Debug, Clone)]
pub struct Order {
    /// What to scale.
    pub target: Target,
    /// Where it is.
    pub namespace: String,
    /// To which count.
    pub new: NewCount,
    /// On which conditions.
    pub condition: Condition,
    /// For real or not.
    pub dry_run: DryRun,
    /// Whether [`Scaled::object`] is wanted: then the object is read instead of its scale.
    pub with_object: bool,
}

/// A scale that took place, or a dry run that would have.
#[derive(Debug)]
pub struct Scaled {
    /// The count that was replaced.
    pub old: i64,
    /// The count that the server has now.
    pub new: i64,
    /// The object as it was read before, with the new count.
    pub object: Option<Value>,
    /// What the user should know besides.
    pub notes: Vec<String>,
    /// The count that was asked for, when the server made it another one.
    pub asked_for: Option<i64>,
}

/// Why a scale did not take place, or cannot be said to have.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A request failed, and nothing was changed by it.
    #[error("{0}")]
    Api(#[from] Error),
    /// `--current-replicas` does not hold.
    #[error("Expected replicas to be {expected}, was {was}")]
    ReplicasDiffer {
        /// As given.
        expected: i64,
        /// As read.
        was: i64,
    },
    /// `--resource-version` does not hold.
    #[error("Expected resource version to be {expected}, was {was}")]
    VersionDiffers {
        /// As given.
        expected: String,
        /// As read.
        was: String,
    },
    /// `--by` leads beyond what an API object can hold.
    #[error("{target} cannot be scaled from {old} by {by:+}: more than 2147483647 replicas")]
    TooMany {
        /// What was to be scaled.
        target: String,
        /// As read.
        old: i64,
        /// As given.
        by: i64,
    },
    /// Somebody else was faster, every time.
    #[error(
        "{target} was not scaled: its count was changed by somebody else during each of \
         {ATTEMPTS} attempts, and is {last} now"
    )]
    LostRaces {
        /// What was to be scaled.
        target: String,
        /// As read last.
        last: i64,
    },
    /// The answer to the PATCH was lost; the count was read again.
    #[error("{cause}\n{truth}")]
    AnswerLost {
        /// Why there is no answer.
        cause: Error,
        /// What stands there now, in a sentence.
        truth: String,
    },
}

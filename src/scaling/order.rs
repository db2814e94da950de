//! What is ordered, and what can come of it.

use serde::Serialize;
use serde_json::Value;

use super::Target;
use crate::cluster::api::{Details, Error};

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

/// How many replicas there may be, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// At least so many.
    pub min: i32,
    /// At most so many.
    pub max: i32,
}

impl Limits {
    /// Whether a count is within them.
    pub fn allow(self, count: i64) -> bool {
        (i64::from(self.min)..=i64::from(self.max)).contains(&count)
    }
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

/// Where [`Scaled::object`] comes from, when it is wanted.
#[derive(Debug, Clone, Default)]
pub enum ObjectSource {
    /// It is not wanted.
    #[default]
    None,
    /// It is read from the server, before the scale.
    Server,
    /// From a manifest: it is printed as it stood there, as by kubectl.
    Given(Value),
}

/// What a LIST has told of an object of a built-in kind; it need not be read again.
#[derive(Debug, Clone)]
pub struct ListedObject {
    /// Its `spec.replicas`.
    pub replicas: i64,
    /// Its `metadata.resourceVersion`.
    pub resource_version: String,
    /// The whole object, where it is wanted.
    pub object: Option<Value>,
}

/// One scale, as ordered.
#[derive(Debug, Clone)]
pub struct Order {
    /// What to scale.
    pub target: Target,
    /// To which count.
    pub new: NewCount,
    /// On which conditions.
    pub condition: Condition,
    /// For real or not.
    pub dry_run: DryRun,
    /// Whether [`Scaled::object`] is wanted, and where from.
    pub object: ObjectSource,
    /// What is known of it already.
    pub listed: Option<ListedObject>,
    /// Counts beyond them are refused before anything is changed.
    pub limits: Option<Limits>,
    /// `--record`: the command, for the object's annotation `kubernetes.io/change-cause`.
    pub change_cause: Option<String>,
}

/// A scale that took place, or a dry run that would have.
#[derive(Debug)]
pub struct Scaled {
    /// The count that was replaced; `None` when a custom resource had none.
    pub old: Option<i64>,
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
pub enum ScaleError {
    /// A request failed, and nothing was changed by it.
    #[error("{0}")]
    Api(#[from] Error),
    /// `--current-replicas` does not hold.
    #[error("Expected replicas to be {expected}, was {}", count_text(*.was))]
    ReplicasDiffer {
        /// As given.
        expected: i64,
        /// As read.
        was: Option<i64>,
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
    /// The new count is one that is not allowed here.
    #[error(
        "{target} cannot be scaled to {new}: from {} to {} replicas are allowed here",
        limits.min, limits.max
    )]
    BeyondLimits {
        /// What was to be scaled.
        target: String,
        /// As asked for, or as it would have come to be.
        new: i64,
        /// What is allowed.
        limits: Limits,
    },
    /// `--by`, where there is no count.
    #[error("{target} has no count that could be changed by {by:+}: give it one with --replicas")]
    NothingToChange {
        /// What was to be scaled.
        target: String,
        /// As given.
        by: i64,
    },
    /// Somebody else was faster, every time.
    #[error(
        "{target} was not scaled: its count was changed by somebody else during each of \
         {ATTEMPTS} attempts, and is {} now",
        count_text(*.last)
    )]
    LostRaces {
        /// What was to be scaled.
        target: String,
        /// As read last.
        last: Option<i64>,
    },
    /// A manifest whose object has no place for a count.
    #[error("value cannot be set because .spec is not a map[string]interface{{}}")]
    NoSpec,
    /// The answer to the PATCH was lost; the count was read again.
    #[error("{cause}\n{truth}")]
    AnswerLost {
        /// Why there is no answer.
        cause: Error,
        /// What stands there now, in a sentence.
        truth: String,
    },
}

impl ScaleError {
    /// Whether it is that the target itself does not exist.
    pub fn is_missing(&self, target: &Target) -> bool {
        let Self::Api(Error::Status(status)) = self else { return false };
        let is_about = |about: &Details| about.name == target.name;
        status.is_not_found() && status.details.as_ref().is_some_and(is_about)
    }
}

/// A count for people; a custom resource may have none.
pub fn count_text(count: Option<i64>) -> String {
    count.map_or_else(|| "unset".to_owned(), |count| count.to_string())
}

//! An order to scale one target, and its possible outcomes.

use serde::Serialize;
use serde_json::Value;

use super::Target;
use super::count_location::CountLocation;
use super::remembered_count::{Annotation, AnnotationChange};
use crate::cluster::api::{Details, Error};

/// The number of attempts while other clients keep changing the count.
pub const ATTEMPTS: u32 = 10;

/// The new number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewCount {
    /// `--replicas`
    Exactly(i32),
    /// `--by`: a difference to the current count. The result is never below zero.
    By(i64),
}

/// The allowed numbers of replicas, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The smallest allowed count.
    pub min: i32,
    /// The largest allowed count.
    pub max: i32,
}

impl Limits {
    /// True if the count is within the limits.
    pub fn allow(self, count: i64) -> bool {
        (i64::from(self.min)..=i64::from(self.max)).contains(&count)
    }
}

/// The preconditions of a scale. If one of them does not hold, nothing is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// `--current-replicas`
    pub replicas: Option<i64>,
    /// `--resource-version`
    pub resource_version: Option<String>,
    /// locustctl itself has added the condition, to make a change in steps. So the change has succeeded
    /// if the target has the new count, even if the answer was lost.
    pub is_of_step: bool,
}

impl Condition {
    /// The condition that the target has this number of replicas.
    pub fn replicas(count: i64) -> Self {
        Self { replicas: Some(count), ..Self::default() }
    }
}

/// `--dry-run`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// No dry run: the change is made.
    None,
    /// Only the current count is read. Preconditions do not fail the command, as in kubectl.
    Client,
    /// The server checks the change and does not store it.
    Server,
}

/// The source of [`Scaled::object`].
#[derive(Debug, Clone, Default)]
pub enum ObjectSource {
    /// The object is not needed.
    #[default]
    None,
    /// The object is read from the server before the scale.
    Server,
    /// The object of a manifest. It is printed as in the manifest, as kubectl does.
    Given(Value),
}

/// An object of a built-in kind in the answer to a LIST. It does not have to be read again.
#[derive(Debug, Clone)]
pub struct ListedObject {
    /// `spec.replicas`
    pub replicas: i64,
    /// `metadata.resourceVersion`
    pub resource_version: String,
    /// The whole object, if it was asked for.
    pub object: Option<Value>,
    /// The annotation of `--remember`, if the order needs it.
    pub annotation: Annotation,
}

/// An order to scale one target.
#[derive(Debug, Clone)]
pub struct Order {
    pub target: Target,
    pub new: NewCount,
    pub condition: Condition,
    pub dry_run: DryRun,
    /// The source of [`Scaled::object`].
    pub object: ObjectSource,
    /// The object as a LIST returned it, if there was one.
    pub listed: Option<ListedObject>,
    /// A new count outside of these limits is refused before anything is changed.
    pub limits: Option<Limits>,
    /// `--remember` or `--restore`. Only for built-in kinds.
    pub annotation_change: Option<AnnotationChange>,
    /// `--record`: the command line, for the annotation `kubernetes.io/change-cause`.
    pub change_cause: Option<String>,
}

impl Order {
    /// An order without conditions and options.
    pub fn new(target: Target, new: NewCount) -> Self {
        Self {
            target,
            new,
            condition: Condition::default(),
            dry_run: DryRun::None,
            object: ObjectSource::None,
            listed: None,
            limits: None,
            annotation_change: None,
            change_cause: None,
        }
    }

    /// The location where the count is read and changed.
    pub(super) fn count_location(&self) -> CountLocation {
        match self.annotation_change {
            // The annotation is part of the object, so the count is changed there as well.
            Some(_) => CountLocation::Field("replicas"),
            None => CountLocation::of(&self.target.resource),
        }
    }
}

/// A scale that has succeeded, also in a dry run.
#[derive(Debug)]
pub struct Scaled {
    /// The count that was replaced. `None` if a custom resource had no count.
    pub old: Option<i64>,
    /// The count that the server has now.
    pub new: i64,
    /// The object as it was read before, with the new count.
    pub object: Option<Value>,
    /// Sentences for the user.
    pub notes: Vec<String>,
    /// The count that was asked for, if the server has stored another one.
    pub requested: Option<i64>,
}

/// The reason why a scale failed, or why its outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum ScaleError {
    /// A request failed and changed nothing.
    #[error("{0}")]
    Api(#[from] Error),
    /// The current count is not the one of `--current-replicas`.
    #[error("Expected replicas to be {expected}, was {}", count_text(*.was))]
    ReplicasDiffer {
        /// The value of the flag.
        expected: i64,
        /// The value that the server has.
        was: Option<i64>,
    },
    /// The resource version is not the one of `--resource-version`.
    #[error("Expected resource version to be {expected}, was {was}")]
    VersionDiffers {
        /// The value of the flag.
        expected: String,
        /// The value that the server has.
        was: String,
    },
    /// The new count of `--by` does not fit into the 32 bits of `spec.replicas`.
    #[error("{target} cannot be scaled from {old} by {by:+}: the maximum is 2147483647 replicas")]
    TooMany {
        target: String,
        /// The value that the server has.
        old: i64,
        /// The value of the flag.
        by: i64,
    },
    /// The new count is outside of [`Order::limits`].
    #[error(
        "{target} cannot be scaled to {new}: the limits of serve are {} to {} replicas (--min-replicas, --max-replicas)",
        limits.min, limits.max
    )]
    BeyondLimits { target: String, new: i64, limits: Limits },
    /// `--by`, but the custom resource has no count yet.
    #[error(
        "{target} has no number of replicas yet, so it cannot change by {by:+}: set one with --replicas"
    )]
    NothingToChange {
        target: String,
        /// The value of the flag.
        by: i64,
    },
    /// Another client changed the count during every attempt.
    #[error(
        "{target} was not scaled: another client changed its number of replicas during each of \
         {ATTEMPTS} attempts; it is at {} now",
        count_text(*.last)
    )]
    LostRaces {
        target: String,
        /// The count that was read last.
        last: Option<i64>,
    },
    /// `--restore`, but there is nothing to restore.
    #[error("{target} was not restored: {why}")]
    NotRestored {
        target: String,
        /// The reason.
        why: String,
    },
    /// The operator of the object ignores changes.
    #[error(
        "{target} was not changed, because its operator ignores changes: delete it, and create it again \
         with another number of workers"
    )]
    Ignored { target: String },
    /// The object of a manifest has a `spec` that is no map, but for example null.
    #[error("value cannot be set because .spec is not a map[string]interface{{}}")]
    NoSpec,
    /// The answer to the PATCH was lost. The count was read again, or reading it failed as well.
    #[error("{cause}\n{known_state}")]
    AnswerLost {
        /// The reason why the answer was lost.
        cause: Error,
        /// A sentence about the current count and the possible outcomes of the PATCH.
        known_state: String,
    },
}

impl ScaleError {
    /// True if the error says that the target does not exist.
    pub fn is_missing(&self, target: &Target) -> bool {
        let Self::Api(Error::Status(status)) = self else { return false };
        let is_about = |details: &Details| details.name == target.name;
        status.is_not_found() && status.details.as_ref().is_some_and(is_about)
    }

    /// True if the server has no such path: the type has no scale subresource, or does not exist.
    pub fn is_unknown_path(&self) -> bool {
        let Self::Api(Error::Status(status)) = self else { return false };
        let is_unnamed = |details: &Details| details.name.is_empty();
        status.is_not_found() && status.details.as_ref().is_none_or(is_unnamed)
    }
}

/// The count as text; `unset` for a custom resource without a count.
pub fn count_text(count: Option<i64>) -> String {
    count.map_or_else(|| "unset".to_owned(), |count| count.to_string())
}

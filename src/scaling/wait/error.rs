//! Errors of a wait.

use crate::cluster::api::Error;
use crate::text::go;

/// The reason why a wait failed. The scale itself has succeeded.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// Another client has scaled the target.
    #[error("{target} was scaled to {requested}, but then another client scaled it to {now}")]
    Overtaken {
        target: String,
        /// The count that it was scaled to.
        requested: i64,
        /// The count now.
        now: i64,
    },
    /// The target was deleted.
    #[error("{target} was scaled to {requested}, but then it was deleted")]
    Deleted {
        target: String,
        /// The count that it was scaled to.
        requested: i64,
    },
    /// The target is being deleted, and finalizers still hold it. Its controller starts no pods.
    #[error(
        "{target} was scaled to {requested}, but its deletion began at {since}, so no new pods will start"
    )]
    BeingDeleted {
        target: String,
        /// The count that it was scaled to.
        requested: i64,
        /// The time of the deletion, RFC 3339.
        since: String,
    },
    /// The time of `--timeout` is over, in kubectl's words.
    #[error("timed out waiting for {} to be synced", go::quote(.name))]
    NotSynced {
        /// The name of the object, without its type.
        name: String,
    },
    /// The time of `--wait` is over.
    #[error("timed out after {after} waiting for {target}{}", explained(.readiness, .reasons))]
    NotReady {
        /// The time limit.
        after: go::Duration,
        target: String,
        /// A sentence about the readiness, if the target was read at least once.
        readiness: Option<String>,
        /// The reasons, one on each line.
        reasons: Vec<String>,
    },
    /// The controller reports that the rollout has missed its deadline.
    #[error("{target} did not become ready: {why}{}", explained(.readiness, .reasons))]
    GivenUp {
        target: String,
        /// The message of the controller.
        why: String,
        /// A sentence about the readiness.
        readiness: Option<String>,
        /// The reasons, one on each line.
        reasons: Vec<String>,
    },
    /// The scale subresource could not be read.
    #[error("{0}")]
    Api(Error),
    /// The target could not be read.
    #[error("{target} was scaled to {requested}, but its readiness is unknown: {cause}")]
    Unknown {
        target: String,
        /// The count that it was scaled to.
        requested: i64,
        /// The reason why it could not be read.
        cause: Error,
    },
}

fn explained(readiness: &Option<String>, reasons: &[String]) -> String {
    let readiness = readiness.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    let reasons = reasons.iter().map(|reason| format!("\n  {reason}"));
    reasons.fold(readiness, |text, reason| text + &reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_line() {
        let error = |readiness: Option<&str>, reasons: &[&str]| WaitError::NotReady {
            after: go::Duration::parse("5m").unwrap(),
            target: "deployment.apps/a".to_owned(),
            readiness: readiness.map(str::to_owned),
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        };
        assert_eq!(
            error(Some("1 of 3 replicas are ready"), &["one", "two"]).to_string(),
            "timed out after 5m0s waiting for deployment.apps/a: 1 of 3 replicas are ready\n  one\n  two"
        );
        assert_eq!(
            error(None, &[]).to_string(),
            "timed out after 5m0s waiting for deployment.apps/a"
        );
    }
}

//! Why a wait has ended without what was waited for.

use crate::cluster::api::Error;
use crate::text::go;

/// What has become of a wait; the scale itself took place in any case.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// Somebody else's count stands there now.
    #[error("{target} was scaled to {wanted}, but somebody else scaled it to {now} meanwhile")]
    Overtaken {
        /// What was scaled.
        target: String,
        /// To how many.
        wanted: i64,
        /// What stands there.
        now: i64,
    },
    /// It is gone.
    #[error("{target} was scaled to {wanted}, but somebody deleted it meanwhile")]
    Deleted {
        /// What was scaled.
        target: String,
        /// To how many.
        wanted: i64,
    },
    /// The time is over, in kubectl's words.
    #[error("timed out waiting for {} to be synced", go::quote(.name))]
    NotSynced {
        /// The object, without its type.
        name: String,
    },
    /// The time is over.
    #[error("timed out after {after} waiting for {target}{}", explained(.standing, .reasons))]
    NotReady {
        /// The time.
        after: go::Duration,
        /// What was scaled.
        target: String,
        /// How far it came, where that is known.
        standing: Option<String>,
        /// Why it came no further, a line each.
        reasons: Vec<String>,
    },
    /// The controller has given it up.
    #[error("{target} does not get ready: {why}{}", explained(.standing, .reasons))]
    GivenUp {
        /// What was scaled.
        target: String,
        /// In the controller's words.
        why: String,
        /// How far it came.
        standing: Option<String>,
        /// Why it came no further, a line each.
        reasons: Vec<String>,
    },
    /// Its scale could not be read.
    #[error("{0}")]
    Api(Error),
    /// It could not be looked at.
    #[error("{target} was scaled to {wanted}, but whether it gets ready is not known: {cause}")]
    Unknown {
        /// What was scaled.
        target: String,
        /// To how many.
        wanted: i64,
        /// Why.
        cause: Error,
    },
}

fn explained(standing: &Option<String>, reasons: &[String]) -> String {
    let standing = standing.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    let reasons = reasons.iter().map(|reason| format!("\n  {reason}"));
    reasons.fold(standing, |text, reason| text + &reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_stand_below_on_lines_of_their_own() {
        let unmet = |standing: Option<&str>, reasons: &[&str]| WaitError::NotReady {
            after: go::Duration::parse("5m").unwrap(),
            target: "deployment.apps/a".to_owned(),
            standing: standing.map(str::to_owned),
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        };
        assert_eq!(
            unmet(Some("1 of 3 replicas are ready"), &["one", "two"]).to_string(),
            "timed out after 5m0s waiting for deployment.apps/a: 1 of 3 replicas are ready\n  one\n  two"
        );
        assert_eq!(
            unmet(None, &[]).to_string(),
            "timed out after 5m0s waiting for deployment.apps/a"
        );
    }
}

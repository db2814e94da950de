//! Waits for scaled targets: until their pods are ready, or, like kubectl, until spec and status of
//! the scale subresource have the new count.

mod error;
mod follow;
mod readiness;
mod request;
mod tracker;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use self::tracker::{Tracker, WaitState};
use crate::cluster::api::{Client, Error};
use crate::scaling::pods::{self, start_failures};
use crate::scaling::read_workload::workload_of;
use crate::scaling::target::Target;
use crate::text::go;

pub use error::WaitError;
pub use readiness::{Readiness, WorkloadKind, readiness, readiness_of_scale};
pub use request::{Observer, Wait, WaitCondition};

/// Time limit for the last look at the targets after a timeout.
const LAST_LOOK_LIMIT: Duration = Duration::from_secs(3);

/// Time limit to find out why pods are not ready after a timeout.
const EXPLAIN_LIMIT: Duration = Duration::from_secs(5);

/// Maximum number of targets to list pods for. The reasons of further targets are mostly the same.
const MAX_EXPLAINED: usize = 16;

/// Waits for all targets at the same time, at most for `limit`. A negative limit is over
/// immediately. After a timeout, a last look decides whether the pods are ready.
///
/// Returns an outcome for each wait, in the order of `waits`. If the future is dropped, the progress
/// is what `observer` has received.
pub async fn wait(
    client: &Client,
    waits: &[Wait],
    condition: WaitCondition,
    limit: go::Duration,
    observer: &mut dyn Observer,
) -> Vec<Result<(), WaitError>> {
    let tracker = Tracker::new(waits, observer);
    if let Some(limit) = limit.positive() {
        let waiting = async {
            match condition {
                WaitCondition::Ready => follow::until_ready(client, &tracker, waits.len()).await,
                WaitCondition::Synced => follow::until_synced(client, &tracker, waits.len()).await,
            }
        };
        // The undecided waits get their error below.
        let is_over = timeout(limit, waiting).await.is_err();
        if is_over && condition == WaitCondition::Ready {
            let _ =
                timeout(LAST_LOOK_LIMIT, follow::once_more(client, &tracker, waits.len())).await;
        }
    }
    let states = tracker.into_states();
    let mut explained = 0;
    let outcomes = waits.iter().zip(states).map(|(wait, state)| {
        let has_failed = !matches!(state.outcome, Some(Ok(())));
        explained += usize::from(has_failed);
        conclude(client, wait, state, condition, limit, explained <= MAX_EXPLAINED)
    });
    join_all(outcomes.collect::<Vec<_>>()).await
}

async fn conclude(
    client: &Client,
    wait: &Wait,
    state: WaitState,
    condition: WaitCondition,
    limit: go::Duration,
    is_explained: bool,
) -> Result<(), WaitError> {
    let WaitState { outcome, last, selector, failure, read_error, .. } = state;
    let readiness = last.as_ref().map(Readiness::text);
    let given_up = match outcome {
        None if condition == WaitCondition::Synced => {
            return Err(WaitError::NotSynced { name: wait.target.name.clone() });
        }
        None => None,
        Some(Err(WaitError::GivenUp { target, why, .. })) => Some((target, why)),
        Some(decided) => return decided,
    };
    let mut reasons: Vec<_> = failure.into_iter().collect();
    if WorkloadKind::of(&wait.target.resource).is_none() {
        reasons.extend(explain_deletion(client, &wait.target).await);
    }
    let is_short = last.is_some_and(|last| last.fulfilled() < last.requested);
    if let Some(selector) = selector.filter(|_| is_explained && is_short) {
        reasons.extend(explain_pods(client, &wait.target, &selector).await);
    }
    if let Some(error) = read_error {
        reasons.push(format!("the last request to the server failed: {error}"));
    }
    Err(match given_up {
        Some((target, why)) => WaitError::GivenUp { target, why, readiness, reasons },
        None => {
            let target = wait.target.to_string();
            WaitError::NotReady { after: limit, target, readiness, reasons }
        }
    })
}

/// The scale of a custom resource does not show that the object is being deleted.
async fn explain_deletion(client: &Client, target: &Target) -> Option<String> {
    let object = timeout(EXPLAIN_LIMIT, workload_of(client, target)).await.ok()?.ok()?;
    object.deleted_since().map(|since| format!("its deletion began at {since}"))
}

async fn explain_pods(client: &Client, target: &Target, selector: &str) -> Vec<String> {
    match timeout(EXPLAIN_LIMIT, pods::list(client, &target.namespace, selector)).await {
        Ok(Ok(pods)) => start_failures(&pods).iter().map(ToString::to_string).collect(),
        Ok(Err(Error::Status(status))) if status.code == 403 => {
            vec![format!("its pods cannot be listed: {}", status.message)]
        }
        Ok(Err(error)) => vec![format!("its pods cannot be listed: {error}")],
        Err(_) => vec![format!("its pods were not listed within {EXPLAIN_LIMIT:?}")],
    }
}

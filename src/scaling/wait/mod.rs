//! Waiting for what was scaled: until its pods are ready, or, as kubectl does, until the scale's
//! two counts agree.

mod error;
mod follow;
mod readiness;
mod request;
mod tracker;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use self::tracker::{Slot, Tracker};
use crate::cluster::api::{Client, Error};
use crate::scaling::pods::{self, troubles};
use crate::scaling::target::Target;
use crate::text::go;

pub use error::WaitError;
pub use readiness::{Readiness, WorkloadKind, readiness, readiness_of_scale};
pub use request::{Observer, Until, Wait};

/// For the look that decides, after the time is over.
const LAST_LOOK: Duration = Duration::from_secs(3);

/// For finding out why, after the time is over.
const AFTERTHOUGHT: Duration = Duration::from_secs(5);

/// Why is found out for so many targets; the others have the same reasons more often than not.
const MOST_EXPLAINED: usize = 16;

/// Waits for all at the same time, for `limit` at most; a negative one is over at once. Whether the
/// pods are ready is decided by a last look.
///
/// Gives an outcome for each wait, in their order. Whoever drops the future before learns how far
/// all is from the observer.
pub async fn wait(
    client: &Client,
    waits: &[Wait],
    until: Until,
    limit: go::Duration,
    observer: &mut dyn Observer,
) -> Vec<Result<(), WaitError>> {
    let tracker = Tracker::new(waits, observer);
    if let Some(limit) = limit.positive() {
        let waiting = async {
            match until {
                Until::Ready => follow::until_ready(client, &tracker, waits.len()).await,
                Until::Synced => follow::until_synced(client, &tracker, waits.len()).await,
            }
        };
        // Those that are still undecided are told so below.
        let is_over = timeout(limit, waiting).await.is_err();
        if is_over && until == Until::Ready {
            let _ = timeout(LAST_LOOK, follow::once_more(client, &tracker, waits.len())).await;
        }
    }
    let slots = tracker.into_slots();
    let mut explained = 0;
    let outcomes = waits.iter().zip(slots).map(|(wait, slot)| {
        let is_unmet = !matches!(slot.outcome, Some(Ok(())));
        explained += usize::from(is_unmet);
        conclude(client, wait, slot, until, limit, explained <= MOST_EXPLAINED)
    });
    join_all(outcomes.collect::<Vec<_>>()).await
}

async fn conclude(
    client: &Client,
    wait: &Wait,
    slot: Slot,
    until: Until,
    limit: go::Duration,
    is_explained: bool,
) -> Result<(), WaitError> {
    let Slot { outcome, last, selector, failure, disturbance, .. } = slot;
    let standing = last.as_ref().map(Readiness::text);
    let given_up = match outcome {
        None if until == Until::Synced => {
            return Err(WaitError::NotSynced { name: wait.target.name.clone() });
        }
        None => None,
        Some(Err(WaitError::GivenUp { target, why, .. })) => Some((target, why)),
        Some(decided) => return decided,
    };
    let mut reasons: Vec<_> = failure.into_iter().collect();
    let is_short = last.is_some_and(|last| last.fulfilled() < last.wanted);
    if let Some(selector) = selector.filter(|_| is_explained && is_short) {
        reasons.extend(explain_pods(client, &wait.target, &selector).await);
    }
    if let Some(error) = disturbance {
        reasons.push(format!("the server could not be asked lately: {error}"));
    }
    Err(match given_up {
        Some((target, why)) => WaitError::GivenUp { target, why, standing, reasons },
        None => {
            let target = wait.target.to_string();
            WaitError::NotReady { after: limit, target, standing, reasons }
        }
    })
}

async fn explain_pods(client: &Client, target: &Target, selector: &str) -> Vec<String> {
    match timeout(AFTERTHOUGHT, pods::list(client, &target.namespace, selector)).await {
        Ok(Ok(pods)) => troubles(&pods),
        Ok(Err(Error::Status(status))) if status.code == 403 => {
            vec![format!("what its pods wait for may not be looked at: {}", status.message)]
        }
        Ok(Err(error)) => vec![format!("what its pods wait for is not known: {error}")],
        Err(_) => vec!["what its pods wait for could not be found out in time".to_owned()],
    }
}

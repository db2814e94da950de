//! Sets the number of workers for a run, and puts the old number back after it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::patience::{PAUSE, is_temporary};
use crate::cluster::api::Client;
use crate::scaling::{
    Condition, DryRun, NewCount, Order, Progress, ScaleError, Scaled, Target, scale_one,
};

/// The count that a run has set, and the count that it replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplacedCount {
    /// `None` if a custom resource had no count.
    pub old: Option<i64>,
    pub new: i64,
}

impl ReplacedCount {
    /// Putting the old count back removes pods.
    pub fn was_raised(self) -> bool {
        self.old.is_some_and(|old| old < self.new)
    }
}

/// The result of [`put_back`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutBack {
    /// The old count is in effect.
    Done,
    /// The run has not changed the count.
    Unchanged,
    /// The count was the old one already, before the first attempt: the scale was not carried out, or another client has
    /// set the old count.
    AlreadyOld,
    /// Another client has changed the count since. It stays.
    Overtaken { now: Option<i64> },
    /// There was no count before, and a count cannot be removed.
    NoOldCount,
}

/// Sets the count, whatever it is now.
///
/// # Errors
/// [`ScaleError`]. After [`ScaleError::AnswerLost`] the count may have been set.
pub async fn set_count(
    client: &Client,
    target: &Target,
    count: i32,
    dry_run: DryRun,
) -> Result<Scaled, ScaleError> {
    let order = order(target, count, Condition::default(), dry_run);
    scale_one(client, &order, &Progress::default(), 0).await
}

/// Sets the count. Temporary failures are retried until `limit` is over, while `may_retry` says so. `seen` is the
/// count before the run.
///
/// No attempt is carried out twice: a further one makes the server test that the count is still the seen one. If it is
/// the new one instead, an earlier attempt was carried out.
///
/// # Errors
/// [`ScaleError`] of the last attempt; [`ScaleError::AnswerLost`] if the outcome of an earlier one is unknown.
pub async fn set_count_patiently(
    client: &Client,
    target: &Target,
    count: i32,
    seen: i64,
    limit: Duration,
    may_retry: impl Fn() -> bool,
) -> Result<Scaled, ScaleError> {
    let end = Instant::now() + limit;
    let mut result = set_count(client, target, count, DryRun::None).await;
    let mut lost = None;
    let condition = Condition::replicas(seen);
    let again = order(target, count, condition, DryRun::None);
    while let Err(error) = &result
        && may_be_retried(error)
        && Instant::now() + PAUSE <= end
        && may_retry()
    {
        sleep(PAUSE).await;
        if !may_retry() {
            break;
        }
        let next = match scale_one(client, &again, &Progress::default(), 0).await {
            Err(ScaleError::ReplicasDiffer { was: Some(was), .. }) if was == i64::from(count) => {
                let (old, object, notes) = (Some(seen), None, Vec::new());
                Ok(Scaled { old, new: was, object, notes, requested: None })
            }
            result => result,
        };
        if let Err(error @ ScaleError::AnswerLost { .. }) = std::mem::replace(&mut result, next) {
            lost = Some(error);
        }
    }
    match (result, lost) {
        // The server tells the count, so nothing is unknown any more.
        (Err(error @ ScaleError::ReplicasDiffer { was: Some(_), .. }), _) => Err(error),
        (Err(_), Some(lost)) => Err(lost),
        (result, _) => result,
    }
}

/// Sets the old count again, but only if the count is still the one that the run has set. The server tests
/// this inside the PATCH. Temporary failures are retried until `limit` is over.
///
/// # Errors
/// [`ScaleError`] of the last attempt.
pub async fn put_back(
    client: &Client,
    target: &Target,
    count: ReplacedCount,
    limit: Duration,
) -> Result<PutBack, ScaleError> {
    if count.old == Some(count.new) {
        return Ok(PutBack::Unchanged);
    }
    let Some(old) = count.old.and_then(|old| i32::try_from(old).ok()) else {
        return Ok(PutBack::NoOldCount);
    };
    let condition = Condition::replicas(count.new);
    let order = order(target, old, condition, DryRun::None);
    let end = Instant::now() + limit;
    let mut may_be_ours = false;
    loop {
        let error = match scale_one(client, &order, &Progress::default(), 0).await {
            Ok(_) => return Ok(PutBack::Done),
            Err(ScaleError::ReplicasDiffer { was, .. }) if was == count.old => {
                // The server may have carried out an earlier attempt whose answer was lost.
                return Ok(if may_be_ours { PutBack::Done } else { PutBack::AlreadyOld });
            }
            Err(ScaleError::ReplicasDiffer { was, .. }) => {
                return Ok(PutBack::Overtaken { now: was });
            }
            Err(error) => error,
        };
        if !may_be_retried(&error) || Instant::now() + PAUSE > end {
            return Err(error);
        }
        may_be_ours |= matches!(error, ScaleError::AnswerLost { .. });
        sleep(PAUSE).await;
    }
}

fn may_be_retried(error: &ScaleError) -> bool {
    match error {
        ScaleError::Api(error) => is_temporary(error),
        ScaleError::AnswerLost { .. } | ScaleError::LostRaces { .. } => true,
        _ => false,
    }
}

fn order(target: &Target, count: i32, condition: Condition, dry_run: DryRun) -> Order {
    Order { condition, dry_run, ..Order::new(target.clone(), NewCount::Exactly(count)) }
}

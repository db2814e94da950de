//! Sends the start that redistributes the users.

use tokio::time::{Instant, sleep};

use super::super::error::Error;
use super::super::health::{Health, Repair};
use super::super::master::Master;
use super::super::retry::retried;
use super::super::run_time::TimeLimit;
use super::super::start::Start;
use super::super::timing::{AFTER_FAILURE, LOOK_PERIOD, SETTLE_LIMIT};
use super::inputs::{Rebalance, RebalanceMode};

/// Sends the repair, at once or as a ramp. Returns the last start that was sent; `None` if the test
/// was stopped or edited during the ramp.
///
/// # Errors
/// Locust does not answer, or refuses.
pub(super) async fn send(
    rebalance: &Rebalance<'_, '_>,
    repair: &Repair,
    now: &Health,
) -> Result<Option<Start>, Error> {
    match rebalance.mode {
        RebalanceMode::Ramp if now.lacks_users() => ramp(rebalance, repair, now).await,
        _ => send_one(rebalance, &repair.start, &repair.limit).await.map(Some),
    }
}

async fn send_one(
    rebalance: &Rebalance<'_, '_>,
    start: &Start,
    limit: &TimeLimit,
) -> Result<Start, Error> {
    let run_time = limit.left().map_err(Error::Refused)?;
    let start = Start { run_time, ..start.clone() };
    if let Some(in_progress) = rebalance.in_progress {
        in_progress.set_sent();
    }
    if let Some(on_attempt) = rebalance.on_attempt {
        on_attempt(&start, limit.begin(run_time).unwrap_or_else(Instant::now));
    }
    rebalance.master.start(&start).await?;
    Ok(start)
}

/// Sends two starts. Locust still counts the lost users, so a single start would start them at once.
/// The first start has the number of users that are running. The second one has the wanted number,
/// which Locust then reaches at the spawn rate.
///
/// # Errors
/// [`Error::HalfRamp`] if only the first start was accepted, or may have been. Locust's page then shows the
/// lower number as the wanted one, so the test must not be judged again.
async fn ramp(
    rebalance: &Rebalance<'_, '_>,
    repair: &Repair,
    now: &Health,
) -> Result<Option<Start>, Error> {
    let users = u64::try_from(now.users).unwrap_or(0).max(1);
    let spawn_rate = repair.start.spawn_rate.max(repair.wanted as f64);
    let first = Start { users, spawn_rate, ..repair.start.clone() };
    let half =
        |error| Err(Error::HalfRamp { users, wanted: repair.wanted, error: Box::new(error) });
    match send_one(rebalance, &first, &repair.limit).await {
        Ok(_) => {}
        Err(error) if !error.may_pass() => return Err(error),
        Err(error) => {
            sleep(AFTER_FAILURE).await;
            match last_users(rebalance.master).await {
                Some(last) if last == users => {}
                Some(_) => return Err(error),
                None => return half(error),
            }
        }
    }
    if !has_reached_first(rebalance, users).await {
        return Ok(None);
    }
    let end = Instant::now() + SETTLE_LIMIT;
    loop {
        match send_one(rebalance, &repair.start, &repair.limit).await {
            Ok(start) => return Ok(Some(start)),
            Err(error) if error.may_pass() && Instant::now() < end => sleep(LOOK_PERIOD).await,
            Err(error) => {
                sleep(AFTER_FAILURE).await;
                // The answers were lost, and Locust has accepted the start.
                return match last_users(rebalance.master).await {
                    Some(last) if last == repair.start.users => Ok(Some(repair.start.clone())),
                    _ => half(error),
                };
            }
        }
    }
}

/// Waits until Locust has carried out the first start of a ramp, which has this number of users.
/// Returns false if the test was stopped or edited.
async fn has_reached_first(rebalance: &Rebalance<'_, '_>, users: u64) -> bool {
    let master = rebalance.master;
    let end = Instant::now() + SETTLE_LIMIT;
    loop {
        sleep(LOOK_PERIOD).await;
        match master.page().await {
            Ok(Some(page)) if !page.is_running() => return false,
            Ok(Some(page)) if page.state == "running" => break,
            // The second start must be sent even if single looks fail.
            _ if Instant::now() >= end => break,
            _ => {}
        }
    }
    last_users(master).await.is_none_or(|last| last == users)
}

/// The users of the last start in the master's log; `None` if it cannot be read.
async fn last_users(master: &Master<'_>) -> Option<u64> {
    let log = retried(|| master.log()).await.unwrap_or_default();
    log.and_then(|log| log.last_spawn()).map(|last| last.users)
}

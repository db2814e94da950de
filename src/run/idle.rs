//! Waits until Locust runs no test, because a start would change the test of somebody else.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::patience::is_temporary_for_locust;
use crate::locust::{Error, Master, is_idle};

/// The time between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// Waits until Locust's state is `ready` or `stopped`, for at most `limit`. `patience` is the time for which Locust
/// may fail to answer. `on_wait` is called once for each reason to wait. Returns the state at the end.
///
/// # Errors
/// Locust does not answer.
pub async fn wait_for_idle(
    master: &Master<'_>,
    limit: Duration,
    patience: Duration,
    mut on_wait: impl FnMut(Waiting<'_>),
) -> Result<Idle, Error> {
    let mut last_answer = Instant::now();
    let end = last_answer + limit;
    let (mut is_first_state, mut is_first_failure) = (true, true);
    loop {
        match state_and_users(master).await {
            Ok((state, _)) if is_idle(&state) => return Ok(Idle::Yes),
            Ok((state, users)) if Instant::now() >= end => return Ok(Idle::No { state, users }),
            Ok((state, _)) => {
                last_answer = Instant::now();
                if std::mem::take(&mut is_first_state) {
                    on_wait(Waiting::Busy(&state));
                }
                sleep(PERIOD.min(end - Instant::now())).await;
            }
            Err(error) if !is_temporary_for_locust(&error) => return Err(error),
            Err(error) if last_answer.elapsed() >= patience => return Err(error),
            Err(error) => {
                if std::mem::take(&mut is_first_failure) {
                    on_wait(Waiting::NoAnswer(&error));
                }
                sleep(PERIOD).await;
            }
        }
    }
}

/// The reason to wait.
#[derive(Debug)]
pub enum Waiting<'a> {
    /// Locust runs a test. The text is the state of its runner.
    Busy(&'a str),
    /// Locust did not answer.
    NoAnswer(&'a Error),
}

/// The state of Locust's runner and its users: from the page, which is never cached, or else from the statistics.
///
/// # Errors
/// Locust does not answer.
pub(super) async fn state_and_users(master: &Master<'_>) -> Result<(String, i64), Error> {
    Ok(match master.page().await? {
        Some(page) => (page.state, page.user_count),
        None => {
            let stats = master.stats().await?;
            (stats.state, stats.user_count)
        }
    })
}

/// The result of [`wait_for_idle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idle {
    Yes,
    /// A test is being started, is running, or is being stopped.
    No {
        /// State of Locust's runner.
        state: String,
        users: i64,
    },
}

//! Waits until Locust runs no test, because a start would change the test of somebody else.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::locust::{Error, Master, is_idle};

/// The time between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// Waits until Locust's state is `ready` or `stopped`, for at most `limit`. `on_wait` is called once, if a test
/// is running. Returns the state at the end.
///
/// # Errors
/// Locust does not answer.
pub async fn wait_for_idle(
    master: &Master<'_>,
    limit: Duration,
    on_wait: impl FnOnce(&str),
) -> Result<Idle, Error> {
    let end = Instant::now() + limit;
    let mut on_wait = Some(on_wait);
    loop {
        let (state, users) = state_and_users(master).await?;
        if is_idle(&state) {
            return Ok(Idle::Yes);
        }
        if Instant::now() >= end {
            return Ok(Idle::No { state, users });
        }
        if let Some(on_wait) = on_wait.take() {
            on_wait(&state);
        }
        sleep(PERIOD.min(end - Instant::now())).await;
    }
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

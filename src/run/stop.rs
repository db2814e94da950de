//! Stops the test.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::idle::state_and_users;
use super::patience::{PAUSE, is_temporary_for_locust};
use crate::locust::{Error, LOOK_PERIOD, Master, is_idle, is_running};

/// Stops the test, and waits until Locust has stopped it. Temporary failures are retried until `limit` is over.
/// If no test is running, only the state is read.
///
/// # Errors
/// The error of the last request, or the state at the end of the limit.
pub async fn stop_test(master: &Master<'_>, limit: Duration) -> Result<WasRunning, String> {
    let end = Instant::now() + limit;
    let mut was_running = WasRunning::No;
    loop {
        let error = match try_to_stop(master, end, &mut was_running).await {
            Ok(Stopped::Yes) => return Ok(was_running),
            Ok(Stopped::No { state }) => {
                return Err(format!("its state is still {state} after {} s", limit.as_secs()));
            }
            Err(error) => error,
        };
        if !is_temporary_for_locust(&error) || Instant::now() + PAUSE > end {
            return Err(error.to_string());
        }
        sleep(PAUSE).await;
    }
}

/// A test was running when it was to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WasRunning {
    Yes,
    No,
}

/// The result of an attempt to stop the test.
enum Stopped {
    Yes,
    /// The time is over.
    No {
        /// State of Locust's runner.
        state: String,
    },
}

async fn try_to_stop(
    master: &Master<'_>,
    end: Instant,
    was_running: &mut WasRunning,
) -> Result<Stopped, Error> {
    let mut is_sent = false;
    loop {
        let (state, _) = state_and_users(master).await?;
        if is_idle(&state) {
            return Ok(Stopped::Yes);
        }
        *was_running = WasRunning::Yes;
        if !is_sent && is_running(&state) {
            // The answer comes when the workers have stopped. The page shows the same without this wait.
            let stopping = timeout_at(end, master.stop());
            stopping.await.unwrap_or(Ok(()))?;
            is_sent = true;
            continue;
        }
        if Instant::now() + LOOK_PERIOD > end {
            return Ok(Stopped::No { state });
        }
        sleep(LOOK_PERIOD).await;
    }
}

/// Cancels a start that Locust has accepted and not begun with, and stops the test if it has begun.
///
/// # Errors
/// Those of [`stop_test`].
pub async fn cancel_start(master: &Master<'_>, limit: Duration) -> Result<WasRunning, String> {
    // Its state is still idle while listeners of `test_start` run. Without a test and a start, this does nothing.
    let is_idle = matches!(state_and_users(master).await, Ok((state, _)) if is_idle(&state));
    if is_idle && let Ok(Err(error)) = timeout(limit, master.stop()).await {
        return Err(error.to_string());
    }
    stop_test(master, limit).await
}

/// Waits until Locust runs no test, for at most `limit`. Two failed looks in turn end the wait.
pub async fn until_idle(master: &Master<'_>, limit: Duration) {
    let end = Instant::now() + limit;
    let mut has_failed = false;
    while Instant::now() < end {
        match timeout_at(end, state_and_users(master)).await {
            Ok(Ok((state, _))) if is_idle(&state) => return,
            Ok(Ok(_)) => has_failed = false,
            Ok(Err(_)) if !has_failed => has_failed = true,
            _ => return,
        }
        sleep(LOOK_PERIOD).await;
    }
}

/// Returns the test of somebody else. Call it only when no test of this run is left. While Locust stops a test, it
/// waits for at most `limit`. Returns `None` if no test is running, or if two looks in a row fail.
pub async fn other_test(master: &Master<'_>, limit: Duration) -> Option<OtherTest> {
    let end = Instant::now() + limit;
    let (mut has_failed, mut last) = (false, None);
    loop {
        match timeout_at(end, state_and_users(master)).await {
            Ok(Ok((state, _))) if is_idle(&state) => return None,
            Ok(Ok((state, users))) => {
                let is_running = is_running(&state);
                last = Some(OtherTest { state, users });
                if is_running {
                    return last;
                }
                has_failed = false;
            }
            Ok(Err(_)) if !has_failed => has_failed = true,
            Ok(Err(_)) => return None,
            Err(_) => return last,
        }
        if Instant::now() + LOOK_PERIOD > end {
            return last;
        }
        sleep(LOOK_PERIOD).await;
    }
}

/// A test that this run has not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTest {
    /// State of Locust's runner.
    pub state: String,
    pub users: i64,
}

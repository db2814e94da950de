//! Delays a signal until a rebalance has finished its starts. The result of a start must be saved, and a
//! ramp needs two starts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::timing::{LOOK_PERIOD, SETTLE_LIMIT};

/// After a signal: time limit for the rest of the ramp, or for Locust's answer to a start.
const FINISH_LIMIT: Duration = SETTLE_LIMIT.saturating_mul(2);

/// Records two facts: a start is being sent, and a start was sent, but its result was not reported yet.
#[derive(Debug, Default)]
pub struct StartInProgress {
    /// True while a start is being sent, and between the two starts of a ramp.
    is_unfinished: AtomicBool,
    is_unreported: AtomicBool,
}

/// Marks the start or the ramp as finished when dropped.
pub(super) struct StartGuard<'a>(&'a StartInProgress);

impl StartInProgress {
    pub(super) fn begin(&self) -> StartGuard<'_> {
        self.is_unfinished.store(true, Ordering::Relaxed);
        StartGuard(self)
    }

    /// Records that a start is being sent.
    pub(super) fn set_sent(&self) {
        self.is_unreported.store(true, Ordering::Relaxed);
    }

    /// Records that the result of the starts was reported to the user.
    pub fn set_reported(&self) {
        self.is_unreported.store(false, Ordering::Relaxed);
    }

    /// True if a start was sent, and its result was not reported yet. Locust may not have received it.
    pub fn has_unreported_start(&self) -> bool {
        self.is_unreported.load(Ordering::Relaxed)
    }

    /// True while a start is being sent, and between the two starts of a ramp.
    pub fn is_unfinished(&self) -> bool {
        self.is_unfinished.load(Ordering::Relaxed)
    }

    /// Runs `work` until it ends or `signal` arrives. If the signal arrives during a start or a
    /// ramp, calls `on_delay` and waits until the start or ramp is finished.
    pub async fn or_signal<T, S>(
        &self,
        work: impl Future<Output = T>,
        signal: impl Future<Output = S>,
        on_delay: impl FnOnce(),
    ) -> Result<T, S> {
        tokio::pin!(work);
        let signal = tokio::select! {
            done = &mut work => return Ok(done),
            signal = signal => signal,
        };
        if !self.is_unfinished() {
            return Err(signal);
        }
        on_delay();
        let end = Instant::now() + FINISH_LIMIT;
        while self.is_unfinished() && Instant::now() < end {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep(LOOK_PERIOD) => {}
            }
        }
        Err(signal)
    }
}

impl Drop for StartGuard<'_> {
    fn drop(&mut self) {
        self.0.is_unfinished.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_signal_ends_the_work_only_after_the_ramp() {
        let in_progress = StartInProgress::default();
        let ramping = async {
            let _guard = in_progress.begin();
            // The longest time between the two starts, and the time of the second start.
            sleep(SETTLE_LIMIT + Duration::from_secs(1)).await;
            "done"
        };
        let mut delays = 0;
        assert_eq!(
            in_progress.or_signal(ramping, sleep(LOOK_PERIOD), || delays += 1).await,
            Ok("done")
        );
        let after_ramp = async {
            let guard = in_progress.begin();
            sleep(LOOK_PERIOD).await;
            drop(guard);
            pending::<()>().await;
        };
        let start = Instant::now();
        assert_eq!(
            in_progress.or_signal(after_ramp, sleep(LOOK_PERIOD * 2), || delays += 1).await,
            Err(())
        );
        assert!(start.elapsed() < LOOK_PERIOD * 3, "the signal ends the work at once");
        let hanging = async {
            let _guard = in_progress.begin();
            pending::<()>().await;
        };
        assert_eq!(
            in_progress.or_signal(hanging, sleep(LOOK_PERIOD), || delays += 1).await,
            Err(())
        );
        assert_eq!(delays, 2, "only a start or a ramp delays the end");
    }
}

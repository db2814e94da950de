//! A ramp needs two starts. A signal must not end locustctl between them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::timing::{PERIOD, SETTLE_LIMIT};

/// After a signal: time limit for the second start of a ramp.
const FINISH_LIMIT: Duration = SETTLE_LIMIT.saturating_mul(2);

/// True while a ramp is between its two starts.
#[derive(Debug, Default)]
pub struct RampInProgress(AtomicBool);

/// Marks the ramp as finished when dropped.
pub(super) struct RampGuard<'a>(&'a RampInProgress);

impl RampInProgress {
    pub(super) fn begin(&self) -> RampGuard<'_> {
        self.0.store(true, Ordering::Relaxed);
        RampGuard(self)
    }

    /// Runs `work` until it ends or `signal` arrives. If the signal arrives during a ramp, the ramp
    /// is finished first.
    pub async fn or_signal<T, S>(
        &self,
        work: impl Future<Output = T>,
        signal: impl Future<Output = S>,
    ) -> Result<T, S> {
        tokio::pin!(work);
        let signal = tokio::select! {
            done = &mut work => return Ok(done),
            signal = signal => signal,
        };
        let end = Instant::now() + FINISH_LIMIT;
        while self.0.load(Ordering::Relaxed) && Instant::now() < end {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep(PERIOD) => {}
            }
        }
        Err(signal)
    }
}

impl Drop for RampGuard<'_> {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_signal_ends_the_work_only_after_the_ramp() {
        let ramp = RampInProgress::default();
        let ramping = async {
            let _guard = ramp.begin();
            // The longest time between the two starts, and the time of the second start.
            sleep(SETTLE_LIMIT + Duration::from_secs(1)).await;
            "done"
        };
        assert_eq!(ramp.or_signal(ramping, sleep(PERIOD)).await, Ok("done"));
        let after_ramp = async {
            let guard = ramp.begin();
            sleep(PERIOD).await;
            drop(guard);
            pending::<()>().await;
        };
        let start = Instant::now();
        assert_eq!(ramp.or_signal(after_ramp, sleep(PERIOD * 2)).await, Err(()));
        assert!(start.elapsed() < PERIOD * 3, "the signal ends the work at once");
        let hanging = async {
            let _guard = ramp.begin();
            pending::<()>().await;
        };
        assert_eq!(ramp.or_signal(hanging, sleep(PERIOD)).await, Err(()));
    }
}

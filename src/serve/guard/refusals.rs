//! Refusals are written down, but whoever is refused again and again does not fill the disk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::super::log::{Audit, audit, log};

/// Lines that are written in one period; more are only counted.
const MOST: u32 = 20;

const PERIOD: Duration = Duration::from_secs(1);

/// What was written down of late.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    since: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl Refusals {
    /// Writes the line, or counts it; how many were only counted is said at the period's end,
    /// whether or not somebody else is refused by then.
    pub(super) fn note(&self, line: &Audit<'_>) {
        let now = Instant::now();
        let mut state = self.lock();
        let since = match state.since {
            Some(since) if state.left_out > 0 || now.duration_since(since) < PERIOD => since,
            _ => {
                *state = State { since: Some(now), ..State::default() };
                now
            }
        };
        if state.written < MOST {
            state.written += 1;
            audit(line);
            return;
        }
        state.left_out += 1;
        if state.left_out == 1 {
            let refusals = self.clone();
            tokio::spawn(async move {
                sleep_until(since + PERIOD).await;
                let left_out = std::mem::take(&mut *refusals.lock()).left_out;
                log(&format!("audit {left_out} more refusals were not written down"));
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tokio::time::sleep;

    use super::*;

    fn note(refusals: &Refusals, count: u32) {
        let from = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..count {
            refusals.note(&Audit {
                who: "nobody",
                from,
                action: "GET /",
                old: None,
                new: None,
                outcome: "refused",
                detail: "",
            });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_counted_and_what_comes_after_it_is_written_again() {
        let refusals = Refusals::default();
        let seen = || {
            let state = refusals.lock();
            (state.written, state.left_out)
        };
        note(&refusals, MOST);
        assert_eq!(seen(), (MOST, 0));
        note(&refusals, 1000);
        assert_eq!(seen(), (MOST, 1000));
        sleep(PERIOD * 2).await;
        assert_eq!(seen(), (0, 0), "what was left out was told without another refusal");
        note(&refusals, 3);
        assert_eq!(seen(), (3, 0));
        sleep(PERIOD).await;
        note(&refusals, 1);
        assert_eq!(seen(), (1, 0));
    }
}

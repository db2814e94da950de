//! The audit lines of refused requests, rate-limited so that they cannot fill the disk.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep_until};

use super::super::log::{Audit, audit, log};

/// Lines per period and user. Further refusals are only counted.
const MAX_LINES: u32 = 20;

/// Lines per period of all users.
const MAX_ALL_LINES: u32 = 200;

const PERIOD: Duration = Duration::from_secs(1);

/// The refusals of the current period.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<Mutex<Period>>);

#[derive(Debug, Default)]
struct Period {
    since: Option<Instant>,
    /// Written lines of each user.
    written: HashMap<String, u32>,
    /// Written lines of all users.
    all: u32,
    suppressed: u64,
}

impl Refusals {
    /// Writes the line or counts it. At the end of the period, one line says how many were only
    /// counted.
    pub fn log(&self, line: &Audit<'_>) {
        let now = Instant::now();
        let mut state = self.lock();
        let since = match state.since {
            Some(since) if state.suppressed > 0 || now.duration_since(since) < PERIOD => since,
            _ => {
                *state = Period { since: Some(now), ..Period::default() };
                now
            }
        };
        let written = state.written.get(line.who).copied().unwrap_or_default();
        if written < MAX_LINES && state.all < MAX_ALL_LINES {
            state.written.insert(line.who.to_owned(), written + 1);
            state.all += 1;
            audit(line);
            return;
        }
        state.suppressed += 1;
        if state.suppressed == 1 {
            let refusals = self.clone();
            tokio::spawn(async move {
                sleep_until(since + PERIOD).await;
                let suppressed = std::mem::take(&mut *refusals.lock()).suppressed;
                log(&format!("audit {suppressed} more refusals were not logged"));
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Period> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tokio::time::sleep;

    use super::*;

    fn refuse(refusals: &Refusals, count: u32) {
        refuse_to(refusals, "nobody", count);
    }

    fn refuse_to(refusals: &Refusals, who: &str, count: u32) {
        let from = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..count {
            refusals.log(&Audit {
                who,
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
    async fn a_flood_is_counted_and_later_refusals_are_logged_again() {
        let refusals = Refusals::default();
        let seen = || {
            let state = refusals.lock();
            (state.all, state.suppressed)
        };
        refuse(&refusals, MAX_LINES);
        assert_eq!(seen(), (MAX_LINES, 0));
        refuse(&refusals, 1000);
        assert_eq!(seen(), (MAX_LINES, 1000));
        sleep(PERIOD * 2).await;
        assert_eq!(seen(), (0, 0), "the count was logged without another refusal");
        refuse(&refusals, 3);
        assert_eq!(seen(), (3, 0));
        sleep(PERIOD).await;
        refuse(&refusals, 1);
        assert_eq!(seen(), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn each_user_has_lines_and_all_together_have_a_limit() {
        let refusals = Refusals::default();
        refuse_to(&refusals, "alice", 1000);
        refuse_to(&refusals, "bob", 1);
        assert_eq!(refusals.lock().all, MAX_LINES + 1);
        for user in 0..MAX_ALL_LINES {
            refuse_to(&refusals, &user.to_string(), 1);
        }
        assert_eq!(refusals.lock().all, MAX_ALL_LINES);
    }
}

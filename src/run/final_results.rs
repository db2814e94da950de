//! The final results of a test.

use std::time::Duration;

use time::PrimitiveDateTime;
use tokio::time::{Instant, sleep, sleep_until};

use super::idle::state_and_users;
use super::patience::patiently;
use super::results::LocustCsv;
use crate::locust::{Error, Master, is_idle};
use crate::text::terminal::harmless;

/// Workers report every 3 seconds, so the statistics grow after the end of a test.
const LATE_REPORTS: Duration = Duration::from_secs(4);

/// Two reads this far apart must agree. This time is longer than the 3 seconds between two reports of a worker, and
/// longer than the 2 seconds for which Locust caches the statistics.
const AGREEMENT: Duration = Duration::from_millis(3200);

/// Time limit for the statistics to stop changing.
const LIMIT: Duration = Duration::from_secs(30);

/// The results that were read last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalResults {
    pub csv: LocustCsv,
    pub finality: Finality,
}

/// The statistics have stopped changing, or it is unknown if they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finality {
    /// Two reads in turn agree.
    Final,
    /// No two reads in turn agree. The text is the reason.
    Unconfirmed(String),
}

/// Reads the results of one test. Locust has only those of its last test, so each read checks that no other test
/// has begun.
pub struct ResultsReader<'a> {
    pub master: &'a Master<'a>,
    /// Time of the test's start in the master's log; `None` if it is unknown.
    pub logged_at: Option<PrimitiveDateTime>,
    /// How long Locust may fail to answer.
    pub limit: Duration,
}

impl ResultsReader<'_> {
    /// Reads the results of the test that ended at `ended`, when they have stopped changing.
    ///
    /// # Errors
    /// Not even one read succeeds, or Locust has the results of another test.
    pub async fn final_results(&self, ended: Instant) -> Result<FinalResults, String> {
        let give_up = Instant::now() + self.limit;
        let read_once = || async {
            Ok(LocustCsv {
                requests: self.master.fetch("stats/requests/csv").await?,
                failures: self.master.fetch("stats/failures/csv").await?,
                exceptions: self.master.fetch("exceptions/csv").await?,
            })
        };
        let (csv, finality) = until_agreed(ended, || self.read(give_up, read_once)).await?;
        Ok(FinalResults { csv, finality })
    }

    /// Reads Locust's own report, in a form that needs no other file.
    ///
    /// # Errors
    /// Locust does not answer, or it has the results of another test.
    pub async fn html_report(&self) -> Result<Vec<u8>, String> {
        let fetch = || self.master.fetch("stats/report?download=1&theme=light");
        self.read(Instant::now() + self.limit, fetch).await
    }

    /// Reads something that belongs to the test. Temporary failures are retried until `give_up`.
    async fn read<T, F: Future<Output = Result<T, Error>>>(
        &self,
        give_up: Instant,
        request: impl Fn() -> F,
    ) -> Result<T, String> {
        self.check(give_up).await?;
        let result = patiently(give_up, request).await.map_err(text)?;
        self.check(give_up).await?;
        Ok(result)
    }

    /// Checks that Locust still has the results of the test.
    async fn check(&self, give_up: Instant) -> Result<(), String> {
        let read_state = || state_and_users(self.master);
        let (state, _) = patiently(give_up, read_state).await.map_err(text)?;
        let is_later = match self.logged_at {
            Some(at) => {
                let log = patiently(give_up, || self.master.log()).await.map_err(text)?;
                log.is_some_and(|log| log.has_later_test(at))
            }
            None => false,
        };
        match &*state {
            _ if is_later => Err(
                "somebody else started another test after this one, so Locust no longer has the \
                                  results of this test"
                    .to_owned(),
            ),
            "ready" => {
                Err("Locust's master was restarted, so it no longer has the results of this test"
                    .to_owned())
            }
            state if is_idle(state) => Ok(()),
            state => Err(format!(
                "Locust's state is {}, so it has no final results of this test: somebody else has started another \
                 test, or this one has not stopped",
                harmless(state)
            )),
        }
    }
}

/// Reads until two reads in turn agree.
///
/// # Errors
/// The first read fails.
async fn until_agreed<T: PartialEq, F: Future<Output = Result<T, String>>>(
    ended: Instant,
    read: impl Fn() -> F,
) -> Result<(T, Finality), String> {
    sleep_until(ended + LATE_REPORTS).await;
    let end = Instant::now() + LIMIT;
    let mut last = read().await?;
    loop {
        sleep(AGREEMENT).await;
        return Ok(match read().await {
            Ok(now) if now == last => (now, Finality::Final),
            Ok(now) if Instant::now() >= end => {
                let why = format!("they were still changing after {} s", LIMIT.as_secs());
                (now, Finality::Unconfirmed(why))
            }
            Ok(now) => {
                last = now;
                continue;
            }
            Err(error) => (last, Finality::Unconfirmed(format!("a later read failed: {error}"))),
        });
    }
}

fn text(error: Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Reads numbers that grow up to `most`.
    async fn read_numbers(most: u32) -> (u32, Finality) {
        let count = Cell::new(0);
        let read = || async {
            count.set((count.get() + 1).min(most));
            Ok(count.get())
        };
        until_agreed(Instant::now(), read).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn results_are_final_when_two_reads_in_turn_agree() {
        let begin = Instant::now();
        let results = read_numbers(3).await;
        assert_eq!(results, (3, Finality::Final));
        assert_eq!(begin.elapsed(), LATE_REPORTS + AGREEMENT * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn results_that_do_not_stop_changing_are_not_final() {
        let (_, finality) = read_numbers(u32::MAX).await;
        let expected = Finality::Unconfirmed("they were still changing after 30 s".to_owned());
        assert_eq!(finality, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn results_that_were_read_once_are_kept() {
        let count = Cell::new(0);
        let read = || async {
            count.set(count.get() + 1);
            if count.get() == 1 { Ok(7) } else { Err("no".to_owned()) }
        };
        let results = until_agreed(Instant::now(), read).await.unwrap();
        let finality = Finality::Unconfirmed("a later read failed: no".to_owned());
        assert_eq!(results, (7, finality));
    }
}

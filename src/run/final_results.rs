//! The final results of a test.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::patience::is_temporary_for_locust;
use super::results::LocustCsv;
use crate::locust::{Error, Master};

/// Workers report every 3 seconds, so the statistics grow after the end of a test.
const LATE_REPORTS: Duration = Duration::from_secs(4);

/// Two reads this far apart must agree. Locust caches statistics for 2 seconds.
const AGREEMENT: Duration = Duration::from_millis(2200);

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
    /// They still changed at the last read.
    Changing,
    /// They were read, and a later read failed. The text is its error.
    Unconfirmed(String),
}

/// Reads the results of the test that ended at `ended`, when they have stopped changing. Temporary failures are
/// retried until `limit` is over.
///
/// # Errors
/// Any of [`Error`], if not even one read succeeds.
pub async fn final_results(
    master: &Master<'_>,
    ended: Instant,
    limit: Duration,
) -> Result<FinalResults, Error> {
    let give_up = Instant::now() + limit;
    sleep_until(ended + LATE_REPORTS).await;
    let end = Instant::now() + LIMIT;
    let mut last = read(master, give_up).await?;
    loop {
        sleep(AGREEMENT).await;
        let (csv, finality) = match read(master, give_up).await {
            Ok(now) if now == last => (now, Finality::Final),
            Ok(now) if Instant::now() >= end => (now, Finality::Changing),
            Ok(now) => {
                last = now;
                continue;
            }
            Err(error) => (last, Finality::Unconfirmed(error.to_string())),
        };
        return Ok(FinalResults { csv, finality });
    }
}

async fn read(master: &Master<'_>, give_up: Instant) -> Result<LocustCsv, Error> {
    patiently(give_up, || read_once(master)).await
}

/// Reads Locust's own report, in a form that needs no other file. Temporary failures are retried until `limit` is
/// over.
///
/// # Errors
/// Any of [`Error`].
pub async fn html_report(master: &Master<'_>, limit: Duration) -> Result<Vec<u8>, Error> {
    let give_up = Instant::now() + limit;
    patiently(give_up, || master.fetch("stats/report?download=1&theme=light")).await
}

/// Repeats a request while its failure is temporary, until `give_up`.
async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    give_up: Instant,
    request: impl Fn() -> F,
) -> Result<T, Error> {
    loop {
        match request().await {
            Err(error) if is_temporary_for_locust(&error) && Instant::now() < give_up => {
                sleep(super::patience::PAUSE).await;
            }
            result => return result,
        }
    }
}

async fn read_once(master: &Master<'_>) -> Result<LocustCsv, Error> {
    Ok(LocustCsv {
        requests: master.fetch("stats/requests/csv").await?,
        failures: master.fetch("stats/failures/csv").await?,
        exceptions: master.fetch("exceptions/csv").await?,
    })
}

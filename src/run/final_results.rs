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
    /// The statistics have stopped changing.
    pub is_final: bool,
}

/// Reads the results of the test that ended at `ended`, when they have stopped changing. Temporary failures are
/// retried until `limit` is over.
///
/// # Errors
/// Any of [`Error`].
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
        let now = read(master, give_up).await?;
        if now == last {
            return Ok(FinalResults { csv: now, is_final: true });
        }
        if Instant::now() >= end {
            return Ok(FinalResults { csv: now, is_final: false });
        }
        last = now;
    }
}

async fn read(master: &Master<'_>, give_up: Instant) -> Result<LocustCsv, Error> {
    loop {
        match read_once(master).await {
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

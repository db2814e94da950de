//! Samples of a running test, as the rows of Locust's `_stats_history.csv`.

use csv::{Terminator, WriterBuilder};
use time::OffsetDateTime;

use super::{Figure, LiveStatistics, Percentile};

/// The largest history, in bytes: about two days with a sample every 2 seconds.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The history of a test. The samples are kept as CSV, because they are only written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    percentiles: Vec<Percentile>,
    rows: Vec<u8>,
}

impl Default for History {
    fn default() -> Self {
        Self::new(&Percentile::DEFAULTS)
    }
}

impl History {
    /// An empty history with these columns of percentiles.
    pub fn new(percentiles: &[Percentile]) -> Self {
        Self { percentiles: percentiles.to_vec(), rows: Vec::new() }
    }

    /// Adds a sample. Without `--csv-full-history`, Locust writes only the sum of all requests, and so
    /// does locustctl. A percentile that Locust does not report of a running test is `N/A`.
    pub fn add(&mut self, at: OffsetDateTime, live: &LiveStatistics) {
        if self.rows.len() >= MAX_BYTES {
            return;
        }
        let total = &live.statistics.total;
        let percentile = |wanted: &Percentile| {
            let known = total.percentile(*wanted).filter(|_| total.requests > 0);
            known.map_or("N/A", Figure::text).to_owned()
        };
        let first = [
            at.unix_timestamp().to_string(),
            live.users.to_string(),
            total.method.clone(),
            total.name.clone(),
            format!("{:.6}", live.current_rate),
            format!("{:.6}", live.current_failure_rate),
        ];
        let last = [
            total.requests.to_string(),
            total.failures.to_string(),
            total.median.text().to_owned(),
            total.average.text().to_owned(),
            total.min.text().to_owned(),
            total.max.text().to_owned(),
            total.size.text().to_owned(),
        ];
        let percentiles = self.percentiles.iter().map(percentile);
        let fields: Vec<_> = first.into_iter().chain(percentiles).chain(last).collect();
        write_row(&mut self.rows, &fields);
    }

    /// The file with its header.
    pub fn csv(&self) -> Vec<u8> {
        let first = ["Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s"];
        let last = [
            "Total Request Count",
            "Total Failure Count",
            "Total Median Response Time",
            "Total Average Response Time",
            "Total Min Response Time",
            "Total Max Response Time",
            "Total Average Content Size",
        ];
        let percentiles = self.percentiles.iter().map(|percentile| format!("{percentile}%"));
        let names = first.into_iter().map(str::to_owned).chain(percentiles);
        let names: Vec<_> = names.chain(last.into_iter().map(str::to_owned)).collect();
        let mut csv = Vec::with_capacity(self.rows.len() + 512);
        write_row(&mut csv, &names);
        csv.extend_from_slice(&self.rows);
        csv
    }
}

/// Appends a row as Python's `csv.writer` does.
fn write_row(csv: &mut Vec<u8>, fields: &[String]) {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(csv);
    // Writing to memory cannot fail.
    let _ = writer.write_record(fields);
    let _ = writer.flush();
}

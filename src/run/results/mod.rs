//! The results of a test, as Locust reports them: its CSV files, and the statistics of a running test.

mod columns;
mod failures;
mod figure;
mod history;
mod live;
mod percentile;
mod row;
mod table;

pub use columns::Columns;
pub use failures::{ExceptionRow, FailureRow};
pub use figure::Figure;
pub use history::History;
pub use live::LiveStatistics;
pub use percentile::Percentile;
pub use row::{Row, Statistics};
pub use table::ResultsError;

/// Locust's CSV files, as its web API sends them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocustCsv {
    /// `GET /stats/requests/csv`
    pub requests: Vec<u8>,
    /// `GET /stats/failures/csv`
    pub failures: Vec<u8>,
    /// `GET /exceptions/csv`
    pub exceptions: Vec<u8>,
}

/// The results of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    pub statistics: Statistics,
    pub failures: Vec<FailureRow>,
    pub exceptions: Vec<ExceptionRow>,
    /// The files that the results were read from. `--csv` writes them unchanged.
    pub csv: LocustCsv,
}

impl LocustCsv {
    /// The files of a Locust before its first test.
    pub fn empty() -> Self {
        Self {
            requests:
                b"Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,\
                Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s\r\n\
                ,Aggregated,0,0,0,0.0,0,0,0,0.0,0.0\r\n"
                    .to_vec(),
            failures: b"Method,Name,Error,Occurrences\r\n".to_vec(),
            exceptions: b"Count,Message,Traceback,Nodes\r\n".to_vec(),
        }
    }
}

impl Results {
    /// Reads Locust's CSV files.
    ///
    /// # Errors
    /// One of them is not a CSV file of Locust.
    pub fn parse(csv: LocustCsv) -> Result<Self, ResultsError> {
        Ok(Self {
            statistics: columns::statistics(&csv.requests)?,
            failures: failures::failures(&csv.failures)?,
            exceptions: failures::exceptions(&csv.exceptions)?,
            csv,
        })
    }
}

#[cfg(test)]
mod tests;

//! `GET /stats/failures/csv` and `GET /exceptions/csv`.

use super::ResultsError;
use super::table::Table;

const FAILURES: &str = "/stats/failures/csv";

const EXCEPTIONS: &str = "/exceptions/csv";

/// Failed requests with the same error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    pub method: String,
    pub name: String,
    pub error: String,
    pub occurrences: u64,
    /// Time of the first failure as Locust wrote it. Older releases do not have it.
    pub first_seen: Option<String>,
    pub last_seen: Option<String>,
}

/// An exception in the locustfile that ended a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    pub count: u64,
    pub message: String,
    pub traceback: String,
    /// The workers, separated by commas.
    pub nodes: String,
}

pub(super) fn failures(content: &[u8]) -> Result<Vec<FailureRow>, ResultsError> {
    let table = Table::read(FAILURES, content)?;
    let (method, name) = (table.column("Method")?, table.column("Name")?);
    let (error, occurrences) = (table.column("Error")?, table.column("Occurrences")?);
    let first = table.optional_column("First Seen");
    let last = table.optional_column("Last Seen");
    table
        .records()
        .map(|record| {
            let time = |column: Option<usize>| {
                let text = record.text(column?);
                (!text.is_empty()).then(|| text.to_owned())
            };
            Ok(FailureRow {
                method: record.text(method).to_owned(),
                name: record.text(name).to_owned(),
                error: record.text(error).to_owned(),
                occurrences: record.number(occurrences, |text| text.parse().ok())?,
                first_seen: time(first),
                last_seen: time(last),
            })
        })
        .collect()
}

pub(super) fn exceptions(content: &[u8]) -> Result<Vec<ExceptionRow>, ResultsError> {
    let table = Table::read(EXCEPTIONS, content)?;
    let (count, message) = (table.column("Count")?, table.column("Message")?);
    let (traceback, nodes) = (table.column("Traceback")?, table.column("Nodes")?);
    table
        .records()
        .map(|record| {
            Ok(ExceptionRow {
                count: record.number(count, |text| text.parse().ok())?,
                message: record.text(message).to_owned(),
                traceback: record.text(traceback).to_owned(),
                nodes: record.text(nodes).to_owned(),
            })
        })
        .collect()
}

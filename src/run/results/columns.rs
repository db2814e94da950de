//! `GET /stats/requests/csv`: the statistics of the requests.

use super::table::{Record, Table};
use super::{Figure, Percentile, ResultsError, Row, Statistics};

const PATH: &str = "/stats/requests/csv";

/// Locust's name of the last row, which is the sum of all requests.
const TOTAL: &str = "Aggregated";

/// A value that Locust does not have: a percentile of no requests.
const NO_VALUE: &str = "N/A";

/// The columns of the file, from its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    method: usize,
    name: usize,
    requests: usize,
    failures: usize,
    median: usize,
    average: usize,
    min: usize,
    max: usize,
    size: usize,
    rate: usize,
    failure_rate: usize,
    percentile_columns: Vec<usize>,
    percentiles: Vec<Percentile>,
}

impl Columns {
    /// Reads the header of the file. Locust also sends it before the first test.
    ///
    /// # Errors
    /// The content is not this file.
    pub fn parse(content: &[u8]) -> Result<Self, ResultsError> {
        Self::of(&Table::read(PATH, content)?)
    }

    /// The percentiles that the file has. A locustfile can change them.
    pub fn percentiles(&self) -> &[Percentile] {
        &self.percentiles
    }

    fn of(table: &Table) -> Result<Self, ResultsError> {
        let (mut percentile_columns, mut percentiles) = (Vec::new(), Vec::new());
        for (column, name) in table.header().enumerate() {
            if let Some(percentile) = name.strip_suffix('%').and_then(Percentile::of_percent) {
                percentile_columns.push(column);
                percentiles.push(percentile);
            }
        }
        Ok(Self {
            method: table.column("Type")?,
            name: table.column("Name")?,
            requests: table.column("Request Count")?,
            failures: table.column("Failure Count")?,
            median: table.column("Median Response Time")?,
            average: table.column("Average Response Time")?,
            min: table.column("Min Response Time")?,
            max: table.column("Max Response Time")?,
            size: table.column("Average Content Size")?,
            rate: table.column("Requests/s")?,
            failure_rate: table.column("Failures/s")?,
            percentile_columns,
            percentiles,
        })
    }

    fn row(&self, record: Record<'_>) -> Result<Row, ResultsError> {
        let figure = |column: usize| record.number(column, Figure::parse);
        let count = |column: usize| record.number(column, |text| text.parse::<u64>().ok());
        let percentile = |(percentile, column): (&Percentile, &usize)| {
            let value = match record.text(*column) {
                NO_VALUE => None,
                _ => Some(figure(*column)?),
            };
            Ok((*percentile, value))
        };
        let percentiles = self.percentiles.iter().zip(&self.percentile_columns);
        Ok(Row {
            method: record.text(self.method).to_owned(),
            name: record.text(self.name).to_owned(),
            requests: count(self.requests)?,
            failures: count(self.failures)?,
            median: figure(self.median)?,
            average: figure(self.average)?,
            min: figure(self.min)?,
            max: figure(self.max)?,
            size: figure(self.size)?,
            rate: Some(figure(self.rate)?),
            failure_rate: Some(figure(self.failure_rate)?),
            percentiles: percentiles.map(percentile).collect::<Result<_, _>>()?,
        })
    }
}

/// Reads the statistics.
pub(super) fn statistics(content: &[u8]) -> Result<Statistics, ResultsError> {
    let table = Table::read(PATH, content)?;
    let columns = Columns::of(&table)?;
    let mut rows =
        table.records().map(|record| columns.row(record)).collect::<Result<Vec<_>, _>>()?;
    match rows.pop() {
        Some(total) if total.name == TOTAL && total.method.is_empty() => {
            Ok(Statistics { rows, total })
        }
        _ => Err(ResultsError::new(PATH, format!("its last row is not {TOTAL:?}"))),
    }
}

//! Locust's CSV: commas, double quotes, CRLF, and a header.

use csv::{ReaderBuilder, StringRecord};

/// The longest table. Locust itself is slow with far fewer names.
const MAX_ROWS: usize = 50_000;

/// The widest table. Locust has 22 columns.
const MAX_COLUMNS: usize = 128;

/// The end of a text in a message, in characters.
const MAX_QUOTED: usize = 60;

/// Results of Locust that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Locust's {path} cannot be read: {problem}")]
pub struct ResultsError {
    /// The path in Locust's web API.
    path: &'static str,
    problem: String,
}

impl ResultsError {
    pub(super) fn new(path: &'static str, problem: impl Into<String>) -> Self {
        Self { path, problem: problem.into() }
    }
}

/// The content of a CSV file.
pub(super) struct Table {
    path: &'static str,
    header: StringRecord,
    records: Vec<StringRecord>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    table: &'a Table,
    /// The number of the row below the header, from 1.
    number: usize,
    fields: &'a StringRecord,
}

impl Table {
    /// Reads a file. Every row must have as many fields as the header.
    pub(super) fn read(path: &'static str, content: &[u8]) -> Result<Self, ResultsError> {
        let unreadable = |error: csv::Error| ResultsError::new(path, error.to_string());
        let mut reader = ReaderBuilder::new().from_reader(content);
        let header = reader.headers().map_err(unreadable)?.clone();
        if header.is_empty() || header.len() > MAX_COLUMNS {
            let problem = format!("the header has {} columns", header.len());
            return Err(ResultsError::new(path, problem));
        }
        let mut records = Vec::new();
        for record in reader.records() {
            if records.len() == MAX_ROWS {
                let problem = format!("it has more than {MAX_ROWS} rows");
                return Err(ResultsError::new(path, problem));
            }
            records.push(record.map_err(unreadable)?);
        }
        Ok(Self { path, header, records })
    }

    pub(super) fn header(&self) -> impl Iterator<Item = &str> {
        self.header.iter()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let rows = self.records.iter().enumerate();
        rows.map(|(at, fields)| Record { table: self, number: at + 1, fields })
    }

    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Result<usize, ResultsError> {
        self.optional_column(name)
            .ok_or_else(|| ResultsError::new(self.path, format!("it has no column {name:?}")))
    }

    pub(super) fn optional_column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|one| one == name)
    }
}

impl Record<'_> {
    /// The field in a column.
    pub(super) fn text(&self, column: usize) -> &str {
        self.fields.get(column).unwrap_or_default()
    }

    /// The field in a column, as a number of a kind.
    pub(super) fn number<T>(
        &self,
        column: usize,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ResultsError> {
        let text = self.text(column);
        read(text).ok_or_else(|| {
            let number = self.number;
            let name = self.table.header.get(column).unwrap_or_default();
            let text: String = text.chars().take(MAX_QUOTED).collect();
            let problem = format!("row {number}: {name:?} is {text:?}, which is not a number");
            ResultsError::new(self.table.path, problem)
        })
    }
}

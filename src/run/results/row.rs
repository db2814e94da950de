//! The statistics of the requests.

use super::{Figure, Percentile};

/// The statistics of all requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// One row for each method and name.
    pub rows: Vec<Row>,
    /// The sum of all requests, which Locust calls `Aggregated`.
    pub total: Row,
}

/// The statistics of a request. Times are in milliseconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `GET` or `POST`, or a word of a client that does not use HTTP. It may be empty.
    pub method: String,
    pub name: String,
    pub requests: u64,
    pub failures: u64,
    pub median: Figure,
    pub average: Figure,
    pub min: Figure,
    pub max: Figure,
    /// Mean size of a response.
    pub size: Figure,
    /// Requests per second since the start of the test; `None` if Locust does not report it.
    pub rate: Option<Figure>,
    /// Failed requests per second since the start of the test.
    pub failure_rate: Option<Figure>,
    /// The percentiles that Locust reports. A row without requests has no values.
    pub percentiles: Vec<(Percentile, Option<Figure>)>,
}

impl Statistics {
    /// The rows of a request. `name` is `GET /login` or only `/login`, which stands for all methods.
    /// `Aggregated` is the sum, unless a request has this name.
    pub fn find<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Row> {
        let is_exact = |row: &&Row| row.is_labelled(name);
        let has_exact = self.rows.iter().any(|row| is_exact(&row));
        let is_named = move |row: &&Row| if has_exact { is_exact(row) } else { row.name == name };
        let is_any = self.rows.iter().any(|row| is_named(&row));
        let total = (!is_any && self.total.name == name).then_some(&self.total);
        self.rows.iter().filter(is_named).chain(total)
    }
}

impl Row {
    /// The method and the name.
    pub fn label(&self) -> String {
        match self.method.as_str() {
            "" => self.name.clone(),
            method => format!("{method} {}", self.name),
        }
    }

    fn is_labelled(&self, label: &str) -> bool {
        let rest =
            label.strip_prefix(self.method.as_str()).map(|rest| match self.method.as_str() {
                "" => Some(rest),
                _ => rest.strip_prefix(' '),
            });
        rest.flatten() == Some(self.name.as_str())
    }

    /// True without a request and without a failure.
    pub fn is_empty(&self) -> bool {
        self.requests == 0 && self.failures == 0
    }

    /// The value of a percentile; `None` if Locust does not report it.
    pub fn percentile(&self, percentile: Percentile) -> Option<&Figure> {
        let found = self.percentiles.iter().find(|(one, _)| *one == percentile)?;
        found.1.as_ref()
    }

    /// The failed requests in percent. Locust counts a failure without a request as 100 %.
    pub fn failure_percent(&self) -> f64 {
        match (self.failures, self.requests) {
            (0, _) => 0.0,
            (_, 0) => 100.0,
            // Multiplied first, so that 7 of 100 are exactly 7 %.
            (failures, requests) => failures as f64 * 100.0 / requests as f64,
        }
    }
}

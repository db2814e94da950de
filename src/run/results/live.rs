//! `GET /stats/requests`: the statistics of a running test. Locust caches them for 2 seconds, and sends
//! at most 500 rows and their sum.

use serde_json::{Map, Value};

use super::{Figure, Percentile, ResultsError, Row, Statistics};

const PATH: &str = "/stats/requests";

/// The keys of percentiles begin with this. A fraction such as `0.95` follows.
const PERCENTILE: &str = "response_time_percentile_";

/// The statistics of a running test.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveStatistics {
    /// State of Locust's runner: `ready`, `spawning`, `running`, `stopping`, `stopped`, …
    pub state: String,
    /// Users that are running.
    pub users: u64,
    pub statistics: Statistics,
    /// Requests per second over the last seconds.
    pub current_rate: f64,
    /// Failed requests per second over the last seconds.
    pub current_failure_rate: f64,
}

impl LiveStatistics {
    /// Reads the answer.
    ///
    /// # Errors
    /// It is not an answer of Locust.
    pub fn parse(body: &[u8]) -> Result<Self, ResultsError> {
        let error = |problem: &str| ResultsError::new(PATH, problem);
        let answer: Value =
            serde_json::from_slice(body).map_err(|_| error("it is not a JSON document"))?;
        let state = answer["state"].as_str().ok_or_else(|| error("it has no state"))?;
        let rows = answer["stats"].as_array().ok_or_else(|| error("it has no statistics"))?;
        let mut rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let last = answer["stats"].as_array().and_then(|rows| rows.last());
        let total = rows.pop().ok_or_else(|| error("it has no statistics"))?;
        let current = |key: &str| last.and_then(|row| row[key].as_f64()).unwrap_or_default();
        Ok(Self {
            state: state.to_owned(),
            users: answer["user_count"].as_u64().unwrap_or_default(),
            statistics: Statistics { rows, total },
            current_rate: current("current_rps"),
            current_failure_rate: current("current_fail_per_sec"),
        })
    }
}

fn row(value: &Value) -> Result<Row, ResultsError> {
    let error = |problem: String| ResultsError::new(PATH, problem);
    let row: &Map<String, Value> =
        value.as_object().ok_or_else(|| error("a row is not an object".to_owned()))?;
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let optional = |key: &str| row.get(key).and_then(figure);
    let number =
        |key: &str| optional(key).ok_or_else(|| error(format!("{key:?} of a row is not a number")));
    let count = |key: &str| {
        let count = row.get(key).and_then(Value::as_u64);
        count.ok_or_else(|| error(format!("{key:?} of a row is not a count")))
    };
    let mut percentiles: Vec<(Percentile, Option<Figure>)> = row
        .iter()
        .filter_map(|(key, value)| {
            let percentile = Percentile::of_fraction(key.strip_prefix(PERCENTILE)?)?;
            Some((percentile, figure(value)))
        })
        .collect();
    percentiles.sort_by_key(|(percentile, _)| *percentile);
    Ok(Row {
        method: text("method"),
        name: text("name"),
        requests: count("num_requests")?,
        failures: count("num_failures")?,
        median: number("median_response_time")?,
        average: number("avg_response_time")?,
        min: number("min_response_time")?,
        max: number("max_response_time")?,
        size: number("avg_content_length")?,
        rate: optional("total_rps"),
        failure_rate: optional("total_fail_per_sec"),
        percentiles,
    })
}

fn figure(value: &Value) -> Option<Figure> {
    match value {
        Value::Number(number) => Figure::parse(&number.to_string()),
        _ => None,
    }
}

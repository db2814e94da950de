//! The table of requests, for stdout and Markdown.

use super::super::results::{Figure, Percentile, Row, Statistics};

/// The percentiles in the table, if Locust reports them.
const PERCENTILES: [&str; 2] = ["95", "99"];

/// The heads of the columns.
pub(super) fn heads(statistics: &Statistics) -> Vec<String> {
    let first = ["Type", "Name", "Requests", "Failures", "Avg ms", "Min ms", "Median ms"];
    let heads = first.into_iter().map(str::to_owned);
    let heads = heads.chain(percentiles(statistics).map(|one| format!("p{one} ms")));
    heads.chain(["Max ms", "RPS"].map(str::to_owned)).collect()
}

/// The cells of a row. Type and name are not escaped.
pub(super) fn cells(statistics: &Statistics, row: &Row) -> Vec<String> {
    let share = Figure::of_float(row.failure_percent());
    let time = |figure: &Figure| match row.requests {
        0 => "N/A".to_owned(),
        _ => figure.rounded(1),
    };
    let failures = match row.failures {
        0 => "0".to_owned(),
        count => format!("{count} ({} %)", share.rounded(2)),
    };
    let mut cells = vec![
        row.method.clone(),
        row.name.clone(),
        row.requests.to_string(),
        failures,
        time(&row.average),
        time(&row.min),
        time(&row.median),
    ];
    let value = |percentile| row.percentile(percentile).map_or_else(|| "N/A".to_owned(), time);
    cells.extend(percentiles(statistics).map(value));
    cells.push(time(&row.max));
    cells.push(row.rate.as_ref().map_or_else(|| "N/A".to_owned(), |rate| rate.rounded(2)));
    cells
}

fn percentiles(statistics: &Statistics) -> impl Iterator<Item = Percentile> {
    let wanted = PERCENTILES.into_iter().filter_map(Percentile::of_percent);
    let is_known = |one: &Percentile| {
        statistics.total.percentiles.iter().any(|(percentile, _)| percentile == one)
    };
    wanted.filter(is_known)
}

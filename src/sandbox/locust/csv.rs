//! The CSV files of Locust's web API.

use serde_json::Value;

/// The only error of the simulated test.
pub(super) const ERROR: &str = "HTTPError('500 Server Error: Internal Server Error for url: /')";

/// `GET /exceptions/csv` of a test without exceptions in the locustfile.
pub(super) const NO_EXCEPTIONS: &str = "Count,Message,Traceback,Nodes\r\n";

/// `GET /stats/requests_full_history/csv` of a master without `--csv-full-history`.
pub(super) const NO_HISTORY: &str =
    "Error: Server was not started with option to generate full history.";

/// Locust's percentiles, with the response times of the simulated test.
const PERCENTILES: [(&str, &str); 11] = [
    ("50%", "11"),
    ("66%", "12"),
    ("75%", "14"),
    ("80%", "15"),
    ("90%", "20"),
    ("95%", "26"),
    ("98%", "26"),
    ("99%", "26"),
    ("99.9%", "26"),
    ("99.99%", "26"),
    ("100%", "26"),
];

/// The columns before the percentiles, with the keys of `/stats/requests`.
const COLUMNS: [(&str, &str); 11] = [
    ("Type", "method"),
    ("Name", "name"),
    ("Request Count", "num_requests"),
    ("Failure Count", "num_failures"),
    ("Median Response Time", "median_response_time"),
    ("Average Response Time", "avg_response_time"),
    ("Min Response Time", "min_response_time"),
    ("Max Response Time", "max_response_time"),
    ("Average Content Size", "avg_content_length"),
    ("Requests/s", "total_rps"),
    ("Failures/s", "total_fail_per_sec"),
];

/// `GET /stats/requests/csv`, from the rows of `/stats/requests`.
pub(super) fn requests(rows: &[Value]) -> String {
    let names = COLUMNS.iter().chain(&PERCENTILES).map(|(name, _)| *name);
    let mut csv = line(names.map(str::to_owned));
    for row in rows {
        let has_requests = row["num_requests"].as_u64() > Some(0);
        let fields = COLUMNS.iter().map(|(_, key)| match &row[key] {
            Value::String(text) => text.clone(),
            number => number.to_string(),
        });
        let times = PERCENTILES.iter().map(|(_, time)| if has_requests { time } else { "N/A" });
        csv.push_str(&line(fields.chain(times.map(str::to_owned))));
    }
    csv
}

/// `GET /stats/failures/csv`. `seen` is the time of the first and of the last failure.
pub(super) fn failures(count: u64, seen: Option<(String, String)>) -> String {
    let (names, times) = match seen {
        Some((first, last)) => (",First Seen,Last Seen", format!(",{first},{last}")),
        None => ("", String::new()),
    };
    let mut csv = format!("Method,Name,Error,Occurrences{names}\r\n");
    if count > 0 {
        csv.push_str(&format!("GET,/,{ERROR},{count}{times}\r\n"));
    }
    csv
}

fn line(fields: impl Iterator<Item = String>) -> String {
    fields.collect::<Vec<_>>().join(",") + "\r\n"
}

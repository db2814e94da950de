//! Files of Locust, and files that are damaged.

use time::macros::datetime;

use super::super::examples;
use super::*;

/// A file of a real release, after the test in `tests/fixtures/locust/results.py`.
macro_rules! file {
    ($release:literal, $name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/locust/results/", $release, "/", $name))
            .to_vec()
    };
}

/// The files after the test, the requests before it, and the statistics during it.
macro_rules! recorded {
    ($release:literal) => {
        (
            LocustCsv {
                requests: file!($release, "requests.csv"),
                failures: file!($release, "failures.csv"),
                exceptions: file!($release, "exceptions.csv"),
            },
            file!($release, "before.csv"),
            file!($release, "live.json"),
        )
    };
}

fn recordings() -> [(LocustCsv, Vec<u8>, Vec<u8>); 4] {
    [recorded!("2.25.0"), recorded!("2.32.2"), recorded!("2.46.4"), recorded!("2.47.0")]
}

/// The row as Locust writes it.
fn fields(row: &Row) -> Vec<String> {
    let figures = [&row.median, &row.average, &row.min, &row.max, &row.size];
    let rates = [row.rate.as_ref().unwrap(), row.failure_rate.as_ref().unwrap()];
    let counts = [row.requests.to_string(), row.failures.to_string()];
    let figures = figures.into_iter().chain(rates).map(|one| one.text().to_owned());
    let text = |value: &Option<Figure>| value.as_ref().map_or("N/A", Figure::text).to_owned();
    let percentiles = row.percentiles.iter().map(|(_, value)| text(value));
    let first = [row.method.clone(), row.name.clone()];
    first.into_iter().chain(counts).chain(figures).chain(percentiles).collect()
}

#[test]
fn the_files_of_every_release_are_read_to_the_last_digit() {
    for (csv, before, live) in recordings() {
        let requests = String::from_utf8(csv.requests.clone()).unwrap();
        let results = Results::parse(csv).unwrap();
        let statistics = &results.statistics;
        let mut written = Vec::new();
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut written);
        for row in statistics.rows.iter().chain([&statistics.total]) {
            writer.write_record(fields(row)).unwrap();
        }
        drop(writer);
        let (_, rows) = requests.split_once("\r\n").unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), rows);
        assert_eq!((results.failures.len(), results.exceptions.len()), (3, 1));
        assert!(results.exceptions[0].traceback.contains("raise ValueError"));
        assert_eq!(Columns::parse(&before).unwrap().percentiles(), Percentile::DEFAULTS);
        let live = LiveStatistics::parse(&live).unwrap();
        assert_eq!((live.state.as_str(), live.users), ("running", 5));
        let labels = |statistics: &Statistics| -> Vec<String> {
            statistics.rows.iter().map(Row::label).collect()
        };
        assert_eq!(labels(&live.statistics), labels(statistics));
    }
}

#[test]
fn quoted_names_and_missing_values_are_read() {
    let results = examples::results();
    let rows = &results.statistics.rows;
    let labels: Vec<_> = rows.iter().map(Row::label).collect();
    assert_eq!(labels, ["GET /", "GET /login", "POST /login", "GET /a, \"b\"\nc|`d` ]]>"]);
    let p95 = Percentile::of_percent("95").unwrap();
    assert_eq!(rows[1].percentile(p95).map(Figure::text), Some("800"));
    assert_eq!(rows[2].percentile(p95), None);
    assert_eq!(rows[3].size.text(), "1e-05");
    assert_eq!(results.statistics.total.average.text(), "8.75");
    assert_eq!(results.failures[1].error, "=cmd|' /C calc'!A0");
    assert_eq!(results.exceptions[0].nodes, "worker-1, worker-2");
}

#[test]
fn failures_of_old_releases_have_no_times() {
    let csv = b"Method,Name,Error,Occurrences\r\nGET,/,boom,3\r\n";
    let rows = failures::failures(csv).unwrap();
    assert_eq!((rows[0].occurrences, &rows[0].first_seen), (3, &None));
}

#[test]
fn damaged_files_are_refused_with_the_place() {
    let change = |from: &str, to: &str| {
        let requests = examples::REQUESTS.replacen(from, to, 1).into();
        Results::parse(LocustCsv { requests, ..examples::csv() }).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        ("Request Count", "Count", "it has no column \"Request Count\""),
        ("93,0,5", "many,0,5", "row 1: \"Request Count\" is \"many\", which is not a number"),
        ("93,0,5", "-93,0,5", "row 1: \"Request Count\" is \"-93\", which is not a number"),
        ("93,0,5", "93,0,nan", "row 1: \"Median Response Time\" is \"nan\", which is not a number"),
        ("93,0,5", "93,0,1e999", "which is not a number"),
        ("93,0,5", "93,0", "found record with 21 fields"),
        ("Aggregated", "Other", "its last row is not \"Aggregated\""),
    ] {
        let error = change(from, to);
        assert!(error.starts_with("Locust's /stats/requests/csv cannot be read: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let all = examples::REQUESTS.len();
    for end in [0, 10, all / 2, all - 3] {
        let requests = examples::REQUESTS[..end].into();
        let read = Results::parse(LocustCsv { requests, ..examples::csv() });
        assert!(read.is_err() || end == all - 3, "cut at {end}");
    }
    for content in [&b"<html>Not found</html>"[..], b"\xff\xfe", b"\"", b"Type,Name\r\n\xff,x\r\n"]
    {
        let requests = content.to_vec();
        assert!(Results::parse(LocustCsv { requests, ..examples::csv() }).is_err());
    }
    let wide = ",".repeat(500);
    assert!(Columns::parse(wide.as_bytes()).unwrap_err().to_string().contains("501 columns"));
    let long = format!("Method,Name,Error,Occurrences\n{}", "a,b,c,1\n".repeat(50_001));
    let error = failures::failures(long.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("more than 50000 rows"), "{error}");
}

#[test]
fn the_statistics_of_a_running_test_are_read() {
    let live = LiveStatistics::parse(examples::live().to_string().as_bytes()).unwrap();
    assert_eq!((live.users, live.current_rate, live.state.as_str()), (12, 8.25, "running"));
    let names: Vec<_> =
        live.statistics.total.percentiles.iter().map(|(one, _)| one.to_string()).collect();
    assert_eq!(names, ["95", "99"]);
    for answer in [
        "",
        "[]",
        "{\"state\": \"running\"}",
        "{\"state\": \"x\", \"stats\": []}",
        "{\"state\": \"x\", \"stats\": [3]}",
        "{\"state\": \"x\", \"stats\": [{\"num_requests\": -1}]}",
    ] {
        assert!(LiveStatistics::parse(answer.as_bytes()).is_err(), "{answer}");
    }
}

#[test]
fn samples_become_the_history_in_locusts_format() {
    let live = LiveStatistics::parse(examples::live().to_string().as_bytes()).unwrap();
    let mut history = History::default();
    history.add(datetime!(2026-11-26 14:00:00 UTC), &live);
    assert_eq!(
        String::from_utf8(history.csv()).unwrap(),
        "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,\
         99.99%,100%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average \
         Response Time,Total Min Response Time,Total Max Response Time,Total Average Content Size\r\n\
         1795701600,12,,Aggregated,8.250000,0.250000,N/A,N/A,N/A,N/A,N/A,12,N/A,26,N/A,N/A,N/A,100,2,5,\
         5.5,1,26,1024.0\r\n"
    );
}

#[test]
fn any_bytes_are_read_or_refused() {
    let mut random = fastrand::Rng::with_seed(12);
    for _ in 0..500 {
        let mut bytes = examples::REQUESTS.as_bytes().to_vec();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len().max(1));
            match random.u8(..3) {
                0 => bytes[at] = *b"\",\n\r0x.\xff-N".get(random.usize(..10)).unwrap(),
                1 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        crate::fuzzing::locust_results(&bytes);
    }
}

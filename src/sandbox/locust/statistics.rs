//! The statistics of the requests, and the history for the charts.

use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::{Duration, Instant};

use super::super::object::format_time;
use super::journal::Clock;

/// Requests per second of each user.
const PACE: f64 = 0.5;

/// Workers report every few seconds, so the last requests are counted this long after the end of a test.
const LATE_REPORT: Duration = Duration::from_secs(2);

/// The requests in the last report, as a time of the test.
const LAST_REPORT: Duration = Duration::from_secs(1);

/// How often Locust adds a sample to the history.
pub(super) const HISTORY_INTERVAL: Duration = Duration::from_secs(5);

/// The sandbox keeps a bit more than one day of history.
const MAX_HISTORY: usize = 20_000;

/// Locust's `RequestStats`.
#[derive(Debug)]
pub(super) struct Statistics {
    requests: f64,
    failures: f64,
    /// The share of requests that fail, from 0 to 1.
    pub(super) failure_share: f64,
    /// The requests in the reports that come after the end of a test, and the time at which they are counted.
    late: Option<(Instant, f64)>,
    started: Instant,
    last_request: Option<Instant>,
    /// Requests are counted up to this time.
    pub(super) counted: Instant,
    history: Vec<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    users: u64,
    has_requests: bool,
}

impl Statistics {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            requests: 0.0,
            failures: 0.0,
            failure_share: 0.0,
            late: None,
            started: now,
            last_request: None,
            counted: now,
            history: Vec::new(),
        }
    }

    /// Resets everything, as a start and a reset do.
    pub(super) fn clear(&mut self, now: Instant) {
        *self = Self { failure_share: self.failure_share, ..Self::new(now) };
    }

    /// The test of this many users has ended. Their last requests are not reported yet.
    pub(super) fn end(&mut self, at: Instant, users: u64) {
        let late = rate(users) * LAST_REPORT.as_secs_f64();
        self.late = at.checked_add(LATE_REPORT).map(|at| (at, late));
    }

    fn add(&mut self, requests: f64) {
        self.requests += requests;
        self.failures += requests * self.failure_share;
    }

    /// The number of failed requests.
    pub(super) fn failed(&self) -> u64 {
        self.failures as u64
    }

    /// The share of failed requests, from 0 to 1.
    pub(super) fn fail_ratio(&self) -> f64 {
        if self.requests > 0.0 { self.failures / self.requests } else { 0.0 }
    }

    /// Adds the requests that this many users have made up to this time.
    pub(super) fn count_until(&mut self, at: Instant, users: u64) {
        let passed = at.saturating_duration_since(self.counted);
        self.counted = at;
        if users > 0 && !passed.is_zero() {
            self.add(rate(users) * passed.as_secs_f64());
            self.last_request = Some(at);
        }
        if let Some((_, late)) = self.late.take_if(|(due, _)| *due <= at) {
            self.add(late);
        }
    }

    pub(super) fn has_requests(&self) -> bool {
        self.requests >= 1.0
    }

    /// Adds a sample to the history.
    pub(super) fn sample(&mut self, at: Instant, users: u64) {
        if self.history.len() < MAX_HISTORY {
            self.history.push(Sample { at, users, has_requests: self.has_requests() });
        }
    }

    /// `templateArgs.history`
    pub(super) fn history(&self, clock: &Clock) -> Value {
        self.history.iter().map(|sample| sample.json(clock)).collect()
    }

    /// The rows of `/stats/requests`. The last row is the sum.
    pub(super) fn rows(&self, users: u64, is_started: bool) -> Vec<Value> {
        let sum = self.row("Aggregated", "", users);
        if is_started { vec![self.row("/", "GET", users), sum] } else { vec![sum] }
    }

    fn row(&self, name: &str, method: &str, users: u64) -> Value {
        let (rate, total_rate) = (rate(users), self.total_rate());
        if !self.has_requests() {
            return json!({ "name": name, "method": method, "num_requests": 0, "num_failures": 0,
                "avg_content_length": 0, "avg_response_time": 0.0, "median_response_time": 0,
                "min_response_time": 0, "max_response_time": 0, "current_rps": 0, "total_rps": 0.0,
                "current_fail_per_sec": 0, "total_fail_per_sec": 0.0,
                "response_time_percentile_0.95": 0, "response_time_percentile_0.99": 0 });
        }
        json!({ "name": name, "method": method, "num_requests": self.requests as u64, "num_failures": self.failed(),
            "avg_content_length": 1024.0, "avg_response_time": 12.0, "median_response_time": 11,
            "min_response_time": 7.0, "max_response_time": 26.0, "current_rps": rate,
            "total_rps": total_rate, "current_fail_per_sec": rate * self.failure_share, "total_fail_per_sec": total_rate * self.fail_ratio(),
            "response_time_percentile_0.95": 26, "response_time_percentile_0.99": 26 })
    }

    /// Requests per second since the start.
    pub(super) fn total_rate(&self) -> f64 {
        let time = self.last().saturating_duration_since(self.started).as_secs_f64();
        if time > 0.0 { self.requests / time } else { 0.0 }
    }

    /// `start_time`, `end_time` and `duration` of a report.
    pub(super) fn span(&self, clock: &Clock) -> (OffsetDateTime, OffsetDateTime, String) {
        let (start, end) = (clock.time(self.started), clock.time(self.last()));
        (start, end, duration((end - start).whole_seconds()))
    }

    /// The time of the first and of the last request.
    pub(super) fn seen(&self, clock: &Clock) -> (OffsetDateTime, OffsetDateTime) {
        (clock.time(self.started), clock.time(self.last()))
    }

    /// Adds a sample at the end of the report.
    pub(super) fn complete_history(&mut self, users: u64) {
        let end = self.last();
        let is_behind =
            |sample: &Sample| end.saturating_duration_since(sample.at) >= Duration::from_secs(1);
        if self.history.last().is_some_and(is_behind) {
            self.sample(end, users);
        }
    }

    fn last(&self) -> Instant {
        self.last_request.unwrap_or(self.started)
    }
}

impl Sample {
    fn json(&self, clock: &Clock) -> Value {
        let time = format_time(clock.time(self.at));
        let timed = |value: Value| json!([time, value]);
        let (median, slow, average) = if self.has_requests { (11, 26, 12.0) } else { (0, 0, 0.0) };
        json!({ "time": time, "user_count": timed(json!(self.users)),
            "current_rps": timed(json!(rate(self.users))), "current_fail_per_sec": timed(json!(0)),
            "total_avg_response_time": timed(json!(average)),
            "response_time_percentile_0.5": timed(json!(median)),
            "response_time_percentile_0.95": timed(json!(slow)) })
    }
}

/// Requests per second of this many users.
pub(super) fn rate(users: u64) -> f64 {
    users as f64 * PACE
}

/// A duration in Locust's format: `1 hour, 2 minutes and 3 seconds`.
fn duration(seconds: i64) -> String {
    let parts = [
        (seconds / 86_400, "day"),
        (seconds % 86_400 / 3600, "hour"),
        (seconds % 3600 / 60, "minute"),
        (seconds % 60, "second"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = parts
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    match words.as_slice() {
        [] => "0 seconds".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_formatted_like_in_locust() {
        for (seconds, expected) in [
            (0, "0 seconds"),
            (5, "5 seconds"),
            (61, "1 minute and 1 second"),
            (3723, "1 hour, 2 minutes and 3 seconds"),
            (90_000, "1 day and 1 hour"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}

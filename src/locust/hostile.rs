//! Answers of any content, for fuzzing.

use super::health;
use super::log::MasterLog;
use super::look::Look;
use super::page::{Page, parse_run_time};
use super::report;
use super::stats::Stats;

/// Reads a text as Locust's page, its statistics and its log, separated by empty lines. Judges the test that
/// they describe. For fuzzing.
pub fn try_answers(text: &str) {
    let _ = (report::start_time(text), parse_run_time(text));
    let mut parts = text.splitn(3, "\n\n");
    let mut next = || parts.next().unwrap_or_default();
    let page = Page::parse(next());
    let stats = Stats::parse(next().as_bytes()).unwrap_or_default();
    let log = MasterLog::parse(next().as_bytes());
    let now = Look { page, stats, log, is_steady: true, ..Look::default() };
    let before = Look { stats: now.stats.clone(), ..Look::default() };
    for earlier in [None, Some(&now), Some(&before)] {
        let health = health::judge(&now, earlier, None);
        let _ = (health.to_string(), health.shortage());
    }
}

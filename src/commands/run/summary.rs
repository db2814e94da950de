//! The summary of a test on stdout.

use crate::run::{RunReport, Verdict};
use crate::text::terminal::on_one_line;

/// The results and the verdict, a line each.
pub(super) fn summary(report: &RunReport) -> String {
    let mut text = String::new();
    if let Some(results) = &report.results {
        let total = &results.statistics.total;
        text.push_str(&format!("Requests: {}, {} failed\n", total.requests, total.failures));
        if total.requests > 0 {
            text.push_str(&format!(
                "Response times: median {} ms, max {} ms\n",
                total.median.rounded(0),
                total.max.rounded(0)
            ));
        }
    }
    for reason in &report.judgement.reasons {
        text.push_str(&format!("Reason: {}\n", on_one_line(reason)));
    }
    let verdict = report.judgement.verdict;
    let what = if verdict == Verdict::NotRun { "was" } else { "has" };
    text.push_str(&format!("The test {what} {}\n", verdict.name()));
    text
}

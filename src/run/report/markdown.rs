//! `--markdown`: tables for a pull request, or for the summary of a GitHub job.

use super::super::verdict::Verdict;
use super::escape::markdown as escaped;
use super::summary::{result_name, value_or_reason};
use super::table;
use super::types::RunReport;

/// The most rows of requests. GitHub's summary holds 1 MiB.
const MAX_ROWS: usize = 200;

/// The most notes and errors.
const MAX_NOTES: usize = 50;

/// The section that is appended to the file.
pub(super) fn markdown(report: &RunReport) -> String {
    let judgement = &report.judgement;
    let verdict = judgement.verdict.name();
    let mut text = format!("### Load test of {}: {verdict}\n\n", escaped(&report.target));
    if judgement.verdict != Verdict::Passed {
        list(&mut text, &judgement.reasons);
    }
    if !judgement.conditions.is_empty() {
        table_row(&mut text, ["Condition", "Result", "Value"].map(str::to_owned));
        text.push_str("| --- | --- | --- |\n");
        for result in &judgement.conditions {
            let condition = escaped(&result.condition.to_string());
            let value = escaped(&value_or_reason(result));
            table_row(&mut text, [condition, result_name(result).to_owned(), value]);
        }
        text.push('\n');
    }
    requests(&mut text, report);
    let notes: Vec<_> = report.notes.iter().map(|note| note.text.clone()).collect();
    list(&mut text, &notes);
    list(&mut text, &report.errors);
    text
}

fn requests(text: &mut String, report: &RunReport) {
    let Some(results) = &report.results else { return };
    let statistics = &results.statistics;
    let heads = table::heads(statistics);
    let lines = heads.iter().enumerate().map(|(at, _)| if at < 2 { "---" } else { "---:" });
    let lines: Vec<_> = lines.map(str::to_owned).collect();
    table_row(text, heads);
    table_row(text, lines);
    for row in statistics.rows.iter().take(MAX_ROWS).chain([&statistics.total]) {
        let cells = table::cells(statistics, row);
        table_row(text, cells.iter().map(|cell| escaped(cell)));
    }
    text.push('\n');
    let more = statistics.rows.len().saturating_sub(MAX_ROWS);
    if more > 0 {
        text.push_str(&format!("{more} more requests are not shown.\n\n"));
    }
}

fn list(text: &mut String, items: &[String]) {
    for item in items.iter().take(MAX_NOTES) {
        text.push_str(&format!("- {}\n", escaped(item)));
    }
    if !items.is_empty() {
        text.push('\n');
    }
}

fn table_row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<_> = cells.into_iter().collect();
    text.push_str(&format!("| {} |\n", cells.join(" | ")));
}

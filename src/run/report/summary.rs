//! The summary on stdout: the requests, the conditions, and the verdict.

use unicode_width::UnicodeWidthStr;

use super::super::conditions::{ConditionResult, Status};
use super::super::results::Statistics;
use super::super::verdict::Verdict;
use super::escape::{cell, line};
use super::table;
use super::types::RunReport;
use crate::text::terminal::printable;

/// The most rows of requests on stdout. The reports have all of them.
const MAX_ROWS: usize = 500;

/// The summary, with a line break at its end.
pub fn summary(report: &RunReport) -> String {
    let mut text = String::new();
    if let Some(results) = &report.results {
        text.push_str(&requests(&results.statistics));
        text.push('\n');
    }
    let judgement = &report.judgement;
    if !judgement.conditions.is_empty() {
        text.push_str(&conditions(&judgement.conditions));
        text.push('\n');
    }
    text.push_str(&verdict(report));
    text
}

/// The word for the result of a condition.
pub(super) fn result_name(result: &ConditionResult) -> &'static str {
    match result.status {
        Status::Passed => "passed",
        Status::Met => "failed",
        Status::NoValue(_) => "failed, no value",
        Status::NotEvaluated => "not evaluated",
    }
}

/// The value of a condition, or the reason why it has none.
pub(super) fn value_or_reason(result: &ConditionResult) -> String {
    match &result.status {
        Status::NoValue(why) => why.clone(),
        _ => match (result.value_text(), result.found_request()) {
            (Some(value), Some(request)) => format!("{value} ({request})"),
            (Some(value), None) => value,
            (None, _) => String::new(),
        },
    }
}

fn requests(statistics: &Statistics) -> String {
    let mut rows = vec![table::heads(statistics).iter().map(|head| head.to_uppercase()).collect()];
    let shown = statistics.rows.iter().take(MAX_ROWS).chain([&statistics.total]);
    rows.extend(shown.map(|row| {
        let cells = table::cells(statistics, row);
        cells.iter().map(|text| cell(text)).collect::<Vec<_>>()
    }));
    let more = statistics.rows.len().saturating_sub(MAX_ROWS);
    let mut text = align(&rows, 2);
    if more > 0 {
        text.push_str(&format!("{more} more requests are in the reports\n"));
    }
    text
}

fn conditions(results: &[ConditionResult]) -> String {
    let mut rows = vec![["CONDITION", "RESULT", "VALUE"].map(str::to_owned).to_vec()];
    rows.extend(results.iter().map(|result| {
        let condition = cell(&result.condition.to_string());
        vec![condition, result_name(result).to_owned(), cell(&value_or_reason(result))]
    }));
    align(&rows, 3)
}

fn verdict(report: &RunReport) -> String {
    let judgement = &report.judgement;
    let name = judgement.verdict.name();
    match judgement.verdict {
        Verdict::Passed => format!("verdict: {name}\n"),
        Verdict::Failed | Verdict::NotRun => {
            let reasons = judgement.reasons.iter().map(|reason| line(&printable(reason)));
            format!("verdict: {name}: {}\n", reasons.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Aligns the rows. The first columns hold text, and the others numbers.
fn align(rows: &[Vec<String>], text_columns: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            match column < text_columns {
                true => format!("{cell}{padding}"),
                false => format!("{padding}{cell}"),
            }
        });
        text.push_str(cells.collect::<Vec<_>>().join("   ").trim_end());
        text.push('\n');
    }
    text
}

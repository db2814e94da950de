//! `--junit`: each condition is a test case. Jenkins and GitLab read this format.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::conditions::{ConditionResult, Status};
use super::super::verdict::Verdict;
use super::escape::xml;
use super::summary::summary;
use super::types::RunReport;
use crate::text::terminal::printable;

/// A test case.
struct Case {
    name: String,
    result: CaseResult,
}

enum CaseResult {
    Passed,
    Failed(String),
    Error(String),
    Skipped(String),
}

/// The XML document.
pub(super) fn junit(report: &RunReport) -> String {
    let cases = cases(report);
    let count = |is_counted: fn(&CaseResult) -> bool| {
        cases.iter().filter(|case| is_counted(&case.result)).count()
    };
    let failures = count(|result| matches!(result, CaseResult::Failed(_)));
    let errors = count(|result| matches!(result, CaseResult::Error(_)));
    let skipped = count(|result| matches!(result, CaseResult::Skipped(_)));
    let seconds: Duration = report.phases.iter().map(|phase| phase.duration).sum();
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{:.3}\"",
        cases.len(),
        seconds.as_secs_f64()
    );
    let name = xml(&format!("locustctl run {}", report.target));
    let start = report.phases.first().and_then(|phase| time_text(phase.started_at));
    let start = start.map(|time| format!(" timestamp=\"{time}\"")).unwrap_or_default();
    let mut document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{name}\" {counts}>\n  \
         <testsuite name=\"{name}\" {counts}{start}>\n"
    );
    for case in &cases {
        document.push_str(&case.element());
    }
    let output = xml(&printable(&summary(report))).replace("&#10;", "\n");
    document.push_str(&format!(
        "    <system-out>{output}</system-out>\n  </testsuite>\n</testsuites>\n"
    ));
    document
}

fn cases(report: &RunReport) -> Vec<Case> {
    let judgement = &report.judgement;
    let mut errors = report.errors.clone();
    if judgement.verdict == Verdict::NotRun {
        errors.splice(0..0, judgement.reasons.iter().cloned());
    }
    let ran = match errors.is_empty() {
        true => CaseResult::Passed,
        false => CaseResult::Error(errors.join("\n")),
    };
    let made_requests = match &report.results {
        None => CaseResult::Skipped("there are no results".to_owned()),
        Some(results) if results.statistics.total.is_empty() => {
            CaseResult::Failed("the test made no requests".to_owned())
        }
        Some(_) => CaseResult::Passed,
    };
    let conditions = judgement.conditions.iter().map(case);
    let mut cases = vec![Case { name: "the test ran".to_owned(), result: ran }];
    cases.push(Case { name: "the test made requests".to_owned(), result: made_requests });
    cases.extend(conditions);
    cases
}

fn case(result: &ConditionResult) -> Case {
    let case_result = match &result.status {
        Status::Passed => CaseResult::Passed,
        Status::Met | Status::NoValue(_) => CaseResult::Failed(result.explanation()),
        Status::NotEvaluated => CaseResult::Skipped("the test has no final results".to_owned()),
    };
    Case { name: result.condition.to_string(), result: case_result }
}

impl Case {
    fn element(&self) -> String {
        let name = xml(&self.name);
        let head = format!("    <testcase classname=\"locustctl.run\" name=\"{name}\"");
        let message = |text: &str| xml(&printable(text));
        let inner = match &self.result {
            CaseResult::Passed => return format!("{head}/>\n"),
            CaseResult::Failed(text) => {
                format!("<failure type=\"condition\" message=\"{}\"/>", message(text))
            }
            CaseResult::Error(text) => {
                format!("<error type=\"run\" message=\"{}\"/>", message(text))
            }
            CaseResult::Skipped(text) => format!("<skipped message=\"{}\"/>", message(text)),
        };
        format!("{head}>{inner}</testcase>\n")
    }
}

/// The time with full seconds.
fn time_text(time: OffsetDateTime) -> Option<String> {
    time.replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}

//! `--json-file` and `-o json`. docs/run-report.schema.json describes the document.

use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::conditions::{ConditionKind, ConditionResult, Status};
use super::super::results::{ExceptionRow, FailureRow, Results, Row};
use super::super::verdict::Verdict;
use super::types::{RunReport, TestSettings};
use crate::text::terminal::printable;

/// The version of the document. It changes when a field is removed or gets another meaning.
const VERSION: u32 = 1;

/// The document. Its keys keep their order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    verdict: &'static str,
    reasons: Vec<String>,
    conditions: Vec<Value>,
    target: &'a str,
    namespace: &'a str,
    locust: Option<String>,
    release: Option<&'a str>,
    test: Value,
    replicas: Value,
    phases: Vec<Value>,
    notes: Vec<Value>,
    errors: Vec<String>,
    statistics: Option<Value>,
    failures: Vec<Value>,
    exceptions: Vec<Value>,
}

/// The report as JSON, with a line break at its end. Numbers of Locust keep their value.
pub fn json(report: &RunReport) -> String {
    let judgement = &report.judgement;
    let replicas = report.replicas;
    let results = report.results.as_ref();
    let phases = report.phases.iter().map(|phase| {
        json!({ "name": phase.name, "startedAt": time_text(phase.started_at),
            "seconds": phase.duration.as_secs_f64(), "error": phase.error.as_deref().map(printable) })
    });
    let notes = report.notes.iter();
    let notes =
        notes.map(|note| json!({ "at": time_text(note.at), "text": printable(&note.text) }));
    let document = Document {
        version: VERSION,
        verdict: verdict(judgement.verdict),
        reasons: judgement.reasons.iter().map(|reason| printable(reason)).collect(),
        conditions: judgement.conditions.iter().map(condition).collect(),
        target: &report.target,
        namespace: &report.namespace,
        locust: report.locust.as_deref().map(printable),
        release: report.release.as_deref(),
        test: test(&report.test),
        replicas: json!({ "old": replicas.old, "new": replicas.new,
            "restored": replicas.restored }),
        phases: phases.collect(),
        notes: notes.collect(),
        errors: report.errors.iter().map(|error| printable(error)).collect(),
        statistics: results.map(statistics),
        failures: results.iter().flat_map(|results| results.failures.iter().map(failure)).collect(),
        exceptions: results
            .iter()
            .flat_map(|results| results.exceptions.iter().map(exception))
            .collect(),
    };
    // Maps with keys of text cannot fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::NotRun => "notRun",
    }
}

fn condition(result: &ConditionResult) -> Value {
    let flag = match result.kind {
        ConditionKind::FailIf => Some("fail-if"),
        ConditionKind::AbortIf => Some("abort-if"),
        ConditionKind::Default => None,
    };
    let (name, reason) = match &result.status {
        Status::Passed => ("passed", None),
        Status::Met => ("met", None),
        Status::NoValue(why) => ("noValue", Some(why)),
        Status::NotEvaluated => ("notEvaluated", None),
    };
    json!({ "condition": result.condition.to_string(), "flag": flag, "result": name,
        "request": result.request, "value": result.value, "unit": result.unit(),
        "reason": reason })
}

fn test(test: &TestSettings) -> Value {
    json!({ "users": test.users, "spawnRate": test.spawn_rate,
        "runTimeSeconds": test.run_time.map(|time| time.as_secs_f64()),
        "host": test.host.as_deref().map(printable), "userClasses": test.user_classes,
        "shapeClass": test.shape_class, "lowestUsers": test.lowest_users })
}

fn statistics(results: &Results) -> Value {
    let statistics = &results.statistics;
    json!({ "total": row(&statistics.total),
        "requests": statistics.rows.iter().map(row).collect::<Vec<_>>() })
}

fn row(row: &Row) -> Value {
    let percentiles: Map<String, Value> = row
        .percentiles
        .iter()
        .map(|(percentile, value)| (percentile.to_string(), json!(value)))
        .collect();
    json!({ "method": row.method, "name": row.name, "requests": row.requests,
        "failures": row.failures, "averageMs": row.average, "minMs": row.min,
        "medianMs": row.median, "maxMs": row.max, "averageBytes": row.size,
        "requestsPerSecond": row.rate, "failuresPerSecond": row.failure_rate,
        "percentilesMs": percentiles })
}

fn failure(row: &FailureRow) -> Value {
    json!({ "method": row.method, "name": row.name, "error": row.error,
        "occurrences": row.occurrences, "firstSeen": row.first_seen, "lastSeen": row.last_seen })
}

fn exception(row: &ExceptionRow) -> Value {
    json!({ "count": row.count, "message": row.message, "traceback": row.traceback,
        "nodes": row.nodes })
}

/// The time with milliseconds.
fn time_text(time: OffsetDateTime) -> Option<String> {
    time.replace_millisecond(time.millisecond()).ok()?.format(&Rfc3339).ok()
}

//! Reports of a test with hostile names.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use time::macros::datetime;

use super::super::examples;
use super::super::results::{History, LiveStatistics};
use super::super::verdict::{judge, not_judged};
use super::*;

const NAMES: &str = "\u{1b}[31m\u{202e}|`x` <b>]]>&'\"\n# h\u{0}";

fn report() -> RunReport {
    let results = examples::results();
    let conditions =
        ["p95 > 20ms", "GET /nope: max > 1s", "rps < 1"].map(|text| text.parse().unwrap());
    let mut history = History::default();
    let live = examples::live().to_string();
    history
        .add(datetime!(2026-11-26 14:00:02 UTC), &LiveStatistics::parse(live.as_bytes()).unwrap());
    RunReport {
        target: "deployment/locust-slave".to_owned(),
        namespace: "default".to_owned(),
        locust: Some("service/locust-master".to_owned()),
        release: Some("2.47.0".to_owned()),
        test: TestSettings {
            users: Some(10),
            spawn_rate: Some(2.5),
            run_time: Some(Duration::from_secs(60)),
            lowest_users: Some(9),
            ..TestSettings::default()
        },
        has_begun: true,
        replicas: Replicas { old: Some(1), new: Some(20), restored: true },
        phases: vec![Phase {
            name: "scale",
            started_at: datetime!(2026-11-26 14:00:00.5 UTC),
            duration: Duration::from_millis(1500),
            error: None,
        }],
        judgement: judge(&conditions, None, &results, Some(9)),
        results: Some(results),
        history,
        html: Some(b"<html>report</html>".to_vec()),
        notes: vec![Note {
            at: datetime!(2026-11-26 14:00:01 UTC),
            text: "5 users were lost".to_owned(),
        }],
        errors: Vec::new(),
    }
}

#[test]
fn a_reason_of_several_lines_is_one_line_of_the_summary() {
    let reason = "waiting for the pods: timed out\n  2 pods: no room\n";
    let report =
        RunReport { judgement: not_judged(&[], reason.to_owned()), results: None, ..report() };
    let expected = "verdict: not run: waiting for the pods: timed out; 2 pods: no room\n";
    assert_eq!(summary(&report), expected);
}

#[test]
fn wide_characters_do_not_shift_the_columns_of_the_summary() {
    use unicode_width::UnicodeWidthStr;

    let mut report = report();
    let rows = &mut report.results.as_mut().unwrap().statistics.rows;
    for (row, name) in rows.iter_mut().zip(["登录页面", "/é\u{301}", "👍", "/plain"]) {
        row.name = name.to_owned();
    }
    let text = summary(&report);
    let (table, _) = text.split_once("\n\n").unwrap();
    let widths: Vec<_> = table.lines().map(UnicodeWidthStr::width).collect();
    assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
}

/// A report in which every text is hostile.
fn hostile() -> RunReport {
    let mut report = report();
    let results = report.results.as_mut().unwrap();
    for row in &mut results.statistics.rows {
        row.name = NAMES.to_owned();
    }
    report.target = NAMES.to_owned();
    report.notes[0].text = NAMES.to_owned();
    report.errors = vec![NAMES.to_owned()];
    report.judgement.reasons = vec![NAMES.to_owned()];
    report
}

#[test]
fn the_summary_shows_requests_conditions_and_the_verdict() {
    assert_eq!(
        summary(&report()),
        "\
TYPE   NAME                    REQUESTS    FAILURES   AVG MS   MIN MS   MEDIAN MS   P95 MS   P99 MS   MAX MS     RPS
GET    /                             93           0      5.1        1           5       12       26     26.5    8.99
GET    /login                       100     1 (1 %)     12.2      2.5          11      800      810    812.2     9.5
POST   /login                         0           0      N/A      N/A         N/A      N/A      N/A      N/A       0
GET    /a, \"b\"\\u{a}c|`d` ]]>          7   7 (100 %)        3        3           3        3        3        3     0.7
       Aggregated                   200     8 (4 %)      8.8        1           7       26      810    812.2   19.19

CONDITION             RESULT             VALUE
p95 > 20ms            failed             26 ms
GET /nope: max > 1s   failed, no value   the results have no such request
rps < 1               passed             19.19

verdict: failed: p95 > 20ms: 26 ms; GET /nope: max > 1s: the results have no such request
"
    );
}

#[test]
fn each_condition_is_a_junit_test_case() {
    let xml = junit::junit(&report());
    let document = roxmltree::Document::parse(&xml).unwrap();
    let cases: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
    assert_eq!(
        names,
        ["the test ran", "the test made requests", "p95 > 20ms", "GET /nope: max > 1s", "rps < 1"]
    );
    let failures: Vec<_> = cases
        .iter()
        .map(|case| case.first_element_child().and_then(|node| node.attribute("message")))
        .collect();
    assert_eq!(
        failures,
        [
            None,
            None,
            Some("p95 > 20ms: 26 ms"),
            Some("GET /nope: max > 1s: the results have no such request"),
            None
        ]
    );
    let suite = document.root_element();
    assert_eq!(
        (suite.attribute("tests"), suite.attribute("failures"), suite.attribute("errors")),
        (Some("5"), Some("2"), Some("0"))
    );
}

#[test]
fn a_test_that_did_not_run_is_an_error_in_junit() {
    let conditions = ["p95 > 20ms".parse().unwrap()];
    let judgement = not_judged(&conditions, "start: no answer".to_owned());
    let report = RunReport { judgement, results: None, ..report() };
    let xml = junit::junit(&report);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let tags: Vec<_> = document
        .descendants()
        .filter(|node| node.parent().is_some_and(|parent| parent.has_tag_name("testcase")))
        .map(|node| node.tag_name().name())
        .collect();
    assert_eq!(tags, ["error", "skipped", "skipped"]);
    assert!(summary(&report).contains("verdict: not run: start: no answer"));
}

#[test]
fn hostile_names_cannot_break_a_report() {
    let report = hostile();
    let xml = junit::junit(&report);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suite = document.root_element().attribute("name").unwrap();
    assert_eq!(
        suite,
        format!("locustctl run {}", NAMES.replace('\u{1b}', "\\u{1b}").replace('\0', "\\u{0}"))
    );
    let json: Value = serde_json::from_str(&json(&report)).unwrap();
    assert_eq!(json["statistics"]["requests"][0]["name"], NAMES);
    for text in [summary(&report), markdown::markdown(&report)] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\0']), "{text}");
        assert!(!text.contains("\n# h"), "{text}");
    }
    let markdown = markdown::markdown(&report);
    for line in markdown.lines().filter(|line| line.starts_with("| GET |")) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 12, "{line}");
        assert!(!line.replace("\\<", "").contains('<'), "{line}");
        assert!(!line.replace("\\`", "").contains('`'), "{line}");
    }
}

#[test]
fn numbers_in_json_have_locusts_value() {
    let text = json(&report());
    for number in
        ["\"averageMs\": 5.129032258064516", "\"minMs\": 1.0370000000001", "\"medianMs\": 5,"]
    {
        assert!(text.contains(number), "{number}: {text}");
    }
    let json: Value = serde_json::from_str(&text).unwrap();
    let rows = json["statistics"]["requests"].as_array().unwrap();
    assert_eq!(rows[0]["percentilesMs"]["99.99"], 26);
    assert_eq!(rows[2]["percentilesMs"]["95"], Value::Null);
    assert_eq!(rows[3]["averageBytes"].as_f64(), Some(1e-5));
}

#[test]
fn all_files_are_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let files = ReportFiles {
        html: Some(path("r.html")),
        csv_prefix: Some(path("r")),
        json: Some(path("r.json")),
        junit: Some(path("r.xml")),
        markdown: Some(path("r.md")),
    };
    fs::write(path("r.md"), "before\n").unwrap();
    files.check().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the check writes nothing");
    let report = report();
    files.write(&report).unwrap();
    let read = |name: &str| fs::read_to_string(path(name)).unwrap();
    assert_eq!(read("r.html"), "<html>report</html>");
    assert_eq!(read("r_stats.csv"), examples::REQUESTS);
    assert_eq!(read("r_failures.csv"), examples::FAILURES);
    assert_eq!(read("r_exceptions.csv"), examples::EXCEPTIONS);
    assert_eq!(read("r_stats_history.csv").lines().count(), 2);
    assert_eq!(read("r.json"), json(&report));
    assert!(
        read("r.md").starts_with("before\n### Load test of deployment/locust-slave: failed\n"),
        "{}",
        read("r.md")
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 8, "no temporary file is left");
}

#[test]
fn a_file_that_cannot_be_written_is_reported_before_the_test() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let check = |files: ReportFiles| {
        files.check().unwrap_err().replace(directory.path().to_str().unwrap(), "DIR")
    };
    let json = |name: &str| ReportFiles { json: Some(path(name)), ..ReportFiles::default() };
    assert_eq!(
        check(json("no/r.json")),
        "--json-file: cannot write DIR/no/r.json: the directory DIR/no does not exist"
    );
    assert_eq!(check(json(".")), "--json-file: cannot write DIR/.: it is a directory");
    let files = ReportFiles {
        csv_prefix: Some(path("r")),
        junit: Some(path("r_stats.csv")),
        ..json("r.json")
    };
    assert_eq!(check(files), "--csv and --junit name the same file: DIR/r_stats.csv");
}

#[test]
fn reports_without_results_have_the_data_that_exists() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let files = ReportFiles {
        html: Some(path("r.html")),
        csv_prefix: Some(path("r")),
        json: Some(path("r.json")),
        ..ReportFiles::default()
    };
    let report = RunReport { results: None, html: None, ..report() };
    let errors = files.write(&report).unwrap_err();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[1].ends_with("r_stats.csv: the results of Locust could not be fetched"));
    assert!(errors[0].ends_with("r.html: the report of Locust could not be fetched"), "{errors:?}");
    assert!(path("r.json").exists() && path("r_stats_history.csv").exists());
}

#[test]
fn a_run_without_a_test_writes_no_answers_of_locust_and_says_so_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut files = ReportFiles {
        html: Some(path("r.html")),
        csv_prefix: Some(path("r")),
        junit: Some(path("r.xml")),
        ..ReportFiles::default()
    };
    let report = RunReport { has_begun: false, results: None, html: None, ..report() };
    files.write(&report).unwrap();
    let names = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["r.xml"]);
    let text = "the test did not begin, so there are no results for --html and --csv";
    assert_eq!(files.without_test().as_deref(), Some(text));
    (files.html, files.csv_prefix) = (None, None);
    assert_eq!(files.without_test(), None);
}

#[cfg(unix)]
#[test]
fn links_stay_and_devices_are_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let (target, link) = (directory.path().join("target"), directory.path().join("link"));
    fs::write(&target, "old").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    replace::replace(&link, b"new").unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let device = std::path::Path::new("/dev/null");
    replace::check(device).unwrap();
    replace::replace(device, b"new").unwrap();
    assert!(!fs::metadata(device).unwrap().is_file());
}

/// Checks a value against the parts of JSON Schema that the description uses.
fn check_value(root: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = root.pointer(reference.trim_start_matches('#')).unwrap();
        return check_value(root, found, value, place);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let choice = choices.iter().find(|one| (one["type"] == "null") == value.is_null());
        return check_value(root, choice.unwrap(), value, place);
    }
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{place}: {value}");
        return;
    }
    if !schema["const"].is_null() {
        assert_eq!(schema["const"], *value, "{place}");
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let is_allowed = |one: &Value| one == kind || (one == "number" && kind == "integer");
    assert!(types.iter().any(is_allowed), "{place}: {kind} is not {types:?}");
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        check_value(root, &schema["items"], item, &format!("{place}/{at}"));
    }
    if let (Some(map), Some(described)) = (value.as_object(), schema["properties"].as_object()) {
        assert_eq!(schema["additionalProperties"], false, "{place}");
        let mut required: Vec<_> =
            schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        required.sort_unstable();
        assert_eq!(map.keys().collect::<Vec<_>>(), described.keys().collect::<Vec<_>>(), "{place}");
        assert_eq!(map.keys().map(String::as_str).collect::<Vec<_>>(), required, "{place}");
        for (key, value) in map {
            check_value(root, &described[key], value, &format!("{place}/{key}"));
        }
    } else if let Some(map) = value.as_object() {
        for (key, value) in map {
            check_value(root, &schema["additionalProperties"], value, &format!("{place}/{key}"));
        }
    }
}

#[test]
fn the_json_report_matches_its_description() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/run-report.schema.json")).unwrap();
    let not_run = not_judged(&["p95 > 1s".parse().unwrap()], "start: no answer".to_owned());
    let reports = [
        report(),
        hostile(),
        RunReport { judgement: not_run, results: None, locust: None, release: None, ..report() },
    ];
    for report in reports {
        let document: Value = serde_json::from_str(&json(&report)).unwrap();
        check_value(&schema, &schema, &document, "");
    }
}

//! Recorded requests and responses of a real API server, and their comparison with other responses.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use serde_json::{Value, json};

use super::http::Answer;

/// The part of the body that is compared.
pub enum Compare {
    Exactly,
    /// The sandbox serves fewer types. Each of its entries must equal the recorded one.
    EntriesAmong(&'static str, &'static str),
    /// Only the names of the fields, in JSON or in the data of Locust's page.
    Fields,
    /// The names of the fields, and the values except those about the build.
    Version,
}

/// All recordings, each with the name of its file.
pub fn recordings() -> Vec<(String, Value)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/transcripts");
    let mut all: Vec<(String, Value)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

pub fn recording(number: &str) -> Value {
    let found = recordings().into_iter().find(|(name, _)| name.starts_with(number));
    found.unwrap_or_else(|| panic!("no recording {number}")).1
}

/// Compares a response with the recorded one. The error describes the difference.
pub fn agrees(answer: &Answer, recorded: &Value, compare: &Compare) -> Result<(), String> {
    if answer.status != recorded["status"] {
        return Err(format!(
            "status {} instead of {}: {}",
            answer.status, recorded["status"], answer.body
        ));
    }
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        let given = answer.headers.get(name).map(|value| value.to_str().unwrap());
        if given != value.as_str() {
            return Err(format!("header {name}: {given:?} instead of {value}"));
        }
    }
    let body =
        serde_json::from_str(&answer.body).unwrap_or_else(|_| Value::from(answer.body.as_str()));
    let (body, expected) = (comparable(&body), comparable(&recorded["body"]));
    match compare {
        Compare::Exactly => same(&body, &expected),
        Compare::Fields => same(&fields(&body), &fields(&expected)),
        Compare::Version => {
            let build =
                ["gitVersion", "gitCommit", "goVersion", "compiler", "gitTreeState", "platform"];
            let without_build = |version: &Value| {
                let mut version = version.clone();
                for field in build {
                    version[field] = json!(version[field].is_string());
                }
                version
            };
            same(&without_build(&body), &without_build(&expected))
        }
        Compare::EntriesAmong(list, name) => {
            let (entries, all) = (body.pointer(list).unwrap(), expected.pointer(list).unwrap());
            for entry in entries.as_array().unwrap() {
                let named = |other: &&Value| other.pointer(name) == entry.pointer(name);
                let recorded = all.as_array().unwrap().iter().find(named);
                same(entry, recorded.ok_or_else(|| format!("{entry} is not among the recorded"))?)?;
            }
            let list = list.trim_start_matches('/');
            let (mut body, mut expected) = (body.clone(), expected.clone());
            body[list].take();
            expected[list].take();
            same(&body, &expected)
        }
    }
}

fn fields(value: &Value) -> Value {
    match value {
        Value::Object(all) => all.iter().map(|(name, one)| (name.clone(), fields(one))).collect(),
        Value::Array(all) => all.iter().map(fields).take(1).collect(),
        Value::String(page) => match page.split_once("window.templateArgs = ") {
            Some((_, args)) => {
                let mut values = serde_json::Deserializer::from_str(args).into_iter::<Value>();
                let mut args = values.next().unwrap().unwrap();
                // The names of the options depend on the locustfile.
                args["extra_options"].take();
                fields(&args)
            }
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

fn same(given: &Value, expected: &Value) -> Result<(), String> {
    if given == expected {
        Ok(())
    } else {
        Err(format!("\n  given    {given}\n  expected {expected}"))
    }
}

/// The value without what differs between clusters: uids, versions, times, managedFields.
pub fn comparable(value: &Value) -> Value {
    const VOLATILE: [&str; 5] =
        ["uid", "resourceVersion", "creationTimestamp", "lastUpdateTime", "lastTransitionTime"];
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(field, _)| *field != "managedFields")
            .map(|(field, value)| {
                let aside = VOLATILE.contains(&field.as_str()) && value.is_string();
                (field.clone(), if aside { json!("aside") } else { comparable(value) })
            })
            .collect(),
        Value::Array(items) => items.iter().map(comparable).collect(),
        Value::String(text) => Value::from(without_quoted_values(text)),
        other => other.clone(),
    }
}

/// Messages quote whole objects. Their volatile values are also replaced.
fn without_quoted_values(text: &str) -> String {
    let mut text = text.to_owned();
    for field in ["uid", "resourceVersion", "creationTimestamp"] {
        let start = format!("\\\"{field}\\\":\\\"");
        if let Some(at) = text.find(&start) {
            let value = at + start.len();
            let end = value + text[value..].find('\\').unwrap();
            text.replace_range(value..end, "aside");
        }
    }
    text
}

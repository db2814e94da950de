//! Manifests are read as kubectl reads them. The tables have the results of kubectl 1.36. Another
//! installed kubectl is only asked about results that are the same in all versions.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::scaling::manifests::{self, Document, Error, Object};

#[derive(Deserialize)]
struct Case {
    text: Option<String>,
    base64: Option<String>,
    /// The objects as kubectl prints them, without an empty `metadata`.
    objects: Vec<Value>,
    /// The errors as kubectl prints them, without `error: `.
    errors: String,
    /// Our own errors, which have no part of the document.
    #[serde(default)]
    ours: Option<String>,
}

impl Case {
    fn content(&self) -> Vec<u8> {
        match (&self.text, &self.base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(base64)) => BASE64_STANDARD.decode(base64).unwrap(),
            (None, None) => panic!("a case without content"),
        }
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../../../tests/fixtures/manifests.json")).unwrap()
}

/// The flattened objects, and the errors as kubectl prints them.
fn outcome(documents: Vec<Result<Document, Error>>) -> (Vec<Value>, String) {
    let (mut objects, mut errors) = (Vec::new(), Vec::new());
    for document in documents {
        let items = match document {
            Err(error) => vec![Err(error)],
            Ok(Document { items: Some(items), .. }) => items,
            Ok(Document { object, items: None }) => vec![Ok(object)],
        };
        let mut of_document = Vec::new();
        for item in items {
            match item {
                Ok(object) => objects.push(shown(object)),
                Err(error) => of_document.push(error.to_string()),
            }
        }
        if !of_document.is_empty() {
            errors.push(of_document);
        }
    }
    let errors = match errors.as_slice() {
        [only] => only.clone(),
        several => several.iter().map(|errors| together(errors)).collect(),
    };
    (objects, errors.join("\n"))
}

fn shown(object: Object) -> Value {
    let mut value = object.value;
    let fields = value.as_object_mut().unwrap();
    if fields.get("metadata").is_some_and(|it| it.is_null() || it == &serde_json::json!({})) {
        fields.remove("metadata");
    }
    value
}

/// Ignores the difference between a float and an integer beyond 64 bits.
fn numbers(objects: &[Value]) -> Vec<Value> {
    fn number(value: &Value) -> Value {
        match value {
            Value::Number(number) if number.as_i64().is_none() => number.as_f64().into(),
            Value::Array(items) => items.iter().map(number).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (key.clone(), number(value))).collect()
            }
            other => other.clone(),
        }
    }
    objects.iter().map(number).collect()
}

/// Each error once, as in apimachinery's `Aggregate`.
fn together(errors: &[String]) -> String {
    let mut different: Vec<&str> = Vec::new();
    for error in errors {
        if !different.contains(&error.as_str()) {
            different.push(error);
        }
    }
    match different.as_slice() {
        [only] => (*only).to_owned(),
        several => format!("[{}]", several.join(", ")),
    }
}

#[test]
fn manifests_are_read_like_in_kubectl() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (objects, errors) = outcome(manifests::parse(&case.content(), "m"));
        let expected = case.ours.as_ref().unwrap_or(&case.errors);
        if &errors != expected || case.ours.is_none() && numbers(&objects) != numbers(&case.objects)
        {
            let content = String::from_utf8_lossy(&case.content()).into_owned();
            wrong.push(format!(
                "{content:?}\n  kubectl: {} {expected}\n  ours:    {} {errors}",
                Value::from(case.objects),
                Value::from(objects)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn invalid_selectors_are_reported_with_kubectls_errors() {
    let table: Vec<(String, Option<String>)> =
        serde_json::from_str(include_str!("../../../../tests/fixtures/selectors.json")).unwrap();
    for (text, expected) in table {
        assert_eq!(manifests::label_selector(&text).err(), expected, "{text}");
    }
}

/// Asks the installed kubectl of any version, if it needs no cluster for that.
#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn the_installed_kubectl_reads_the_same_objects() {
    let directory = tempfile::tempdir().unwrap();
    // Before 1.33 a stream that began as JSON could not continue as YAML.
    let is_yaml = |case: &Case| case.text.as_ref().is_some_and(|text| !text.starts_with('{'));
    for case in cases().into_iter().filter(|case| case.ours.is_none() && is_yaml(case)) {
        std::fs::write(directory.path().join("m"), case.content()).unwrap();
        let output = std::process::Command::new("kubectl")
            .args(["label", "--local", "-f", "m", "added=1", "-o", "name"])
            .current_dir(directory.path())
            .env("HOME", directory.path())
            .env("KUBECONFIG", directory.path().join("none"))
            .output()
            .unwrap();
        let names = String::from_utf8(output.stdout).unwrap();
        let shown = String::from_utf8_lossy(&case.content()).into_owned();
        assert_eq!(names.lines().count(), case.objects.len(), "{shown:?}\n{names}");
    }
}

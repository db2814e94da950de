use serde::Deserialize;

use super::*;

/// What kubectl 1.36 made of templates, for one object.
#[derive(Deserialize)]
struct Recorded {
    object: Value,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    mode: String,
    template: String,
    #[serde(flatten)]
    outcome: Expected,
    /// What was put out before it failed.
    #[serde(default)]
    before: String,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Prints(String),
    /// By the parser.
    Refused(String),
    /// While it was executed.
    Fails(String),
}

fn outcome(template: &str, object: &Value, missing_keys: bool) -> (Expected, String) {
    match GoTemplate::parse(template, missing_keys) {
        Err(message) => (Expected::Refused(message), String::new()),
        Ok(template) => match template.execute(object) {
            Ok(text) => (Expected::Prints(text), String::new()),
            Err(failure) => (Expected::Fails(failure.message), failure.until_then),
        },
    }
}

fn recorded() -> Recorded {
    let text = include_str!("../../../tests/fixtures/formats/template.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn templates_give_what_they_give_in_kubectl() {
    let Recorded { object, rows } = recorded();
    let wrong: Vec<_> = rows
        .into_iter()
        .filter_map(|Row { mode, template, outcome: expected, before }| {
            let found = outcome(&template, &object, mode != "strict");
            let expected = (expected, before);
            (found != expected).then(|| format!("{template}\n  {expected:?}\n  {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

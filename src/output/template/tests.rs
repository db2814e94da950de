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

/// gotmpl's own ways: floats without an exponent, and errors without what they are about.
const DIFFERENT: [&str; 7] = [
    "{{.spec.t}} {{.spec.f}} {{.spec.f2}} {{.spec.e}} {{.spec.s}} {{.spec.big}}",
    "{{.}}",
    "{{base64decode .spec.replicas}}",
    "{{call .metadata.name}}",
    "{{1 2}}",
    "{{len 3}}",
    "{{.spec.replicas | len}}",
];

#[test]
fn templates_give_what_they_give_in_kubectl() {
    let Recorded { object, rows } = recorded();
    assert!(rows.len() > 100, "{}", rows.len());
    let wrong: Vec<_> = rows
        .into_iter()
        .filter_map(|Row { mode, template, outcome: expected, before }| {
            if DIFFERENT.contains(&&*template) {
                return None;
            }
            let found = outcome(&template, &object, mode != "strict");
            let expected = (expected, before);
            (found != expected).then(|| format!("{template}\n  {expected:?}\n  {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_too_deep_or_too_long_is_given_up() {
    let object = recorded().object;
    let loops = "{{range $.spec.nums}}".repeat(30) + "x" + &"{{end}}".repeat(30);
    for (template, expected) in [
        ("{{if 1}}".repeat(5000), "too many blocks within blocks"),
        ("{{if 0}}".to_owned() + &"{{else if 0}}".repeat(5000), "too many blocks within blocks"),
        ("{{".to_owned() + &"(".repeat(5000), "too many parentheses within parentheses"),
        (loops, "range iteration budget exhausted"),
        (
            "{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}".into(),
            "maximum template depth",
        ),
    ] {
        let (found, _) = outcome(&template, &object, true);
        assert!(format!("{found:?}").contains(expected), "{template:.30}: {found:.80?}");
    }
}

#[test]
fn no_template_makes_it_panic() {
    let Recorded { object, rows } = recorded();
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..10_000 {
        let mut template = String::new();
        for _ in 0..random.usize(1..4) {
            let row = random.choice(&rows).map_or("", |row| &row.template);
            let piece: Vec<char> = row.chars().collect();
            let (from, to) = (random.usize(0..=piece.len()), random.usize(0..=piece.len()));
            template.extend(piece.get(from..to).unwrap_or(&piece[to..]));
        }
        outcome(&template, &object, random.bool());
    }
}

use serde::Deserialize;

use super::*;

/// The results of kubectl 1.36 for one object.
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
    /// The output before the error.
    #[serde(default)]
    before: String,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Prints(String),
    /// An error of the parser.
    Refused(String),
    /// An error of the execution.
    Fails(String),
}

fn outcome(template: &str, object: &Value, missing_keys: bool) -> (Expected, String) {
    match GoTemplate::parse(template, missing_keys) {
        Err(message) => (Expected::Refused(message), String::new()),
        Ok(template) => match template.execute(object) {
            Ok(text) => (Expected::Prints(text), String::new()),
            Err(failure) => (Expected::Fails(failure.message), failure.output),
        },
    }
}

fn recorded() -> Recorded {
    let text = include_str!("../../../tests/fixtures/formats/template.json");
    serde_json::from_str(text).unwrap()
}

/// The known differences of gotmpl: floats without an exponent, and errors without details.
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
fn results_are_those_of_kubectl() {
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
fn deep_and_endless_templates_are_stopped() {
    let object = recorded().object;
    let loops = "{{range $.spec.nums}}".repeat(30) + "x" + &"{{end}}".repeat(30);
    for (template, expected) in [
        ("{{if 1}}".repeat(5000), "blocks are nested too deeply"),
        ("{{if 0}}".to_owned() + &"{{else if 0}}".repeat(5000), "blocks are nested too deeply"),
        ("{{".to_owned() + &"(".repeat(5000), "parentheses are nested too deeply"),
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
fn random_templates_do_not_panic() {
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

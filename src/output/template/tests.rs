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

/// The known differences of gotmpl: errors without details.
const DIFFERENT: [&str; 5] = [
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
fn printed_values_have_their_form_in_go() {
    let object = serde_json::json!({"e": 1e21, "list": [1e21, "x", null], "n": 3, "s": "x"});
    for (template, expected) in [
        ("{{.e}}{{- .e -}} {{.e | print}}", "1e+211e+211e+21"),
        ("{{$x := .e}}{{$x}} {{$x = .n}}{{$x}}", "1e+21 3"),
        ("{{range .list}}{{.}},{{end}}", "1e+21,x,<no value>,"),
        ("{{.list}}{{print .n .n .s .n}}{{println .e .s}}", "[1e+21 x <nil>]3 3x31e+21 x\n"),
        (
            "{{if .e}}{{.nope}}{{end}}{{define \"a\"}}{{.}}{{end}}{{template \"a\" .e}}",
            "<no value>1e+21",
        ),
        ("{{printf \"%5d|%.2f|%s\" .n 1.0 .s}}", "    3|1.00|x"),
    ] {
        let (found, _) = outcome(template, &object, true);
        assert_eq!(found, Expected::Prints(expected.to_owned()), "{template}");
    }
}

#[test]
fn large_widths_and_endless_growth_are_refused() {
    let object = recorded().object;
    let width = "printf: a width or precision is larger than 10000";
    let double = "{{$x := \"0123456789\"}}{{range .spec.nums}}{{range $.spec.nums}}{{range $.spec.nums}}\
                  {{$x = printf \"%s%s\" $x $x}}{{end}}{{end}}{{end}}";
    for (template, expected) in [
        ("{{printf \"%.2000000000f\" 1.0}}", width),
        ("{{printf \"%.65535e\" 1.0}}", width),
        ("{{printf \"%-2000000000d\" 1}}", width),
        ("{{printf \"%*d\" 65535 1}}", width),
        ("{{printf \"%99999999999999999999999d\" 1}}", width),
        (double, "the output is too large"),
        (&double.replace("printf \"%s%s\"", "print"), "the output is too large"),
    ] {
        let (found, _) = outcome(template, &object, true);
        assert!(format!("{found:?}").contains(expected), "{template:.60}: {found:.200?}");
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

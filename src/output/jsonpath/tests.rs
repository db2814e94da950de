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
    mode: Mode,
    template: String,
    #[serde(flatten)]
    outcome: Expected,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Text,
    /// Without `--allow-missing-template-keys`.
    Strict,
    Json,
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

fn outcome(template: &str, object: &Value, mode: Mode) -> Expected {
    let path = match JsonPath::parse(template) {
        Ok(path) => path,
        Err(message) => return Expected::Refused(message),
    };
    let rendering = if mode == Mode::Json { Rendering::Json } else { Rendering::Text };
    match path.execute(object, mode != Mode::Strict, rendering) {
        Ok(text) => Expected::Prints(text),
        Err(message) => Expected::Fails(message),
    }
}

fn recorded() -> Recorded {
    let text = include_str!("../../../tests/fixtures/formats/jsonpath.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn results_are_those_of_kubectl() {
    let Recorded { object, rows } = recorded();
    assert!(rows.len() > 250, "{}", rows.len());
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|Row { mode, template, outcome: expected }| {
            let found = outcome(template, &object, *mode);
            (found != *expected).then(|| format!("{template}\n  {expected:?}\n  {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn wildcards_in_maps_are_sorted_by_name() {
    let object = serde_json::json!({"b": 1, "a": {"c": 2}, "d": [3]});
    for (template, expected) in [
        ("{.*}", "{\"c\":2} 1 [3]"),
        ("{..}", "{\"a\":{\"c\":2},\"b\":1,\"d\":[3]} {\"c\":2} [3]"),
        ("{range .*}<{@}>{end}", "<{\"c\":2}><1><[3]>"),
    ] {
        let expected = Expected::Prints(expected.to_owned());
        assert_eq!(outcome(template, &object, Mode::Text), expected, "{template}");
    }
}

#[test]
fn endless_templates_are_stopped() {
    let object = recorded().object;
    for (template, expected) in [
        ("{range .spec.nums[*]}".repeat(40), "the template has too many results"),
        ("{range @}".repeat(500), "ranges are nested too deeply"),
        (format!("{{.spec.nums[{}0]}}", "0,".repeat(2000)), ""),
        ("{..".to_owned() + &".spec.*..".repeat(30), ""),
    ] {
        let found = outcome(&template, &object, Mode::Text);
        let is_as_expected = expected.is_empty() || found == Expected::Fails(expected.to_owned());
        assert!(is_as_expected, "{template:.40}: {found:?}");
    }
}

#[test]
fn random_templates_do_not_panic() {
    let Recorded { object, rows } = recorded();
    let mut random = fastrand::Rng::with_seed(1);
    let pieces: Vec<&str> = rows.iter().map(|row| row.template.as_str()).collect();
    for _ in 0..20_000 {
        let mut template = String::new();
        for _ in 0..random.usize(1..4) {
            let piece: Vec<char> =
                random.choice(&pieces).map_or("", |piece| piece).chars().collect();
            let (from, to) = (random.usize(0..=piece.len()), random.usize(0..=piece.len()));
            template.extend(piece.get(from..to).unwrap_or(&piece[to..]));
        }
        outcome(&template, &object, Mode::Text);
    }
}

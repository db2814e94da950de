//! Checks of one row.

use crate::row::{Ending, Older, Row, Text};
use crate::run::{Outcome, Program, run};

pub struct Kubectl {
    minor: u32,
    is_vanilla: bool,
}

impl Kubectl {
    /// Reads the version of the installed kubectl.
    pub fn installed() -> Self {
        let output = std::process::Command::new("kubectl")
            .args(["version", "--client", "-o", "json"])
            .output()
            .expect("kubectl is installed");
        let version: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let version = version["clientVersion"]["gitVersion"].as_str().unwrap();
        let minor = version.split('.').nth(1).unwrap().parse().unwrap();
        Self { minor, is_vanilla: !version.contains("dispatcher") }
    }

    /// True if its texts are those of 1.36.
    fn speaks(&self, older: Older) -> bool {
        match older {
            Older::Same => true,
            Older::Vendor => self.is_vanilla,
            Older::Before34 => self.minor >= 34,
            Older::Before35 => self.minor >= 35,
            Older::Before36 => self.minor >= 36,
        }
    }
}

/// All errors of locustctl in a row. They do not depend on the installed kubectl.
pub fn locustctl(row: &Row) -> Vec<String> {
    let outcome = run(Program::Locustctl, row);
    let mut wrong = against_table(row, &outcome);
    wrong.iter_mut().for_each(|text| *text = format!("{}: {text}", row.name()));
    wrong
}

/// All errors of a row, with both programs.
pub fn both(row: &Row, installed: &Kubectl) -> Vec<String> {
    let locustctl = run(Program::Locustctl, row);
    let mut wrong = against_table(row, &locustctl);
    if row.older == Older::Before34 && !installed.speaks(row.older) {
        return wrong;
    }
    let kubectl = run(Program::Kubectl, row);
    let is_wrapped = kubectl.stderr.starts_with("error: no objects passed to scale ");
    let is_old_wrapping = is_wrapped && !installed.speaks(Older::Before35);
    let same_words = installed.speaks(row.older) && !is_old_wrapping;
    let wrong_kubectl = mismatches(&row.kubectl, &kubectl, same_words);
    wrong.extend(wrong_kubectl.iter().map(|text| format!("kubectl: {text}")));
    // The expectations of the table are checked. What they leave open must be equal.
    if row.locustctl.is_none() && wrong.is_empty() {
        wrong.extend(
            between(&locustctl, &kubectl, same_words).map(|text| format!("between: {text}")),
        );
    }
    wrong.iter_mut().for_each(|text| *text = format!("{}: {text}", row.name()));
    wrong
}

fn against_table(row: &Row, outcome: &Outcome) -> Vec<String> {
    let Some((difference, expected)) = &row.locustctl else {
        let wrong = mismatches(&row.kubectl, outcome, true);
        return wrong.iter().map(|what| format!("locustctl: {what}")).collect();
    };
    if mismatches(&row.kubectl, outcome, true).is_empty() {
        return vec![format!("{difference:?} is no difference any more: take it out of the row")];
    }
    let wrong = mismatches(expected, outcome, true);
    wrong.iter().map(|what| format!("locustctl ({difference:?}): {what}")).collect()
}

fn mismatches(expected: &Ending, found: &Outcome, same_words: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    if expected.code != found.code {
        wrong.push(format!("exit {} instead of {}", found.code, expected.code));
    }
    for (stream, expected, found) in
        [("stdout", &expected.stdout, &found.stdout), ("stderr", &expected.stderr, &found.stderr)]
    {
        if same_words && !expected.fits(found) {
            let expected = match expected {
                Text::Exactly(text) => format!("{text:?}"),
                Text::Containing(part) => format!("something with {part:?}"),
            };
            wrong.push(format!("{stream}\n    found {found:?}\n expected {expected}"));
        }
    }
    if expected.replicas != found.replicas {
        wrong.push(format!("scaled {:?} instead of {:?}", found.replicas, expected.replicas));
    }
    if expected.change_causes != found.change_causes {
        wrong.push(format!(
            "recorded {:?} instead of {:?}",
            found.change_causes, expected.change_causes
        ));
    }
    wrong
}

/// Compares what the table leaves open.
fn between(
    locustctl: &Outcome,
    kubectl: &Outcome,
    same_words: bool,
) -> impl Iterator<Item = String> {
    let streams = [
        ("stdout", &locustctl.stdout, &kubectl.stdout),
        ("stderr", &locustctl.stderr, &kubectl.stderr),
    ];
    let texts = streams
        .into_iter()
        .filter(move |(_, locustctl, kubectl)| same_words && locustctl != kubectl);
    let texts = texts.map(|(stream, locustctl, kubectl)| {
        format!("{stream}\nlocustctl {locustctl:?}\n kubectl {kubectl:?}")
    });
    let end = (locustctl.code, &locustctl.replicas, &locustctl.change_causes);
    let kubectl_end = (kubectl.code, &kubectl.replicas, &kubectl.change_causes);
    let ends = (end != kubectl_end)
        .then(|| format!("locustctl ended with {end:?}, kubectl with {kubectl_end:?}"));
    texts.chain(ends).collect::<Vec<_>>().into_iter()
}

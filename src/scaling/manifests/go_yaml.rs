//! Errors of our YAML reader as go-yaml 2 words and places them.

use crate::text::yaml::read::YamlError;

/// What else our reader says, and libyaml's words for it.
const DIFFERENT: [(&str, &str); 4] = [
    ("tabs disallowed", "found character that cannot start any token"),
    ("illegal placement of ':'", "did not find expected ',' or ']'"),
    ("invalid trailing content after", "did not find expected key"),
    ("unexpected EOF while parsing a block", "did not find expected node content"),
];

/// What libyaml's parser finds; its scanner finds the rest.
const OF_PARSER: [&str; 5] = [
    "did not find expected node content",
    "did not find expected key",
    "did not find expected ',' or",
    "did not find expected '-' indicator",
    "did not find expected <document start>",
];

/// What is found later than both, or earlier.
const WITHOUT_LINE: [&str; 6] = [
    "unknown anchor",
    "anchor ",
    "map merge requires",
    "invalid map key",
    "control characters",
    "!!binary",
];

/// The whole text. go-yaml counts lines from 0 for what its parser finds and from 1 for what its
/// scanner finds, and has none for the first line.
pub(super) fn describe(problem: &YamlError, document: &str) -> String {
    if problem.is_json {
        return problem.to_string();
    }
    let known = DIFFERENT.iter().find(|(start, _)| problem.text.starts_with(start));
    let text = match known {
        // It still waits for an item, and not for what comes behind one.
        _ if problem.is_unclosed && document.trim_end().ends_with(['[', '{', ',', ':']) => {
            "did not find expected node content"
        }
        known => known.map_or(problem.text.as_str(), |(_, text)| text),
    };
    let line = if WITHOUT_LINE.iter().any(|start| text.starts_with(start)) {
        0
    } else {
        line_from_zero(problem, text, document)
    };
    match (line, OF_PARSER.iter().any(|start| text.starts_with(start))) {
        (0, _) => format!("yaml: {text}"),
        (line, true) => format!("yaml: line {line}: {text}"),
        (line, false) => format!("yaml: line {}: {text}", line + 1),
    }
}

/// Where libyaml is when it notices.
fn line_from_zero(problem: &YamlError, text: &str, document: &str) -> u64 {
    let at = problem.line.unwrap_or(1).saturating_sub(1);
    match text {
        _ if problem.is_unclosed => document.matches('\n').count() as u64,
        // On the line behind the one that lacks it.
        "could not find expected ':'" => at + 1,
        _ => at,
    }
}

//! Translates the errors of our YAML reader into those of go-yaml 2, with its line numbers.

use crate::text::yaml::read::YamlError;

/// Texts of our reader, each with libyaml's text.
const DIFFERENT: [(&str, &str); 4] = [
    ("tabs disallowed", "found character that cannot start any token"),
    ("illegal placement of ':'", "did not find expected ',' or ']'"),
    ("invalid trailing content after", "did not find expected key"),
    ("unexpected EOF while parsing a block", "did not find expected node content"),
];

/// The errors of libyaml's parser. All others are those of its scanner.
const OF_PARSER: [&str; 5] = [
    "did not find expected node content",
    "did not find expected key",
    "did not find expected ',' or",
    "did not find expected '-' indicator",
    "did not find expected <document start>",
];

/// The errors that libyaml reports without a line, because neither its parser nor its scanner finds
/// them.
const WITHOUT_LINE: [&str; 6] = [
    "unknown anchor",
    "anchor ",
    "map merge requires",
    "invalid map key",
    "control characters",
    "!!binary",
];

/// The text of an error. go-yaml counts the lines of parser errors from 0 and those of scanner errors
/// from 1. It leaves out the number of the first line.
pub(super) fn describe(problem: &YamlError, document: &str) -> String {
    if problem.is_json {
        return problem.to_string();
    }
    let known = DIFFERENT.iter().find(|(start, _)| problem.text.starts_with(start));
    let text = match known {
        // The document ends where an item is expected.
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

/// The line, from 0, where libyaml finds the error.
fn line_from_zero(problem: &YamlError, text: &str, document: &str) -> u64 {
    let at = problem.line.unwrap_or(1).saturating_sub(1);
    match text {
        _ if problem.is_unclosed => document.matches('\n').count() as u64,
        // libyaml finds it on the next line.
        "could not find expected ':'" => at + 1,
        _ => at,
    }
}

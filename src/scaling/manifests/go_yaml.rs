//! Translates the errors of our YAML reader into those of go-yaml 2, with its line numbers.

use crate::text::yaml::read::YamlError;

/// Beginnings of our reader's errors, each with the go-yaml text that replaces the whole error.
const TRANSLATIONS: [(&str, &str); 4] = [
    ("tabs disallowed", "found character that cannot start any token"),
    ("illegal placement of ':'", "did not find expected ',' or ']'"),
    ("invalid trailing content after", "did not find expected key"),
    ("unexpected EOF while parsing a block", "did not find expected node content"),
];

/// Beginnings of the errors of go-yaml's parser. Its scanner reports all other errors that have a
/// line.
const PARSER_ERRORS: [&str; 5] = [
    "did not find expected node content",
    "did not find expected key",
    "did not find expected ',' or",
    "did not find expected '-' indicator",
    "did not find expected <document start>",
];

/// Beginnings of errors that go-yaml reports without a line. Its decoder or its reader finds them,
/// not its parser or scanner.
const ERRORS_WITHOUT_LINE: [&str; 6] = [
    "unknown anchor",
    "anchor ",
    "map merge requires",
    "invalid map key",
    "control characters",
    "!!binary",
];

/// Formats an error as go-yaml does. go-yaml counts the lines of parser errors from 0 and those of
/// scanner errors from 1. It prints no line number if the error is on the first line.
pub(super) fn describe(problem: &YamlError, document: &str) -> String {
    if problem.is_json {
        return problem.to_string();
    }
    let translation = TRANSLATIONS.iter().find(|(start, _)| problem.text.starts_with(start));
    let text = match translation {
        // The document ends where an item is expected.
        _ if problem.is_unclosed && document.trim_end().ends_with(['[', '{', ',', ':']) => {
            "did not find expected node content"
        }
        Some((_, text)) => text,
        None => &problem.text,
    };
    let line = if ERRORS_WITHOUT_LINE.iter().any(|start| text.starts_with(start)) {
        0
    } else {
        line_from_zero(problem, text, document)
    };
    match (line, PARSER_ERRORS.iter().any(|start| text.starts_with(start))) {
        (0, _) => format!("yaml: {text}"),
        (line, true) => format!("yaml: line {line}: {text}"),
        (line, false) => format!("yaml: line {}: {text}", line + 1),
    }
}

/// The line, counted from 0, where go-yaml finds the error.
fn line_from_zero(problem: &YamlError, text: &str, document: &str) -> u64 {
    let at = problem.line.unwrap_or(1).saturating_sub(1);
    match text {
        _ if problem.is_unclosed => document.matches('\n').count() as u64,
        // go-yaml finds this error on the next line.
        "could not find expected ':'" => at + 1,
        _ => at,
    }
}

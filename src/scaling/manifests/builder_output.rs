//! The stderr of `kustomize build`: the reason of a failure, and warnings.

use crate::text::terminal;

/// The most lines of warnings that are shown.
const MAX_WARNINGS: usize = 20;

/// The texts before a reason. The second is cobra's.
const PREFIXES: [&str; 2] = ["error: ", "Error: "];

/// Some builds of kubectl write a line of klog instead of `error: …`. The reason follows this text: as
/// a Go literal, or, if it has several lines, indented after `err=<`.
const LOGGED: &str = "] \"command failed\" err=";

/// The lines of stderr, safe to print.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BuilderOutput {
    /// The reason of a failure: the last error, or all lines if none is called an error. Empty if there
    /// was no failure or no line.
    pub reason: String,
    /// The lines before the reason.
    pub warnings: Vec<String>,
}

impl BuilderOutput {
    /// Reads the stderr of a builder that failed.
    pub(super) fn of_failure(stderr: &[u8]) -> Self {
        let text = text(stderr);
        let lines: Vec<&str> = text.lines().collect();
        let begins = |line: &&str| reason_in(line).is_some();
        let Some(at) = lines.iter().rposition(begins) else {
            return Self { reason: text.trim().to_owned(), warnings: Vec::new() };
        };
        let (before, reason) = lines.split_at(at);
        Self { reason: reason_of(reason), warnings: bounded(before.iter().copied()) }
    }

    /// Reads the stderr of a builder that succeeded: every line is a warning.
    pub(super) fn of_success(stderr: &[u8]) -> Self {
        Self { reason: String::new(), warnings: bounded(text(stderr).lines()) }
    }
}

fn text(stderr: &[u8]) -> String {
    terminal::harmless(&String::from_utf8_lossy(stderr))
}

/// The part of a line after the text that announces a reason; `None` if there is no such text.
fn reason_in(line: &str) -> Option<&str> {
    let plain = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix));
    plain.or_else(|| line.split_once(LOGGED).map(|(_, logged)| logged))
}

/// A reason of one or more lines, without the text that announces it.
fn reason_of(lines: &[&str]) -> String {
    let Some((first, rest)) = lines.split_first() else { return String::new() };
    let start = reason_in(first).unwrap_or(first);
    let is_logged = first.contains(LOGGED);
    let joined = match (is_logged, start) {
        (true, "<") => {
            let inside = rest.iter().take_while(|line| **line != " >");
            inside.map(|line| line.trim_start_matches('\t')).collect::<Vec<_>>().join("\n")
        }
        // A Go literal is mostly valid JSON. A literal with one of Go's own escapes stays as it is.
        (true, literal) => serde_json::from_str(literal).unwrap_or_else(|_| literal.to_owned()),
        (false, _) => {
            let all: Vec<_> = std::iter::once(start).chain(rest.iter().copied()).collect();
            all.join("\n")
        }
    };
    terminal::harmless(joined.trim())
}

fn bounded<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let lines: Vec<_> = lines.map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let mut kept: Vec<String> =
        lines.iter().take(MAX_WARNINGS).map(|line| (*line).to_owned()).collect();
    if lines.len() > MAX_WARNINGS {
        kept.push(format!("… and {} more lines", lines.len() - MAX_WARNINGS));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_the_reason_and_the_lines_before_are_warnings() {
        let logged = "E1125 02:57:10.736631   23295 run.go:72] \"command failed\" err=";
        for (stderr, reason, warnings) in [
            ("error: no\n", "no", &[][..]),
            ("Error: no\n", "no", &[]),
            ("no such thing\n", "no such thing", &[]),
            ("# Warning: old\n\nerror: no\n", "no", &["# Warning: old"]),
            ("error: one\nError: two\n", "two", &["error: one"]),
            ("Error: no\nmore of it\n", "no\nmore of it", &[]),
            ("error: \n", "", &[]),
            ("", "", &[]),
            (&format!("w\n{logged}\"a \\\"b\\\"\\nc\"\n"), "a \"b\"\nc", &["w"]),
            (&format!("{logged}\"\\x00\"\n"), "\"\\x00\"", &[]),
            (&format!("{logged}\"\\u001b[2J\"\n"), "\\u{1b}[2J", &[]),
            (&format!("{logged}<\n\ta\n\tb\n >\n"), "a\nb", &[]),
            ("\u{1b}[2Jx\n", "\\u{1b}[2Jx", &[]),
        ] {
            let output = BuilderOutput::of_failure(stderr.as_bytes());
            assert_eq!(output.reason, reason, "{stderr:?}");
            assert_eq!(output.warnings, warnings, "{stderr:?}");
        }
    }

    #[test]
    fn warnings_are_bounded() {
        let many = "a\n".repeat(30);
        let warnings = BuilderOutput::of_success(many.as_bytes()).warnings;
        assert_eq!((warnings.len(), &*warnings[20]), (21, "… and 10 more lines"));
    }
}

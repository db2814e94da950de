//! The stderr of `kustomize build`: the reason for a failure, and warnings.

use crate::text::terminal;

/// Maximum number of warning lines to show.
const MAX_WARNINGS: usize = 20;

/// The prefixes of an error line. `Error: ` is cobra's.
const PREFIXES: [&str; 2] = ["error: ", "Error: "];

/// Some builds of kubectl write a klog line instead of `error: …`. This text precedes the reason. A
/// one-line reason is a Go string literal. A longer reason is an indented block after `err=<`.
const KLOG_MARKER: &str = "] \"command failed\" err=";

/// The stderr of the builder (`kustomize build`), escaped for a terminal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BuilderMessages {
    /// The reason for the failure: the last error line and the lines after it. All lines if no line
    /// has an error prefix. Empty on success or without stderr.
    pub reason: String,
    /// The lines before the reason.
    pub warnings: Vec<String>,
}

impl BuilderMessages {
    /// Reads the stderr of a builder that failed.
    pub(super) fn of_failure(stderr: &[u8]) -> Self {
        let text = text(stderr);
        let lines: Vec<&str> = text.lines().collect();
        let begins = |line: &&str| strip_error_prefix(line).is_some();
        let Some(at) = lines.iter().rposition(begins) else {
            return Self { reason: text.trim().to_owned(), warnings: Vec::new() };
        };
        let (before, reason) = lines.split_at(at);
        Self { reason: join_reason(reason), warnings: limit_lines(before.iter().copied()) }
    }

    /// Reads the stderr of a builder that succeeded: every line is a warning.
    pub(super) fn of_success(stderr: &[u8]) -> Self {
        Self { reason: String::new(), warnings: limit_lines(text(stderr).lines()) }
    }
}

fn text(stderr: &[u8]) -> String {
    terminal::harmless(&String::from_utf8_lossy(stderr))
}

/// The rest of a line after its error prefix. `None` if the line has no error prefix.
fn strip_error_prefix(line: &str) -> Option<&str> {
    let plain = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix));
    plain.or_else(|| line.split_once(KLOG_MARKER).map(|(_, logged)| logged))
}

/// Joins the lines of a reason and removes the error prefix.
fn join_reason(lines: &[&str]) -> String {
    let Some((first, rest)) = lines.split_first() else { return String::new() };
    let start = strip_error_prefix(first).unwrap_or(first);
    let is_logged = first.contains(KLOG_MARKER);
    let joined = match (is_logged, start) {
        (true, "<") => {
            let inside = rest.iter().take_while(|line| **line != " >");
            inside.map(|line| line.trim_start_matches('\t')).collect::<Vec<_>>().join("\n")
        }
        // Most Go string literals are valid JSON. A literal with an escape that JSON lacks, such as
        // `\x00`, is shown as it is.
        (true, literal) => serde_json::from_str(literal).unwrap_or_else(|_| literal.to_owned()),
        (false, _) => {
            let all: Vec<_> = std::iter::once(start).chain(rest.iter().copied()).collect();
            all.join("\n")
        }
    };
    terminal::harmless(joined.trim())
}

fn limit_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
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
            let output = BuilderMessages::of_failure(stderr.as_bytes());
            assert_eq!(output.reason, reason, "{stderr:?}");
            assert_eq!(output.warnings, warnings, "{stderr:?}");
        }
    }

    #[test]
    fn the_number_of_warning_lines_is_limited() {
        let many = "a\n".repeat(30);
        let warnings = BuilderMessages::of_success(many.as_bytes()).warnings;
        assert_eq!((warnings.len(), &*warnings[20]), (21, "… and 10 more lines"));
    }
}

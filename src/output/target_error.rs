//! An error of one of several targets: its text names the target.

use std::fmt;

use anyhow::Error;

use crate::scaling::Target;

/// An error and its target.
#[derive(Debug)]
pub struct TargetError {
    target: String,
    name: String,
    pub(super) error: Error,
}

impl TargetError {
    /// The error of one of `count` targets. As in kubectl, the error of a single target does not name it.
    pub fn one_of(count: usize, target: &Target, error: impl Into<Error>) -> Error {
        match count {
            1 => error.into(),
            _ => Self::new(target, error).into(),
        }
    }

    fn new(target: &Target, error: impl Into<Error>) -> Self {
        Self { target: target.to_string(), name: target.name.clone(), error: error.into() }
    }

    /// The text, with the target before it unless the text already names the target.
    pub(super) fn named(&self, text: String) -> String {
        match self.is_named_in(&text) {
            true => text,
            false => format!("{}: {text}", self.target),
        }
    }

    /// True if the text names the target in one of the ways of the server's messages: `"a"`,
    /// `deployment.apps/a`, `(patch deployments a)`.
    fn is_named_in(&self, text: &str) -> bool {
        let is_in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let mut matches = text.match_indices(self.name.as_str());
        matches.any(|(at, name)| {
            let (before, after) = (&text[..at], &text[at + name.len()..]);
            (before.ends_with('"') && after.starts_with('"'))
                || (before.ends_with('/') && !after.starts_with(is_in_name))
                || (before.ends_with(' ') && after.starts_with(')'))
        })
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named(format!("{:#}", self.error)))
    }
}

impl std::error::Error for TargetError {}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_target_is_added_unless_the_text_names_it() {
        for (text, is_named) in [
            ("deployments.apps \"a\" not found", true),
            ("deployment.apps/a is still at 1", true),
            ("deployment.apps/a: no", true),
            ("no (patch deployments a)", true),
            ("Expected replicas to be 9, was 1", false),
            ("a server has failed", false),
            ("deployments.apps \"ab\" not found", false),
            ("deployment.apps/a-b is at 1", false),
            ("", false),
        ] {
            let shown = TargetError::new(&Target::for_test("a"), anyhow!("{text}")).to_string();
            let expected =
                if is_named { text.to_owned() } else { format!("deployment.apps/a: {text}") };
            assert_eq!(shown, expected);
        }
    }
}

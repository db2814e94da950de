//! The contents of a token file.

use anyhow::{Result, bail};
use secrecy::{ExposeSecret, SecretString};

use super::user_name::is_showable;
use crate::text::terminal::conceal;

/// Minimum length of a token, in bytes. Shorter tokens can be guessed.
const MIN_TOKEN: usize = 16;

/// Longest name of a token, in bytes. Names are shown in the history and in the audit log.
const MAX_NAME: usize = 64;

/// Name of tokens without a name.
const DEFAULT_NAME: &str = "token";

/// A token, and the name of its owner.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: String,
    pub token: SecretString,
}

/// Reads one token per line, with an optional name before it. `#` begins a comment line.
pub(super) fn parse(content: &str) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let number = index + 1;
        let words: Vec<_> = line.split_whitespace().collect();
        let (name, token) = match words.as_slice() {
            [] => continue,
            [first, ..] if first.starts_with('#') => continue,
            [token] => (DEFAULT_NAME, *token),
            [name, token] => (*name, *token),
            _ => bail!("line {number} must be TOKEN or NAME TOKEN"),
        };
        if name.len() > MAX_NAME {
            bail!("the name in line {number} is longer than {MAX_NAME} bytes");
        }
        if !is_showable(name) {
            bail!("the name in line {number} contains characters that cannot be shown");
        }
        if token.len() < MIN_TOKEN {
            bail!(
                "the token in line {number} is shorter than {MIN_TOKEN} characters; create \
                 one with: openssl rand -hex 32"
            );
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("the token in line {number} contains characters other than visible ASCII");
        }
        if entries.iter().any(|entry| entry.token.expose_secret() == token) {
            bail!("the token in line {number} repeats an earlier one");
        }
        conceal(token);
        entries.push(Entry { name: name.to_owned(), token: token.into() });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "alice-s-token-0123456789";
    const BOB: &str = "bobby-s-token-0123456789";

    #[test]
    fn tokens_may_have_names_and_lines_may_be_comments() {
        let entries = parse(&format!("# access\n\nalice {ALICE}\r\n  {BOB}  \n")).unwrap();
        let read: Vec<_> =
            entries.iter().map(|entry| (&*entry.name, entry.token.expose_secret())).collect();
        assert_eq!(read, [("alice", ALICE), ("token", BOB)]);
    }

    #[test]
    fn an_invalid_file_is_refused_without_showing_its_contents() {
        for (content, expected) in [
            ("short-secret", "the token in line 1 is shorter than 16"),
            ("a b secret-secret-secret", "line 1 must be"),
            ("secret-secret-secret\nsecret-secret-secret", "the token in line 2 repeats"),
            ("secret-secret-secrét", "the token in line 1 contains characters"),
            ("al\u{202e}ice secret-secret-secret", "the name in line 1 contains characters that"),
        ] {
            let error = parse(content).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

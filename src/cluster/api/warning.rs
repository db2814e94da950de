//! `Warning` headers, which the API server uses for deprecations (RFC 7234, 5.5).

use parking_lot::Mutex;
use reqwest::header::{HeaderMap, WARNING};

use super::event::Event;

/// The warnings of one run. Each text is reported once, as soon as it arrives.
#[derive(Debug, Default)]
pub struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    /// The number of different warnings so far.
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Reports the warnings in `headers` that are new.
    pub(super) fn report(&self, headers: &HeaderMap, on_event: fn(Event<'_>)) {
        for header in headers.get_all(WARNING) {
            let text = String::from_utf8_lossy(header.as_bytes());
            for warning in parse(&text) {
                let mut seen = self.0.lock();
                if !seen.contains(&warning) {
                    on_event(Event::Warning(&warning));
                    seen.push(warning);
                }
            }
        }
    }
}

/// The texts with code 299 in one header value: `299 - "text" "date", 299 …`. Reading stops at
/// the first text in another form, as in client-go.
fn parse(header: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = header.trim();
    while let Some((code, text, after)) = parse_one(rest) {
        if code == "299" && !text.is_empty() {
            texts.push(text);
        }
        match after.trim_start().strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => break,
        }
    }
    texts
}

/// The code, the text, and the rest after the optional date.
fn parse_one(text: &str) -> Option<(&str, String, &str)> {
    let (code, rest) = text.split_once(' ')?;
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (_agent, rest) = rest.split_once(' ')?;
    let (text, mut rest) = quoted(rest)?;
    if let Some((_date, after)) = rest.strip_prefix(' ').and_then(|rest| quoted(rest.trim_start()))
    {
        rest = after;
    }
    Some((code, text, rest))
}

/// The text of a quoted string at the beginning, and the rest after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut unescaped = String::new();
    let mut characters = text.strip_prefix('"')?.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((unescaped, &text[at + 2..])),
            '\\' => unescaped.push(characters.next()?.1),
            other => unescaped.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_read_from_the_header() {
        for (header, expected) in [
            ("299 - \"old\"", vec!["old"]),
            ("299 - \"a \\\"b\\\" \\\\c\"", vec!["a \"b\" \\c"]),
            ("299 - \"one\", 299 agent \"two\"", vec!["one", "two"]),
            (
                "299 - \"dated\" \"Mon, 23 Nov 2026 19:00:00 GMT\", 299 - \"next\"",
                vec!["dated", "next"],
            ),
            ("199 - \"other code\"", vec![]),
            ("299 - \"\"", vec![]),
            ("299 - \"kept\", nonsense", vec!["kept"]),
            ("299 - \"open", vec![]),
            ("299", vec![]),
            ("", vec![]),
            ("2x9 - \"no\"", vec![]),
            ("299 - \"ü\"", vec!["ü"]),
        ] {
            assert_eq!(parse(header), expected, "{header}");
        }
    }
}

//! Output on the terminal: control characters of foreign text are escaped, and secrets are masked.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde_json::Value;

use super::{go, stderr};

/// The text in place of a secret.
pub const MASK: &str = "<masked>";

/// The length of the shortest secret that is masked. A shorter one could match unrelated text.
const MIN_SECRET: usize = 8;

static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

static IS_SILENT: AtomicBool = AtomicBool::new(false);

/// Turns all output on stderr off, for shell completion: the user is typing on that line.
pub fn silence() {
    IS_SILENT.store(true, Ordering::Relaxed);
}

/// True after [`silence`].
pub fn is_silent() -> bool {
    IS_SILENT.load(Ordering::Relaxed)
}

/// Adds a secret that [`printable`] masks, also where it is quoted.
pub fn conceal(secret: &str) {
    if secret.len() < MIN_SECRET {
        return;
    }
    let quoted = [go::quote(secret), format!("{secret:?}"), Value::from(secret).to_string()];
    let escaped = quoted.iter().map(|quoted| &quoted[1..quoted.len() - 1]);
    let mut secrets = SECRETS.lock();
    for form in escaped.chain([secret]) {
        if !secrets.iter().any(|known| known == form) {
            secrets.push(form.to_owned());
        }
    }
    // Long secrets come first, because they may contain short ones.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
}

/// Writes a line to stderr, made [`printable`]. A failure to write is ignored.
pub fn say(text: &str) {
    if is_silent() {
        return;
    }
    stderr::write(printable(text));
}

/// Writes a warning to stderr as kubectl does: with a yellow label on a terminal that wants colour.
pub fn warn(text: &str) {
    if is_silent() {
        return;
    }
    let label = match can_redraw() && std::env::var_os("NO_COLOR").is_none() {
        true => "\u{1b}[33;1mWarning:\u{1b}[0m",
        false => "Warning:",
    };
    stderr::write(format!("{label} {}", printable(text)));
}

/// True if stderr is a terminal on which a line can be drawn again.
pub fn can_redraw() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    std::io::stderr().is_terminal() && !is_dumb
}

/// Masks secrets and passwords in URLs, and makes the text [`harmless`].
pub fn printable(text: &str) -> String {
    harmless(&without_url_passwords(&masked(text)))
}

/// Masks secrets. Use it before a text is cut: [`printable`] does not recognise a part of a secret.
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for secret in SECRETS.lock().iter() {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), MASK));
        }
    }
    text
}

/// Escapes control, direction and invisible characters. Line breaks and tabs stay.
pub fn harmless(text: &str) -> String {
    escape_if(text, |c| is_harmful(c) && !matches!(c, '\n' | '\t')).into_owned()
}

/// Escapes what [`harmless`] escapes, and all line breaks and tabs. A name from a server stays on its line
/// and cannot forge another one.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    escape_if(text, |c| is_harmful(c) || matches!(c, '\u{2028}' | '\u{2029}'))
}

fn is_harmful(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

fn escape_if(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match is_escaped(c) {
            true => escaped.extend(c.escape_unicode()),
            false => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// True for invisible characters: direction marks, zero-width characters, and tags. With them, two
/// different texts can look the same. They are Unicode's `Default_Ignorable_Code_Point` without the variation
/// selectors of emoji, and the annotation characters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
    )
}

/// `https://me:password@host` becomes `https://<masked>@host`.
fn without_url_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        match after[..login_limit(after)].rfind('@') {
            Some(at) if after[..at].contains(':') => {
                clean.push_str(MASK);
                rest = &after[at..];
            }
            _ => rest = after,
        }
    }
    clean.push_str(rest);
    clean
}

/// The last index at which the login of a URL can end. `url` has no scheme. A login ends before the path, the
/// query and the fragment, but a password may have their first characters by mistake: then no port
/// number stands before them.
fn login_limit(url: &str) -> usize {
    let whole = url.find(['"', '\'', '\n']).unwrap_or(url.len());
    let authority = url[..whole].find(['/', '?', '#']).unwrap_or(whole);
    let is_password = url[..authority].rsplit_once(':').is_some_and(|(host, port)| {
        !host.ends_with(']') && !port.is_empty() && !port.bytes().all(|byte| byte.is_ascii_digit())
    });
    match is_password && !url[..authority].contains(['@', '[']) {
        true => whole,
        false => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_shown_as_escapes() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\td\r\n"), "a\\u{1b}[2Jb\\u{202e}c\td\\u{d}\n");
        assert_eq!(printable("größer → 日本 ❤\u{fe0f}"), "größer → 日本 ❤\u{fe0f}");
    }

    #[test]
    fn passwords_with_characters_of_other_parts_are_masked() {
        for (url, expected) in [
            ("http://user:s3cr#et@127.0.0.1:1/x", "http://<masked>@127.0.0.1:1/x"),
            ("http://user:s3cr/et@h", "http://<masked>@h"),
            ("http://user:s3cr?et@h", "http://<masked>@h"),
            ("http://h:80/x@y", "http://h:80/x@y"),
            ("http://[::1]/x@y", "http://[::1]/x@y"),
            ("http://h/a:b@c", "http://h/a:b@c"),
        ] {
            assert_eq!(printable(url), expected);
        }
    }

    #[test]
    fn invisible_characters_are_shown_as_escapes() {
        for c in [
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200f}',
            '\u{2060}',
            '\u{2069}',
            '\u{feff}',
            '\u{fff9}',
            '\u{3164}',
            '\u{e0001}',
            '\u{e0061}',
            '\u{e0100}',
        ] {
            let expected = format!("a{}b", c.escape_unicode());
            assert_eq!(harmless(&format!("a{c}b")), expected);
        }
    }

    #[test]
    fn a_name_stays_on_one_line() {
        for (name, expected) in [
            ("locust-slave", "locust-slave"),
            ("größer → 日本", "größer → 日本"),
            ("a\nb", "a\\u{a}b"),
            ("a\r\tb", "a\\u{d}\\u{9}b"),
            ("a\u{1b}[2K\u{85}b", "a\\u{1b}[2K\\u{85}b"),
            ("a\u{2028}\u{202e}\u{61c}b", "a\\u{2028}\\u{202e}\\u{61c}b"),
        ] {
            assert_eq!(on_one_line(name), expected);
        }
    }

    #[test]
    fn passwords_in_urls_are_masked() {
        for (text, expected) in [
            ("GET https://me:pw@h:1/a@b", "GET https://<masked>@h:1/a@b"),
            ("\"http://u:p w@h\" and ftp://x:y@z", "\"http://<masked>@h\" and ftp://<masked>@z"),
            ("https://h:1/a:b@c", "https://h:1/a:b@c"),
            ("https://me@h", "https://me@h"),
            ("://", "://"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }

    #[test]
    fn quoted_secrets_are_masked() {
        let secret = "a \"secret\"\\ of\tö\u{7f}";
        conceal(secret);
        for quoted in [go::quote(secret), format!("{secret:?}"), Value::from(secret).to_string()] {
            assert_eq!(printable(&quoted), "\"<masked>\"");
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_come_from() {
        conceal("a-secret-of-this-test");
        conceal("a-secret-of-this-test-and-more");
        conceal("more");
        assert_eq!(printable("x a-secret-of-this-test-and-more, more"), "x <masked>, more");
    }
}

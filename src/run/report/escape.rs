//! Text from outside in XML and Markdown. Names of requests and errors come from the locustfile and
//! from the tested server.

use crate::text::terminal::{on_one_line, printable};

/// The longest text in a table, in characters.
const MAX_CELL: usize = 200;

/// The longest line of the verdict, in characters.
const MAX_LINE: usize = 2000;

/// The text as content or as an attribute of an XML element. Characters that XML 1.0 does not allow are
/// written as `\u{1b}`.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            // Without this, `]]>` would be an error.
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // A reader replaces these characters in attributes by spaces.
            '\t' | '\n' => escaped.push_str(&format!("&#{};", u32::from(c))),
            '\u{fffe}' | '\u{ffff}' => escaped.extend(c.escape_unicode()),
            c if c.is_control() => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The text in a cell of a Markdown table, on one line. It has no formatting, no link and no HTML.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for c in on_one_line(&cut(&printable(text), MAX_CELL)).chars() {
        match c {
            // CommonMark 2.4: a backslash escapes any ASCII punctuation.
            ' ' | '/' | ',' | '-' | '=' | '%' | '(' | ')' | ';' => escaped.push(c),
            c if c.is_ascii_punctuation() => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The text in a table on a terminal, on one line.
pub(super) fn cell(text: &str) -> String {
    on_one_line(&cut(text, MAX_CELL)).into_owned()
}

/// The text on one line of a terminal. A message of several lines is joined.
pub(super) fn line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    on_one_line(&cut(&lines.join("; "), MAX_LINE)).into_owned()
}

fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

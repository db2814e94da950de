//! Translates gotmpl's errors into Go's words, with a position in the template.
//!
//! gotmpl does not report the position. Here it is the first place that can have the error. It is the
//! right one unless the template has the same mistake twice.

use gotmpl::TemplateError;

use super::lexer::{SyntaxError, Token, TokenKind, tokens};

/// `template: output:1: unclosed action`
pub fn of_checks((what, at): &SyntaxError, text: &str) -> String {
    format!("template: output:{}: {what}", text[..*at].matches('\n').count() + 1)
}

/// The text of an error that only gotmpl's parser finds. As in Go, it has a line but no column.
pub fn of_parser(error: &TemplateError) -> String {
    match error {
        TemplateError::Parse { line, message, .. } | TemplateError::Lex { line, message, .. } => {
            format!("template: output:{line}: {message}")
        }
        other => format!("template: output: {other}"),
    }
}

/// `template: output:1:2: executing "output" at <.a>: map has no entry for key "a"`
pub fn of_execution(error: &TemplateError, text: &str) -> String {
    let tokens = tokens(text).unwrap_or_default();
    let (position, what) = explain(error, &Source { text, tokens: &tokens });
    match position {
        Some(Position { at, shown }) => {
            let line = text[..at].matches('\n').count() + 1;
            let column = at - text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            format!("template: output:{line}:{column}: executing \"output\" at <{shown}>: {what}")
        }
        None => format!("template: output: executing \"output\": {what}"),
    }
}

struct Position {
    at: usize,
    shown: String,
}

const COMPARISONS: [&str; 6] = ["eq", "ne", "lt", "le", "gt", "ge"];

fn explain(error: &TemplateError, source: &Source<'_>) -> (Option<Position>, String) {
    let calling = |names: &[&str], what: &str| match source.call(names) {
        Some((name, position)) => (Some(position), format!("error calling {name}: {what}")),
        None => (None, what.to_owned()),
    };
    match error {
        TemplateError::MissingKey { key } => {
            let what = format!("map has no entry for key {}", crate::text::go::quote(key));
            (source.field(key), what)
        }
        TemplateError::IndexOutOfRange { index } => {
            calling(&["index", "slice"], &format!("index out of range: {index}"))
        }
        TemplateError::ArgCount { name, expected, got } => {
            // Go reports the arguments before `...` if the function is variadic.
            let want = match name.as_str() {
                "eq" | "index" | "printf" | "exists" | "and" | "or" | "slice" | "call" => {
                    "at least 1".to_owned()
                }
                _ => expected.to_string(),
            };
            let position = source.call(&[name]).map(|(_, position)| position);
            (position, format!("wrong number of args for {name}: want {want} got {got}"))
        }
        TemplateError::UndefinedTemplate(name) => (
            source.template(name),
            format!("template {} not defined", crate::text::go::quote(name)),
        ),
        TemplateError::Exec(message) => of_message(message, source),
        TemplateError::RecursionLimit => (None, "exceeded maximum template depth".to_owned()),
        TemplateError::Write => (None, "the output is too large".to_owned()),
        other => (None, other.to_string()),
    }
}

fn of_message(message: &str, source: &Source<'_>) -> (Option<Position>, String) {
    let calling = |names: &[&str], what: &str| match source.call(names) {
        Some((name, position)) => (Some(position), format!("error calling {name}: {what}")),
        None => (None, what.to_owned()),
    };
    if let Some(kinds) = message.strip_prefix("incompatible types for comparison: int ") {
        // The integers of objects are int64, and they are mostly on the left.
        return calling(&COMPARISONS, &format!("incompatible types for comparison: int64 {kinds}"));
    }
    if message.ends_with("type for comparison") || message.starts_with("incompatible types") {
        return calling(&COMPARISONS, message);
    }
    if message.starts_with("index of ") {
        return calling(&["index"], message);
    }
    if message.starts_with("base64 decode failed") {
        return calling(&["base64decode"], message);
    }
    if let Some(rest) = message.strip_prefix("can't evaluate field ") {
        let name = rest.split(' ').next().unwrap_or_default();
        let what = format!("can't evaluate field {name} in type interface {{}}");
        return (source.field(name), what);
    }
    let nil = |token: &&Token<'_>| token.kind == TokenKind::Name && token.text == "nil";
    match (message, source.tokens.iter().find(nil)) {
        ("nil is not a command", Some(nil)) => {
            (Some(Position { at: nil.at, shown: "nil".to_owned() }), message.to_owned())
        }
        _ => (None, message.to_owned()),
    }
}

struct Source<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
}

impl Source<'_> {
    /// The first chain `.a.b.c` with this field. As in Go, the position is that of its second field, if
    /// it has one.
    fn field(&self, name: &str) -> Option<Position> {
        let is_it = |token: &Token<'_>| {
            token.kind == TokenKind::Field && token.text.strip_prefix('.') == Some(name)
        };
        let is_link =
            |token: &Token<'_>| matches!(token.kind, TokenKind::Field | TokenKind::Variable);
        let found = self.tokens.iter().position(is_it)?;
        let mut start = found;
        while self.tokens[start].is_joined && start > 0 && is_link(&self.tokens[start - 1]) {
            start -= 1;
        }
        let rest = &self.tokens[start..];
        let is_next = |token: &&Token<'_>| token.is_joined && token.kind == TokenKind::Field;
        let length = 1 + rest.iter().skip(1).take_while(is_next).count();
        let shown = rest[..length].iter().map(|token| token.text).collect();
        Some(Position { at: rest[(length - 1).min(1)].at, shown })
    }

    /// The first call of one of these functions, to the end of its command.
    fn call(&self, names: &[&str]) -> Option<(String, Position)> {
        let is_it =
            |token: &Token<'_>| token.kind == TokenKind::Name && names.contains(&token.text);
        let found = self.tokens.iter().position(is_it)?;
        let mut depth = 0_usize;
        let mut end = found + 1;
        for token in &self.tokens[found + 1..] {
            match (token.kind, token.text) {
                (TokenKind::Close, _) => break,
                (TokenKind::Mark, "|") if depth == 0 => break,
                (TokenKind::Mark, "(") => depth += 1,
                (TokenKind::Mark, ")") if depth == 0 => break,
                (TokenKind::Mark, ")") => depth -= 1,
                _ => {}
            }
            end += 1;
        }
        let command = &self.tokens[found..end];
        let last = command.last()?;
        let text = &self.text[command[0].at..last.at + last.text.len()];
        let shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Some((command[0].text.to_owned(), Position { at: command[0].at, shown }))
    }

    fn template(&self, name: &str) -> Option<Position> {
        let quoted = crate::text::go::quote(name);
        let is_it = |pair: &&[Token<'_>]| pair[0].text == "template" && pair[1].text == quoted;
        let pair = self.tokens.windows(2).find(is_it)?;
        Some(Position { at: pair[1].at, shown: format!("{{{{template {quoted}}}}}") })
    }
}

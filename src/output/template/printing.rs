//! The functions `print`, `println` and `printf` with a limit, and values as Go prints them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gotmpl::{Template, TemplateError, Value};

use super::lexer::{Token, TokenKind};
use crate::text::go;

/// The largest width or precision. gotmpl panics at 65535.
const MAX_WIDTH: usize = 10_000;

/// The function that converts a printed value. The text of a user's template cannot call it.
const SHOW: &str = "show";

/// Adds the functions. All calls in one template make at most `limit` bytes, since a template can
/// double a text again and again without printing it.
pub fn register(template: Template, limit: usize) -> Template {
    let made = Arc::new(AtomicUsize::new(0));
    let bounded = move |print: fn(&[Value]) -> Result<String, TemplateError>| {
        let made = Arc::clone(&made);
        move |arguments: &[Value]| {
            let text = print(arguments)?;
            if made.fetch_add(text.len(), Ordering::Relaxed) + text.len() > limit {
                return Err(TemplateError::Exec("the output is too large".to_owned()));
            }
            Ok(Value::String(text.into()))
        }
    };
    template
        .func("print", bounded(|arguments| Ok(print(arguments))))
        .func("println", bounded(|arguments| Ok(println(arguments))))
        .func("printf", bounded(printf))
        .func(SHOW, |arguments| {
            Ok(match arguments {
                [value @ (Value::Float(_) | Value::List(_) | Value::Map(_))] => {
                    let mut text = String::new();
                    write(&mut text, value);
                    Value::String(text.into())
                }
                [value] => value.clone(),
                _ => Value::Nil,
            })
        })
}

/// The template with a call of [`SHOW`] at the end of each pipeline whose value is printed.
pub fn with_show(text: &str, tokens: &[Token<'_>]) -> String {
    const KEYWORDS: [&str; 11] = [
        "if", "range", "with", "else", "end", "define", "block", "template", "break", "continue",
        "nil",
    ];
    let mut shown = String::new();
    let mut done = 0;
    for action in tokens.split_inclusive(|token| token.kind == TokenKind::Close) {
        let [_, words @ .., _] = action else { continue };
        let (Some(first), Some(last)) = (words.first(), words.last()) else { continue };
        let is_keyword = first.kind == TokenKind::Name && KEYWORDS.contains(&first.text);
        let is_assignment =
            words.iter().any(|word| word.kind == TokenKind::Mark && word.text.ends_with('='));
        if !is_keyword && !is_assignment {
            let end = last.at + last.text.len();
            shown.push_str(&text[done..end]);
            shown.push_str(" | ");
            shown.push_str(SHOW);
            done = end;
        }
    }
    shown.push_str(&text[done..]);
    shown
}

/// `fmt.Sprint`: a space between two values if none of them is a text.
fn print(arguments: &[Value]) -> String {
    let mut text = String::new();
    let is_text = |value: &Value| matches!(value, Value::String(_));
    for (at, value) in arguments.iter().enumerate() {
        if at > 0 && !is_text(value) && !is_text(&arguments[at - 1]) {
            text.push(' ');
        }
        write(&mut text, value);
    }
    text
}

/// `fmt.Sprintln`
fn println(arguments: &[Value]) -> String {
    let mut text = String::new();
    for (at, value) in arguments.iter().enumerate() {
        text.push_str(if at > 0 { " " } else { "" });
        write(&mut text, value);
    }
    text.push('\n');
    text
}

/// `fmt.Sprintf`, as gotmpl does it, if no width or precision is too large.
fn printf(arguments: &[Value]) -> Result<String, TemplateError> {
    let Some(first) = arguments.first() else {
        return Err(TemplateError::ArgCount { name: "printf".to_owned(), expected: 1, got: 0 });
    };
    if let Value::String(format) = first {
        check_widths(format, &arguments[1..]).map_err(TemplateError::Exec)?;
    }
    let indices: String = (0..arguments.len()).map(|at| format!(" (index . {at})")).collect();
    Template::new("printf")
        .parse(&format!("{{{{printf{indices}}}}}"))?
        .execute_to_string(&Value::List(arguments.into()))
}

fn check_widths(format: &str, arguments: &[Value]) -> Result<(), String> {
    let too_large = || format!("printf: a width or precision is larger than {MAX_WIDTH}");
    let mut has_star = false;
    let mut total = 0_usize;
    for directive in format.split('%').skip(1) {
        let end = directive.find(|c: char| !"+-# .*[]0123456789".contains(c));
        let flags = &directive[..end.unwrap_or(directive.len())];
        has_star |= flags.contains('*');
        for number in flags.split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty()) {
            match number.parse::<usize>() {
                Ok(number) if number <= MAX_WIDTH => total += number,
                _ => return Err(too_large()),
            }
        }
    }
    let is_large = |value: &Value| {
        let number = match value {
            Value::Int(number) => number.unsigned_abs(),
            Value::Uint(number) => *number,
            _ => 0,
        };
        number > MAX_WIDTH as u64
    };
    // One format may have many widths.
    let is_too_large = total > 1 << 24 || has_star && arguments.iter().any(is_large);
    if is_too_large { Err(too_large()) } else { Ok(()) }
}

/// Appends a value as Go's `%v` prints it. gotmpl never prints a float with an exponent.
fn write(text: &mut String, value: &Value) {
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Float(number) => write!(text, "{}", go::float(*number)),
        Value::List(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { " " } else { "" });
                write(text, item);
            }
            text.write_char(']')
        }
        Value::Map(fields) => {
            text.push_str("map[");
            for (at, (key, value)) in fields.iter().enumerate() {
                text.push_str(if at > 0 { " " } else { "" });
                text.push_str(key);
                text.push(':');
                write(text, value);
            }
            text.write_char(']')
        }
        other => write!(text, "{other}"),
    };
}

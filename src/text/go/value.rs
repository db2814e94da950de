//! JSON values as Go's `fmt` prints them, for kubectl's templates.

use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::quote::quote;

/// A number in kubectl: an `int64` if it fits, otherwise a `float64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Numeric {
    /// `int64`
    Int(i64),
    /// `float64`
    Float(f64),
}

impl From<&Number> for Numeric {
    fn from(number: &Number) -> Self {
        match number.as_i64() {
            Some(integer) => Self::Int(integer),
            // Without the feature `arbitrary_precision`, every number converts to f64.
            None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }
}

/// `%v` of a `float64`: the shortest digits of this number, with an exponent from 1e+06 on.
pub fn float(number: f64) -> String {
    let (digits, exponent) = digits(number);
    if number == 0.0 || (-4..6).contains(&exponent) {
        return number.to_string();
    }
    with_exponent(number, &digits, exponent)
}

/// A `float64` as `encoding/json` writes it.
pub fn json_float(number: f64) -> String {
    let (digits, exponent) = digits(number);
    if number == 0.0 || (-6..21).contains(&exponent) {
        return number.to_string();
    }
    // Unlike `fmt`, `encoding/json` does not pad a negative exponent of one digit.
    with_exponent(number, &digits, exponent).replace("e-0", "e-")
}

/// The shortest digits of a number, and the exponent of the first digit.
fn digits(number: f64) -> (String, i32) {
    let text = format!("{:e}", number.abs());
    match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or_default()),
        None => (text, 0),
    }
}

fn with_exponent(number: f64, digits: &str, exponent: i32) -> String {
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let direction = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{digits}e{direction}{:02}", exponent.unsigned_abs())
}

/// `%v`: `map[a:1 b:[x y]]`.
pub fn plain(value: &Value) -> String {
    let mut text = String::new();
    write_plain(&mut text, value);
    text
}

fn write_plain(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&numeric(number, float)),
        Value::String(string) => text.push_str(string),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { " " } else { "" });
                write_plain(text, item);
            }
            text.push(']');
        }
        Value::Object(map) => {
            text.push_str("map[");
            for (at, (key, value)) in map.iter().enumerate() {
                let separator = if at > 0 { " " } else { "" };
                // Writing to a String cannot fail.
                let _ = write!(text, "{separator}{key}:");
                write_plain(text, value);
            }
            text.push(']');
        }
    }
}

/// `%#v`: `map[string]interface {}{"a":1}`.
pub fn syntax(value: &Value) -> String {
    let mut text = String::new();
    write_syntax(&mut text, value);
    text
}

fn write_syntax(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("interface {}(nil)"),
        Value::String(string) => text.push_str(&quote(string)),
        Value::Array(items) => {
            text.push_str("[]interface {}{");
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                write_syntax(text, item);
            }
            text.push('}');
        }
        Value::Object(map) => {
            text.push_str("map[string]interface {}{");
            for (at, (key, value)) in map.iter().enumerate() {
                let separator = if at > 0 { ", " } else { "" };
                let _ = write!(text, "{separator}{}:", quote(key));
                write_syntax(text, value);
            }
            text.push('}');
        }
        other => write_plain(text, other),
    }
}

/// Formats a number. `float` is the format of numbers that are no `int64`.
pub fn numeric(number: &Number, float: fn(f64) -> String) -> String {
    match Numeric::from(number) {
        Numeric::Int(integer) => integer.to_string(),
        Numeric::Float(number) => float(number),
    }
}

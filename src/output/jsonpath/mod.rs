//! kubectl's dialect of JSONPath (client-go's `util/jsonpath`): text with `{…}` in it.
//!
//! If client-go's library panics, this module returns an error.

mod compare;
mod eval;
mod item;
mod parser;
mod unquote;

use std::borrow::Cow;

use serde_json::Value;

use self::eval::Evaluation;
use self::item::Item;
use self::parser::Node;
use super::json;
use crate::text::go;

/// The largest output: a template can print its object many times.
const MAX_OUTPUT: usize = 64 << 20;

/// A parsed template.
#[derive(Debug, Clone)]
pub struct JsonPath {
    nodes: Vec<Node>,
}

/// The form of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    /// `jsonpath`: the results of one `{…}` separated by spaces.
    Text,
    /// `jsonpath-as-json`: an array for each `{…}`.
    Json,
}

impl JsonPath {
    /// Parses a template.
    ///
    /// # Errors
    /// The errors of client-go's parser: `unclosed action`, `unterminated array`, …
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { nodes: parser::parse(text)? })
    }

    /// Executes the template on `object`. With `missing_keys`, a missing field gives an empty result;
    /// otherwise it is an error.
    ///
    /// # Errors
    /// The errors of client-go's evaluator: `nope is not found`, `array index out of bounds: …`, …
    pub fn execute(
        &self,
        object: &Value,
        missing_keys: bool,
        rendering: Rendering,
    ) -> Result<String, String> {
        let results = Evaluation::new(missing_keys).run(&self.nodes, object)?;
        let mut text = String::new();
        for items in results {
            match rendering {
                Rendering::Text => write_text(&mut text, &items)?,
                Rendering::Json => write_array(&mut text, &items)?,
            }
        }
        Ok(text)
    }
}

fn write_text(text: &mut String, items: &[Item<'_>]) -> Result<(), String> {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        match item {
            Item::Value(value) => text.push_str(&shown(value)),
            Item::Byte(byte) => text.push_str(&byte.to_string()),
            Item::Nothing => return Err("cannot print a missing value".to_owned()),
        }
        check_size(text)?;
    }
    Ok(())
}

fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(string) => Cow::Borrowed(string),
        Value::Array(_) | Value::Object(_) => Cow::Owned(json::compact(value)),
        Value::Null => Cow::Borrowed("null"),
        other => Cow::Owned(go::plain(other)),
    }
}

fn write_array(text: &mut String, items: &[Item<'_>]) -> Result<(), String> {
    let mut values = Vec::new();
    let mut size = text.len();
    for item in items {
        let value = match item {
            Item::Value(value) => (*value).clone(),
            Item::Byte(byte) => Value::from(*byte),
            Item::Nothing => Value::Null,
        };
        size += json::compact(&value).len();
        if size > MAX_OUTPUT {
            return Err(TOO_LARGE.to_owned());
        }
        values.push(value);
    }
    text.push_str(&json::print(&Value::Array(values)));
    check_size(text)
}

const TOO_LARGE: &str = "the output is too large";

fn check_size(text: &str) -> Result<(), String> {
    if text.len() > MAX_OUTPUT { Err(TOO_LARGE.to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests;

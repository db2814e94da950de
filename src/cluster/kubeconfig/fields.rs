//! JSON values as typed fields, by the rules and with the error texts of Go's `encoding/json`.
//!
//! `null` is the empty value of every type. `owner` is the Go struct, and `path` the field in it,
//! with all fields above it.

use serde_json::{Map, Value};

use crate::text::go::base64;

type Read<T> = Result<T, String>;

/// Go's text for a value of the wrong type.
fn mismatch(value: &Value, owner: &str, path: &str, go_type: &str) -> String {
    let kind = kind_of(value);
    format!("json: cannot unmarshal {kind} into Go struct field {owner}.{path} of type {go_type}")
}

/// Go's word for the type of a JSON value.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The fields of a document, before its `apiVersion` and `kind` are known. `null` has none.
pub(crate) fn top_level(document: Value) -> Read<Map<String, Value>> {
    match document {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        other => Err(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into \
             Go value of type struct {{ APIVersion string \
             \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
             \"json:\\\"kind,omitempty\\\"\" }}",
            kind_of(&other)
        )),
    }
}

pub(crate) fn text(value: Value, owner: &str, path: &str) -> Read<String> {
    text_named(value, owner, path, "string")
}

/// Text with a named Go type.
pub(crate) fn text_named(value: Value, owner: &str, path: &str, go_type: &str) -> Read<String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Ok(String::new()),
        other => Err(mismatch(&other, owner, path, go_type)),
    }
}

pub(super) fn boolean(value: Value, owner: &str, path: &str) -> Read<bool> {
    match value {
        Value::Bool(yes) => Ok(yes),
        Value::Null => Ok(false),
        other => Err(mismatch(&other, owner, path, "bool")),
    }
}

/// Base64 text, checked and not decoded.
pub(super) fn base64(value: Value, owner: &str, path: &str) -> Read<String> {
    let text = text_named(value, owner, path, "[]uint8")?;
    base64::check(&text)?;
    Ok(text)
}

pub(crate) fn list(value: Value, owner: &str, path: &str, go_type: &str) -> Read<Vec<Value>> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        other => Err(mismatch(&other, owner, path, go_type)),
    }
}

pub(crate) fn texts(value: Value, owner: &str, path: &str) -> Read<Vec<String>> {
    list(value, owner, path, "[]string")?.into_iter().map(|item| text(item, owner, path)).collect()
}

pub(crate) fn object(
    value: Value,
    owner: &str,
    path: &str,
    go_type: &str,
) -> Read<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        other => Err(mismatch(&other, owner, path, go_type)),
    }
}

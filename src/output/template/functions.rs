//! The functions that kubectl adds to Go's templates, and the values of an object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotmpl::{Template, TemplateError, Value};
use serde_json::Value as Json;

use crate::text::go::Numeric;

/// The template with kubectl's functions.
pub fn register(template: Template) -> Template {
    template
        .func("exists", |arguments| match arguments {
            [] => Err(wrong_count("exists")),
            // Without an index, even a missing value exists.
            [_] => Ok(Value::Bool(true)),
            [item, indices @ ..] => Ok(Value::Bool(exists(item, indices))),
        })
        .func("base64decode", |arguments| match arguments {
            [Value::String(text)] => base64decode(text),
            [_] => Err(TemplateError::Exec("wrong type for value; expected string".to_owned())),
            _ => Err(wrong_count("base64decode")),
        })
}

fn wrong_count(name: &str) -> TemplateError {
    TemplateError::ArgCount { name: name.to_owned(), expected: 1, got: 0 }
}

/// True if `index` finds a value.
fn exists(item: &Value, indices: &[Value]) -> bool {
    let mut item = item.clone();
    for index in indices {
        let next = match (&item, index) {
            (Value::Map(map), Value::String(key)) => map.get(key).cloned().unwrap_or(Value::Nil),
            (Value::List(items), Value::Int(at)) => {
                match usize::try_from(*at).ok().and_then(|at| items.get(at)) {
                    Some(item) => item.clone(),
                    None => return false,
                }
            }
            (Value::String(text), Value::Int(at)) => {
                match usize::try_from(*at).ok().and_then(|at| text.as_bytes().get(at)) {
                    Some(byte) => Value::Uint(u64::from(*byte)),
                    None => return false,
                }
            }
            _ => return false,
        };
        item = next;
    }
    !matches!(item, Value::Nil)
}

fn base64decode(text: &str) -> Result<Value, TemplateError> {
    // Go's decoder ignores line breaks.
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    match STANDARD.decode(&text) {
        Ok(bytes) => Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned().into())),
        Err(error) => {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _) => at,
                _ => text.len() / 4 * 4,
            };
            Err(TemplateError::Exec(format!(
                "base64 decode failed: illegal base64 data at input byte {at}"
            )))
        }
    }
}

/// Converts an object. Its numbers get the types that they have in kubectl.
pub fn to_value(value: &Json) -> Value {
    match value {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match Numeric::from(number) {
            Numeric::Int(integer) => Value::Int(integer),
            Numeric::Float(float) => Value::Float(float),
        },
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(items) => Value::List(items.iter().map(to_value).collect()),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.as_str().into(), to_value(value)));
            Value::Map(std::sync::Arc::new(entries.collect()))
        }
    }
}

//! Comparisons in filters, by the rules of Go's templates: both sides must have the same type.

use std::cmp::Ordering;

use serde_json::Value;

use super::item::Item;
use crate::text::go::Numeric;

enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Uint(u8),
    Float(f64),
    Text(&'a str),
}

/// The result of `left operator right`.
///
/// # Errors
/// The values cannot be compared, or the operator is unknown.
pub fn compare(operator: &str, left: &Item<'_>, right: &Item<'_>) -> Result<bool, String> {
    match operator {
        "==" => equal(left, right),
        "!=" => Ok(!equal(left, right)?),
        "<" => less(left, right),
        "<=" => Ok(less(left, right)? || equal(left, right)?),
        ">" => Ok(!(less(left, right)? || equal(left, right)?)),
        ">=" => Ok(!less(left, right)?),
        _ => Err(format!("unrecognized filter operator {operator}")),
    }
}

fn equal(left: &Item<'_>, right: &Item<'_>) -> Result<bool, String> {
    match (basic(left)?, basic(right)?) {
        (Basic::Bool(left), Basic::Bool(right)) => Ok(left == right),
        (left, right) => Ok(order(&left, &right)? == Some(Ordering::Equal)),
    }
}

fn less(left: &Item<'_>, right: &Item<'_>) -> Result<bool, String> {
    let (left, right) = (basic(left)?, basic(right)?);
    if let (Basic::Bool(_), Basic::Bool(_)) = (&left, &right) {
        return Err(BAD_TYPE.to_owned());
    }
    Ok(order(&left, &right)? == Some(Ordering::Less))
}

fn order(left: &Basic<'_>, right: &Basic<'_>) -> Result<Option<Ordering>, String> {
    match (left, right) {
        (Basic::Int(left), Basic::Int(right)) => Ok(Some(left.cmp(right))),
        (Basic::Uint(left), Basic::Uint(right)) => Ok(Some(left.cmp(right))),
        (Basic::Float(left), Basic::Float(right)) => Ok(left.partial_cmp(right)),
        (Basic::Text(left), Basic::Text(right)) => Ok(Some(left.cmp(right))),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

const BAD_TYPE: &str = "invalid type for comparison";

fn basic<'a>(item: &'a Item<'_>) -> Result<Basic<'a>, String> {
    let value = match item {
        Item::Value(value) => *value,
        Item::Byte(byte) => return Ok(Basic::Uint(*byte)),
        Item::Nothing => return Err(BAD_TYPE.to_owned()),
    };
    match value {
        Value::Bool(flag) => Ok(Basic::Bool(*flag)),
        Value::String(text) => Ok(Basic::Text(text)),
        Value::Number(number) => Ok(match Numeric::from(number) {
            Numeric::Int(integer) => Basic::Int(integer),
            Numeric::Float(float) => Basic::Float(float),
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(BAD_TYPE.to_owned()),
    }
}

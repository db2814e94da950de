//! JSON values of Locust.

use serde_json::Value;

/// Returns the value if it is an object. Serde would also read an array, as the fields in their order.
pub fn object(value: Value) -> Option<Value> {
    value.is_object().then_some(value)
}

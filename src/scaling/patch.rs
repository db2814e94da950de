//! The JSON Patch that changes a count only if the count is still the old one.

use serde_json::{Value, json};

/// A test of the old count and an `add` of the new count.
///
/// The server leaves out a count of zero. The test is then for `null`, because a test for 0 would
/// fail. `add` sets the field whether it exists or not. A custom resource without a count gets no
/// test.
pub(super) fn tested_patch(old: Option<i64>, new: i64) -> Value {
    let add = json!({"op": "add", "path": "/spec/replicas", "value": new});
    let Some(old) = old else { return json!([add]) };
    let tested = if old == 0 { Value::Null } else { old.into() };
    json!([{"op": "test", "path": "/spec/replicas", "value": tested}, add])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_zero_is_tested_as_null() {
        assert_eq!(
            tested_patch(Some(0), 2).to_string(),
            r#"[{"op":"test","path":"/spec/replicas","value":null},{"op":"add","path":"/spec/replicas","value":2}]"#
        );
        assert_eq!(
            tested_patch(None, 2).to_string(),
            r#"[{"op":"add","path":"/spec/replicas","value":2}]"#
        );
        assert_eq!(
            tested_patch(Some(3), 0).to_string(),
            r#"[{"op":"test","path":"/spec/replicas","value":3},{"op":"add","path":"/spec/replicas","value":0}]"#
        );
    }
}

//! The patch that changes a count only if it is still the old one.

use serde_json::{Value, json};

/// At zero the server leaves the field out, so the test there is for `null`: one for the number 0
/// would fail. `add` sets a field that is absent as well as one that is there. A custom resource
/// without a count has nothing that could be tested.
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
    fn zero_is_tested_as_null_since_the_server_leaves_it_out() {
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

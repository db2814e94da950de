//! The patches that change a count only if it is still the old one.

use serde_json::{Value, json};

use super::count_location::CountLocation;

/// A test of the old count and an `add` of the new count.
///
/// A Scale leaves out a count of zero. The test is then for `null`, because a test for 0 would fail. In
/// an object, zero is 0, and `null` stands for a missing count. `add` sets the field whether it exists or
/// not. A custom resource whose Scale has no count gets no test.
pub(super) fn tested_patch(location: CountLocation, old: Option<i64>, new: i64) -> Value {
    let path = format!("/spec/{}", location.field());
    let add = json!({"op": "add", "path": path, "value": new});
    let tested = match (location, old) {
        (CountLocation::Scale, None) => return json!([add]),
        (CountLocation::Scale, Some(0)) | (CountLocation::Field(_), None) => Value::Null,
        (_, Some(old)) => old.into(),
    };
    json!([{"op": "test", "path": path, "value": tested}, add])
}

/// A merge patch that the server refuses if the object has another resource version.
pub(super) fn versioned_patch(location: CountLocation, version: &str, new: i64) -> Value {
    json!({"metadata": {"resourceVersion": version}, "spec": {location.field(): new}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_zero_is_tested_as_null() {
        assert_eq!(
            tested_patch(CountLocation::Scale, Some(0), 2).to_string(),
            r#"[{"op":"test","path":"/spec/replicas","value":null},{"op":"add","path":"/spec/replicas","value":2}]"#
        );
        assert_eq!(
            tested_patch(CountLocation::Scale, None, 2).to_string(),
            r#"[{"op":"add","path":"/spec/replicas","value":2}]"#
        );
        assert_eq!(
            tested_patch(CountLocation::Scale, Some(3), 0).to_string(),
            r#"[{"op":"test","path":"/spec/replicas","value":3},{"op":"add","path":"/spec/replicas","value":0}]"#
        );
    }
    #[test]
    fn in_an_object_zero_is_a_number() {
        for (old, tested) in [(Some(0), "0"), (Some(3), "3"), (None, "null")] {
            let expected = format!(
                r#"[{{"op":"test","path":"/spec/workers","value":{tested}}},{{"op":"add","path":"/spec/workers","value":2}}]"#
            );
            assert_eq!(tested_patch(CountLocation::Field("workers"), old, 2).to_string(), expected);
        }
    }
}

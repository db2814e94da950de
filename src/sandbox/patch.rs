//! The three kinds of patch, as lenient as the real server.

use json_patch::{Patch, PatchOperation};
use serde_json::{Map, Value};

use super::status::Failure;

/// The kind of patch that `Content-Type` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatchKind {
    Json,
    Merge,
    StrategicMerge,
}

impl PatchKind {
    /// Server-side apply is not supported.
    pub(super) fn from_content_type(content_type: &str) -> Result<Self, Failure> {
        match content_type.split(';').next().unwrap_or("").trim() {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" => Ok(Self::StrategicMerge),
            _ => Err(Failure::unsupported_media_type()),
        }
    }
}

/// The real server's limit for the size of copies.
const MAX_COPIED: usize = 3 * 1024 * 1024;

/// Applies a patch to an object.
pub(super) fn apply(kind: PatchKind, body: &[u8], object: &Value) -> Result<Value, Failure> {
    let mut patched = object.clone();
    match kind {
        PatchKind::Json => {
            for operation in operations(body)? {
                let grows = operation["op"] == "copy";
                apply_operation(&mut patched, operation)?;
                // Copies of copies double in size each time.
                if grows && patched.to_string().len() > MAX_COPIED {
                    return Err(Failure::too_large(MAX_COPIED));
                }
            }
        }
        PatchKind::Merge => {
            let patch = decode_object(body, "Invalid JSON Patch")?;
            json_patch::merge(&mut patched, &patch);
        }
        PatchKind::StrategicMerge => {
            let patch = decode_object(body, "invalid character in patch")?;
            merge_strategically(&mut patched, &patch);
        }
    }
    Ok(patched)
}

fn decode_object(body: &[u8], problem: &str) -> Result<Value, Failure> {
    match serde_json::from_slice(body) {
        Ok(patch @ Value::Object(_)) => Ok(patch),
        _ => Err(Failure::bad_request(problem)),
    }
}

/// Go's message for JSON that does not parse.
pub(super) fn json_problem(body: &[u8], error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let line =
        body.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = line.get(error.column().saturating_sub(1)).copied().unwrap_or(b' ');
    format!("invalid character '{}' looking for beginning of value", char::from(at))
}

fn operations(body: &[u8]) -> Result<Vec<Value>, Failure> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(operations)) => Ok(operations),
        Ok(other) => {
            let found = go_type(&other);
            let problem =
                format!("json: cannot unmarshal {found} into Go value of type jsonpatch.Patch");
            Err(Failure::bad_request(format!("error decoding patch: {problem}")))
        }
        Err(error) => Err(Failure::bad_request(format!(
            "error decoding patch: {}",
            json_problem(body, &error)
        ))),
    }
}

/// The name of a JSON value in Go's messages.
pub(super) fn go_type(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(number) => format!("number {number}"),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
    }
}

/// Applies an operation of RFC 6902. The server's library differs from it in two points: a missing
/// member tests equal to null, and `replace` adds a missing member.
fn apply_operation(object: &mut Value, mut operation: Value) -> Result<(), Failure> {
    let does_not_apply = |_| Failure::patch_does_not_apply();
    if operation["op"] == "test" && operation.get("value").is_none() {
        operation["value"] = Value::Null;
    }
    let absent = operation["path"].as_str().is_some_and(|path| names_absent_member(object, path));
    if absent && operation["op"] == "test" {
        let holds = operation["value"].is_null();
        return if holds { Ok(()) } else { Err(Failure::patch_does_not_apply()) };
    }
    if absent && operation["op"] == "replace" {
        operation["op"] = Value::from("add");
    }
    let operation: PatchOperation =
        serde_json::from_value(operation).map_err(|_| Failure::patch_does_not_apply())?;
    let patch = Patch(vec![operation]);
    json_patch::patch(object, &patch.0).map_err(does_not_apply)
}

/// True if the path leads to an object that does not have the member.
fn names_absent_member(object: &Value, path: &str) -> bool {
    let Some((parent, key)) = path.rsplit_once('/') else { return false };
    let key = key.replace("~1", "/").replace("~0", "~");
    object
        .pointer(parent)
        .and_then(Value::as_object)
        .is_some_and(|parent| !parent.contains_key(&key))
}

/// The merge key of a list. Lists without a merge key are replaced.
fn merge_key(field: &str) -> Option<&'static str> {
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "conditions" => Some("type"),
        "ownerReferences" => Some("uid"),
        _ => None,
    }
}

fn merge_strategically(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() || patch.get("$patch").is_some_and(|directive| directive == "replace") {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    // Other directives ($setElementOrder, $retainKeys) only concern order and unions.
    for (field, value) in patch.iter().filter(|(field, _)| !field.starts_with('$')) {
        match (value, merge_key(field), target.get_mut(field)) {
            (Value::Null, _, _) => {
                target.remove(field);
            }
            (Value::Array(changes), Some(key), Some(Value::Array(items))) => {
                merge_list(items, changes, key)
            }
            (Value::Object(_), _, Some(present)) => merge_strategically(present, value),
            (Value::Object(_), _, None) => {
                let mut fresh = Value::Object(Map::new());
                merge_strategically(&mut fresh, value);
                target.insert(field.clone(), fresh);
            }
            _ => {
                target.insert(field.clone(), value.clone());
            }
        }
    }
}

fn merge_list(items: &mut Vec<Value>, changes: &[Value], key: &str) {
    for change in changes {
        let same = |item: &Value| item[key] == change[key];
        if change["$patch"] == "delete" {
            items.retain(|item| !same(item));
        } else if let Some(item) = items.iter_mut().find(|item| same(item)) {
            merge_strategically(item, change);
        } else {
            items.push(change.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn json_patch(operations: &Value, object: &Value) -> Result<Value, u16> {
        apply(PatchKind::Json, operations.to_string().as_bytes(), object)
            .map_err(|failure| failure.code)
    }

    #[test]
    fn absent_members_equal_null_and_can_be_replaced() {
        let zero = json!({"spec": {}});
        let replace = json!({"op": "replace", "path": "/spec/replicas", "value": 2});
        let test = |value: Value| json!({"op": "test", "path": "/spec/replicas", "value": value});
        let two = Ok(json!({"spec": {"replicas": 2}}));
        assert_eq!(json_patch(&json!([test(json!(null)), replace]), &zero), two);
        assert_eq!(
            json_patch(&json!([{"op": "test", "path": "/spec/replicas"}, replace]), &zero),
            two
        );
        assert_eq!(json_patch(&json!([test(json!(0)), replace]), &zero), Err(422));
        assert_eq!(
            json_patch(&json!([{"op": "remove", "path": "/spec/replicas"}]), &zero),
            Err(422)
        );
        assert_eq!(
            json_patch(&json!([{"op": "replace", "path": "/x/y", "value": 1}]), &zero),
            Err(422)
        );
    }

    #[test]
    fn malformed_patches_are_bad_requests() {
        for (body, message) in [
            ("[{", "error decoding patch: unexpected end of JSON input"),
            ("", "error decoding patch: unexpected end of JSON input"),
            (
                "{}",
                "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch",
            ),
        ] {
            let failure = apply(PatchKind::Json, body.as_bytes(), &json!({})).unwrap_err();
            assert_eq!((failure.code, failure.status()["message"].as_str()), (400, Some(message)));
        }
    }

    #[test]
    fn strategic_merge_matches_containers_by_name() {
        let object = json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "args": [1]}});
        let patch = json!({"spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}],
            "args": [2],
        }});
        let patched =
            apply(PatchKind::StrategicMerge, patch.to_string().as_bytes(), &object).unwrap();
        assert_eq!(
            patched,
            json!({"spec": {"containers": [{"name": "a", "image": "2"}], "args": [2]}})
        );
    }
}

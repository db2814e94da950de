//! The scale subresource. It has the same form for several types.

use serde_json::{Value, json};

use super::{
    object,
    patch::{self, PatchKind},
    resource_type::ResourceType,
    selector,
    status::Failure,
};

/// The value of an unset count while a Scale is changed, as in apiextensions-apiserver.
const UNSET: i32 = i32::MIN;

/// The Scale of an object. Error 500 if its count is not set.
pub(super) fn of(kind: &ResourceType, parent: &Value) -> Result<Value, Failure> {
    if count_of(kind, parent) == i64::from(UNSET) {
        let problem = format!("the spec replicas field {:?} does not exist", path(kind));
        return Err(Failure::internal(&problem));
    }
    Ok(to_change(kind, parent))
}

/// The path of the count, as in a CustomResourceDefinition.
fn path(kind: &ResourceType) -> String {
    format!(".spec.{}", kind.count())
}

fn count_of(kind: &ResourceType, parent: &Value) -> i64 {
    let unset = if kind.custom.is_some() { i64::from(UNSET) } else { 0 };
    parent["spec"][kind.count()].as_i64().unwrap_or(unset)
}

/// The Scale that a change starts from. Its spec is empty if the count is zero.
fn to_change(kind: &ResourceType, parent: &Value) -> Value {
    let metadata = &parent["metadata"];
    let mut scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": {},
        "status": { "replicas": parent["status"][kind.count()].as_i64().unwrap_or(0) },
    });
    let replicas = count_of(kind, parent);
    if replicas != 0 {
        scale["spec"]["replicas"] = json!(replicas);
    }
    let written = selector::written(&parent["spec"]["selector"]);
    if !written.is_empty() {
        scale["status"]["selector"] = json!(written);
    }
    scale
}

/// The object after a patch of its Scale.
pub(super) fn patched(
    kind: &ResourceType,
    parent: &Value,
    how: PatchKind,
    body: &[u8],
) -> Result<Value, Failure> {
    let scale = patch::apply(how, body, &to_change(kind, parent))?;
    let replicas = replicas_of(&scale).map_err(|problem| {
        let problem = format!("Invalid value: {:?}: {problem}", as_go_writes(&scale));
        anonymous_invalid(&problem)
    })?;
    with_replicas(kind, parent, &scale, replicas)
}

/// The object after a PUT of its Scale.
pub(super) fn updated(kind: &ResourceType, parent: &Value, body: &[u8]) -> Result<Value, Failure> {
    let scale: Value = serde_json::from_slice(body).map_err(|error| {
        let problem = patch::json_problem(body, &error);
        Failure::bad_request(format!("couldn't get version/kind; json parse error: {problem}"))
    })?;
    if scale["kind"].as_str().is_some_and(|kind| kind != "Scale") {
        let (kind, version) = (object::text(&scale, "/kind"), object::text(&scale, "/apiVersion"));
        let message = format!(
            "the API version in the data ({version}, Kind={kind}) does not match the expected API version (autoscaling/v1, Kind=Scale)"
        );
        return Err(Failure::bad_request(message));
    }
    let replicas = replicas_of(&scale).map_err(|problem| {
        Failure::bad_request(format!(
            "Scale in version \"v1\" cannot be handled as a Scale: {problem}"
        ))
    })?;
    let name = object::name(parent);
    let given = object::name(&scale);
    if given != name {
        let message =
            format!("the name of the object ({given}) does not match the name on the URL ({name})");
        return Err(Failure::bad_request(message));
    }
    with_replicas(kind, parent, &scale, replicas)
}

fn with_replicas(
    kind: &ResourceType,
    parent: &Value,
    scale: &Value,
    replicas: i32,
) -> Result<Value, Failure> {
    let name = object::name(parent);
    if kind.custom.is_some() && replicas == UNSET {
        let problem = format!("the spec replicas field {:?} cannot be empty", path(kind));
        return Err(Failure::bad_request(problem));
    }
    // The count of a custom type is validated with the type.
    if replicas < 0 && kind.custom.is_none() {
        let problem = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        return Err(Failure::invalid(
            "autoscaling",
            "Scale",
            name,
            "FieldValueInvalid",
            "spec.replicas",
            &problem,
        ));
    }
    let version = object::text(scale, "/metadata/resourceVersion");
    if !version.is_empty() && version != object::text(parent, "/metadata/resourceVersion") {
        return Err(Failure::conflict(kind, name));
    }
    let mut parent = parent.clone();
    object::member(&mut parent, "spec").insert(kind.count().to_owned(), json!(replicas));
    Ok(parent)
}

/// `spec.replicas` as Go decodes it into an int32. A missing or null value is 0.
fn replicas_of(scale: &Value) -> Result<i32, String> {
    let refuse = |found: &Value, place: &str| {
        Err(format!("json: cannot unmarshal {} into Go {place}", patch::go_type(found)))
    };
    if !scale.is_object() {
        return refuse(scale, "value of type v1.Scale");
    }
    if !scale["spec"].is_object() && !scale["spec"].is_null() {
        return refuse(&scale["spec"], "struct field Scale.spec of type v1.ScaleSpec");
    }
    match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => Ok(0),
        Some(value) => value.as_i64().and_then(|n| i32::try_from(n).ok()).ok_or_else(|| {
            let found = patch::go_type(value);
            format!("json: cannot unmarshal {found} into Go struct field ScaleSpec.spec.replicas of type int32")
        }),
    }
}

/// The refusal of a patch's result. The result has neither kind nor name at that point.
fn anonymous_invalid(problem: &str) -> Failure {
    Failure::invalid("", "", "", "FieldValueInvalid", "patch", problem)
}

/// The Scale as the server quotes it: members sorted, metadata in the order of its declaration.
fn as_go_writes(scale: &Value) -> String {
    let ordered = |object: &Value, fields: &[&str]| {
        let members = object.as_object().into_iter().flatten();
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|(key, _)| {
            fields.iter().position(|field| field == key).unwrap_or(fields.len())
        });
        let members: Vec<_> =
            members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let metadata = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"];
    let parts = scale.as_object().into_iter().flatten().map(|(key, value)| match key.as_str() {
        "metadata" => format!("\"{key}\":{}", ordered(value, &metadata)),
        "status" => format!("\"{key}\":{}", ordered(value, &["replicas", "selector"])),
        _ => format!("\"{key}\":{value}"),
    });
    format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::resources::by_plural;

    #[test]
    fn only_an_integer_is_a_valid_count() {
        for (scale, expected) in [
            (json!({"spec": {"replicas": 3}}), Some(3)),
            (json!({"spec": {}}), Some(0)),
            (json!({"spec": {"replicas": null}}), Some(0)),
            (json!({"spec": {"replicas": 2_147_483_648_i64}}), None),
            (json!({"spec": {"replicas": "3"}}), None),
            (json!({"spec": 3}), None),
            (json!([]), None),
        ] {
            assert_eq!(replicas_of(&scale).ok(), expected, "{scale}");
        }
    }

    #[test]
    fn at_zero_the_spec_is_empty() {
        let parent =
            json!({"metadata": {"name": "a"}, "spec": {"replicas": 0, "selector": {"app": "a"}}});
        let deployments = by_plural("deployments").unwrap();
        let scale = of(deployments, &parent).unwrap();
        assert_eq!(scale["spec"], json!({}));
        assert_eq!(scale["status"], json!({"replicas": 0, "selector": "app=a"}));
    }

    #[test]
    fn an_unset_custom_count_is_not_zero() {
        let swarms = by_plural("swarms").unwrap();
        let unset = json!({"metadata": {"name": "unset"}, "spec": {}});
        let change = |operations: Value| {
            patched(swarms, &unset, PatchKind::Json, operations.to_string().as_bytes())
        };
        let add = json!({"op": "add", "path": "/spec/replicas", "value": 2});
        let test = |value: Value| json!({"op": "test", "path": "/spec/replicas", "value": value});
        assert_eq!(of(swarms, &unset).unwrap_err().code, 500);
        assert_eq!(change(json!([add])).unwrap()["spec"], json!({"workers": 2}));
        assert_eq!(change(json!([test(json!(null)), add])).unwrap_err().code, 422);
        assert!(change(json!([test(json!(i32::MIN)), add])).is_ok());
        assert_eq!(change(json!([])).unwrap_err().code, 400);
    }
}

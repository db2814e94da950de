//! A type from a CustomResourceDefinition: `swarms.load.example.com`. Its scale subresource maps to
//! `.spec.workers`. It is served in a current and in a deprecated version.

use serde_json::Value;

use super::{
    object,
    resource_type::{CustomType, ResourceType, Subresource, core},
    status::Failure,
};

const SWARMS: ResourceType = ResourceType {
    group: "load.example.com",
    short_names: &["sw"],
    subresources: &[Subresource::Status, Subresource::Scale],
    custom: Some(CustomType { count: "workers", deprecation: None }),
    ..core("swarms", "swarm", "Swarm", "1pXajLVf68g=")
};

/// The versions. The first one is the preferred one and the stored one.
pub(super) const TYPES: &[ResourceType] = &[
    SWARMS,
    ResourceType {
        version: "v1alpha1",
        custom: Some(CustomType {
            count: "workers",
            deprecation: Some(
                "load.example.com/v1alpha1 Swarm is deprecated; use load.example.com/v1 Swarm",
            ),
        }),
        ..SWARMS
    },
];

/// The object in the requested version. Here the versions of a type differ in nothing else.
pub(super) fn in_version(kind: &ResourceType, object: &Value) -> Value {
    let mut object = object.clone();
    if kind.custom.is_some() || kind.group == "autoscaling" {
        object["apiVersion"] = Value::from(kind.api_version());
    }
    object
}

/// Refuses an invalid count, as apiextensions-apiserver's `ValidateScaleSpec` does.
pub(super) fn validate(kind: &ResourceType, object: &Value) -> Result<(), Failure> {
    let count = &object["spec"][kind.count()];
    let problem = match count.as_i64() {
        Some(number) if number < 0 => "should be a non-negative integer",
        Some(number) if i32::try_from(number).is_err() => {
            "should be less than or equal to 2147483647"
        }
        _ => return Ok(()),
    };
    let (name, field) = (object::name(object), format!(".spec.{}", kind.count()));
    let problem = format!("Invalid value: {count}: {problem}");
    Err(Failure::invalid(kind.group, kind.kind, name, "FieldValueInvalid", &field, &problem))
}

//! A type from a CustomResourceDefinition: `swarms.load.example.com`, whose scale subresource
//! stands for `.spec.workers`, served in a current and in a deprecated version.

use serde_json::Value;

use super::{
    object,
    resource_type::{Custom, ResourceType, Subresource, core},
    status::Failure,
};

const SWARMS: ResourceType = ResourceType {
    group: "load.example.com",
    short_names: &["sw"],
    subresources: &[Subresource::Status, Subresource::Scale],
    custom: Some(Custom { count: "workers", deprecation: None }),
    ..core("swarms", "swarm", "Swarm", "1pXajLVf68g=")
};

/// The preferred version, which is also the stored one, comes first.
pub(super) const TYPES: &[ResourceType] = &[
    SWARMS,
    ResourceType {
        version: "v1alpha1",
        custom: Some(Custom {
            count: "workers",
            deprecation: Some(
                "load.example.com/v1alpha1 Swarm is deprecated; use load.example.com/v1 Swarm",
            ),
        }),
        ..SWARMS
    },
];

/// The object in the version that was asked for: here versions of a type differ in nothing else.
pub(super) fn in_version(kind: &ResourceType, object: &Value) -> Value {
    let mut object = object.clone();
    if kind.custom.is_some() || kind.group == "autoscaling" {
        object["apiVersion"] = Value::from(kind.api_version());
    }
    object
}

/// Refuses a count that cannot be one, as apiextensions-apiserver's `ValidateScaleSpec` does.
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

//! Types from CustomResourceDefinitions.
//!
//! `swarms.load.example.com` is for tests: its scale subresource maps to `.spec.workers`, and it is
//! served in a current and in a deprecated version. The others are types that Locust is installed with.

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
    custom: Some(CustomType { count: "workers", minimum: 0, deprecation: None }),
    ..core("swarms", "swarm", "Swarm", "1pXajLVf68g=")
};

/// The object of Locust's own operator. It has no scale subresource.
const LOCUST_CLOUD_TESTS: ResourceType = ResourceType {
    group: "locust.cloud",
    short_names: &["locust", "lt"],
    subresources: &[Subresource::Status],
    custom: Some(CustomType { count: "workers", minimum: 1, deprecation: None }),
    ..core("locusttests", "locusttest", "LocustTest", "4fUZ0yTcBqk=")
};

/// The object of another operator, which ignores changes. It has no scale subresource.
const LOCUST_IO_TESTS: ResourceType = ResourceType {
    group: "locust.io",
    version: "v2",
    short_names: &["lotest"],
    subresources: &[Subresource::Status],
    custom: Some(CustomType { count: "workerReplicas", minimum: 1, deprecation: None }),
    ..core("locusttests", "locusttest", "LocustTest", "nUqXc1Ywb5M=")
};

/// The versions. The first one is the preferred one and the stored one.
pub(super) const TYPES: &[ResourceType] = &[
    SWARMS,
    ResourceType {
        version: "v1alpha1",
        custom: Some(CustomType {
            count: "workers",
            minimum: 0,
            deprecation: Some(
                "load.example.com/v1alpha1 Swarm is deprecated; use load.example.com/v1 Swarm",
            ),
        }),
        ..SWARMS
    },
    // OpenShift serves this type itself, so it has the behaviour of a built-in type.
    ResourceType {
        group: "apps.openshift.io",
        short_names: &["dc"],
        in_all: true,
        subresources: &[Subresource::Scale, Subresource::Status],
        ..core("deploymentconfigs", "deploymentconfig", "DeploymentConfig", "gu3H4B0Sb1U=")
    },
    ResourceType {
        group: "argoproj.io",
        version: "v1alpha1",
        short_names: &["ro"],
        subresources: &[Subresource::Scale, Subresource::Status],
        custom: Some(CustomType { count: "replicas", minimum: 0, deprecation: None }),
        ..core("rollouts", "rollout", "Rollout", "ZfU8Rk3mP2c=")
    },
    ResourceType {
        group: "keda.sh",
        version: "v1alpha1",
        short_names: &["so"],
        subresources: &[Subresource::Status],
        custom: Some(CustomType { count: "minReplicaCount", minimum: 0, deprecation: None }),
        ..core("scaledobjects", "scaledobject", "ScaledObject", "pN5dT7Qw1xA=")
    },
    LOCUST_CLOUD_TESTS,
    LOCUST_IO_TESTS,
    ResourceType { version: "v1", ..LOCUST_IO_TESTS },
];

/// The object in the requested version. Here the versions of a type differ in nothing else.
pub(super) fn in_version(kind: &ResourceType, object: &Value) -> Value {
    let mut object = object.clone();
    if kind.custom.is_some() || kind.group == "autoscaling" {
        object["apiVersion"] = Value::from(kind.api_version());
    }
    object
}

/// Refuses an invalid count, as apiextensions-apiserver's `ValidateScaleSpec` and the type's schema do.
pub(super) fn validate(kind: &ResourceType, object: &Value) -> Result<(), Failure> {
    let count = &object["spec"][kind.count()];
    if !kind.has(Subresource::Scale) {
        return by_schema(kind, object, count);
    }
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

/// The rules of the schema about the count: an integer, and not below the minimum.
fn by_schema(kind: &ResourceType, object: &Value, count: &Value) -> Result<(), Failure> {
    let field = format!("spec.{}", kind.count());
    let minimum = kind.custom.map_or(0, |custom| custom.minimum);
    let (reason, problem) = match count {
        Value::Null => return Ok(()),
        count if count.as_i64().is_some_and(|count| count >= minimum) => return Ok(()),
        count if count.is_i64() => {
            let text = "should be greater than or equal to";
            ("FieldValueInvalid", format!("{count}: {field} in body {text} {minimum}"))
        }
        other => {
            let text = format!("{field} in body must be of type integer: {:?}", json_type(other));
            ("FieldValueTypeInvalid", format!("{:?}: {text}", json_type(other)))
        }
    };
    let problem = format!("Invalid value: {problem}");
    let name = object::name(object);
    Err(Failure::invalid(kind.group, kind.kind, name, reason, &field, &problem))
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

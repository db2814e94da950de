//! Defaults that the server fills in when an object is created, and a few validations.

use serde_json::{Value, json};

use super::{
    custom, jobs, object, patch, pod_spec, replicasets::has_plain_selector,
    resource_type::ResourceType, status::Failure,
};

/// Fills in the fields that a client may leave out.
pub(super) fn apply(kind: &ResourceType, object: &mut Value) {
    match kind.plural {
        "deployments" => {
            let spec = spec(object);
            object::default(spec, "replicas", json!(1));
            object::default(spec, "revisionHistoryLimit", json!(10));
            object::default(spec, "progressDeadlineSeconds", json!(600));
            object::default(&mut spec["strategy"], "type", json!("RollingUpdate"));
            if spec["strategy"]["type"] == "RollingUpdate" {
                let rolling = &mut spec["strategy"]["rollingUpdate"];
                object::default(rolling, "maxUnavailable", json!("25%"));
                object::default(rolling, "maxSurge", json!("25%"));
            }
            template(&mut spec["template"]);
        }
        "replicasets" => {
            let spec = spec(object);
            object::default(spec, "replicas", json!(1));
            template(&mut spec["template"]);
        }
        "replicationcontrollers" | "deploymentconfigs" => {
            let spec = spec(object);
            object::default(spec, "replicas", json!(1));
            let labels = spec["template"]["metadata"]["labels"].clone();
            object::default(spec, "selector", labels);
            template(&mut spec["template"]);
        }
        "statefulsets" => {
            let spec = spec(object);
            object::default(spec, "replicas", json!(1));
            object::default(spec, "podManagementPolicy", json!("OrderedReady"));
            object::default(spec, "revisionHistoryLimit", json!(10));
            object::default(spec, "serviceName", json!(""));
            object::default(
                spec,
                "updateStrategy",
                json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
            );
            template(&mut spec["template"]);
        }
        "daemonsets" => template(&mut spec(object)["template"]),
        "rollouts" => {
            let spec = spec(object);
            object::default(spec, "replicas", json!(1));
            template(&mut spec["template"]);
        }
        "jobs" => jobs::set_defaults(object),
        "locusttests" if kind.group == "locust.cloud" => {
            object::default(spec(object), "workers", json!(1));
        }
        "pods" => {
            let spec = spec(object);
            pod_spec::set_defaults(spec, "Always");
            object::default(&mut object["status"], "phase", json!("Pending"));
        }
        "services" => service(spec(object)),
        "namespaces" => {
            object::default(&mut object["status"], "phase", json!("Active"));
            object["spec"] = json!({ "finalizers": ["kubernetes"] });
            let name = object["metadata"]["name"].clone();
            object::member(&mut object["metadata"], "labels")
                .insert("kubernetes.io/metadata.name".to_owned(), name);
        }
        _ => {}
    }
}

fn spec(object: &mut Value) -> &mut Value {
    object::member(object, "spec");
    &mut object["spec"]
}

fn template(template: &mut Value) {
    object::member(template, "metadata");
    object::member(template, "spec");
    pod_spec::set_defaults(&mut template["spec"], "Always");
}

fn service(spec: &mut Value) {
    object::default(spec, "type", json!("ClusterIP"));
    object::default(spec, "sessionAffinity", json!("None"));
    object::default(spec, "internalTrafficPolicy", json!("Cluster"));
    let address = format!("10.96.{}.{}", fastrand::u8(..), fastrand::u8(1..));
    object::default(spec, "clusterIP", json!(address));
    let address = spec["clusterIP"].clone();
    object::default(spec, "clusterIPs", json!([address]));
    for port in object::items(spec, "ports") {
        object::default(port, "protocol", json!("TCP"));
        let number = port["port"].clone();
        object::default(port, "targetPort", number);
    }
}

const SCALED: [&str; 5] =
    ["deployments", "replicasets", "replicationcontrollers", "statefulsets", "deploymentconfigs"];

/// Refuses invalid values in the fields that matter here, as a real server does.
pub(super) fn validate(kind: &ResourceType, object: &Value) -> Result<(), Failure> {
    let name = object::name(object);
    let invalid = |reason: &str, field: &str, problem: &str| {
        Err(Failure::invalid(kind.group, kind.kind, name, reason, field, problem))
    };
    if !is_dns_name(name) {
        let problem = format!(
            "Invalid value: {name:?}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
             characters, '-' or '.', and must start and end with an alphanumeric character"
        );
        return invalid("FieldValueInvalid", "metadata.name", &problem);
    }
    if kind.custom.is_some() {
        return custom::validate(kind, object);
    }
    if !SCALED.contains(&kind.plural) {
        return Ok(());
    }
    let Some(replicas) = object["spec"]["replicas"].as_i64().and_then(|n| i32::try_from(n).ok())
    else {
        let found = patch::go_type(&object["spec"]["replicas"]);
        let message = format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: json: cannot unmarshal {found} into Go \
             struct field {kind}Spec.spec.replicas of type int32",
            kind = kind.kind,
            version = kind.version,
        );
        return Err(Failure::bad_request(message));
    };
    if replicas < 0 {
        let problem = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        return invalid("FieldValueInvalid", "spec.replicas", &problem);
    }
    let selector = &object["spec"]["selector"];
    if selector.as_object().is_none_or(serde_json::Map::is_empty) {
        return invalid("FieldValueRequired", "spec.selector", "Required value");
    }
    let wanted = if has_plain_selector(kind.plural) { selector } else { &selector["matchLabels"] };
    let labels = &object["spec"]["template"]["metadata"]["labels"];
    if wanted.as_object().into_iter().flatten().any(|(key, value)| labels[key] != *value) {
        let problem =
            format!("Invalid value: {labels}: `selector` does not match template `labels`");
        return invalid("FieldValueInvalid", "spec.template.metadata.labels", &problem);
    }
    Ok(())
}

fn is_dns_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edge = |c: char| c != '-' && c != '.';
    !name.is_empty()
        && name.len() <= 253
        && name.chars().all(allowed)
        && name.starts_with(edge)
        && name.ends_with(edge)
}

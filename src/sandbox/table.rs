//! Tables: the server computes the columns that `kubectl get` prints.

use serde_json::{Value, json};

use super::{object, selector};

/// The part of each object that is sent with its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IncludeObject {
    Nothing,
    Metadata,
    Object,
}

impl IncludeObject {
    pub(super) fn from_parameter(parameter: Option<&str>) -> Self {
        match parameter {
            Some("None") => Self::Nothing,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// True if the header `Accept` asks for a table of the supported version.
pub(super) fn is_wanted(accept: &str) -> bool {
    accept.split(',').any(|alternative| {
        let has = |wanted: &str| alternative.split(';').any(|parameter| parameter.trim() == wanted);
        ["application/json", "as=Table", "v=v1", "g=meta.k8s.io"].into_iter().all(has)
    })
}

/// Name, type, and true if only `-o wide` shows it.
type Column = (&'static str, &'static str, bool);

const NAME: Column = ("Name", "string", false);
const AGE: Column = ("Age", "string", false);

fn columns(plural: &str) -> Vec<Column> {
    let wide = |name| (name, "string", true);
    let count = |name| (name, "integer", false);
    let text = |name| (name, "string", false);
    match plural {
        "deployments" => vec![
            NAME,
            text("Ready"),
            count("Up-to-date"),
            count("Available"),
            AGE,
            wide("Containers"),
            wide("Images"),
            wide("Selector"),
        ],
        "replicasets" | "replicationcontrollers" => vec![
            NAME,
            count("Desired"),
            count("Current"),
            count("Ready"),
            AGE,
            wide("Containers"),
            wide("Images"),
            wide("Selector"),
        ],
        "statefulsets" => vec![NAME, text("Ready"), AGE, wide("Containers"), wide("Images")],
        "pods" => vec![
            NAME,
            text("Ready"),
            text("Status"),
            text("Restarts"),
            AGE,
            wide("IP"),
            wide("Node"),
            wide("Nominated Node"),
            wide("Readiness Gates"),
        ],
        "services" => vec![
            NAME,
            text("Type"),
            text("Cluster-IP"),
            text("External-IP"),
            text("Port(s)"),
            AGE,
            wide("Selector"),
        ],
        "namespaces" => vec![NAME, text("Status"), AGE],
        _ => vec![NAME, AGE],
    }
}

fn cells(plural: &str, object: &Value) -> Vec<Value> {
    let number = |pointer: &str| object::number(object, pointer);
    let (name, age) = (json!(object::name(object)), json!(age(object)));
    let ready_of = |wanted: i64| json!(format!("{}/{wanted}", number("/status/readyReplicas")));
    let wide = || {
        let containers = object["spec"]["template"]["spec"]["containers"].as_array();
        let all = |field: &'static str| {
            let values = containers.into_iter().flatten().filter_map(move |c| c[field].as_str());
            json!(values.collect::<Vec<_>>().join(","))
        };
        [all("name"), all("image"), json!(selector::written(&object["spec"]["selector"]))]
    };
    let wanted = number("/spec/replicas");
    match plural {
        "deployments" => {
            let up_to_date = json!(number("/status/updatedReplicas"));
            let available = json!(number("/status/availableReplicas"));
            [vec![name, ready_of(wanted), up_to_date, available, age], wide().to_vec()].concat()
        }
        "replicasets" | "replicationcontrollers" => {
            let (current, ready) =
                (json!(number("/status/replicas")), json!(number("/status/readyReplicas")));
            [vec![name, json!(wanted), current, ready, age], wide().to_vec()].concat()
        }
        "statefulsets" => [vec![name, ready_of(wanted), age], wide()[..2].to_vec()].concat(),
        "pods" => pod_cells(object, name, age),
        "services" => service_cells(object, name, age),
        "namespaces" => vec![name, object["status"]["phase"].clone(), age],
        _ => vec![name, age],
    }
}

fn pod_cells(pod: &Value, name: Value, age: Value) -> Vec<Value> {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let ready =
        statuses.into_iter().flatten().filter(|status| status["ready"] == json!(true)).count();
    let containers = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let restarts: i64 =
        statuses.into_iter().flatten().map(|status| object::number(status, "/restartCount")).sum();
    let waiting =
        statuses.into_iter().flatten().find_map(|s| s["state"]["waiting"]["reason"].as_str());
    let or_none = |text: &str| json!(if text.is_empty() { "<none>" } else { text });
    let state = waiting.unwrap_or_else(|| object::text(pod, "/status/phase"));
    vec![
        name,
        json!(format!("{ready}/{containers}")),
        json!(state),
        json!(restarts.to_string()),
        age,
        or_none(object::text(pod, "/status/podIP")),
        or_none(object::text(pod, "/spec/nodeName")),
        json!("<none>"),
        json!("<none>"),
    ]
}

fn service_cells(service: &Value, name: Value, age: Value) -> Vec<Value> {
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let ports: Vec<String> =
        ports.map(|port| format!("{}/{}", port["port"], object::text(port, "/protocol"))).collect();
    let ports = if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") };
    let spec = &service["spec"];
    let selector = selector::written(&spec["selector"]);
    vec![
        name,
        spec["type"].clone(),
        spec["clusterIP"].clone(),
        json!("<none>"),
        json!(ports),
        age,
        json!(if selector.is_empty() { "<none>".to_owned() } else { selector }),
    ]
}

/// The age as kubectl writes durations, with two units at most.
fn age(object: &Value) -> String {
    let created = object::text(object, "/metadata/creationTimestamp");
    object::seconds_since(created).map_or_else(|| "<unknown>".to_owned(), human)
}

fn human(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let pair = |big: i64, unit: char, small: i64, smaller: char| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{smaller}") }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}

/// The table of these objects. The column definitions are left out if the client has them.
pub(super) fn of<'a>(
    plural: &str,
    objects: impl Iterator<Item = &'a Value>,
    metadata: &Value,
    include: IncludeObject,
    with_columns: bool,
) -> Value {
    let definitions = columns(plural).into_iter().map(|(name, kind, wide)| {
        let format = if name == "Name" { "name" } else { "" };
        json!({ "name": name, "type": kind, "format": format, "description": "", "priority": i32::from(wide) })
    });
    let definitions: Vec<Value> = if with_columns { definitions.collect() } else { Vec::new() };
    let rows = objects.map(|object| {
        let shown = match include {
            IncludeObject::Nothing => Value::Null,
            IncludeObject::Object => object.clone(),
            IncludeObject::Metadata => json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
            }),
        };
        json!({ "cells": cells(plural, object), "object": shown })
    });
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": definitions, "rows": rows.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_formatted_like_in_kubectl() {
        let table = [
            (5, "5s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_800, "3h"),
            (10_860, "3h1m"),
            (86_400, "24h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (700_000, "8d"),
        ];
        for (seconds, expected) in table {
            assert_eq!(human(seconds), expected);
        }
    }

    #[test]
    fn a_table_is_sent_only_if_the_client_accepts_v1_tables() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert!(is_wanted(kubectl));
        assert!(!is_wanted("application/json, */*"));
        assert!(!is_wanted("application/json;as=Table;v=v1beta1;g=meta.k8s.io"));
    }
}

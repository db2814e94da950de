//! The least of OpenAPI v3: kubectl asks it whether the server validates fields itself, and
//! refuses to apply a manifest when it cannot ask.

use serde_json::{Map, Value, json};

use super::resources::RESOURCES;

/// `/openapi/v3`: where each group version's document is.
pub(super) fn index() -> Value {
    let entry = |path: &str| json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash=1") });
    json!({ "paths": { "api/v1": entry("api/v1"), "apis/apps/v1": entry("apis/apps/v1") } })
}

/// One group version's document: which parameters its PATCH requests take, no schemas.
pub(super) fn document(group: &str, version: &str) -> Value {
    let mut paths = Map::new();
    for kind in RESOURCES.iter().filter(|kind| kind.group == group && kind.version == version) {
        let root = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        let namespace = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
        let parameters = ["dryRun", "fieldManager", "fieldValidation"]
            .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }));
        let patch = json!({
            "operationId": format!("patch{}", kind.kind), "parameters": parameters,
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": { "group": group, "version": version, "kind": kind.kind },
            "responses": { "200": { "description": "OK" } },
        });
        paths.insert(
            format!("{root}{namespace}/{}/{{name}}", kind.plural),
            json!({ "patch": patch }),
        );
    }
    json!({ "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "v1.36.2" }, "paths": paths })
}

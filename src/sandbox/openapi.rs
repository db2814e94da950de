//! The part of OpenAPI v3 that kubectl needs. kubectl looks up there if the server validates fields
//! itself, and refuses to apply a manifest without it.

use serde_json::{Map, Value, json};

use super::resources::Types;

/// `/openapi/v3`: the address of each group version's document.
pub(super) fn index(types: &Types) -> Value {
    let mut paths = Map::new();
    for (group, versions) in types.groups() {
        for version in versions {
            let root = root(group, version);
            let url = format!("/openapi/v3{root}?hash=1");
            paths.insert(root[1..].to_owned(), json!({ "serverRelativeURL": url }));
        }
    }
    json!({ "paths": paths })
}

fn root(group: &str, version: &str) -> String {
    match group {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    }
}

/// The document of one group version. It has the parameters of PATCH requests, and no schemas.
pub(super) fn document(types: &Types, group: &str, version: &str) -> Value {
    let (root, mut paths) = (root(group, version), Map::new());
    for kind in types.of(group, version) {
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

//! Reads method and path of a request, as the API machinery does before it looks anything up.

use super::{
    query::{Query, decode},
    selector::FieldSelector,
};

/// The parsed first line of a request.
#[derive(Debug)]
pub(super) struct RequestInfo {
    pub path: String,
    pub query: Query,
    /// The verb for RBAC.
    pub verb: &'static str,
    /// The addressed objects. `None` for paths that are not resources.
    pub target: Option<Target>,
}

/// The objects that a path addresses. Their type may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub group: String,
    pub version: String,
    pub resource: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub subresource: Option<String>,
    /// True if the path has the name. A list with `metadata.name` in its field selector has a name
    /// without it, for RBAC.
    pub named: bool,
}

impl Target {
    /// The name in a Role: `deployments/scale`. A path below `proxy` is left out.
    pub(super) fn resource_path(&self) -> String {
        match &self.subresource {
            Some(path) if path.starts_with("proxy/") => format!("{}/proxy", self.resource),
            Some(subresource) => format!("{}/{subresource}", self.resource),
            None => self.resource.clone(),
        }
    }
}

/// Reads the first line of a request.
pub(super) fn read(method: &str, path: &str, query: &str) -> RequestInfo {
    let query = Query::parse(query);
    let mut target = target_of(path);
    let verb = match &mut target {
        Some(target) => resource_verb(method, target, &query),
        None => plain_verb(method),
    };
    RequestInfo { path: path.to_owned(), query, verb, target }
}

fn target_of(path: &str) -> Option<Target> {
    let segments: Vec<String> = path.trim_matches('/').split('/').map(decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (group, version, rest) = match segments.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        [] => return None,
        // The subresources of a namespace are not resources in it.
        ["namespaces", name] | ["namespaces", name, "status" | "finalize"] => (Some(*name), rest),
        ["namespaces", namespace, tail @ ..] => (Some(*namespace), tail),
        _ => (None, rest),
    };
    let owned = |text: &&str| (*text).to_owned();
    let subresource = (rest.len() > 2).then(|| rest[2..].join("/"));
    Some(Target {
        group: group.to_owned(),
        version: version.to_owned(),
        resource: owned(&rest[0]),
        namespace: namespace.map(str::to_owned),
        name: rest.get(1).map(owned),
        subresource,
        named: rest.len() > 1,
    })
}

fn resource_verb(method: &str, target: &mut Target, query: &Query) -> &'static str {
    let watching = query.flag("watch");
    if !target.named && matches!(method, "GET" | "HEAD") {
        let fields = query.get("fieldSelector").and_then(|text| FieldSelector::parse(text).ok());
        target.name = fields.and_then(|fields| fields.name().map(str::to_owned));
    }
    match (method, target.named) {
        ("GET" | "HEAD", _) if watching => "watch",
        ("GET" | "HEAD", true) => "get",
        ("GET" | "HEAD", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        _ => "",
    }
}

fn plain_verb(method: &str) -> &'static str {
    match method {
        "GET" => "get",
        "HEAD" => "head",
        "POST" => "post",
        "PUT" => "put",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// method, path and query → verb, resource, namespace, name
    type Row = (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
    );

    #[test]
    fn paths_are_parsed_like_in_kubernetes() {
        let table: &[Row] = &[
            ("GET", "/api/v1/namespaces", "list", "namespaces", None, None),
            ("GET", "/api/v1/namespaces/a", "get", "namespaces", Some("a"), Some("a")),
            (
                "PUT",
                "/api/v1/namespaces/a/status",
                "update",
                "namespaces/status",
                Some("a"),
                Some("a"),
            ),
            ("GET", "/api/v1/namespaces/a/pods", "list", "pods", Some("a"), None),
            ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection", "pods", Some("a"), None),
            ("GET", "/api/v1/pods?watch=true", "watch", "pods", None, None),
            ("GET", "/apis/apps/v1/deployments", "list", "deployments", None, None),
            (
                "PATCH",
                "/apis/apps/v1/namespaces/a/deployments/b/scale",
                "patch",
                "deployments/scale",
                Some("a"),
                Some("b"),
            ),
            (
                "GET",
                "/apis/apps/v1/namespaces/a/deployments?fieldSelector=metadata.name%3Db",
                "list",
                "deployments",
                Some("a"),
                Some("b"),
            ),
        ];
        for (method, path, verb, resource, namespace, name) in table {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let info = read(method, path, query);
            let target = info.target.unwrap();
            assert_eq!((info.verb, target.resource_path().as_str()), (*verb, *resource), "{path}");
            assert_eq!(
                (target.namespace.as_deref(), target.name.as_deref()),
                (*namespace, *name),
                "{path}"
            );
        }
        for path in ["/", "/version", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1"] {
            assert_eq!(read("GET", path, "").target, None, "{path}");
        }
    }
}

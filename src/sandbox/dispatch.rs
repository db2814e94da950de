//! Routes each path and verb to the code that answers it.

use std::borrow::Cow;

use hyper::HeaderMap;
use serde_json::{Value, json};

use super::{
    discovery,
    list::{self, View},
    locust, openapi, protobuf,
    proxied::Proxied,
    resource_type::ResourceType,
    routes::{RequestInfo, Target},
    shared::ClusterState,
    status::Failure,
    table::{self, IncludeObject},
    verbs::{self, ObjectRef},
    watch::Watch,
};

/// The content of a response.
#[derive(Debug)]
pub(super) enum ApiResponse {
    Json(u16, Value),
    Text(&'static str),
    Aggregated(Value),
    Watch(Watch),
    Proxied(Proxied),
}

/// Executes an authorized request.
pub(super) fn answer(
    state: &mut ClusterState,
    headers: &HeaderMap,
    info: &RequestInfo,
    method: &str,
    body: &[u8],
) -> Result<ApiResponse, Failure> {
    match &info.target {
        Some(target) if is_proxied(target) => {
            let ClusterState { store, locusts, .. } = state;
            locust::answer(store, locusts, target, &info.query, method, body)
                .map(ApiResponse::Proxied)
        }
        Some(target) => on_objects(state, headers, info, target, body),
        None if matches!(method, "GET" | "HEAD") => plain_path(state, headers, &info.path),
        None => Err(Failure::method_not_allowed()),
    }
}

/// True for `services/NAME/proxy/…` and `pods/NAME/proxy/…`.
fn is_proxied(target: &Target) -> bool {
    let path = target.subresource.as_deref().unwrap_or("");
    let is_proxy = path == "proxy" || path.starts_with("proxy/");
    target.group.is_empty() && matches!(target.resource.as_str(), "services" | "pods") && is_proxy
}

fn plain_path(
    state: &ClusterState,
    headers: &HeaderMap,
    path: &str,
) -> Result<ApiResponse, Failure> {
    let aggregated = text(headers, "accept").split(',').any(|alternative| {
        alternative.contains("as=APIGroupDiscoveryList")
            && alternative.split(';').any(|p| p.trim() == "v=v2")
    });
    let aggregated = aggregated && !state.legacy_discovery;
    let types = &state.types;
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let value = match segments.as_slice() {
        ["version"] => discovery::version(),
        ["healthz" | "livez" | "readyz", ..] => return Ok(ApiResponse::Text("ok")),
        ["api"] if aggregated => {
            return Ok(ApiResponse::Aggregated(discovery::aggregated(types, true)));
        }
        ["apis"] if aggregated => {
            return Ok(ApiResponse::Aggregated(discovery::aggregated(types, false)));
        }
        ["api"] => discovery::core_versions(state.server.trim_start_matches("https://")),
        ["apis"] => discovery::groups(types),
        ["apis", group] => discovery::group(types, group).ok_or_else(Failure::no_such_path)?,
        ["api", version] if types.has_group_version("", version) => {
            discovery::resources(types, "", version)
        }
        ["apis", group, version] if types.has_group_version(group, version) => {
            discovery::resources(types, group, version)
        }
        ["openapi", "v3"] => openapi::index(types),
        ["openapi", "v3", "api", version] => openapi::document(types, "", version),
        ["openapi", "v3", "apis", group, version] => openapi::document(types, group, version),
        _ => return Err(Failure::no_such_path()),
    };
    Ok(ApiResponse::Json(200, value))
}

fn on_objects(
    state: &mut ClusterState,
    headers: &HeaderMap,
    info: &RequestInfo,
    target: &Target,
    body: &[u8],
) -> Result<ApiResponse, Failure> {
    if !state.types.has_group_version(&target.group, &target.version) {
        return Err(Failure::no_such_path());
    }
    let kind = state.types.find(&target.group, &target.version, &target.resource);
    let kind = kind.ok_or_else(Failure::no_such_resource)?;
    let subresource = match target.subresource.as_deref() {
        None => None,
        Some(name) => {
            let known =
                kind.subresources.iter().copied().find(|subresource| subresource.name() == name);
            Some(known.ok_or_else(Failure::no_such_resource)?)
        }
    };
    if kind.namespaced && target.named && target.namespace.is_none() {
        return Err(Failure::no_such_resource());
    }
    if !target.named {
        return on_collection(state, headers, info, kind, target, body);
    }
    let name = target.name.as_deref().unwrap_or("");
    let reference =
        ObjectRef { kind, namespace: target.namespace.as_deref().unwrap_or(""), name, subresource };
    let store = &mut state.store;
    let content_type = text(headers, "content-type");
    let value = match info.verb {
        "watch" => return watch(headers, info, kind, target),
        "get" => {
            let found = verbs::get(store, reference)?;
            if subresource.is_none() && wants_table(headers) {
                let include = IncludeObject::from_parameter(info.query.get("includeObject"));
                let metadata = json!({ "resourceVersion": found["metadata"]["resourceVersion"] });
                table::of(kind.stored_as(), std::iter::once(&found), &metadata, include, true)
            } else {
                found
            }
        }
        "update" => {
            let body = as_json(headers, body)?;
            verbs::update(store, reference, &info.query, &body)?
        }
        "patch" => verbs::patch(store, reference, &info.query, content_type, body)?,
        "delete" if subresource.is_none() => verbs::delete(store, reference, &info.query, body)?,
        _ => return Err(Failure::method_not_allowed()),
    };
    Ok(ApiResponse::Json(200, value))
}

fn on_collection(
    state: &mut ClusterState,
    headers: &HeaderMap,
    info: &RequestInfo,
    kind: &'static ResourceType,
    target: &Target,
    body: &[u8],
) -> Result<ApiResponse, Failure> {
    let store = &mut state.store;
    let everywhere = kind.namespaced && target.namespace.is_none();
    match info.verb {
        "watch" => watch(headers, info, kind, target),
        "list" => {
            let view = View::new(kind, target.namespace.as_deref(), None, &info.query)?;
            let page = list::page(store, &view, &info.query)?;
            if !wants_table(headers) {
                return Ok(ApiResponse::Json(200, list::as_list(kind, page)));
            }
            let include = IncludeObject::from_parameter(info.query.get("includeObject"));
            let objects = page.items.iter().map(|object| &**object);
            Ok(ApiResponse::Json(
                200,
                table::of(kind.stored_as(), objects, &page.metadata, include, true),
            ))
        }
        "create" if !everywhere => {
            let body = as_json(headers, body)?;
            let namespace = target.namespace.as_deref().unwrap_or("");
            let reference = ObjectRef { kind, namespace, name: "", subresource: None };
            Ok(ApiResponse::Json(201, verbs::create(store, reference, &info.query, &body)?))
        }
        "deletecollection" if !everywhere && kind.plural != "namespaces" => {
            let view = View::new(kind, target.namespace.as_deref(), None, &info.query)?;
            let page = list::page(store, &view, &info.query)?;
            let keys: Vec<_> = view.all(store).map(|(key, _)| key.clone()).collect();
            for key in keys {
                let reference = ObjectRef {
                    kind,
                    namespace: &key.namespace,
                    name: &key.name,
                    subresource: None,
                };
                verbs::delete(store, reference, &info.query, body)?;
            }
            Ok(ApiResponse::Json(200, list::as_list(kind, page)))
        }
        _ => Err(Failure::method_not_allowed()),
    }
}

fn watch(
    headers: &HeaderMap,
    info: &RequestInfo,
    kind: &'static ResourceType,
    target: &Target,
) -> Result<ApiResponse, Failure> {
    let name = target.name.as_deref().filter(|_| target.named);
    let view = View::new(kind, target.namespace.as_deref(), name, &info.query)?;
    let table = wants_table(headers)
        .then(|| IncludeObject::from_parameter(info.query.get("includeObject")));
    Ok(ApiResponse::Watch(Watch::new(view, table, &info.query)?))
}

fn wants_table(headers: &HeaderMap) -> bool {
    table::is_wanted(text(headers, "accept"))
}

/// The body as JSON. A body without a content type is JSON, as in kubectl's own PUT.
fn as_json<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Cow<'a, [u8]>, Failure> {
    match text(headers, "content-type").split(';').next().unwrap_or("").trim() {
        "" | "application/json" => Ok(Cow::Borrowed(body)),
        "application/vnd.kubernetes.protobuf" => {
            let object = protobuf::decode(body).ok_or_else(Failure::unknown_body_format)?;
            Ok(Cow::Owned(object.to_string().into_bytes()))
        }
        _ => Err(Failure::unknown_body_format()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

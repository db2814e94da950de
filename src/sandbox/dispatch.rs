//! Which answer belongs to which path and verb.

use std::borrow::Cow;

use hyper::HeaderMap;
use serde_json::{Value, json};

use super::{
    discovery,
    list::{self, View},
    locust, openapi, protobuf,
    proxied::Proxied,
    resource_type::ResourceType,
    routes::{Asked, Target},
    shared::State,
    status::Failure,
    table::{self, Include},
    verbs::{self, Place},
    watch::Watch,
};

/// What to send back.
#[derive(Debug)]
pub(super) enum Answer {
    Json(u16, Value),
    Text(&'static str),
    Aggregated(Value),
    Watch(Watch),
    Proxied(Proxied),
}

/// Does what was asked, by somebody who may.
pub(super) fn answer(
    state: &mut State,
    headers: &HeaderMap,
    asked: &Asked,
    method: &str,
    body: &[u8],
) -> Result<Answer, Failure> {
    match &asked.target {
        Some(target) if is_proxied(target) => {
            let State { store, locusts, .. } = state;
            locust::answer(store, locusts, target, &asked.query, method, body).map(Answer::Proxied)
        }
        Some(target) => on_objects(state, headers, asked, target, body),
        None if matches!(method, "GET" | "HEAD") => plain_path(state, headers, &asked.path),
        None => Err(Failure::method_not_allowed()),
    }
}

/// `services/NAME/proxy/…`
fn is_proxied(target: &Target) -> bool {
    let path = target.subresource.as_deref().unwrap_or("");
    let is_proxy = path == "proxy" || path.starts_with("proxy/");
    (target.group.as_str(), target.resource.as_str()) == ("", "services") && is_proxy
}

fn plain_path(state: &State, headers: &HeaderMap, path: &str) -> Result<Answer, Failure> {
    let aggregated = text(headers, "accept").split(',').any(|alternative| {
        alternative.contains("as=APIGroupDiscoveryList")
            && alternative.split(';').any(|p| p.trim() == "v=v2")
    });
    let aggregated = aggregated && !state.legacy_discovery;
    let types = state.types;
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let value = match segments.as_slice() {
        ["version"] => discovery::version(),
        ["healthz" | "livez" | "readyz", ..] => return Ok(Answer::Text("ok")),
        ["api"] if aggregated => return Ok(Answer::Aggregated(discovery::aggregated(types, true))),
        ["apis"] if aggregated => {
            return Ok(Answer::Aggregated(discovery::aggregated(types, false)));
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
    Ok(Answer::Json(200, value))
}

fn on_objects(
    state: &mut State,
    headers: &HeaderMap,
    asked: &Asked,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Failure> {
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
        return on_collection(state, headers, asked, kind, target, body);
    }
    let name = target.name.as_deref().unwrap_or("");
    let place =
        Place { kind, namespace: target.namespace.as_deref().unwrap_or(""), name, subresource };
    let store = &mut state.store;
    let content_type = text(headers, "content-type");
    let value = match asked.verb {
        "watch" => return watch(headers, asked, kind, target),
        "get" => {
            let found = verbs::get(store, place)?;
            if subresource.is_none() && wants_table(headers) {
                let include = Include::from_parameter(asked.query.get("includeObject"));
                let metadata = json!({ "resourceVersion": found["metadata"]["resourceVersion"] });
                table::of(kind.plural, std::iter::once(&found), &metadata, include, true)
            } else {
                found
            }
        }
        "update" => {
            let body = as_json(headers, body)?;
            verbs::update(store, place, &asked.query, &body)?
        }
        "patch" => verbs::patch(store, place, &asked.query, content_type, body)?,
        "delete" if subresource.is_none() => verbs::delete(store, place, &asked.query, body)?,
        _ => return Err(Failure::method_not_allowed()),
    };
    Ok(Answer::Json(200, value))
}

fn on_collection(
    state: &mut State,
    headers: &HeaderMap,
    asked: &Asked,
    kind: &'static ResourceType,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Failure> {
    let store = &mut state.store;
    let everywhere = kind.namespaced && target.namespace.is_none();
    match asked.verb {
        "watch" => watch(headers, asked, kind, target),
        "list" => {
            let view = View::new(kind, target.namespace.as_deref(), None, &asked.query)?;
            let page = list::page(store, &view, &asked.query)?;
            if !wants_table(headers) {
                return Ok(Answer::Json(200, list::as_list(kind, page)));
            }
            let include = Include::from_parameter(asked.query.get("includeObject"));
            let objects = page.items.iter().map(|object| &**object);
            Ok(Answer::Json(200, table::of(kind.plural, objects, &page.metadata, include, true)))
        }
        "create" if !everywhere => {
            let body = as_json(headers, body)?;
            let namespace = target.namespace.as_deref().unwrap_or("");
            let place = Place { kind, namespace, name: "", subresource: None };
            Ok(Answer::Json(201, verbs::create(store, place, &asked.query, &body)?))
        }
        "deletecollection" if !everywhere && kind.plural != "namespaces" => {
            let view = View::new(kind, target.namespace.as_deref(), None, &asked.query)?;
            let page = list::page(store, &view, &asked.query)?;
            let keys: Vec<_> = view.all(store).map(|(key, _)| key.clone()).collect();
            for key in keys {
                let place =
                    Place { kind, namespace: &key.namespace, name: &key.name, subresource: None };
                verbs::delete(store, place, &asked.query, body)?;
            }
            Ok(Answer::Json(200, list::as_list(kind, page)))
        }
        _ => Err(Failure::method_not_allowed()),
    }
}

fn watch(
    headers: &HeaderMap,
    asked: &Asked,
    kind: &'static ResourceType,
    target: &Target,
) -> Result<Answer, Failure> {
    let name = target.name.as_deref().filter(|_| target.named);
    let view = View::new(kind, target.namespace.as_deref(), name, &asked.query)?;
    let table =
        wants_table(headers).then(|| Include::from_parameter(asked.query.get("includeObject")));
    Ok(Answer::Watch(Watch::new(view, table, &asked.query)?))
}

fn wants_table(headers: &HeaderMap) -> bool {
    table::is_wanted(text(headers, "accept"))
}

/// The body as JSON; one without a type is JSON already, as kubectl's own PUT shows.
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

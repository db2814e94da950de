//! The operations on objects: get, create, update, patch, delete.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    custom, defaults, object,
    patch::{self, PatchKind},
    query::Query,
    resource_type::{ResourceType, Subresource},
    resources::by_plural,
    scale,
    status::Failure,
    store::{Key, Store},
};

/// The object that a request addresses, or its collection.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectRef<'a> {
    pub kind: &'static ResourceType,
    pub namespace: &'a str,
    pub name: &'a str,
    pub subresource: Option<Subresource>,
}

impl ObjectRef<'_> {
    pub(super) fn key(&self) -> Key {
        Key::new(
            self.kind.stored_as(),
            if self.kind.namespaced { self.namespace } else { "" },
            self.name,
        )
    }

    /// The object, or error 404.
    pub(super) fn find(&self, store: &Store) -> Result<Arc<Value>, Failure> {
        let found = store.get(&self.key()).cloned();
        found.ok_or_else(|| Failure::not_found(self.kind, self.name))
    }
}

/// True for a dry run. `options` is the kind that an error message names, for example
/// `CreateOptions`.
pub(super) fn dry_run(query: &Query, options: &str) -> Result<bool, Failure> {
    let values: Vec<&str> = query.all("dryRun").collect();
    if values.iter().all(|value| *value == "All") {
        return Ok(!values.is_empty());
    }
    let quoted: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    let problem = format!("Unsupported value: [{}]: supported values: \"All\"", quoted.join(","));
    Err(Failure::invalid("meta.k8s.io", options, "", "FieldValueNotSupported", "dryRun", &problem))
}

/// GET of an object or its subresource.
pub(super) fn get(store: &Store, reference: ObjectRef<'_>) -> Result<Value, Failure> {
    let found = reference.find(store)?;
    response_body(reference, &found)
}

/// The object or its subresource, in the requested version.
fn response_body(reference: ObjectRef<'_>, object: &Value) -> Result<Value, Failure> {
    match reference.subresource {
        Some(Subresource::Scale) => scale::of(reference.kind, object),
        _ => Ok(custom::in_version(reference.kind, object)),
    }
}

/// POST into a collection.
pub(super) fn create(
    store: &mut Store,
    reference: ObjectRef<'_>,
    query: &Query,
    body: &[u8],
) -> Result<Value, Failure> {
    let dry = dry_run(query, "CreateOptions")?;
    let mut fresh = decode(reference.kind, body)?;
    if reference.kind.namespaced {
        let given = object::namespace(&fresh);
        if !given.is_empty() && given != reference.namespace {
            let message = format!(
                "the namespace of the provided object does not match the namespace sent on the request ({given} != {})",
                reference.namespace
            );
            return Err(Failure::bad_request(message));
        }
    }
    let prefix = object::text(&fresh, "/metadata/generateName").to_owned();
    if object::name(&fresh).is_empty() && !prefix.is_empty() {
        fresh["metadata"]["name"] = json!(object::generated_name(&prefix));
    }
    let name = object::name(&fresh).to_owned();
    if name.is_empty() {
        let problem = "Required value: name or generateName is required";
        let (group, kind) = (reference.kind.group, reference.kind.kind);
        return Err(Failure::invalid(
            group,
            kind,
            "",
            "FieldValueRequired",
            "metadata.name",
            problem,
        ));
    }
    if reference.kind.namespaced
        && store.get(&Key::new("namespaces", "", reference.namespace)).is_none()
    {
        // The namespace does not exist, so the 404 names the namespace.
        return Err(match by_plural("namespaces") {
            Some(namespaces) => Failure::not_found(namespaces, reference.namespace),
            None => Failure::no_such_resource(),
        });
    }
    let key = ObjectRef { name: &name, ..reference }.key();
    if store.get(&key).is_some() {
        return Err(Failure::already_exists(reference.kind, &name));
    }
    if let Some(fields) = fresh.as_object_mut().filter(|_| reference.kind.has(Subresource::Status))
    {
        fields.remove("status");
    }
    complete(reference.kind, reference.namespace, &mut fresh);
    defaults::validate(reference.kind, &fresh)?;
    Ok(if dry { fresh } else { (*store.put(&key, fresh)).clone() })
}

/// Fills in a new object: first the fields that only the server sets, then the defaults.
pub(super) fn complete(kind: &ResourceType, namespace: &str, fresh: &mut Value) {
    fresh["kind"] = json!(kind.kind);
    fresh["apiVersion"] = json!(kind.api_version());
    let metadata = object::member(fresh, "metadata");
    if kind.namespaced {
        metadata.insert("namespace".to_owned(), json!(namespace));
    } else {
        metadata.remove("namespace");
    }
    metadata.remove("managedFields");
    let metadata = &mut fresh["metadata"];
    object::default(metadata, "uid", json!(object::new_uid()));
    object::default(metadata, "creationTimestamp", json!(object::now()));
    let is_counted = matches!(kind.plural, "daemonsets" | "jobs") || kind.custom.is_some();
    if kind.has(Subresource::Scale) || is_counted {
        object::default(metadata, "generation", json!(1));
    }
    defaults::apply(kind, fresh);
    if kind.has(Subresource::Status) {
        object::member(fresh, "status");
    }
}

/// PUT of an object or its subresource.
pub(super) fn update(
    store: &mut Store,
    reference: ObjectRef<'_>,
    query: &Query,
    body: &[u8],
) -> Result<Value, Failure> {
    let dry = dry_run(query, "UpdateOptions")?;
    let present = reference.find(store)?;
    let wanted = if reference.subresource == Some(Subresource::Scale) {
        scale::updated(reference.kind, &present, body)?
    } else {
        let wanted = decode(reference.kind, body)?;
        let given = object::name(&wanted);
        if given != reference.name {
            let message = format!(
                "the name of the object ({given}) does not match the name on the URL ({})",
                reference.name
            );
            return Err(Failure::bad_request(message));
        }
        wanted
    };
    replace(store, reference, &present, wanted, dry)
}

/// PATCH of an object or its subresource.
pub(super) fn patch(
    store: &mut Store,
    reference: ObjectRef<'_>,
    query: &Query,
    content_type: &str,
    body: &[u8],
) -> Result<Value, Failure> {
    let how = PatchKind::from_content_type(content_type)?;
    if reference.kind.custom.is_some() && how == PatchKind::StrategicMerge {
        return Err(Failure::accepts_only(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        ));
    }
    let dry = dry_run(query, "PatchOptions")?;
    let present = reference.find(store)?;
    let wanted = if reference.subresource == Some(Subresource::Scale) {
        scale::patched(reference.kind, &present, how, body)?
    } else {
        patch::apply(how, body, &present)?
    };
    replace(store, reference, &present, wanted, dry)
}

fn replace(
    store: &mut Store,
    reference: ObjectRef<'_>,
    present: &Value,
    mut wanted: Value,
    dry: bool,
) -> Result<Value, Failure> {
    let version = object::text(&wanted, "/metadata/resourceVersion");
    if !version.is_empty() && version != object::text(present, "/metadata/resourceVersion") {
        return Err(Failure::conflict(reference.kind, reference.name));
    }
    restore_server_fields(reference, present, &mut wanted);
    defaults::apply(reference.kind, &mut wanted);
    defaults::validate(reference.kind, &wanted)?;
    if present["metadata"].get("generation").is_some() && present["spec"] != wanted["spec"] {
        wanted["metadata"]["generation"] =
            json!(object::number(present, "/metadata/generation") + 1);
    }
    let stored = if dry {
        wanted["metadata"]["resourceVersion"] = present["metadata"]["resourceVersion"].clone();
        Arc::new(wanted)
    } else {
        store.put(&reference.key(), wanted)
    };
    response_body(reference, &stored)
}

/// Restores the fields that only the server may change. `status` changes only through the status
/// subresource, and that subresource changes no other field.
fn restore_server_fields(reference: ObjectRef<'_>, present: &Value, wanted: &mut Value) {
    object::member(wanted, "metadata").remove("managedFields");
    for field in ["kind", "apiVersion"] {
        wanted[field] = present[field].clone();
    }
    for field in ["name", "namespace", "uid", "creationTimestamp", "generation"] {
        match present["metadata"].get(field) {
            Some(value) => wanted["metadata"][field] = value.clone(),
            None => {
                object::member(wanted, "metadata").remove(field);
            }
        }
    }
    if reference.subresource == Some(Subresource::Status) {
        let status = wanted["status"].take();
        *wanted = present.clone();
        wanted["status"] = status;
    } else if reference.kind.has(Subresource::Status) {
        wanted["status"] = present["status"].clone();
    }
}

/// DELETE of one object. The controllers remove its dependents later.
pub(super) fn delete(
    store: &mut Store,
    reference: ObjectRef<'_>,
    query: &Query,
    body: &[u8],
) -> Result<Value, Failure> {
    let dry = dry_run(query, "DeleteOptions")?;
    let present = reference.find(store)?;
    let options: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let dry = dry || options["dryRun"] == json!(["All"]);
    let policy = query.get("propagationPolicy").or_else(|| options["propagationPolicy"].as_str());
    if !dry {
        if policy == Some("Orphan") {
            orphan_dependents(store, object::uid(&present));
        }
        store.remove(&reference.key());
    }
    if reference.kind.plural == "pods" {
        return Ok((*present).clone());
    }
    let mut details = json!({ "name": reference.name, "kind": reference.kind.plural, "uid": object::uid(&present) });
    if !reference.kind.group.is_empty() {
        details["group"] = json!(reference.kind.group);
    }
    Ok(
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details }),
    )
}

fn orphan_dependents(store: &mut Store, owner: &str) {
    let dependents: Vec<(Key, Arc<Value>)> = store
        .all()
        .filter(|(_, object)| object::controller_uid(object) == Some(owner))
        .map(|(key, object)| (key.clone(), Arc::clone(object)))
        .collect();
    for (key, dependent) in dependents {
        let mut free = (*dependent).clone();
        object::member(&mut free, "metadata").remove("ownerReferences");
        store.put(&key, free);
    }
}

/// The object in a request's body. It must have the type of the path.
fn decode(kind: &ResourceType, body: &[u8]) -> Result<Value, Failure> {
    let fresh: Value = serde_json::from_slice(body).map_err(|error| {
        let problem = patch::json_problem(body, &error);
        Failure::bad_request(format!("couldn't get version/kind; json parse error: {problem}"))
    })?;
    let (given, version) = (object::text(&fresh, "/kind"), object::text(&fresh, "/apiVersion"));
    let fits = (given.is_empty() || given == kind.kind)
        && (version.is_empty() || version == kind.api_version());
    if fresh.is_object() && fits {
        return Ok(fresh);
    }
    Err(Failure::bad_request(format!(
        "the API version in the data ({version}, Kind={given}) does not match the expected API version ({}, Kind={})",
        kind.api_version(),
        kind.kind
    )))
}

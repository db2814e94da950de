//! The objects of a new sandbox.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{
    defaults,
    layout::Layout,
    object,
    resources::{by_kind, by_plural},
    store::{Key, Store, key_of},
    verbs,
};

/// The namespaces of every cluster.
pub(super) fn namespaces(store: &mut Store) {
    for name in ["default", "kube-system"] {
        add(store, "namespaces", json!({ "metadata": { "name": name } }));
    }
}

/// The objects of a layout. Their namespaces are created as well.
///
/// # Errors
/// An object is invalid, or occurs twice.
pub(super) fn layout(store: &mut Store, layout: &Layout) -> Result<()> {
    for object in layout.objects() {
        let (version, kind) = (object::text(object, "/apiVersion"), object::text(object, "/kind"));
        // The layout has only objects of known types.
        let Some(kind) = by_kind(version, kind) else { continue };
        let namespace = match object::namespace(object) {
            _ if !kind.namespaced => "",
            "" => "default",
            namespace => namespace,
        };
        if !namespace.is_empty() && store.get(&Key::new("namespaces", "", namespace)).is_none() {
            add(store, "namespaces", json!({ "metadata": { "name": namespace } }));
        }
        let mut fresh = object.clone();
        if let Some(fields) = fresh.as_object_mut() {
            fields.remove("status");
        }
        object::member(&mut fresh, "metadata").remove("resourceVersion");
        verbs::complete(kind, namespace, &mut fresh);
        let key = Key::new(kind.stored_as(), namespace, object::name(object));
        let label = format!("{} {:?}", kind.kind, key.name);
        if let Err(failure) = defaults::validate(kind, &fresh) {
            bail!("{label}: {}", object::text(&failure.status(), "/message"));
        }
        let is_namespace = kind.plural == "namespaces";
        if !is_namespace && store.get(&key).is_some() {
            bail!("{label} occurs twice in namespace {namespace:?}");
        }
        store.put(&key, fresh);
    }
    Ok(())
}

/// The group of [`swarms`].
pub(super) const SWARMS: &str = "load.example.com";

/// Custom resources with and without a count.
pub(super) fn swarms(store: &mut Store) {
    add(store, "swarms", json!({ "metadata": { "name": "big" }, "spec": { "workers": 4 } }));
    add(store, "swarms", json!({ "metadata": { "name": "unset" }, "spec": {} }));
}

fn add(store: &mut Store, plural: &'static str, mut object: Value) {
    let Some(kind) = by_plural(plural) else { return };
    verbs::complete(kind, "default", &mut object);
    store.put(&key_of(plural, &object), object);
}

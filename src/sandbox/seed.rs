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

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, Instant};

    use super::*;
    use crate::sandbox::{
        controller::Controllers, custom, locust::LocustRelease, locust::Locusts, resources::Types,
    };

    /// Lays out one object, and runs the controllers and the Locusts.
    fn try_layout(object: Value) {
        let (mut store, release) = (Store::new(), LocustRelease::LATEST);
        let Ok(objects) = Layout::new([object]) else { return };
        if layout(&mut store, &objects).is_ok() {
            Controllers::new(Duration::ZERO).settle(&mut store, Instant::now());
            Locusts::new(release).follow(&store);
        }
    }

    #[test]
    fn objects_of_any_shape_are_laid_out_or_refused() {
        let custom_groups = custom::TYPES.iter().map(|kind| kind.group).collect();
        let odd = [json!(null), json!(3), json!("x"), json!([]), json!([3]), json!({})];
        let fields = ["selector", "template", "replicas", "ports", "worker", "workers", "args"];
        for kind in (Types { custom_groups }).all() {
            let object = |metadata: Value, spec: Value| {
                let version = kind.api_version();
                json!({ "apiVersion": version, "kind": kind.kind, "metadata": metadata, "spec": spec })
            };
            for value in &odd {
                try_layout(object(json!({ "name": "a" }), value.clone()));
                for field in fields {
                    try_layout(object(json!({ "name": "a" }), json!({ field: value })));
                }
                for field in ["labels", "annotations", "ownerReferences", "namespace", "uid"] {
                    let spec = json!({ "selector": { "a": "b" }, "template": {
                        "metadata": { field: value }, "spec": { "containers": value },
                    } });
                    try_layout(object(json!({ "name": "a", field: value }), spec));
                }
            }
        }
    }
}

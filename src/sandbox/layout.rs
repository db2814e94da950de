//! The objects that a sandbox starts with: a named layout, or objects from outside.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{layouts, locust::LocustRelease, object, resources::by_kind};

/// The most objects of one layout.
const MAX_OBJECTS: usize = 500;

/// The most pods that the objects of one layout ask for.
const MAX_PODS: i64 = 2000;

/// The objects that a sandbox starts with.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    objects: Vec<Value>,
    left_out: Vec<String>,
}

/// The reason why objects are no layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Too many objects.
    #[error(
        "{0} objects are more than a simulated cluster can start with: the limit is {MAX_OBJECTS}"
    )]
    TooManyObjects(usize),
    /// Too many pods.
    #[error("the objects ask for {0} pods together: the limit is {MAX_PODS}")]
    TooManyPods(i64),
    /// A document is not an object with a kind and an apiVersion.
    #[error("object {0} has no kind, or no apiVersion")]
    Untyped(usize),
    /// An object has no name.
    #[error("object {index} ({kind}) has no metadata.name")]
    Nameless {
        /// The position, from 1.
        index: usize,
        kind: String,
    },
    /// Nothing is left to start with.
    #[error("there is no object that a simulated cluster can hold")]
    Empty,
}

impl Layout {
    /// The names that [`Self::named`] knows, in the order of the documentation.
    pub const NAMES: &[&str] = layouts::NAMES;

    /// A layout of these objects. A `List` stands for its items. Objects of types that the sandbox does
    /// not simulate are left out; see [`Self::left_out`].
    ///
    /// # Errors
    /// [`LayoutError`]. The fields of the objects are checked when the sandbox starts.
    pub fn new(objects: impl IntoIterator<Item = Value>) -> Result<Self, LayoutError> {
        let mut layout = Self { objects: Vec::new(), left_out: Vec::new() };
        let mut index = 0;
        for object in objects.into_iter().flat_map(items) {
            index += 1;
            layout.add(index, object)?;
        }
        if index > MAX_OBJECTS {
            return Err(LayoutError::TooManyObjects(index));
        }
        if layout.objects.is_empty() {
            return Err(LayoutError::Empty);
        }
        match layout.pods() {
            pods if pods > MAX_PODS => Err(LayoutError::TooManyPods(pods)),
            _ => Ok(layout),
        }
    }

    /// The layout with this name.
    pub fn named(name: &str, release: LocustRelease) -> Option<Self> {
        let objects = layouts::named(name, release)?;
        Some(Self { objects, left_out: Vec::new() })
    }

    /// The types of the objects that the sandbox does not simulate, such as `networking.k8s.io/v1
    /// Ingress`, each once.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    pub(super) fn objects(&self) -> &[Value] {
        &self.objects
    }

    /// The API groups of the objects.
    pub(super) fn groups(&self) -> BTreeSet<&'static str> {
        let kinds = self.objects.iter().filter_map(|object| {
            by_kind(object::text(object, "/apiVersion"), object::text(object, "/kind"))
        });
        kinds.map(|kind| kind.group).collect()
    }

    fn add(&mut self, index: usize, object: Value) -> Result<(), LayoutError> {
        let (version, kind) =
            (object::text(&object, "/apiVersion"), object::text(&object, "/kind"));
        if version.is_empty() || kind.is_empty() {
            return Err(LayoutError::Untyped(index));
        }
        if object::name(&object).is_empty() {
            return Err(LayoutError::Nameless { index, kind: kind.to_owned() });
        }
        if by_kind(version, kind).is_some() {
            self.objects.push(object);
            return Ok(());
        }
        let name = format!("{version} {kind}");
        if !self.left_out.contains(&name) {
            self.left_out.push(name);
        }
        Ok(())
    }

    /// The number of pods that the objects ask for.
    fn pods(&self) -> i64 {
        let of_one = |object: &Value| {
            let spec = &object["spec"];
            let counts = ["replicas", "parallelism", "workers", "workerReplicas"];
            let own = counts.iter().filter_map(|field| spec[field].as_i64());
            own.chain(spec["worker"]["replicas"].as_i64()).max().unwrap_or(1).max(0)
        };
        self.objects.iter().map(of_one).fold(0, i64::saturating_add)
    }
}

/// The items of a list, or the object itself.
fn items(object: Value) -> Vec<Value> {
    let is_list = object::text(&object, "/kind").ends_with("List");
    match object {
        Value::Object(mut fields) if is_list => match fields.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        object => vec![object],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str, kind: &str, spec: Value) -> Value {
        json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "a" }, "spec": spec })
    }

    #[test]
    fn every_name_has_a_layout() {
        for name in Layout::NAMES {
            let layout = Layout::named(name, LocustRelease::LATEST).unwrap();
            assert_eq!(Layout::new(layout.objects.clone()).unwrap(), layout, "{name}");
        }
        assert_eq!(Layout::named("nonsense", LocustRelease::LATEST), None);
    }

    #[test]
    fn a_list_stands_for_its_items_and_other_types_are_left_out() {
        let ingress = object("networking.k8s.io/v1", "Ingress", json!({}));
        let deployment = object("apps/v1", "Deployment", json!({ "replicas": 3 }));
        let items = json!([deployment, ingress, ingress]);
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        let layout = Layout::new([list]).unwrap();
        assert_eq!((layout.objects.len(), layout.pods()), (1, 3));
        assert_eq!(layout.left_out(), ["networking.k8s.io/v1 Ingress"]);
    }

    #[test]
    fn objects_without_type_or_name_and_huge_layouts_are_refused() {
        let many = object("apps/v1", "Deployment", json!({ "replicas": i64::MAX }));
        for (objects, expected) in [
            (vec![json!({ "kind": "Pod" })], LayoutError::Untyped(1)),
            (vec![json!(3)], LayoutError::Untyped(1)),
            (
                vec![json!({ "apiVersion": "v1", "kind": "Pod" })],
                LayoutError::Nameless { index: 1, kind: "Pod".to_owned() },
            ),
            (vec![many.clone(), many], LayoutError::TooManyPods(i64::MAX)),
            (vec![object("v1", "Pod", json!({})); 501], LayoutError::TooManyObjects(501)),
            (vec![], LayoutError::Empty),
        ] {
            assert_eq!(Layout::new(objects), Err(expected));
        }
    }
}

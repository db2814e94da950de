//! Finds the targets of manifests. The objects themselves are not looked up: the object of the manifest
//! is printed, as in kubectl.

use std::sync::Arc;

use anyhow::anyhow;
use serde_json::{Value, json};

use super::error::Error;
use super::object::{Document, Object};
use crate::cluster::api::{self, Client, Resource};
use crate::scaling::resolve::{Resolved, Selected};
use crate::scaling::target::Target;
use crate::scaling::types::Types;
use crate::text::go;
use crate::text::label_selector::LabelSelector;

/// The flags that restrict the objects of manifests.
#[derive(Debug, Clone, Copy)]
pub struct ManifestRules<'a> {
    /// The namespace of objects that name none.
    pub namespace: &'a str,
    /// `-n` was given: objects of another namespace are refused.
    pub is_enforced: bool,
    /// `-l`: only objects with these labels are taken.
    pub selector: Option<&'a LabelSelector>,
}

/// The errors of the items of one list. kubectl reports them as one error.
#[derive(Debug, thiserror::Error)]
#[error("{}", joined(.0))]
pub struct ListErrors(pub Vec<String>);

/// The text of apimachinery's `Aggregate`.
fn joined(errors: &[String]) -> String {
    match errors {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// Finds the types and namespaces of all objects. A document that cannot be read and a type that the
/// cluster does not know become errors; the other objects are still scaled.
pub async fn resolve_manifests(
    client: &Client,
    documents: Vec<Result<Document, Error>>,
    rules: ManifestRules<'_>,
) -> Resolved {
    let reader = Reader { types: Types::new(client), rules };
    let mut resolved = Resolved::default();
    for document in documents {
        match document {
            Ok(Document { object, items: None }) => match reader.of_document(object).await {
                Ok(selected) => resolved.selected.extend(selected),
                Err(error) => resolved.errors.push(error),
            },
            Ok(Document { object, items: Some(items) }) => {
                if let Err(error) = reader.check_list(&object).await {
                    resolved.errors.push(error);
                    continue;
                }
                let mut errors = Vec::new();
                for item in items {
                    match reader.of_item(item).await {
                        Ok(selected) => resolved.selected.extend(selected),
                        Err(ItemError::Item(text)) => errors.push(text),
                        Err(ItemError::Object(error)) => resolved.errors.push(error),
                    }
                }
                if !errors.is_empty() {
                    resolved.errors.push(ListErrors(errors).into());
                }
            }
            Err(error) => resolved.errors.push(error.into()),
        }
    }
    resolved
}

/// An error of an item of a list.
enum ItemError {
    /// It is reported together with the other errors of the list.
    Item(String),
    /// It is reported without the other errors of the list.
    Object(anyhow::Error),
}

struct Reader<'a> {
    types: Types<'a>,
    rules: ManifestRules<'a>,
}

impl Reader<'_> {
    async fn of_document(&self, object: Object) -> anyhow::Result<Option<Selected>> {
        let Object { api_version, kind, source, .. } = &object;
        let found = self.types.of_kind(api_version, kind).await;
        match found.map_err(|error| unrecognized(source, error))? {
            Some(resource) => self.select(resource, object),
            None => Err(no_mapping(&object)),
        }
    }

    async fn of_item(&self, item: Result<Object, Error>) -> Result<Option<Selected>, ItemError> {
        let object = item.map_err(|error| ItemError::Item(error.to_string()))?;
        let found = self.types.of_kind(&object.api_version, &object.kind).await;
        match found {
            Ok(Some(resource)) => self.select(resource, object).map_err(ItemError::Object),
            Ok(None) => Err(ItemError::Item(format!("unable to recognize {}", no_match(&object)))),
            Err(error) => Err(ItemError::Item(format!("unable to recognize {error}"))),
        }
    }

    /// Checks that the cluster knows the kind of a list.
    async fn check_list(&self, list: &Object) -> anyhow::Result<()> {
        let Some(kind) = list.kind.strip_suffix("List").filter(|kind| !kind.is_empty()) else {
            return match list.kind.as_str() {
                "List" => Ok(()),
                _ => self.of_document(list.clone()).await.map(drop),
            };
        };
        let found = self.types.of_kind(&list.api_version, kind).await;
        match found.map_err(|error| unrecognized(&list.source, error))? {
            Some(_) => Ok(()),
            None => Err(no_mapping(list)),
        }
    }

    /// The target of an object; `None` if the object does not have the labels of `-l`.
    fn select(&self, resource: Arc<Resource>, object: Object) -> anyhow::Result<Option<Selected>> {
        let ManifestRules { namespace: default, is_enforced, selector } = self.rules;
        let namespace = object.namespace.as_deref().unwrap_or(default);
        if resource.namespaced && is_enforced && namespace != default {
            return Err(anyhow!(
                "the namespace from the provided object {} does not match the namespace {}. You \
                 must pass '--namespace={namespace}' to perform this operation.",
                go::quote(namespace),
                go::quote(default)
            ));
        }
        if selector.is_some_and(|selector| !selector.matches(|key| object.label(key))) {
            return Ok(None);
        }
        let name = object.name.as_deref().unwrap_or_default();
        let target = Target::new(Arc::clone(&resource), namespace, name)?;
        let mut value = object.value;
        set_namespace(&mut value, resource.namespaced.then_some(namespace));
        Ok(Some(Selected { target, listed: None, object: Some(value) }))
    }
}

/// Sets the namespace of an object, or removes it. kubectl prints no namespace for an object of a
/// cluster-scoped type.
fn set_namespace(object: &mut Value, namespace: Option<&str>) {
    let Some(fields) = object.as_object_mut() else { return };
    match namespace {
        Some(namespace) => {
            let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.insert("namespace".to_owned(), namespace.into());
            }
        }
        None => {
            if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("namespace");
            }
        }
    }
}

fn unrecognized(source: &str, error: api::Error) -> anyhow::Error {
    anyhow!("unable to recognize {}: {error}", go::quote(source))
}

fn no_match(object: &Object) -> String {
    let Object { api_version, kind, .. } = object;
    format!("no matches for kind {} in version {}", go::quote(kind), go::quote(api_version))
}

fn no_mapping(object: &Object) -> anyhow::Error {
    anyhow!(
        "resource mapping not found for name: {} namespace: {} from {}: {}\nensure CRDs are \
         installed first",
        go::quote(object.name.as_deref().unwrap_or_default()),
        go::quote(object.namespace.as_deref().unwrap_or_default()),
        go::quote(&object.source),
        no_match(object)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_the_namespace_that_its_type_allows() {
        let after = |mut object: Value, namespace| {
            set_namespace(&mut object, namespace);
            object
        };
        let metadata = |metadata: Value| json!({ "metadata": metadata });
        let named = metadata(json!({"name": "a", "namespace": "file"}));
        assert_eq!(after(named.clone(), Some("b"))["metadata"]["namespace"], "b");
        assert_eq!(after(json!({}), Some("b")), metadata(json!({"namespace": "b"})));
        // An object of a cluster-scoped type.
        assert_eq!(after(named, None), metadata(json!({"name": "a"})));
        assert_eq!(after(json!({}), None), json!({}));
    }
}

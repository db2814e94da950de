//! Finds the objects of a selection: looks up their types and lists collections.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::current_scale::replicas_in_spec;
use super::order::ListedObject;
use super::remembered_count::Annotation;
use super::{Selection, SelectionError, Target, Types};
use crate::cluster::api::{Client, Error, Listing, Resource};

/// An object to scale, before any request about this single object.
#[derive(Debug)]
pub struct Selected {
    /// Type, namespace and name of the object.
    pub target: Target,
    /// The object as a LIST returned it; `None` if the object was named.
    pub listed: Option<ListedObject>,
    /// The object of a manifest, or of a LIST of custom resources, if it is to be printed.
    pub object: Option<Value>,
}

/// The objects of a selection.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The objects in kubectl's order.
    pub selected: Vec<Selected>,
    /// The reason why other objects could not be found. The objects in `selected` are still scaled.
    pub errors: Vec<anyhow::Error>,
}

impl Resolved {
    /// A single object that is known to exist.
    pub fn of(target: Target) -> Self {
        let selected = Selected { target, listed: None, object: None };
        Self { selected: vec![selected], errors: Vec::new() }
    }
}

/// Finds the objects of a selection. Collections are listed, one LIST for each type (and page). Named
/// objects are not looked up.
///
/// # Errors
/// A type is unknown, or a name is invalid. Then nothing may be scaled, as in kubectl.
pub async fn resolve(
    client: &Client,
    selection: &Selection,
    namespace: &str,
    with_objects: bool,
) -> anyhow::Result<Resolved> {
    let types = Types::new(client);
    match selection {
        Selection::Pairs(pairs) => named(&types, pairs, namespace).await,
        Selection::Names { kind, names } => {
            if types.category(kind).await?.is_some_and(|types| types.len() > 1) {
                return Err(SelectionError::SeveralTypes.into());
            }
            let pairs: Vec<_> = names.iter().map(|name| (kind.clone(), name.clone())).collect();
            named(&types, &pairs, namespace).await
        }
        Selection::Collections { types: tokens, labels } => {
            let resources = collections(&types, tokens).await?;
            let list = Lists { client, namespace, labels: labels.as_deref(), with_objects };
            Ok(list.all(&resources).await)
        }
        Selection::TypesOnly(tokens) => {
            collections(&types, tokens).await?;
            Err(SelectionError::NoName.into())
        }
    }
}

async fn named(
    types: &Types<'_>,
    pairs: &[(String, String)],
    namespace: &str,
) -> anyhow::Result<Resolved> {
    let mut selected = Vec::with_capacity(pairs.len());
    for (kind, name) in pairs {
        let target = Target::new(types.find(kind).await?, namespace, name)?;
        selected.push(Selected { target, listed: None, object: None });
    }
    Ok(Resolved { selected, errors: Vec::new() })
}

/// The types of the tokens. Each type occurs once, even if two tokens name it.
async fn collections(types: &Types<'_>, tokens: &[String]) -> anyhow::Result<Vec<Arc<Resource>>> {
    let mut unique: Vec<Arc<Resource>> = Vec::new();
    for token in tokens {
        let found = match types.category(token).await? {
            Some(resources) => resources,
            None => vec![types.find(token).await?],
        };
        for resource in found {
            if !unique.contains(&resource) {
                unique.push(resource);
            }
        }
    }
    Ok(unique)
}

struct Lists<'a> {
    client: &'a Client,
    namespace: &'a str,
    labels: Option<&'a str>,
    with_objects: bool,
}

/// The fields of an object of a built-in kind that are needed if it is not printed.
#[derive(Deserialize)]
struct NeededFields {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
    #[serde(default, rename = "resourceVersion")]
    resource_version: String,
}

#[derive(Deserialize, Default)]
struct Spec {
    #[serde(default)]
    replicas: Value,
}

/// An object of a type with an unknown spec.
#[derive(Deserialize)]
struct MetadataOnly {
    metadata: Metadata,
}

impl Lists<'_> {
    async fn all(&self, resources: &[Arc<Resource>]) -> Resolved {
        let mut resolved = Resolved::default();
        for resource in resources {
            match self.one(resource).await {
                Ok(selected) => resolved.selected.extend(selected),
                Err(error) => resolved.errors.push(error),
            }
        }
        resolved
    }

    async fn one(&self, resource: &Arc<Resource>) -> anyhow::Result<Vec<Selected>> {
        let Self { client, namespace, labels, .. } = *self;
        let listing = Listing { resource, namespace, labels };
        if self.with_objects {
            let items: Vec<Value> = client.list(listing).await?;
            return items.into_iter().map(|item| self.whole(resource, item)).collect();
        }
        if resource.has_replicas_in_spec() {
            let items: Vec<NeededFields> = client.list(listing).await?;
            return items.into_iter().map(|item| self.brief(resource, item)).collect();
        }
        let items: Vec<MetadataOnly> = client.list(listing).await?;
        items.into_iter().map(|item| self.selected(resource, &item.metadata)).collect()
    }

    fn selected(&self, resource: &Arc<Resource>, metadata: &Metadata) -> anyhow::Result<Selected> {
        let namespace = metadata.namespace.as_deref().unwrap_or(self.namespace);
        let target = Target::new(Arc::clone(resource), namespace, &metadata.name)?;
        Ok(Selected { target, listed: None, object: None })
    }

    fn brief(&self, resource: &Arc<Resource>, item: NeededFields) -> anyhow::Result<Selected> {
        let selected = self.selected(resource, &item.metadata)?;
        let replicas = replicas_in_spec(&json!({"spec": {"replicas": item.spec.replicas}}))?;
        let resource_version = item.metadata.resource_version;
        let listed = ListedObject {
            replicas,
            resource_version,
            object: None,
            annotation: Annotation::default(),
        };
        Ok(Selected { listed: Some(listed), ..selected })
    }

    /// The items of a list have no `apiVersion` and `kind`: the list has them for all items.
    fn whole(&self, resource: &Arc<Resource>, mut item: Value) -> anyhow::Result<Selected> {
        if let Some(fields) = item.as_object_mut() {
            fields.insert("apiVersion".to_owned(), resource.api_version().into());
            fields.insert("kind".to_owned(), (*resource.kind).into());
        }
        let metadata = Metadata::deserialize(&item["metadata"]).map_err(|error| {
            Error::Unreadable(format!(
                "the server's list of {} cannot be read: {error}",
                resource.plural
            ))
        })?;
        let selected = self.selected(resource, &metadata)?;
        if !resource.has_replicas_in_spec() {
            return Ok(Selected { object: Some(item), ..selected });
        }
        let replicas = replicas_in_spec(&item)?;
        let resource_version = metadata.resource_version;
        let listed = ListedObject {
            replicas,
            resource_version,
            object: Some(item),
            annotation: Annotation::default(),
        };
        Ok(Selected { listed: Some(listed), ..selected })
    }
}

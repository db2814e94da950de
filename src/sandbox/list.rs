//! Lists: selectors, pages.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    query::Query,
    resources::ResourceType,
    selector::{FieldSelector, LabelSelector},
    status::Failure,
    store::{Key, Store},
};

/// Which objects of one type a request wants to see.
#[derive(Debug)]
pub(super) struct View {
    pub kind: &'static ResourceType,
    pub namespace: Option<String>,
    /// The one name, when the path names it.
    pub name: Option<String>,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl View {
    pub(super) fn new(
        kind: &'static ResourceType,
        namespace: Option<&str>,
        name: Option<&str>,
        query: &Query,
    ) -> Result<Self, Failure> {
        Ok(Self {
            kind,
            namespace: namespace.filter(|_| kind.namespaced).map(str::to_owned),
            name: name.map(str::to_owned),
            labels: LabelSelector::parse(query.get("labelSelector").unwrap_or(""))?,
            fields: FieldSelector::parse(query.get("fieldSelector").unwrap_or(""))?,
        })
    }

    /// Whether an object of this type is in view.
    pub(super) fn shows(&self, key: &Key, object: &Value) -> bool {
        key.plural == self.kind.plural
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
            && self.name.as_ref().is_none_or(|name| *name == key.name)
            && self.labels.matches(&object["metadata"]["labels"])
            && self.fields.matches(object)
    }

    /// Everything in view now.
    pub(super) fn all<'a>(
        &'a self,
        store: &'a Store,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        store
            .list(self.kind.plural, self.namespace.as_deref())
            .filter(|(key, object)| self.shows(key, object))
    }
}

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub metadata: Value,
    pub items: Vec<Arc<Value>>,
}

/// The objects in view, at most `limit` of them after the place that `continue` names.
pub(super) fn page(store: &Store, view: &View, query: &Query) -> Result<Page, Failure> {
    let limit =
        query.get("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0_usize);
    let after =
        query.get("continue").filter(|token| !token.is_empty()).map(place_of).transpose()?;
    let mut metadata = json!({ "resourceVersion": store.version().to_string() });
    let mut all = view.all(store).filter(|(key, _)| {
        after
            .as_ref()
            .is_none_or(|(namespace, name)| (&key.namespace, &key.name) > (namespace, name))
    });
    let mut items = Vec::new();
    let mut last = None;
    while limit.is_none_or(|limit| items.len() < limit) {
        let Some((key, object)) = all.next() else { break };
        items.push(Arc::clone(object));
        last = Some(key);
    }
    let remaining = all.count();
    if let Some(last) = last.filter(|_| remaining > 0) {
        metadata["continue"] =
            json!(BASE64_URL_SAFE_NO_PAD.encode(format!("{}/{}", last.namespace, last.name)));
        metadata["remainingItemCount"] = json!(remaining);
    }
    Ok(Page { metadata, items })
}

fn place_of(token: &str) -> Result<(String, String), Failure> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let place = String::from_utf8(bytes).unwrap_or_default();
    match place.split_once('/') {
        Some((namespace, name)) => Ok((namespace.to_owned(), name.to_owned())),
        None => Err(Failure::bad_request("continue key is not valid: illegal base64 data")),
    }
}

/// A page as a `…List`; items say neither kind nor version, as in a real answer.
pub(super) fn as_list(kind: &ResourceType, page: Page) -> Value {
    let bare = |item: &Arc<Value>| {
        let mut item = (**item).clone();
        if let Some(fields) = item.as_object_mut() {
            fields.remove("kind");
            fields.remove("apiVersion");
        }
        item
    };
    let items: Vec<Value> = page.items.iter().map(bare).collect();
    json!({
        "kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(),
        "metadata": page.metadata, "items": items,
    })
}

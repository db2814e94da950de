//! Lists: selectors and pages.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    custom,
    query::Query,
    resource_type::ResourceType,
    selector::{FieldSelector, label_selector},
    status::Failure,
    store::{Key, Store},
};
use crate::text::label_selector::LabelSelector;

/// The objects of one type that a request selects.
#[derive(Debug)]
pub(super) struct View {
    pub kind: &'static ResourceType,
    pub namespace: Option<String>,
    /// The name, if the path has one.
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
            labels: label_selector(query.get("labelSelector").unwrap_or(""))?,
            fields: FieldSelector::parse(query.get("fieldSelector").unwrap_or(""))?,
        })
    }

    /// True if this object is selected.
    pub(super) fn shows(&self, key: &Key, object: &Value) -> bool {
        key.plural == self.kind.stored_as()
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
            && self.name.as_ref().is_none_or(|name| *name == key.name)
            && self.labels.matches(|key| object["metadata"]["labels"].get(key)?.as_str())
            && self.fields.matches(object)
    }

    /// All objects that are selected now.
    pub(super) fn all<'a>(
        &'a self,
        store: &'a Store,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        store
            .list(self.kind.stored_as(), self.namespace.as_deref())
            .filter(|(key, object)| self.shows(key, object))
    }
}

#[derive(Debug)]
pub(super) struct Page {
    pub metadata: Value,
    pub items: Vec<Arc<Value>>,
}

/// The selected objects, at most `limit` of them, from where `continue` points to.
pub(super) fn page(store: &Store, view: &View, query: &Query) -> Result<Page, Failure> {
    let limit =
        query.get("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0_usize);
    let token = query.get("continue").filter(|token| !token.is_empty());
    let begun = token.map(Continue::parse).transpose()?;
    if let Some(begun) =
        begun.as_ref().filter(|begun| begun.version.is_some_and(|v| store.is_compacted(v)))
    {
        return Err(Failure::page_expired(Continue { version: None, ..begun.clone() }.token()));
    }
    // Later pages have the version of the first page.
    let version = begun.as_ref().and_then(|begun| begun.version).unwrap_or(store.version());
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    let mut all =
        view.all(store).filter(|(key, _)| begun.as_ref().is_none_or(|begun| begun.is_before(key)));
    let mut items = Vec::new();
    let mut last = None;
    while limit.is_none_or(|limit| items.len() < limit) {
        let Some((key, object)) = all.next() else { break };
        items.push(Arc::clone(object));
        last = Some(key);
    }
    let remaining = all.count();
    if let Some(last) = last.filter(|_| remaining > 0) {
        metadata["continue"] = json!(Continue::after(last, version).token());
        metadata["remainingItemCount"] = json!(remaining);
    }
    Ok(Page { metadata, items })
}

/// The position of the next page of a list.
#[derive(Debug, Clone)]
struct Continue {
    /// The version of the list. `None` continues with the objects of now.
    version: Option<u64>,
    namespace: String,
    name: String,
}

impl Continue {
    fn after(key: &Key, version: u64) -> Self {
        Self { version: Some(version), namespace: key.namespace.clone(), name: key.name.clone() }
    }

    fn is_before(&self, key: &Key) -> bool {
        (&self.namespace, &self.name) < (&key.namespace, &key.name)
    }

    fn token(&self) -> String {
        let version = self.version.map_or("-1".to_owned(), |version| version.to_string());
        BASE64_URL_SAFE_NO_PAD.encode(format!("{version}/{}/{}", self.namespace, self.name))
    }

    fn parse(token: &str) -> Result<Self, Failure> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        let parts: Vec<&str> = text.splitn(3, '/').collect();
        let [version, namespace, name] = parts[..] else {
            return Err(Failure::bad_request("continue key is not valid: illegal base64 data"));
        };
        // -1, or anything else that is not a version.
        let version = version.parse().ok();
        Ok(Self { version, namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

/// A page as a `…List`. Items of built-in types have neither kind nor apiVersion, as in a real
/// response.
pub(super) fn as_list(kind: &ResourceType, page: Page) -> Value {
    let bare = |item: &Arc<Value>| {
        let mut item = custom::in_version(kind, item);
        if let Some(fields) = item.as_object_mut().filter(|_| kind.custom.is_none()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::resources::by_plural;

    fn pods(names: &[&str]) -> Store {
        let mut store = Store::new();
        for name in names {
            let pod = json!({ "metadata": { "name": name, "namespace": "default" } });
            store.put(&Key::new("pods", "default", name), pod);
        }
        store
    }

    fn names_and_token(store: &Store, query: &str) -> Result<(String, String), Failure> {
        let query = Query::parse(query);
        let view = View::new(by_plural("pods").unwrap(), Some("default"), None, &query)?;
        let page = page(store, &view, &query)?;
        let names: Vec<&str> =
            page.items.iter().map(|pod| pod["metadata"]["name"].as_str().unwrap()).collect();
        let token = page.metadata["continue"].as_str().unwrap_or_default();
        Ok((names.join(" "), token.to_owned()))
    }

    #[test]
    fn the_continue_token_returns_the_next_page() {
        let store = pods(&["a", "b", "c"]);
        let (names, token) = names_and_token(&store, "limit=2").unwrap();
        assert_eq!(names, "a b");
        let next = names_and_token(&store, &format!("limit=2&continue={token}")).unwrap();
        assert_eq!(next, ("c".to_owned(), String::new()));
    }

    #[test]
    fn an_expired_page_is_refused_with_a_new_token() {
        let mut store = pods(&["a", "b"]);
        let (_, token) = names_and_token(&store, "limit=1").unwrap();
        store.put(&Key::new("pods", "default", "c"), json!({ "metadata": { "name": "c" } }));
        store.compact();
        let expired = names_and_token(&store, &format!("continue={token}")).unwrap_err();
        assert_eq!((expired.code, &expired.status()["reason"]), (410, &json!("Expired")));
        let new_token = expired.status()["metadata"]["continue"].as_str().unwrap().to_owned();
        let rest = names_and_token(&store, &format!("continue={new_token}")).unwrap();
        assert_eq!(rest, ("b c".to_owned(), String::new()));
        let broken = names_and_token(&store, "continue=x").unwrap_err();
        assert_eq!(broken.code, 400);
    }
}

//! Reads one document as an object or as a list of objects, with the checks of kubectl.

use serde_json::{Map, Value};

use super::error::Error;
use super::stream::Raw;

#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The file, URL or `STDIN` of the object, as kubectl names it.
    pub source: String,
    /// `apiVersion`; may be empty.
    pub api_version: String,
    /// `kind`; never empty.
    pub kind: String,
    /// `metadata.name`; `None` if it is missing or empty.
    pub name: Option<String>,
    /// `metadata.namespace`; `None` if it is missing or empty.
    pub namespace: Option<String>,
    /// The whole object. A whole number is an integer if it fits into 64 bits; all others are floats.
    pub value: Value,
}

impl Object {
    pub fn label(&self, key: &str) -> Option<&str> {
        self.value.get("metadata")?.get("labels")?.get(key)?.as_str()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The object itself, or the list. kubectl also looks up the kind of a list: if the cluster does
    /// not know it, no item is read.
    pub object: Object,
    /// The items of a list: objects or errors. kubectl joins all errors of one list into one error.
    pub items: Option<Vec<Result<Object, Error>>>,
}

/// Reads a document, as apimachinery's `UnstructuredJSONScheme` and cli-runtime's mapper do.
pub(super) fn decode(raw: Raw, source: &str) -> Result<Document, Error> {
    let undecodable = |problem| Error::new(format!("unable to decode {source:?}: {problem}"));
    let kind = json_type(&raw.value);
    let without_kind = match &raw.value {
        Value::Object(fields) if type_of(fields).1.is_empty() => Some(raw.json()),
        _ => None,
    };
    let Value::Object(mut fields) = raw.value else {
        return Err(undecodable(format!(
            "json: cannot unmarshal {kind} into Go value of type unstructured.detector"
        )));
    };
    let items = fields.remove("items").map(list_items).transpose().map_err(undecodable)?;
    if let Some(json) = without_kind {
        return Err(undecodable(format!("Object 'Kind' is missing in '{json}'")));
    }
    let (api_version, kind) = type_of(&fields);
    check_metadata(&fields).map_err(undecodable)?;
    let Some(items) = items else {
        return Ok(Document { object: object(source, fields), items: None });
    };
    // kubectl 1.36 does not flatten a list inside a list, and reads nothing of the outer list.
    if items.iter().any(|item| item.get("items").is_some_and(Value::is_array)) {
        return Err(Error::new(
            "*unstructured.Unstructured is not a list: no Items field in this object",
        ));
    }
    let item_kind = kind.strip_suffix("List").unwrap_or(&kind).to_owned();
    let items = items.into_iter().map(|item| list_item(source, item, &api_version, &item_kind));
    Ok(Document { items: Some(items.collect()), object: object(source, fields) })
}

fn list_items(items: Value) -> Result<Vec<Map<String, Value>>, String> {
    let kind = json_type(&items);
    let items = match items {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        _ => {
            return Err(format!(
                "json: cannot unmarshal {kind} into Go struct field decodeList.items of type \
                 []jsontext.Value"
            ));
        }
    };
    let fields_of = |item: Value| match item {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        other => Err(format!(
            "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            json_type(&other)
        )),
    };
    items.into_iter().map(fields_of).collect()
}

/// An item. If it has no type, it gets the type that the name of the list's kind says.
fn list_item(
    source: &str,
    mut fields: Map<String, Value>,
    api_version: &str,
    kind: &str,
) -> Result<Object, Error> {
    if text(&fields, "kind").is_empty() && text(&fields, "apiVersion").is_empty() {
        fields.insert("kind".to_owned(), kind.into());
        fields.insert("apiVersion".to_owned(), api_version.into());
    }
    let (api_version, kind) = type_of(&fields);
    let missing = match (kind.as_str(), api_version.as_str()) {
        ("", _) => "Object 'Kind' is missing in 'object has no kind field '",
        (_, "") => "Object 'apiVersion' is missing in 'object has no apiVersion field'",
        _ => return Ok(object(source, fields)),
    };
    Err(Error::new(format!(
        "unable to get type info from the object \"*unstructured.Unstructured\": {missing}"
    )))
}

fn object(source: &str, fields: Map<String, Value>) -> Object {
    let (api_version, kind) = type_of(&fields);
    let of_metadata = |key: &str| {
        let text = fields.get("metadata")?.get(key)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let (name, namespace) = (of_metadata("name"), of_metadata("namespace"));
    let source = source.to_owned();
    Object { source, api_version, kind, name, namespace, value: Value::Object(fields) }
}

/// `apiVersion` and `kind`, as Go's `ParseGroupVersion` reads them. Both are empty if the version has
/// more than one slash. `/v1` is `v1`.
fn type_of(fields: &Map<String, Value>) -> (String, String) {
    let api_version = text(fields, "apiVersion");
    match api_version.matches('/').count() {
        0 | 1 => (api_version.trim_start_matches('/').to_owned(), text(fields, "kind").to_owned()),
        _ => Default::default(),
    }
}

fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a str {
    fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Checks the types of the fields of Go's `ObjectMeta`. The error is that of Go for the first field of
/// a wrong type.
fn check_metadata(fields: &Map<String, Value>) -> Result<(), String> {
    let wrong = |value: &Value, field: &str, wanted: &str| {
        let kind = json_type(value);
        Err(format!("json: cannot unmarshal {kind} into Go struct field {field} of type {wanted}"))
    };
    for field in ["apiVersion", "kind"] {
        match fields.get(field) {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(other) => {
                return wrong(other, &format!("metadataOnlyObject.TypeMeta.{field}"), "string");
            }
        }
    }
    match fields.get("metadata") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(metadata)) => {
            metadata.iter().try_for_each(|(key, value)| check_metadata_field(key, value))
        }
        Some(other) => wrong(other, "metadataOnlyObject.metadata", "v1.ObjectMeta"),
    }
}

fn check_metadata_field(key: &str, value: &Value) -> Result<(), String> {
    let wrong = |value: &Value, wanted: &str| {
        let kind = json_type(value);
        let field = format!("ObjectMeta.metadata.{key}");
        Err(format!("json: cannot unmarshal {kind} into Go struct field {field} of type {wanted}"))
    };
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Null);
    match (key, value) {
        (_, Value::Null) => Ok(()),
        (
            "name" | "generateName" | "namespace" | "selfLink" | "uid" | "resourceVersion"
            | "creationTimestamp" | "deletionTimestamp",
            value,
        ) if !is_text(value) => wrong(value, "string"),
        ("creationTimestamp" | "deletionTimestamp", Value::String(time)) => check_time(time),
        ("generation" | "deletionGracePeriodSeconds", value) if value.as_i64().is_none() => {
            match value {
                Value::Number(number) => Err(format!(
                    "json: cannot unmarshal number {number} into Go struct field \
                     ObjectMeta.metadata.{key} of type int64"
                )),
                other => wrong(other, "int64"),
            }
        }
        ("labels" | "annotations", Value::Object(entries)) => {
            match entries.values().find(|value| !is_text(value)) {
                Some(value) => wrong(value, "string"),
                None => Ok(()),
            }
        }
        ("labels" | "annotations", other) => wrong(other, "map[string]string"),
        ("finalizers", Value::Array(items)) => match items.iter().find(|item| !is_text(item)) {
            Some(item) => wrong(item, "string"),
            None => Ok(()),
        },
        ("finalizers", other) => wrong(other, "[]string"),
        ("ownerReferences", other) if !other.is_array() => wrong(other, "[]v1.OwnerReference"),
        ("managedFields", other) if !other.is_array() => wrong(other, "[]v1.ManagedFieldsEntry"),
        _ => Ok(()),
    }
}

fn check_time(time: &str) -> Result<(), String> {
    use time::format_description::well_known::Rfc3339;
    match time::OffsetDateTime::parse(time, &Rfc3339) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!(
            "parsing time {time:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {time:?} as \
             \"2006\""
        )),
    }
}

/// The type's name in Go's `encoding/json`.
fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

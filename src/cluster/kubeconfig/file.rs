//! One kubeconfig file: its fields, typed, with kubectl's errors for what does not fit.
//!
//! Fields are read in the order of their names, as kubectl reads them (it makes sorted JSON of the
//! YAML first): that decides which of several errors is reported. Unknown fields are ignored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    entries::{ClusterEntry, ContextEntry, Origin, UserEntry},
    fields,
};

/// What one file says; also what several files say after [`super::merge::merge`].
#[derive(Debug, Default)]
pub(super) struct File {
    pub current_context: String,
    pub clusters: BTreeMap<String, ClusterEntry>,
    pub users: BTreeMap<String, UserEntry>,
    pub contexts: BTreeMap<String, ContextEntry>,
}

impl File {
    /// Reads the content of a file; `origin` is the directory that its relative paths start from.
    pub fn from_value(value: Value, origin: &Origin) -> Result<Self, String> {
        let mut fields = match value {
            Value::Object(fields) => fields,
            Value::Null => Map::new(),
            other => {
                return Err(format!(
                    "couldn't get version/kind; json parse error: json: cannot unmarshal {} into \
                     Go value of type struct {{ APIVersion string \
                     \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
                     \"json:\\\"kind,omitempty\\\"\" }}",
                    fields::kind_of(&other)
                ));
            }
        };
        check_kind(&mut fields)?;
        Self::from_fields(fields, origin)
    }

    fn from_fields(fields: Map<String, Value>, origin: &Origin) -> Result<Self, String> {
        let (mut clusters, mut users, mut contexts) = (Vec::new(), Vec::new(), Vec::new());
        let mut extensions = Vec::new();
        let mut file = Self::default();
        for (key, value) in fields {
            match key.as_str() {
                "clusters" => {
                    clusters = named(value, &CLUSTERS, |v| ClusterEntry::from_value(v, origin))?;
                }
                "contexts" => contexts = named(value, &CONTEXTS, ContextEntry::from_value)?,
                "current-context" => file.current_context = fields::text(value, "Config", &key)?,
                "extensions" => extensions = self::extensions(value, "Config", "extensions")?,
                "preferences" => check_preferences(value)?,
                "users" => users = named(value, &USERS, |v| UserEntry::from_value(v, origin))?,
                _ => {}
            }
        }
        file.clusters = by_name(clusters, &CLUSTERS)?;
        file.users = by_name(users, &USERS)?;
        file.contexts = by_name(contexts, &CONTEXTS)?;
        by_name(extensions, &EXTENSIONS)?;
        Ok(file)
    }
}

/// A list of named entries, in Go's terms.
struct List {
    path: &'static str,
    /// The field of an entry that holds the thing named.
    field: &'static str,
    go_list: &'static str,
    go_entry: &'static str,
    owner: &'static str,
    go_target: &'static str,
}

const CLUSTERS: List = List {
    path: "clusters",
    field: "cluster",
    go_list: "[]v1.NamedCluster",
    go_entry: "v1.NamedCluster",
    owner: "NamedCluster",
    go_target: "*api.Cluster",
};

const USERS: List = List {
    path: "users",
    field: "user",
    go_list: "[]v1.NamedAuthInfo",
    go_entry: "v1.NamedAuthInfo",
    owner: "NamedAuthInfo",
    go_target: "*api.AuthInfo",
};

const CONTEXTS: List = List {
    path: "contexts",
    field: "context",
    go_list: "[]v1.NamedContext",
    go_entry: "v1.NamedContext",
    owner: "NamedContext",
    go_target: "*api.Context",
};

const EXTENSIONS: List = List {
    path: "extensions",
    field: "extension",
    go_list: "[]v1.NamedExtension",
    go_entry: "v1.NamedExtension",
    owner: "NamedExtension",
    go_target: "runtime.Object",
};

/// Reads a list of `{name: …, <field>: …}`. An entry without the field is an empty one.
fn named<T>(
    value: Value,
    list: &List,
    read: impl Fn(Value) -> Result<T, String>,
) -> Result<Vec<(String, T)>, String> {
    let mut entries = Vec::new();
    for item in fields::list(value, "Config", list.path, list.go_list)? {
        let (mut name, mut entry) = (String::new(), None);
        for (key, value) in fields::object(item, "Config", list.path, list.go_entry)? {
            if key == "name" {
                name = fields::text(value, list.owner, &format!("{}.name", list.path))?;
            } else if key == list.field {
                entry = Some(read(value)?);
            }
        }
        let entry = match entry {
            Some(entry) => entry,
            None => read(Value::Null)?,
        };
        entries.push((name, entry));
    }
    Ok(entries)
}

/// A name may stand only once in a list. kubectl's text goes on with the whole list, secrets
/// included; ours does not.
fn by_name<T>(entries: Vec<(String, T)>, list: &List) -> Result<BTreeMap<String, T>, String> {
    let mut map = BTreeMap::new();
    for (name, entry) in entries {
        if map.contains_key(&name) {
            return Err(format!(
                "error converting *[]{} into *map[string]{}: duplicate name {name:?} in list: [...]",
                list.owner, list.go_target
            ));
        }
        map.insert(name, entry);
    }
    Ok(map)
}

/// Reads `[{name: …, extension: …}]`, found at `path`.
pub(super) fn extensions(
    value: Value,
    owner: &str,
    path: &str,
) -> Result<Vec<(String, Value)>, String> {
    let mut all = Vec::new();
    for item in fields::list(value, owner, path, EXTENSIONS.go_list)? {
        let (mut name, mut extension) = (String::new(), Value::Null);
        for (key, value) in fields::object(item, owner, path, EXTENSIONS.go_entry)? {
            match key.as_str() {
                "extension" => extension = value,
                "name" => name = fields::text(value, EXTENSIONS.owner, &format!("{path}.name"))?,
                _ => {}
            }
        }
        all.push((name, extension));
    }
    Ok(all)
}

fn check_preferences(value: Value) -> Result<(), String> {
    for (key, value) in fields::object(value, "Config", "preferences", "v1.Preferences")? {
        match key.as_str() {
            "colors" => drop(fields::boolean(value, "Preferences", "preferences.colors")?),
            "extensions" => drop(extensions(value, "Preferences", "preferences.extensions")?),
            _ => {}
        }
    }
    Ok(())
}

/// A file may leave out `apiVersion` and `kind`, but may not claim to be something else.
fn check_kind(fields: &mut Map<String, Value>) -> Result<(), String> {
    let mut of = |key| {
        fields::text(fields.remove(key).unwrap_or_default(), "", key)
            .map_err(|err| format!("couldn't get version/kind; json parse error: {err}"))
    };
    let (version, kind) = (of("apiVersion")?, of("kind")?);
    if version.matches('/').count() > 1 {
        return Err(format!("unexpected GroupVersion string: {version}"));
    }
    let version = match version.as_str() {
        "" | "/" => "v1",
        other => other,
    };
    let kind = if kind.is_empty() { "Config" } else { &kind };
    if (version, kind) == ("v1", "Config") {
        return Ok(());
    }
    Err(format!(
        "no kind {kind:?} is registered for version {version:?} in scheme \
         \"k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50\""
    ))
}

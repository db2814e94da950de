//! The lists of a kubeconfig. Each entry has a name and one more field.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields;

/// A list of named entries, with Go's names for messages.
pub(super) struct NamedList {
    path: &'static str,
    /// The other field of an entry.
    field: &'static str,
    go_list: &'static str,
    go_entry: &'static str,
    owner: &'static str,
    go_target: &'static str,
}

pub(super) const CLUSTERS: NamedList = NamedList {
    path: "clusters",
    field: "cluster",
    go_list: "[]v1.NamedCluster",
    go_entry: "v1.NamedCluster",
    owner: "NamedCluster",
    go_target: "*api.Cluster",
};

pub(super) const USERS: NamedList = NamedList {
    path: "users",
    field: "user",
    go_list: "[]v1.NamedAuthInfo",
    go_entry: "v1.NamedAuthInfo",
    owner: "NamedAuthInfo",
    go_target: "*api.AuthInfo",
};

pub(super) const CONTEXTS: NamedList = NamedList {
    path: "contexts",
    field: "context",
    go_list: "[]v1.NamedContext",
    go_entry: "v1.NamedContext",
    owner: "NamedContext",
    go_target: "*api.Context",
};

pub(super) const EXTENSIONS: NamedList = NamedList {
    path: "extensions",
    field: "extension",
    go_list: "[]v1.NamedExtension",
    go_entry: "v1.NamedExtension",
    owner: "NamedExtension",
    go_target: "runtime.Object",
};

/// Reads a list of `{name: …, <field>: …}`. An entry without the field is empty.
pub(super) fn named<T>(
    value: Value,
    list: &NamedList,
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

/// Makes a map of a list. A duplicate name is an error. kubectl's text also contains the whole
/// list, with its secrets; ours does not.
pub(super) fn by_name<T>(
    entries: Vec<(String, T)>,
    list: &NamedList,
) -> Result<BTreeMap<String, T>, String> {
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

/// Reads `[{name: …, extension: …}]` at `path`.
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

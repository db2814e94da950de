//! One kubeconfig file: its typed fields, with kubectl's errors for wrong types.
//!
//! The fields are read in the order of their names. kubectl does the same, because it converts YAML
//! to sorted JSON first. The order decides which of several errors is reported. Unknown fields are
//! ignored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    entries::{ClusterEntry, ContextEntry, Origin, UserEntry},
    fields,
    named_list::{self, CLUSTERS, CONTEXTS, EXTENSIONS, USERS, by_name, named},
};

/// The content of one file, or of several files after [`super::merge::merge`].
#[derive(Debug, Default)]
pub(super) struct File {
    pub current_context: String,
    pub clusters: BTreeMap<String, ClusterEntry>,
    pub users: BTreeMap<String, UserEntry>,
    pub contexts: BTreeMap<String, ContextEntry>,
}

impl File {
    /// Reads the content of a file. Its relative paths start in the directory of `origin`.
    pub fn from_value(value: Value, origin: &Origin) -> Result<Self, String> {
        let mut fields = fields::top_level(value)?;
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
                "extensions" => extensions = named_list::extensions(value, "Config", "extensions")?,
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

fn check_preferences(value: Value) -> Result<(), String> {
    for (key, value) in fields::object(value, "Config", "preferences", "v1.Preferences")? {
        match key.as_str() {
            "colors" => drop(fields::boolean(value, "Preferences", "preferences.colors")?),
            "extensions" => {
                drop(named_list::extensions(value, "Preferences", "preferences.extensions")?)
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks `apiVersion` and `kind`. A file may leave them out, and may not have other values.
fn check_kind(fields: &mut Map<String, Value>) -> Result<(), String> {
    let mut of = |key| {
        fields::text(fields.remove(key).unwrap_or_default(), "", key)
            .map_err(|err| format!("couldn't get version/kind; json parse error: {err}"))
    };
    let (version, kind) = (of("apiVersion")?, of("kind")?);
    if version.matches('/').count() > 1 {
        return Err(format!("unexpected GroupVersion string: {version}"));
    }
    // As in Go's `ParseGroupVersion`, `/v1` is `v1`.
    let version = match version.trim_start_matches('/') {
        "" => "v1",
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

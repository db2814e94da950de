//! One document of a kuberc: its typed fields, with Go's errors for wrong types.
//!
//! The fields are read in the order of their names. kubectl does the same, because it converts YAML
//! to sorted JSON first. The order decides which of several errors is reported.

use serde_json::{Map, Value};

use super::preferences::{Alias, CommandDefaults, Preset};
use crate::cluster::kubeconfig::fields;
use crate::text::go;
use crate::text::yaml::read as yaml;

/// A preference before the check.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Preference {
    pub defaults: Vec<CommandDefaults>,
    pub aliases: Vec<Alias>,
    pub policy: String,
    /// The allowlist. An empty list is different from a missing one.
    pub allowlist: Option<Vec<String>>,
}

/// A document that was read.
#[derive(Debug)]
pub(super) struct Document {
    pub preference: Preference,
    pub group_version: &'static str,
    /// The errors of a strict reader: duplicate and unknown keys.
    pub strict_errors: Vec<String>,
}

/// A version of the format, with the names that differ between versions.
struct Version {
    group_version: &'static str,
    package: &'static str,
    defaults: &'static str,
    options: &'static str,
    has_policy: bool,
}

const VERSIONS: [Version; 2] = [
    Version {
        group_version: "kubectl.config.k8s.io/v1beta1",
        package: "v1beta1",
        defaults: "defaults",
        options: "options",
        has_policy: true,
    },
    Version {
        group_version: "kubectl.config.k8s.io/v1alpha1",
        package: "v1alpha1",
        defaults: "overrides",
        options: "flags",
        has_policy: false,
    },
];

impl Document {
    /// Reads one YAML document.
    ///
    /// # Errors
    /// The document is not YAML, is not a `Preference` of a known version, or has a value of the
    /// wrong type. The text is kubectl's without the document's content, because a preset may be a
    /// token.
    pub fn parse(content: &[u8]) -> Result<Self, String> {
        let mut fields = fields::top_level(yaml::parse(content)?)?;
        let version = version(&mut fields)?;
        let mut strict_errors = Vec::new();
        if let Some((line, key)) = yaml::duplicate_key(content) {
            strict_errors.push(format!(
                "yaml: unmarshal errors:\n  line {line}: key {} already set in map",
                go::quote(&key)
            ));
        }
        let mut reader = Reader { version, unknown: Vec::new() };
        let preference = reader.preference(fields)?;
        strict_errors.extend(reader.unknown);
        Ok(Self { preference, group_version: version.group_version, strict_errors })
    }
}

/// Takes `apiVersion` and `kind` out of the fields.
fn version(fields: &mut Map<String, Value>) -> Result<&'static Version, String> {
    let mut of = |key| {
        fields::text(fields.remove(key).unwrap_or_default(), "", key)
            .map_err(|err| format!("couldn't get version/kind; json parse error: {err}"))
    };
    let (group_version, kind) = (of("apiVersion")?, of("kind")?);
    if group_version.matches('/').count() > 1 {
        return Err(format!("unexpected GroupVersion string: {group_version}"));
    }
    for (field, value) in [("Kind", &kind), ("apiVersion", &group_version)] {
        if value.is_empty() {
            return Err(format!("Object '{field}' is missing in '[...]'"));
        }
    }
    let known = VERSIONS.iter().find(|version| version.group_version == group_version);
    known.filter(|_| kind == "Preference").ok_or_else(|| {
        format!(
            "no kind {} is registered for version {} in scheme \
             \"pkg/config/scheme/scheme.go:30\"",
            go::quote(&kind),
            go::quote(&group_version)
        )
    })
}

struct Reader {
    version: &'static Version,
    unknown: Vec<String>,
}

/// A list of structs, in Go's terms.
struct List<'a> {
    /// The struct that holds it.
    owner: &'a str,
    /// The field, with all fields above it.
    path: String,
    /// The path with the positions in lists, for messages.
    shown: String,
    /// The type of an entry.
    entry: &'a str,
}

impl Reader {
    fn preference(&mut self, fields: Map<String, Value>) -> Result<Preference, String> {
        let mut preference = Preference::default();
        for (key, value) in fields {
            match key.as_str() {
                "aliases" => preference.aliases = self.aliases(value)?,
                key if key == self.version.defaults => {
                    preference.defaults = self.defaults(value)?
                }
                "credentialPluginAllowlist" if self.version.has_policy => {
                    preference.allowlist = self.allowlist(value)?;
                }
                "credentialPluginPolicy" if self.version.has_policy => {
                    let go_type = format!("{}.CredentialPluginPolicy", self.version.package);
                    preference.policy = fields::text_named(value, "Preference", &key, &go_type)?;
                }
                _ => self.add_unknown(&key),
            }
        }
        Ok(preference)
    }

    fn aliases(&mut self, value: Value) -> Result<Vec<Alias>, String> {
        let list = List::of_preference("aliases", "AliasOverride");
        self.list(value, &list, |reader, alias: &mut Alias, key, value, shown| {
            let path = format!("aliases.{key}");
            match key {
                "name" => alias.name = fields::text(value, list.entry, &path)?,
                "command" => alias.command = fields::text(value, list.entry, &path)?,
                "prependArgs" => alias.prepend_args = fields::texts(value, list.entry, &path)?,
                "appendArgs" => alias.append_args = fields::texts(value, list.entry, &path)?,
                key if key == reader.version.options => {
                    alias.options = reader.options(value, list.entry, path, shown)?;
                }
                _ => reader.add_unknown(shown),
            }
            Ok(())
        })
    }

    fn defaults(&mut self, value: Value) -> Result<Vec<CommandDefaults>, String> {
        let list = List::of_preference(self.version.defaults, "CommandDefaults");
        self.list(value, &list, |reader, defaults: &mut CommandDefaults, key, value, shown| {
            let path = format!("{}.{key}", list.path);
            match key {
                "command" => defaults.command = fields::text(value, list.entry, &path)?,
                key if key == reader.version.options => {
                    defaults.options = reader.options(value, list.entry, path, shown)?;
                }
                _ => reader.add_unknown(shown),
            }
            Ok(())
        })
    }

    fn options(
        &mut self,
        value: Value,
        owner: &str,
        path: String,
        shown: &str,
    ) -> Result<Vec<Preset>, String> {
        let list = List { owner, path, shown: shown.to_owned(), entry: "CommandOptionDefault" };
        self.list(value, &list, |reader, preset: &mut Preset, key, value, shown| {
            let path = format!("{}.{key}", list.path);
            match key {
                "name" => preset.name = fields::text(value, list.entry, &path)?,
                "default" => preset.value = fields::text(value, list.entry, &path)?,
                _ => reader.add_unknown(shown),
            }
            Ok(())
        })
    }

    fn allowlist(&mut self, value: Value) -> Result<Option<Vec<String>>, String> {
        if value.is_null() {
            return Ok(None);
        }
        let list = List::of_preference("credentialPluginAllowlist", "AllowlistEntry");
        type Entry = (String, String);
        let entries = self.list(value, &list, |reader, entry: &mut Entry, key, value, shown| {
            let path = format!("{}.{key}", list.path);
            match key {
                "command" => entry.0 = fields::text(value, list.entry, &path)?,
                // The name of the field in earlier releases.
                "name" => entry.1 = fields::text(value, list.entry, &path)?,
                _ => reader.add_unknown(shown),
            }
            Ok(())
        })?;
        let one = |(command, name): Entry| match (command.is_empty(), name.is_empty()) {
            (false, false) if command != name => {
                Err("both `Name` and `Command` were supplied with different values. `Name` is \
                     deprecated, use `Command` instead"
                    .to_owned())
            }
            (true, _) => Ok(name),
            (false, _) => Ok(command),
        };
        entries.into_iter().map(one).collect::<Result<_, _>>().map(Some)
    }

    /// Reads a list. `set` gets each field of each entry, with the field's path in the document.
    fn list<T: Default>(
        &mut self,
        value: Value,
        list: &List<'_>,
        mut set: impl FnMut(&mut Self, &mut T, &str, Value, &str) -> Result<(), String>,
    ) -> Result<Vec<T>, String> {
        let go_entry = format!("{}.{}", self.version.package, list.entry);
        let items = fields::list(value, list.owner, &list.path, &format!("[]{go_entry}"))?;
        let mut entries = Vec::new();
        for (at, item) in items.into_iter().enumerate() {
            let mut entry = T::default();
            for (key, value) in fields::object(item, list.owner, &list.path, &go_entry)? {
                set(self, &mut entry, &key, value, &format!("{}[{at}].{key}", list.shown))?;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn add_unknown(&mut self, shown: &str) {
        self.unknown.push(format!("unknown field \"{shown}\""));
    }
}

impl<'a> List<'a> {
    fn of_preference(field: &str, entry: &'a str) -> Self {
        Self { owner: "Preference", path: field.to_owned(), shown: field.to_owned(), entry }
    }
}

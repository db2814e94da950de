//! The policy for credential plugins.

use std::fmt;

use crate::text::go;

/// The credential plugins that may run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum PluginPolicy {
    /// Every plugin.
    #[default]
    AllowAll,
    /// No plugin.
    DenyAll,
    /// The listed plugins. An entry is a name on `$PATH`, or a path.
    Allowlist(Vec<String>),
}

impl fmt::Display for PluginPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllowAll => "AllowAll",
            Self::DenyAll => "DenyAll",
            Self::Allowlist(_) => "Allowlist",
        })
    }
}

impl PluginPolicy {
    /// Reads the policy from the two fields of the file.
    ///
    /// # Errors
    /// The policy is unknown; it has a list and must not have one, or needs one; an entry is empty,
    /// or is a path that is not clean. The text is kubectl's.
    pub fn new(name: &str, allowlist: Option<Vec<String>>) -> Result<Self, String> {
        let policy = match name {
            "" | "AllowAll" => Self::AllowAll,
            "DenyAll" => Self::DenyAll,
            "Allowlist" => return listed(allowlist),
            _ => return Err(format!("unknown plugin policy: {}", go::quote(name))),
        };
        match allowlist {
            None => Ok(policy),
            Some(_) => Err(format!(
                "misconfigured credential plugin allowlist: plugin policy is {} but \
                 allowlist is non-nil",
                go::quote(name)
            )),
        }
    }
}

fn listed(allowlist: Option<Vec<String>>) -> Result<PluginPolicy, String> {
    const SET: &str = "credential plugin policy set to \"Allowlist\", but allowlist is";
    let Some(entries) = allowlist else { return Err(format!("{SET} unspecified")) };
    if entries.is_empty() {
        return Err(format!("{SET} empty; use \"DenyAll\" policy instead"));
    }
    for (at, entry) in entries.iter().enumerate() {
        if entry.is_empty() {
            return Err(format!(
                "misconfigured credential plugin allowlist: empty allowlist entry #{}",
                at + 1
            ));
        }
        let clean = clean(entry);
        if *entry != clean {
            return Err(format!(
                "non-normalized file path: {} vs {}",
                go::quote(entry),
                go::quote(&clean)
            ));
        }
    }
    Ok(PluginPolicy::Allowlist(entries))
}

/// Go's `path.Clean`: removes `.`, double slashes, and `..` where it can be resolved.
fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    match (is_rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_and_its_list_must_not_contradict_each_other() {
        let nothing = "misconfigured credential plugin allowlist";
        type Row = (&'static str, Option<&'static [&'static str]>, Result<PluginPolicy, String>);
        let table: [Row; 14] = [
            ("", None, Ok(PluginPolicy::AllowAll)),
            ("AllowAll", None, Ok(PluginPolicy::AllowAll)),
            ("DenyAll", None, Ok(PluginPolicy::DenyAll)),
            ("Allowlist", Some(&["a"]), Ok(PluginPolicy::Allowlist(vec!["a".to_owned()]))),
            ("denyall", None, Err("unknown plugin policy: \"denyall\"".to_owned())),
            ("Foo", Some(&["a"]), Err("unknown plugin policy: \"Foo\"".to_owned())),
            (
                "",
                Some(&["a"]),
                Err(format!("{nothing}: plugin policy is \"\" but allowlist is non-nil")),
            ),
            (
                "DenyAll",
                Some(&[]),
                Err(format!("{nothing}: plugin policy is \"DenyAll\" but allowlist is non-nil")),
            ),
            (
                "AllowAll",
                Some(&["a"]),
                Err(format!("{nothing}: plugin policy is \"AllowAll\" but allowlist is non-nil")),
            ),
            (
                "Allowlist",
                None,
                Err("credential plugin policy set to \"Allowlist\", but allowlist is unspecified"
                    .to_owned()),
            ),
            (
                "Allowlist",
                Some(&[]),
                Err("credential plugin policy set to \"Allowlist\", but allowlist is empty; use \
                     \"DenyAll\" policy instead"
                    .to_owned()),
            ),
            ("Allowlist", Some(&["a", ""]), Err(format!("{nothing}: empty allowlist entry #2"))),
            (
                "Allowlist",
                Some(&["./b"]),
                Err("non-normalized file path: \"./b\" vs \"b\"".to_owned()),
            ),
            (
                "Allowlist",
                Some(&["/a/../b", ""]),
                Err("non-normalized file path: \"/a/../b\" vs \"/b\"".to_owned()),
            ),
        ];
        for (name, list, expected) in table {
            let entries =
                list.map(|list| list.iter().copied().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(PluginPolicy::new(name, entries), expected, "{name} {list:?}");
        }
    }

    #[test]
    fn paths_are_cleaned_as_by_go() {
        for (path, expected) in [
            ("a", "a"),
            ("a//b/", "a/b"),
            ("../../a", "../../a"),
            ("a/../..", ".."),
            ("/../a", "/a"),
            ("/", "/"),
            ("./.", "."),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
    }
}

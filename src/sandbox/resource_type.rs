//! The type of an object, as discovery describes it.

#[derive(Debug)]
pub(super) struct ResourceType {
    pub group: &'static str,
    pub version: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub kind: &'static str,
    pub namespaced: bool,
    pub short_names: &'static [&'static str],
    pub in_all: bool,
    pub storage_hash: &'static str,
    pub subresources: &'static [Subresource],
    /// Only for types from a CustomResourceDefinition.
    pub custom: Option<CustomType>,
}

impl ResourceType {
    /// `v1`, `apps/v1`
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The name in messages: `deployments.apps`, `pods`.
    pub(super) fn qualified(&self) -> String {
        qualified(self.plural, self.group)
    }

    pub(super) fn verbs(&self) -> &'static [&'static str] {
        if self.custom.is_some() {
            &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
        } else if self.plural == "namespaces" {
            &["create", "delete", "get", "list", "patch", "update", "watch"]
        } else {
            &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
        }
    }

    /// The member of `spec` that holds the count. The scale subresource maps to it.
    pub(super) fn count(&self) -> &'static str {
        match self.custom {
            Some(custom) => custom.count,
            None if self.plural == "jobs" => "parallelism",
            None => "replicas",
        }
    }

    /// The plural name in the store. It is unique: two groups have `locusttests`.
    pub(super) fn stored_as(&self) -> &'static str {
        match self.group {
            "locust.io" => "locusttests.locust.io",
            _ => self.plural,
        }
    }

    pub(super) fn has(&self, subresource: Subresource) -> bool {
        self.subresources.contains(&subresource)
    }
}

/// A subresource that may follow a name in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subresource {
    Scale,
    Status,
}

impl Subresource {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Status => "status",
        }
    }
}

/// The properties of a type from a CustomResourceDefinition.
#[derive(Debug, Clone, Copy)]
pub(super) struct CustomType {
    /// The member of `spec` that holds the count. It may be missing.
    pub count: &'static str,
    /// The smallest count that the schema allows.
    pub minimum: i64,
    /// The warning in every response about this version.
    pub deprecation: Option<&'static str>,
}

/// A type of the core group.
pub(super) const fn core(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    storage_hash: &'static str,
) -> ResourceType {
    ResourceType {
        group: "",
        version: "v1",
        plural,
        singular,
        kind,
        namespaced: true,
        short_names: &[],
        in_all: false,
        storage_hash,
        subresources: &[],
        custom: None,
    }
}

/// The plural name of a type with its group, as in messages.
pub(super) fn qualified(plural: &str, group: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

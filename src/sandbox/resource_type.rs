//! One type of object, as discovery describes it.

/// A type of object.
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
    /// What only a type from a CustomResourceDefinition has.
    pub custom: Option<Custom>,
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

    /// `deployments.apps`, `pods`: how messages name the type.
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

    /// The member of `spec`, and of `status`, that the scale subresource stands for.
    pub(super) fn count(&self) -> &'static str {
        self.custom.map_or("replicas", |custom| custom.count)
    }

    pub(super) fn has(&self, subresource: Subresource) -> bool {
        self.subresources.contains(&subresource)
    }
}

/// What may follow a name in a path.
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

/// What a built-in type has not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Custom {
    /// The member of `spec` that holds the count; it may be missing.
    pub count: &'static str,
    /// The warning that comes with every answer about this version.
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

/// A type's plural name with its group, as messages write it.
pub(super) fn qualified(plural: &str, group: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

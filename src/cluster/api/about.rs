//! What a request is about.

/// What a request is about, for messages that the server leaves to us.
#[derive(Debug, Clone)]
pub struct About {
    /// Kubernetes verb: `get`, `patch`.
    pub verb: &'static str,
    /// Resource: `deployments`; empty when it is about none.
    pub resource: String,
    /// Name of the object, or a path where there is no resource.
    pub name: String,
}

impl About {
    /// `list deployments`, `get deployments "a"`.
    pub(super) fn in_words(&self) -> String {
        let Self { verb, resource, name } = self;
        match (resource.as_str(), name.as_str()) {
            ("", name) => format!("{verb} {name}"),
            (resource, "") => format!("{verb} {resource}"),
            (resource, name) => format!("{verb} {resource} {name:?}"),
        }
    }
}

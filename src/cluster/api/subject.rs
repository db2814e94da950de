//! The subject of a request.

/// The verb and the object of a request, for the messages that the client words itself.
#[derive(Debug, Clone)]
pub struct RequestSubject {
    /// The Kubernetes verb: `get`, `patch`.
    pub verb: &'static str,
    /// The resource: `deployments`. Empty for a path that is no resource.
    pub resource: String,
    /// The name of the object, or the path where there is no resource.
    pub name: String,
}

impl RequestSubject {
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

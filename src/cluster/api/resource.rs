//! Resource types, the paths of their objects, and the four built-in types with a scale
//! subresource.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A resource type, with the names that the API serves for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// The API version within the group.
    pub version: Cow<'static, str>,
    /// The name in paths: `deployments`.
    pub plural: Cow<'static, str>,
    /// The name of one object: `deployment`.
    pub singular: Cow<'static, str>,
    /// The kind in objects: `Deployment`.
    pub kind: Cow<'static, str>,
    /// True if the objects are in namespaces.
    pub namespaced: bool,
}

/// The types that have a scale subresource in every supported version of Kubernetes, each with its
/// short name. They never change and need no discovery.
static BUILT_IN: [(Resource, &str); 4] = [
    (built_in("apps", "deployments", "deployment", "Deployment"), "deploy"),
    (built_in("apps", "statefulsets", "statefulset", "StatefulSet"), "sts"),
    (built_in("apps", "replicasets", "replicaset", "ReplicaSet"), "rs"),
    (
        built_in("", "replicationcontrollers", "replicationcontroller", "ReplicationController"),
        "rc",
    ),
];

const fn built_in(
    group: &'static str,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
) -> Resource {
    Resource {
        group: Cow::Borrowed(group),
        version: Cow::Borrowed("v1"),
        plural: Cow::Borrowed(plural),
        singular: Cow::Borrowed(singular),
        kind: Cow::Borrowed(kind),
        namespaced: true,
    }
}

impl Resource {
    /// Finds the built-in type of a user's token, by kubectl's rules.
    ///
    /// `TYPE` is the plural or the singular name in any case, or the short name in lower case. The
    /// token is `TYPE`, `TYPE.GROUP` with any prefix of the group, or `TYPE.VERSION.GROUP`, where
    /// the core group is an empty string after the dot. `None` means that only the server's
    /// discovery can find the type.
    pub fn find_built_in(token: &str) -> Option<Arc<Self>> {
        let (name, rest) = match token.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (token, None),
        };
        let lower_case = name.to_lowercase();
        let (found, _) = BUILT_IN.iter().find(|(resource, short)| {
            *short == name || resource.plural == lower_case || resource.singular == lower_case
        })?;
        rest.is_none_or(|rest| found.is_in(rest)).then(|| Arc::new(found.clone()))
    }

    /// The type `Namespace`.
    pub fn namespaces() -> Self {
        Self { namespaced: false, ..built_in("", "namespaces", "namespace", "Namespace") }
    }

    /// The type `Service`.
    pub fn services() -> Self {
        built_in("", "services", "service", "Service")
    }

    /// The type `Job`.
    pub fn jobs() -> Self {
        built_in("batch", "jobs", "job", "Job")
    }

    /// Finds the built-in type of an object's `apiVersion` and `kind`.
    pub fn built_in_of_kind(api_version: &str, kind: &str) -> Option<Arc<Self>> {
        let (found, _) = BUILT_IN
            .iter()
            .find(|(resource, _)| resource.kind == kind && resource.api_version() == api_version)?;
        Some(Arc::new(found.clone()))
    }

    /// True if the replicas are in `spec.replicas` of the object itself. Only the scale
    /// subresource knows the field of other types.
    pub fn has_replicas_in_spec(&self) -> bool {
        BUILT_IN.iter().any(|(resource, _)| resource == self)
    }

    /// True if kubectl prints the new replicas in objects of this type: it does so for its own
    /// groups.
    pub fn is_counted_in_print(&self) -> bool {
        matches!(&*self.group, "" | "apps")
    }

    /// True if `rest`, the text after `TYPE.`, is `VERSION.GROUP` or a prefix of the group.
    fn is_in(&self, rest: &str) -> bool {
        let exactly = rest
            .split_once('.')
            .is_some_and(|(version, group)| version == self.version && group == self.group);
        // An empty group is a prefix of every group, as kubectl reads `deployments.`.
        let by_prefix = self.group.starts_with(rest);
        exactly || by_prefix
    }

    /// The `apiVersion` of objects: `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        match &*self.group {
            "" => self.version.to_string(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// The type as kubectl prints it before `/NAME`: `deployment.apps`, or `replicationcontroller`
    /// for the core group. It is the kind in lower case, and not the singular name.
    pub fn kind_with_group(&self) -> String {
        with_group(&self.kind.to_lowercase(), &self.group)
    }

    /// The type as in the API server's messages: `deployments.apps`.
    pub fn plural_with_group(&self) -> String {
        with_group(&self.plural, &self.group)
    }

    /// The path of one object, from the server's root.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), escape_segment(name))
    }

    /// The path of all objects in a namespace, from the server's root. An empty namespace stands for all
    /// namespaces. The namespace is ignored for a type without namespaces.
    pub fn collection(&self, namespace: &str) -> String {
        let root = match &*self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{}/{}", escape_segment(group), escape_segment(&self.version)),
        };
        let plural = escape_segment(&self.plural);
        match self.namespaced && !namespace.is_empty() {
            true => format!("{root}/namespaces/{}/{plural}", escape_segment(namespace)),
            false => format!("{root}/{plural}"),
        }
    }
}

fn with_group(name: &str, group: &str) -> String {
    match group {
        "" => name.to_owned(),
        group => format!("{name}.{group}"),
    }
}

/// The characters that a path segment must escape, by the rule of Go's `url.PathEscape`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Percent-encodes a text as one path segment.
pub fn escape_segment(segment: &str) -> String {
    utf8_percent_encode(segment, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_by_every_spelling_of_kubectl() {
        for (token, kind) in [
            ("deployment", "Deployment"),
            ("deployments", "Deployment"),
            ("Deployment", "Deployment"),
            ("DEPLOYMENTS", "Deployment"),
            ("deploy", "Deployment"),
            ("deploy.apps", "Deployment"),
            ("deployments.app", "Deployment"),
            ("deployments.", "Deployment"),
            ("rc.", "ReplicationController"),
            ("deployments.v1.apps", "Deployment"),
            ("Deployment.v1.apps", "Deployment"),
            ("deploy.v1.apps", "Deployment"),
            ("sts", "StatefulSet"),
            ("statefulsets.apps", "StatefulSet"),
            ("rs", "ReplicaSet"),
            ("ReplicaSet", "ReplicaSet"),
            ("rc", "ReplicationController"),
            ("replicationcontrollers.v1.", "ReplicationController"),
        ] {
            let found = Resource::find_built_in(token).unwrap();
            assert_eq!(found.kind, kind, "{token}");
        }
    }

    #[test]
    fn other_types_are_left_to_discovery() {
        for token in [
            "Deploy",
            "foo",
            "",
            "deployments.v2.apps",
            "deployments.extensions",
            "deployments.apps.k8s.io",
            "replicationcontrollers.v1",
            "replicationcontrollers.apps",
        ] {
            assert_eq!(Resource::find_built_in(token), None, "{token}");
        }
    }

    #[test]
    fn kinds_of_objects_are_found_in_their_own_version_only() {
        for (api_version, kind, expected) in [
            ("apps/v1", "Deployment", Some("deployments")),
            ("v1", "ReplicationController", Some("replicationcontrollers")),
            ("apps/v1beta1", "Deployment", None),
            ("v1", "Deployment", None),
            ("apps/v1", "deployment", None),
        ] {
            let found = Resource::built_in_of_kind(api_version, kind);
            assert_eq!(
                found.as_ref().map(|found| &*found.plural),
                expected,
                "{api_version} {kind}"
            );
        }
    }

    #[test]
    fn any_name_is_one_segment_of_a_path() {
        let [(deployment, _), _, _, (controller, _)] = &BUILT_IN;
        assert_eq!(
            deployment.path("default", "locust-slave"),
            "/apis/apps/v1/namespaces/default/deployments/locust-slave"
        );
        assert_eq!(
            controller.path("a b", "x?y#ü"),
            "/api/v1/namespaces/a%20b/replicationcontrollers/x%3Fy%23%C3%BC"
        );
        let node = Resource { namespaced: false, ..built_in("", "nodes", "node", "Node") };
        assert_eq!(node.path("default", "n1"), "/api/v1/nodes/n1");
    }
}

//! Resource types: the four built-in kinds with a scale subresource, how their types may be
//! spelled, and the paths of objects.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A resource type, with the names that the API serves for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// API version within the group.
    pub version: Cow<'static, str>,
    /// Name in paths: `deployments`.
    pub plural: Cow<'static, str>,
    /// Name for one of them: `deployment`.
    pub singular: Cow<'static, str>,
    /// Kind in objects: `Deployment`.
    pub kind: Cow<'static, str>,
    /// Whether its objects are in namespaces, or in the cluster as a whole.
    pub namespaced: bool,
}

/// Every kind that has had a scale subresource in every supported version of Kubernetes, and its
/// short name; they need no discovery, since they never change.
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
    /// Finds the built-in type that a user's token means, by kubectl's rules: plural and singular
    /// in any case, the short name in lower case only; alone, as `TYPE.GROUP` with any prefix of
    /// the group, or as `TYPE.VERSION.GROUP`, where the core group is an empty string after the
    /// dot. `None` is for a token that only the server's discovery can explain.
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

    /// The type of namespaces themselves.
    pub fn namespaces() -> Self {
        Self { namespaced: false, ..built_in("", "namespaces", "namespace", "Namespace") }
    }

    /// Finds the built-in type of an object's `apiVersion` and `kind`.
    pub fn built_in_of_kind(api_version: &str, kind: &str) -> Option<Arc<Self>> {
        let (found, _) = BUILT_IN
            .iter()
            .find(|(resource, _)| resource.kind == kind && resource.api_version() == api_version)?;
        Some(Arc::new(found.clone()))
    }

    /// Whether the count is at `spec.replicas` of the object itself; elsewhere only the scale
    /// subresource knows where it is.
    pub fn has_replicas_in_spec(&self) -> bool {
        BUILT_IN.iter().any(|(resource, _)| resource == self)
    }

    /// Whether kubectl shows the new count in objects of this type: those of its own groups.
    pub fn is_counted_in_print(&self) -> bool {
        matches!(&*self.group, "" | "apps")
    }

    /// Whether what stands after `TYPE.` is `VERSION.GROUP` or the beginning of the group.
    fn is_in(&self, rest: &str) -> bool {
        let exactly = rest
            .split_once('.')
            .is_some_and(|(version, group)| version == self.version && group == self.group);
        // An empty group is a prefix of every group, as kubectl reads `deployments.`.
        let by_prefix = self.group.starts_with(rest);
        exactly || by_prefix
    }

    /// As in objects: `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        match &*self.group {
            "" => self.version.to_string(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `deployment.apps`, or `replicationcontroller` for the core group: how kubectl names the
    /// kind before `/NAME`. That is the kind in lower case, whatever the singular name is.
    pub fn kind_with_group(&self) -> String {
        with_group(&self.kind.to_lowercase(), &self.group)
    }

    /// `deployments.apps`, as in the API server's messages.
    pub fn plural_with_group(&self) -> String {
        with_group(&self.plural, &self.group)
    }

    /// Path of one object, from the server's root.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), escape_segment(name))
    }

    /// Path of all objects in a namespace, from the server's root; the namespace does not matter
    /// where there is none.
    pub fn collection(&self, namespace: &str) -> String {
        let root = match &*self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{}/{}", escape_segment(group), escape_segment(&self.version)),
        };
        let plural = escape_segment(&self.plural);
        match self.namespaced {
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

/// What cannot stay as it is in a path segment, by the rule of Go's `url.PathEscape`.
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

/// Percent-encodes a text so that it is one path segment.
pub fn escape_segment(segment: &str) -> String {
    utf8_percent_encode(segment, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_by_every_spelling_of_kubectls() {
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
    fn paths_hold_any_name_as_one_segment() {
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

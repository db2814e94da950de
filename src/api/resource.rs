//! The four built-in kinds with a scale subresource, how their types may be spelled, and the
//! paths of their objects.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A namespaced resource type, with the names that the API serves for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// API version within the group.
    pub version: &'static str,
    /// Name in paths: `deployments`.
    pub plural: &'static str,
    /// Name for one of them: `deployment`.
    pub singular: &'static str,
    /// Kind in objects: `Deployment`.
    pub kind: &'static str,
    /// The short name that kubectl users type: `deploy`.
    pub short: &'static str,
}

/// Every kind that has had a scale subresource in every supported version of Kubernetes; they
/// need no discovery, since they never change.
pub const BUILT_IN: [Resource; 4] = [
    Resource {
        group: "apps",
        version: "v1",
        plural: "deployments",
        singular: "deployment",
        kind: "Deployment",
        short: "deploy",
    },
    Resource {
        group: "apps",
        version: "v1",
        plural: "statefulsets",
        singular: "statefulset",
        kind: "StatefulSet",
        short: "sts",
    },
    Resource {
        group: "apps",
        version: "v1",
        plural: "replicasets",
        singular: "replicaset",
        kind: "ReplicaSet",
        short: "rs",
    },
    Resource {
        group: "",
        version: "v1",
        plural: "replicationcontrollers",
        singular: "replicationcontroller",
        kind: "ReplicationController",
        short: "rc",
    },
];

/// A type that is none of the built-in ones; holds the token up to its first dot, which is what
/// kubectl shows.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownType(pub String);

impl Resource {
    /// Finds the type that a user's token means, by kubectl's rules: plural and singular in any
    /// case, the short name in lower case only; alone, as `TYPE.GROUP` with any prefix of the
    /// group, or as `TYPE.VERSION.GROUP`, where the core group is an empty string after the dot.
    ///
    /// # Errors
    /// The token names none of [`BUILT_IN`].
    pub fn find(token: &str) -> Result<&'static Self, UnknownType> {
        let unknown = || UnknownType(token.split('.').next().unwrap_or(token).to_owned());
        let (name, rest) = match token.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (token, None),
        };
        let lower_case = name.to_lowercase();
        let named = BUILT_IN.iter().find(|resource| {
            resource.short == name
                || resource.plural == lower_case
                || resource.singular == lower_case
        });
        named.filter(|resource| rest.is_none_or(|rest| resource.is_in(rest))).ok_or_else(unknown)
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

    /// `deployment.apps`, or `replicationcontroller` for the core group: how kubectl names the
    /// kind before `/NAME`.
    pub fn singular_with_group(&self) -> String {
        with_group(self.singular, self.group)
    }

    /// `deployments.apps`, as in the API server's messages.
    pub fn plural_with_group(&self) -> String {
        with_group(self.plural, self.group)
    }

    /// Path of one object, from the server's root.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        let root = match self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        let (namespace, name) = (escape_segment(namespace), escape_segment(name));
        format!("{root}/namespaces/{namespace}/{}/{name}", self.plural)
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
            assert_eq!(Resource::find(token).map(|found| found.kind), Ok(kind), "{token}");
        }
    }

    #[test]
    fn other_types_are_named_up_to_their_first_dot() {
        for (token, shown) in [
            ("Deploy", "Deploy"),
            ("foo", "foo"),
            ("", ""),
            ("deployments.v2.apps", "deployments"),
            ("deployments.extensions", "deployments"),
            ("deployments.apps.k8s.io", "deployments"),
            ("replicationcontrollers.v1", "replicationcontrollers"),
            ("replicationcontrollers.apps", "replicationcontrollers"),
        ] {
            assert_eq!(Resource::find(token), Err(UnknownType(shown.to_owned())), "{token}");
        }
    }

    #[test]
    fn paths_hold_any_name_as_one_segment() {
        let (deployment, controller) = (&BUILT_IN[0], &BUILT_IN[3]);
        assert_eq!(
            deployment.path("default", "locust-slave"),
            "/apis/apps/v1/namespaces/default/deployments/locust-slave"
        );
        assert_eq!(
            controller.path("a b", "x?y#ü"),
            "/api/v1/namespaces/a%20b/replicationcontrollers/x%3Fy%23%C3%BC"
        );
    }
}

//! The table of the types that the sandbox serves, for routing, discovery and the verbs.

use std::collections::BTreeSet;

use super::{
    custom,
    resource_type::{ResourceType, Subresource, core},
};

const SCALE_AND_STATUS: &[Subresource] = &[Subresource::Scale, Subresource::Status];
const STATUS: &[Subresource] = &[Subresource::Status];

const fn apps(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    storage_hash: &'static str,
) -> ResourceType {
    ResourceType { group: "apps", ..core(plural, singular, kind, storage_hash) }
}

/// Autoscalers are stored, and do nothing.
const AUTOSCALERS: ResourceType = ResourceType {
    group: "autoscaling",
    version: "v2",
    short_names: &["hpa"],
    in_all: true,
    subresources: STATUS,
    ..core(
        "horizontalpodautoscalers",
        "horizontalpodautoscaler",
        "HorizontalPodAutoscaler",
        "qwQve8ut294=",
    )
};

/// The built-in types in the order of discovery: the core group first, then by plural name.
const RESOURCES: &[ResourceType] = &[
    ResourceType {
        short_names: &["cm"],
        ..core("configmaps", "configmap", "ConfigMap", "qFsyl6wFWjQ=")
    },
    ResourceType {
        short_names: &["ep"],
        ..core("endpoints", "endpoints", "Endpoints", "fWeeMqaN/OA=")
    },
    ResourceType { short_names: &["ev"], ..core("events", "event", "Event", "r2yiGXH7wu8=") },
    ResourceType {
        namespaced: false,
        short_names: &["ns"],
        subresources: STATUS,
        ..core("namespaces", "namespace", "Namespace", "Q3oi5N2YM8M=")
    },
    ResourceType {
        namespaced: false,
        short_names: &["no"],
        subresources: STATUS,
        ..core("nodes", "node", "Node", "XwShjMxG9Fs=")
    },
    ResourceType {
        short_names: &["po"],
        in_all: true,
        subresources: STATUS,
        ..core("pods", "pod", "Pod", "xPOwRZ+Yhw8=")
    },
    ResourceType {
        short_names: &["rc"],
        in_all: true,
        subresources: SCALE_AND_STATUS,
        ..core(
            "replicationcontrollers",
            "replicationcontroller",
            "ReplicationController",
            "Jond2If31h0=",
        )
    },
    core("secrets", "secret", "Secret", "S6u1pOWzb84="),
    ResourceType {
        short_names: &["sa"],
        ..core("serviceaccounts", "serviceaccount", "ServiceAccount", "pbx9ZvyFpBE=")
    },
    ResourceType {
        short_names: &["svc"],
        in_all: true,
        subresources: STATUS,
        ..core("services", "service", "Service", "0/CO1lhkEBI=")
    },
    apps("controllerrevisions", "controllerrevision", "ControllerRevision", "85nkx63pcBU="),
    ResourceType {
        short_names: &["ds"],
        in_all: true,
        subresources: STATUS,
        ..apps("daemonsets", "daemonset", "DaemonSet", "dd7pWHUlMKQ=")
    },
    ResourceType {
        short_names: &["deploy"],
        in_all: true,
        subresources: SCALE_AND_STATUS,
        ..apps("deployments", "deployment", "Deployment", "8aSe+NMegvE=")
    },
    ResourceType {
        short_names: &["rs"],
        in_all: true,
        subresources: SCALE_AND_STATUS,
        ..apps("replicasets", "replicaset", "ReplicaSet", "P1RzHs8/mWQ=")
    },
    ResourceType {
        short_names: &["sts"],
        in_all: true,
        subresources: SCALE_AND_STATUS,
        ..apps("statefulsets", "statefulset", "StatefulSet", "H+vl74LkKdo=")
    },
    AUTOSCALERS,
    ResourceType { version: "v1", ..AUTOSCALERS },
    ResourceType {
        group: "coordination.k8s.io",
        ..core("leases", "lease", "Lease", "gqkMMb/YqFM=")
    },
    ResourceType {
        group: "batch",
        short_names: &["cj"],
        in_all: true,
        subresources: STATUS,
        ..core("cronjobs", "cronjob", "CronJob", "sd5LIXh4Fjs=")
    },
    ResourceType {
        group: "batch",
        in_all: true,
        subresources: STATUS,
        ..core("jobs", "job", "Job", "mudhfqk/qZY=")
    },
];

/// The types that one sandbox serves.
#[derive(Debug, Clone, Default)]
pub(super) struct Types {
    /// The groups of [`custom::TYPES`] that are served beside the built-in types.
    pub custom_groups: BTreeSet<&'static str>,
}

impl Types {
    /// All types in the order of discovery: the core group, then group by group.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static ResourceType> {
        let is_served = |kind: &&ResourceType| self.custom_groups.contains(kind.group);
        RESOURCES.iter().chain(custom::TYPES.iter().filter(is_served))
    }

    /// The types of one group version.
    pub(super) fn of(
        &self,
        group: &str,
        version: &str,
    ) -> impl Iterator<Item = &'static ResourceType> {
        self.all().filter(move |kind| kind.group == group && kind.version == version)
    }

    /// The type with this plural name in this group version.
    pub(super) fn find(
        &self,
        group: &str,
        version: &str,
        plural: &str,
    ) -> Option<&'static ResourceType> {
        self.of(group, version).find(|kind| kind.plural == plural)
    }

    /// True if there is a type in this group version.
    pub(super) fn has_group_version(&self, group: &str, version: &str) -> bool {
        self.of(group, version).next().is_some()
    }

    /// The groups with their versions, the preferred version first. The core group has no name.
    pub(super) fn groups(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for kind in self.all() {
            match groups.last_mut().filter(|(group, _)| *group == kind.group) {
                Some((_, versions)) if versions.contains(&kind.version) => {}
                Some((_, versions)) => versions.push(kind.version),
                None => groups.push((kind.group, vec![kind.version])),
            }
        }
        groups
    }
}

/// The type with this name in the store, in the stored version.
pub(super) fn by_plural(plural: &str) -> Option<&'static ResourceType> {
    RESOURCES.iter().chain(custom::TYPES).find(|kind| kind.stored_as() == plural)
}

/// The type of an object, whether it is served or not.
pub(super) fn by_kind(api_version: &str, kind: &str) -> Option<&'static ResourceType> {
    let is_it = |one: &&ResourceType| one.kind == kind && one.api_version() == api_version;
    RESOURCES.iter().chain(custom::TYPES).find(is_it)
}

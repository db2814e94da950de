//! The rules in docs/access.md.

/// A rule of a Role: API group, resource, names, verbs, and the purpose.
pub struct AccessRule(
    pub &'static str,
    pub &'static str,
    pub &'static [&'static str],
    pub &'static [&'static str],
    pub &'static str,
);

pub const SLAVE: &[&str] = &["locust-slave"];

pub const MASTER: &[&str] = &["locust-master:8089"];

pub const SCALE: AccessRule = AccessRule(
    "apps",
    "deployments/scale",
    SLAVE,
    &["get", "patch"],
    "The old and the new number of replicas",
);
pub const PATCH_SCALE: AccessRule =
    AccessRule("apps", "deployments/scale", SLAVE, &["patch"], "The new number of replicas");
pub const READ: AccessRule = AccessRule("apps", "deployments", SLAVE, &["get"], "The object");
pub const READ_AND_WATCH: AccessRule = AccessRule(
    "apps",
    "deployments",
    SLAVE,
    &["get", "watch"],
    "The progress of the target's pods; without `watch`, locustctl reads the target once a second",
);
pub const LIST: AccessRule =
    AccessRule("apps", "deployments", &[], &["list"], "The objects that are selected");
pub const READ_AND_PATCH: AccessRule =
    AccessRule("apps", "deployments", SLAVE, &["get", "patch"], "The annotation and the count");
pub const ANNOTATE: AccessRule =
    AccessRule("apps", "deployments", SLAVE, &["patch"], "The annotation with the command");
pub const PODS: AccessRule =
    AccessRule("", "pods", &[], &["list"], "The workers, and the reason why pods do not start");
pub const SERVICES: AccessRule = AccessRule(
    "",
    "services",
    &[],
    &["list"],
    "The Service of Locust's master; without this right, locustctl tries usual names",
);
pub const LOCUST: AccessRule =
    AccessRule("", "services/proxy", MASTER, &["get"], "The running test and its workers");
pub const LOCUST_START: AccessRule = AccessRule(
    "",
    "services/proxy",
    MASTER,
    &["get", "create"],
    "The running test and its workers (get), and starting or stopping users (create)",
);
pub const AUTOSCALERS: AccessRule = AccessRule(
    "autoscaling",
    "horizontalpodautoscalers",
    &[],
    &["list"],
    "The warning about an autoscaler; without this right there is no warning",
);
pub const KEDA: AccessRule = AccessRule(
    "keda.sh",
    "scaledobjects",
    &[],
    &["list"],
    "The warning about an autoscaler of KEDA",
);
pub const LEASE: AccessRule = AccessRule(
    "coordination.k8s.io",
    "leases",
    &["locustctl-run-deployment-locust-slave"],
    &["get", "update"],
    "The lock against a second run; without this right, a note says so",
);
pub const NEW_LEASE: AccessRule = AccessRule(
    "coordination.k8s.io",
    "leases",
    &[],
    &["create"],
    "The creation of the lock, in a rule of its own: rules with names cannot allow `create`",
);

pub const WORKLOADS: AccessRule = AccessRule(
    "apps",
    "deployments, statefulsets, replicasets",
    &[],
    &["list"],
    "The objects that may run workers",
);
pub const CONTROLLERS: AccessRule =
    AccessRule("", "replicationcontrollers", &[], &["list"], "Other objects that may run workers");
pub const JOBS: AccessRule =
    AccessRule("batch", "jobs", &[], &["list"], "Other objects that may run workers");
pub const MASTERS: AccessRule = AccessRule("", "pods", &[], &["list"], "The masters of Locust");
pub const SERVICES_OF_ALL: AccessRule =
    AccessRule("", "services", &[], &["list"], "The Services of these masters");
pub const READ_ANY: AccessRule = AccessRule("apps", "deployments", &[], &["get"], "The object");
pub const POD_PROXY: AccessRule = AccessRule(
    "",
    "pods/proxy",
    &[],
    &["get", "create"],
    "The running test and its workers (get), and starting or stopping users (create)",
);
pub const LOCUST_TEST: AccessRule = AccessRule(
    "locust.cloud",
    "locusttests",
    &["demo"],
    &["get", "patch"],
    "The old and the new number of workers of the LocustTest",
);
pub const JOB_OF_LOCUST_TEST: AccessRule = AccessRule(
    "batch",
    "jobs",
    &["demo-worker"],
    &["get"],
    "The Job that runs the pods of the LocustTest; a plain `scale` does not need this rule",
);
pub const JOB: AccessRule = AccessRule(
    "batch",
    "jobs",
    &["demo-worker"],
    &["get", "patch"],
    "The old and the new number of pods of the Job",
);

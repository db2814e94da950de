//! The sections of docs/access.md: the commands, and the rules that they use.

use locustctl::sandbox::{Action, Fault, PodFailure};
use support::cluster::TestCluster;
use support::layouts::named;
use support::swarm::{start_test, wait_for_workers};
use support::waiting::slow_cluster;

use super::rules::*;

/// The rights of one command.
pub struct Access {
    /// The heading in the document.
    pub title: &'static str,
    /// The text between the heading and the rules.
    pub text: &'static str,
    /// Command lines that use all of these rights and no other, in this order.
    pub lines: &'static [&'static str],
    pub setting: Setting,
    pub rules: &'static [&'static AccessRule],
    /// Rules that the command lines need too. They are in the command's own section.
    pub besides: &'static [&'static AccessRule],
    /// The rules apply in every namespace.
    pub is_cluster_wide: bool,
}

const COMMAND: Access = Access {
    title: "",
    text: "",
    lines: &[],
    setting: Setting::Idle,
    rules: &[],
    besides: &[],
    is_cluster_wide: false,
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// One worker, and no test.
    Idle,
    /// One worker, and no test. New pods become ready late.
    SlowPods,
    /// Five workers, and a test with 60 users. New pods become ready late.
    Test,
    /// Two workers, and a test that has lost users.
    LostUsers,
    /// One worker. Another client adds one just before the first PATCH.
    Race,
    /// One worker. The image of further workers cannot be pulled, so the commands fail.
    NoImage,
    /// Two workers, a test that has lost users, and a master without a Service.
    NoService,
    /// The objects of this layout.
    Layout(&'static str),
}

impl Setting {
    pub fn cluster(self) -> TestCluster {
        let cluster = match self {
            Self::Layout(name) => named(name),
            // Otherwise new pods may be ready before a command uses its right to watch.
            Self::SlowPods | Self::Test => slow_cluster(),
            _ => TestCluster::start(),
        };
        self.arrange(&cluster);
        cluster
    }

    fn arrange(self, cluster: &TestCluster) {
        match self {
            Self::Idle | Self::SlowPods | Self::Layout(_) => return,
            Self::Race => {
                let other = Fault::once(Action::RivalIncrement).on("PATCH");
                return cluster.handle().inject(other);
            }
            Self::NoImage => {
                return cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
            }
            Self::Test | Self::LostUsers | Self::NoService => {}
        }
        let scale = |workers: usize| {
            let line = format!("scale --replicas={workers} --wait");
            support::locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
            wait_for_workers(cluster, workers);
        };
        scale(5);
        start_test(cluster);
        if self != Self::Test {
            scale(2);
        }
        if self == Self::NoService {
            cluster.handle().delete_object(SERVICE);
        }
    }
}

const SERVICE: &str = "/api/v1/namespaces/default/services/locust-master";

const STATUS_OF_ALL: &str = "\
Put these rules into a ClusterRole, and bind it with a ClusterRoleBinding, because `status -A` reads all namespaces. If masters have
other Services, add the name and the port of each one to `services/proxy`. Without one of these rules, `status -A` lists the rest.
";

const SEARCH: &str = "\
If no target is named and `deployment/locust-slave` does not exist, the commands [look for
workers](locust.md#how-locust-is-found). They need these rules in addition to the rules in their own sections. If the cluster has `deploymentconfigs`
(`apps.openshift.io`), `rollouts` (`argoproj.io`) or `locusttests` (`locust.cloud`), add `list` for them, here and for `status -A`.
";

const WITHOUT_SERVICE: &str = "\
If no Service leads to the master's web UI, locustctl connects to the master's pod. Replace the rule for `services/proxy` with this one. It
allows requests to every pod of the namespace, because the names of pods are not known in advance. If you create a Service for the
master, you do not need this rule.
";

const LOCUST_TESTS: &str = "\
A LocustTest has no scale subresource. Replace the rules for `deployments` and `deployments/scale` with these rules.
";

const ONE_JOB: &str = "\
A Job has no scale subresource. Replace the rules for `deployments` and `deployments/scale` with this rule.
";

const WITH_OBJECT: &str = "\
Add `get` on the scale subresource if the type is not part of Kubernetes, such as a Rollout.
";

pub const TABLE: &[Access] = &[
    Access {
        title: "`scale`",
        lines: &["scale --replicas=3", "scale --by=+2", "scale --current-replicas=5 --replicas=3"],
        rules: &[&SCALE],
        ..COMMAND
    },
    Access {
        title: "`scale -o json`",
        text: WITH_OBJECT,
        lines: &["scale --replicas=3 -o json"],
        rules: &[&PATCH_SCALE, &READ],
        ..COMMAND
    },
    Access {
        title: "`scale --all`",
        lines: &["scale --replicas=3 deployments -l role=worker"],
        setting: Setting::Race,
        rules: &[&SCALE, &LIST],
        ..COMMAND
    },
    Access {
        title: "`scale --record`",
        lines: &["scale --replicas=3 --record"],
        rules: &[&SCALE, &ANNOTATE],
        ..COMMAND
    },
    Access {
        title: "`scale --remember`",
        lines: &["scale --replicas=0 --remember", "scale --restore"],
        rules: &[&READ_AND_PATCH],
        ..COMMAND
    },
    Access {
        title: "`scale --wait`",
        lines: &["scale --replicas=3 --wait --timeout=10s"],
        setting: Setting::NoImage,
        rules: &[&SCALE, &READ_AND_WATCH, &PODS, &AUTOSCALERS, &KEDA],
        ..COMMAND
    },
    Access {
        title: "`scale --locust`",
        lines: &["scale --replicas=7 --locust", "scale --replicas=2 --locust"],
        setting: Setting::Test,
        rules: &[&SCALE, &READ_AND_WATCH, &PODS, &SERVICES, &LOCUST_START, &AUTOSCALERS, &KEDA],
        ..COMMAND
    },
    Access {
        title: "`rebalance`",
        lines: &["rebalance"],
        setting: Setting::LostUsers,
        rules: &[&READ, &PODS, &SERVICES, &LOCUST_START],
        ..COMMAND
    },
    Access {
        title: "`status`",
        lines: &["status"],
        setting: Setting::Test,
        rules: &[&READ, &PODS, &SERVICES, &LOCUST, &AUTOSCALERS, &KEDA],
        ..COMMAND
    },
    Access {
        title: "`status -A`",
        text: STATUS_OF_ALL,
        lines: &["status -A"],
        rules: &[&WORKLOADS, &CONTROLLERS, &JOBS, &MASTERS, &SERVICES_OF_ALL, &LOCUST],
        is_cluster_wide: true,
        ..COMMAND
    },
    Access {
        title: "`run`",
        lines: &["run --replicas=2 -u 10 -r 10 -t 3s", "run --replicas=2 -- /bin/true"],
        setting: Setting::SlowPods,
        rules: &[&SCALE, &READ_AND_WATCH, &PODS, &SERVICES, &LOCUST_START, &LEASE, &NEW_LEASE],
        ..COMMAND
    },
    Access {
        title: "The search for workers",
        text: SEARCH,
        lines: &["status --locust=none"],
        setting: Setting::Layout("google"),
        rules: &[&WORKLOADS, &CONTROLLERS, &JOBS],
        besides: &[&READ_ANY, &AUTOSCALERS, &KEDA],
        ..COMMAND
    },
    Access {
        title: "A master without a Service",
        text: WITHOUT_SERVICE,
        lines: &["rebalance"],
        setting: Setting::NoService,
        rules: &[&POD_PROXY],
        besides: &[&READ, &PODS, &SERVICES],
        ..COMMAND
    },
    Access {
        title: "LocustTests",
        text: LOCUST_TESTS,
        lines: &["scale --replicas=2 locusttest/demo", "scale --replicas=3 locusttest/demo --wait"],
        setting: Setting::Layout("locust-cloud"),
        rules: &[&LOCUST_TEST, &JOB_OF_LOCUST_TEST],
        besides: &[&AUTOSCALERS, &KEDA],
        ..COMMAND
    },
    Access {
        title: "Jobs",
        text: ONE_JOB,
        lines: &["scale --replicas=2 job/demo-worker"],
        setting: Setting::Layout("locust-cloud"),
        rules: &[&JOB],
        ..COMMAND
    },
];

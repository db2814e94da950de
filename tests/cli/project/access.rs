//! docs/access.md is generated from a table. A test compares the table with the requests of the commands.
//! To renew the document: `UPDATE_DOCS=1 cargo test --test cli access`.

use std::fmt::Write as _;

use locustctl::sandbox::{PodFailure, Rights, Rule};
use support::cluster::TestCluster;
use support::rights::Right;
use support::swarm::{start_test, wait_for_workers};
use support::waiting::kubeconfig_of;

use super::{root, text_of};

const TOKEN: &str = "token-of-the-access-test";

/// A rule of a Role: API group, resource, names, verbs, and the purpose.
struct AccessRule(
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

/// The rights of one command.
struct Access {
    /// The heading in the document.
    title: &'static str,
    /// Command lines that use all of these rights and no other, in this order.
    lines: &'static [&'static str],
    setting: Setting,
    rules: &'static [&'static AccessRule],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting {
    /// One worker, and no test.
    Idle,
    /// Five workers, and a test with 60 users.
    Test,
    /// Two workers, and a test that has lost users.
    LostUsers,
    /// One worker. The image of further workers cannot be pulled, so the commands fail.
    NoImage,
}

impl Setting {
    fn arrange(self, cluster: &TestCluster) {
        match self {
            Self::Idle => return,
            Self::NoImage => {
                return cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
            }
            Self::Test | Self::LostUsers => {}
        }
        let scale = |workers: usize| {
            let line = format!("scale --replicas={workers} --wait");
            support::locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
            wait_for_workers(cluster, workers);
        };
        scale(5);
        start_test(cluster);
        if self == Self::LostUsers {
            scale(2);
        }
    }
}

const SLAVE: &[&str] = &["locust-slave"];

const MASTER: &[&str] = &["locust-master:8089"];

const SCALE: AccessRule = AccessRule(
    "apps",
    "deployments/scale",
    SLAVE,
    &["get", "patch"],
    "The old and the new number of replicas",
);
const CONDITIONAL: AccessRule =
    AccessRule("apps", "deployments/scale", SLAVE, &["patch"], "The new number of replicas");
const READ: AccessRule = AccessRule("apps", "deployments", SLAVE, &["get"], "The object");
const READ_AND_WATCH: AccessRule = AccessRule(
    "apps",
    "deployments",
    SLAVE,
    &["get", "watch"],
    "The progress of its pods; without `watch`, locustctl reads it once a second",
);
const LIST: AccessRule =
    AccessRule("apps", "deployments", &[], &["list"], "The objects that are selected");
const READ_AND_PATCH: AccessRule =
    AccessRule("apps", "deployments", SLAVE, &["get", "patch"], "The annotation and the count");
const ANNOTATE: AccessRule =
    AccessRule("apps", "deployments", SLAVE, &["patch"], "The annotation with the command");
const PODS: AccessRule =
    AccessRule("", "pods", &[], &["list"], "The workers, and the reason why pods do not start");
const SERVICES: AccessRule = AccessRule(
    "",
    "services",
    &[],
    &["list"],
    "The Service of Locust's master; without this right, locustctl tries usual names",
);
const LOCUST: AccessRule =
    AccessRule("", "services/proxy", MASTER, &["get"], "The running test and its workers");
const LOCUST_START: AccessRule = AccessRule(
    "",
    "services/proxy",
    MASTER,
    &["get", "create"],
    "The running test and its workers (get), and starting or stopping users (create)",
);
const AUTOSCALERS: AccessRule = AccessRule(
    "autoscaling",
    "horizontalpodautoscalers",
    &[],
    &["list"],
    "The warning about an autoscaler; without this right there is no warning",
);
const KEDA: AccessRule =
    AccessRule("keda.sh", "scaledobjects", &[], &["list"], "The same for KEDA");
const LEASE: AccessRule = AccessRule(
    "coordination.k8s.io",
    "leases",
    &["locustctl-run-deployment-locust-slave"],
    &["get", "update"],
    "The lock against a second run; without this right, a note says so",
);
const NEW_LEASE: AccessRule = AccessRule(
    "coordination.k8s.io",
    "leases",
    &[],
    &["create"],
    "The same; rules with names cannot allow `create`",
);

const TABLE: &[Access] = &[
    Access {
        title: "scale",
        lines: &["scale --replicas=3", "scale --by=+2"],
        setting: Setting::Idle,
        rules: &[&SCALE],
    },
    Access {
        title: "scale --current-replicas",
        lines: &["scale --current-replicas=1 --replicas=3"],
        setting: Setting::Idle,
        rules: &[&CONDITIONAL],
    },
    Access {
        title: "scale -o json",
        lines: &["scale --replicas=3 -o json"],
        setting: Setting::Idle,
        rules: &[&CONDITIONAL, &READ],
    },
    Access {
        title: "scale --all",
        lines: &["scale --replicas=3 deployments -l role=worker"],
        setting: Setting::Idle,
        rules: &[&CONDITIONAL, &LIST],
    },
    Access {
        title: "scale --record",
        lines: &["scale --replicas=3 --record"],
        setting: Setting::Idle,
        rules: &[&SCALE, &ANNOTATE],
    },
    Access {
        title: "scale --remember",
        lines: &["scale --replicas=0 --remember", "scale --restore"],
        setting: Setting::Idle,
        rules: &[&READ_AND_PATCH],
    },
    Access {
        title: "scale --wait",
        lines: &["scale --replicas=3 --wait --timeout=2s"],
        setting: Setting::NoImage,
        rules: &[&SCALE, &READ_AND_WATCH, &PODS, &AUTOSCALERS, &KEDA],
    },
    Access {
        title: "scale --locust",
        lines: &["scale --replicas=7 --locust", "scale --replicas=2 --locust"],
        setting: Setting::Test,
        rules: &[&SCALE, &READ_AND_WATCH, &PODS, &SERVICES, &LOCUST_START, &AUTOSCALERS, &KEDA],
    },
    Access {
        title: "rebalance",
        lines: &["rebalance"],
        setting: Setting::LostUsers,
        rules: &[&READ, &PODS, &SERVICES, &LOCUST_START],
    },
    Access {
        title: "status",
        lines: &["status"],
        setting: Setting::Test,
        rules: &[&READ, &PODS, &SERVICES, &LOCUST, &AUTOSCALERS, &KEDA],
    },
    Access {
        title: "run",
        lines: &["run --replicas=2 -u 10 -r 10 -t 3s", "run --replicas=2 -- /bin/true"],
        setting: Setting::Idle,
        rules: &[&SCALE, &READ_AND_WATCH, &PODS, &SERVICES, &LOCUST_START, &LEASE, &NEW_LEASE],
    },
];

const TOP: &str = "\
# Rights

Each section has the rules that one command needs in the namespace of its target. Put them into a Role, and bind the Role to the
user or to the ServiceAccount. If your target has another type or name, write that instead of `deployments` and `locust-slave`. If
the Service of Locust's master has another name, write that instead of `locust-master`.

`serve` needs the Role in `deploy/role.yaml`, which has the reason for each right.
";

const BOTTOM: &str = "
## A complete example

These objects allow `scale` and `scale --wait` from a pod in the namespace `load-test`. The pod needs `serviceAccountName: locustctl`.
";

fn document() -> String {
    let mut text = TOP.to_owned();
    for access in TABLE {
        write!(text, "\n## `{}`\n\n```yaml\n{}```\n", access.title, yaml(access.rules)).unwrap();
    }
    let wait = TABLE.iter().find(|it| it.title == "scale --wait").unwrap();
    write!(
        text,
        "{BOTTOM}\n```yaml\n\
         apiVersion: v1\n\
         kind: ServiceAccount\n\
         metadata: {{name: locustctl, namespace: load-test}}\n\
         ---\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: Role\n\
         metadata: {{name: locustctl, namespace: load-test}}\n\
         {}\
         ---\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: RoleBinding\n\
         metadata: {{name: locustctl, namespace: load-test}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: locustctl}}\n\
         subjects: [{{kind: ServiceAccount, name: locustctl, namespace: load-test}}]\n\
         ```\n",
        yaml(wait.rules)
    )
    .unwrap();
    text
}

fn yaml(rules: &[&AccessRule]) -> String {
    let mut text = "rules:\n".to_owned();
    for AccessRule(group, resource, names, verbs, purpose) in rules {
        let group = if group.is_empty() { "\"\"" } else { group };
        write!(text, "# {purpose}.\n- apiGroups: [{group}]\n  resources: [{resource}]\n").unwrap();
        if !names.is_empty() {
            let quoted: Vec<_> = names
                .iter()
                .map(|it| if it.contains(':') { format!("\"{it}\"") } else { (*it).to_owned() })
                .collect();
            writeln!(text, "  resourceNames: [{}]", quoted.join(", ")).unwrap();
        }
        writeln!(text, "  verbs: [{}]", verbs.join(", ")).unwrap();
    }
    text
}

#[test]
fn the_document_is_current() {
    let (path, document) = (root().join("docs/access.md"), document());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    assert!(
        text_of("docs/access.md") == document,
        "docs/access.md is stale; to renew: UPDATE_DOCS=1 cargo test --test cli access"
    );
}

#[test]
fn each_command_works_with_its_rights_and_uses_each_of_them() {
    let mut faults = Vec::new();
    for access in TABLE {
        let cluster = TestCluster::start();
        access.setting.arrange(&cluster);
        let rule = |AccessRule(group, resource, names, verbs, _): &AccessRule| {
            Rule::new(verbs, &[group], &[resource], names).in_namespace("default")
        };
        let rights = Rights::Rules(access.rules.iter().map(|it| rule(it)).collect());
        cluster.handle().add_account(TOKEN, "access", rights);
        let kubeconfig = kubeconfig_of(&cluster, TOKEN);
        for line in access.lines {
            let outcome = support::locustctl(line).kubeconfig(&kubeconfig).run();
            let expected = i32::from(access.setting == Setting::NoImage);
            if outcome.code != Some(expected) || outcome.stderr.contains("forbidden") {
                faults.push(format!("{line}: {outcome:?}"));
            }
        }
        let mut allowed: Vec<_> = access
            .rules
            .iter()
            .flat_map(|AccessRule(group, resource, _, verbs, _)| {
                verbs.iter().map(|verb| Right::new(group, resource, verb))
            })
            .collect();
        allowed.sort();
        let used = Right::used_by(&cluster.handle().requests(), TOKEN);
        if used != allowed {
            let only_in = |these: &[Right], others: &[Right]| {
                let only = these.iter().filter(|it| !others.contains(it)).map(Right::to_string);
                only.collect::<Vec<_>>().join(", ")
            };
            faults.push(format!(
                "{}: more are used: {}; never used: {}",
                access.title,
                only_in(&used, &allowed),
                only_in(&allowed, &used)
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

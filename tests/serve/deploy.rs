//! The manifests of `kubectl apply -k deploy/`: the pod has exactly the rights that serve uses.

use std::path::{Path, PathBuf};
use std::process::Command;

use locustctl::sandbox::{Rights, Rule};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::rights::Right;
use support::serving::{Serving, wait_until};
use support::swarm::start_test;
use support::waiting::kubeconfig_of;

const TOKEN: &str = "serve-s-token-of-the-test";
const AUTOSCALERS: &str = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";

const HISTORY: &str = "/api/v1/namespaces/default/configmaps/locustctl-history";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/locustctl";

/// The flags of the pod that need rights.
const FLAGS: [&str; 2] = ["--history-configmap=locustctl-history", "--lease=locustctl"];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn manifest(name: &str) -> Value {
    let text = std::fs::read_to_string(deploy().join(name)).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

fn rights() -> Vec<Right> {
    Right::of_rules(&manifest("role.yaml")["rules"])
}

/// The Role in the namespace `default`, without one of its rights.
fn role_without(without: Option<&Right>) -> Rights {
    let role = manifest("role.yaml");
    let rules = role["rules"].as_array().unwrap().iter().map(|rule| {
        let resources = words(&rule["resources"]);
        let is_left = |verb: &&str| {
            without.is_none_or(|left| resources != [left.resource.as_str()] || left.verb != *verb)
        };
        let verbs: Vec<_> = words(&rule["verbs"]).into_iter().filter(is_left).collect();
        let (groups, names) = (words(&rule["apiGroups"]), words(&rule["resourceNames"]));
        Rule::new(&verbs, &groups, &resources, &names).in_namespace("default")
    });
    Rights::Rules(rules.collect())
}

/// A cluster with an autoscaler, and a kubeconfig with these rights.
fn cluster_for(rights: Rights) -> (TestCluster, PathBuf) {
    let cluster = TestCluster::start();
    cluster.handle().put_object(
        &format!("{AUTOSCALERS}/workers"),
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "workers"}, "spec": {"minReplicas": 1, "maxReplicas": 5,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "locust-slave"}}}),
    );
    for (path, file) in [(HISTORY, "configmap.yaml"), (LEASE, "lease.yaml")] {
        cluster.handle().put_object(path, manifest(file));
    }
    cluster.handle().add_account(TOKEN, "system:serviceaccount:default:locustctl", rights);
    let kubeconfig = kubeconfig_of(&cluster, TOKEN);
    (cluster, kubeconfig)
}

#[test]
fn with_the_rights_of_the_role_serve_works_and_uses_each_right() {
    let (cluster, kubeconfig) = cluster_for(role_without(None));
    let serving = Serving::start_with(kubeconfig, &FLAGS);
    serving.wait_until_settled(1);
    assert_eq!(serving.put("?wait=50s", r#"{"replicas": 5}"#).status, 200);
    serving.wait_for_state(|state| state["locust"]["workers"] == 5);
    start_test(&cluster);
    let scaled = serving.put("?wait=50s", r#"{"replicas": 3}"#).json();
    assert_eq!(scaled["users"]["stage"], "well", "{scaled}");
    serving.wait_for_state(|state| {
        state["connection"]["state"] == "connected"
            && state["pods"].as_array().is_some_and(|pods| pods.len() == 3)
            && state["podsUnknown"].is_null()
            && state["autoscalers"][0]["name"] == "workers"
    });
    cluster.wait_for(HISTORY, |map| map["data"]["history"].is_string());
    cluster.wait_for(LEASE, |lease| lease["spec"]["leaseTransitions"].as_i64() >= Some(1));
    let events = || cluster.handle().objects("/api/v1/namespaces/default/events");
    wait_until(|| events().len() == 2, || "the Events of both changes".to_owned());
    assert!(!serving.stderr().contains("cannot "), "{}", serving.stderr());
    assert!(
        serving.get("/").text.contains("workers</b> keeps the number of replicas between 1 and 5")
    );

    let used = Right::used_by(&cluster.handle().requests(), TOKEN);
    assert_eq!(used, rights());
}

#[test]
fn each_missing_right_is_reported() {
    for right in rights() {
        let (cluster, kubeconfig) = cluster_for(role_without(Some(&right)));
        let serving = Serving::start_with(kubeconfig, &FLAGS);
        match (right.resource.as_str(), right.verb.as_str()) {
            ("deployments", _) => serving.wait_for_log("serve cannot read"),
            ("deployments/scale", _) => {
                serving.put("", r#"{"replicas": 3}"#).is_problem(
                    403,
                    "Forbidden",
                    "deployments/scale",
                );
            }
            // The master's Service has the usual name, so it is found nevertheless.
            ("services", "list") => {
                serving.wait_for_state(|state| !state["locust"].is_null());
            }
            ("services/proxy", "get") => {
                serving.put("?wait=50s", r#"{"replicas": 2}"#);
                assert!(serving.state()["locust"].is_null(), "{right:?}");
            }
            ("services/proxy", "create") => {
                serving.put("?wait=50s", r#"{"replicas": 5}"#);
                start_test(&cluster);
                serving.wait_for_state(|state| state["locust"]["state"] == "running");
                let scaled = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
                let text = scaled["users"]["text"].as_str().unwrap();
                assert!(text.contains("cannot create resource \"services/proxy\""), "{text}");
            }
            ("configmaps", "get") => serving.wait_for_log("the history is only in memory, because"),
            ("configmaps", "patch") => {
                serving.put("", r#"{"replicas": 3}"#);
                serving.wait_for_log("the history is only in memory, because");
            }
            ("events", "create") => {
                serving.put("", r#"{"replicas": 3}"#);
                serving.wait_for_log("Events of changes cannot be created: events is forbidden");
            }
            ("leases", "get") => serving.wait_for_log("serve cannot use the Lease locustctl, so"),
            ("leases", "update") => {
                serving.put("?wait=20s", r#"{"replicas": 5}"#);
                start_test(&cluster);
                serving.wait_for_state(|state| state["locust"]["state"] == "running");
                serving.put("", r#"{"replicas": 1}"#);
                serving.wait_for_log("serve cannot use the Lease locustctl, so");
            }
            ("pods", _) => drop(serving.wait_for_state(|state| !state["podsUnknown"].is_null())),
            (autoscalers, "list") => {
                serving.wait_for_log(&format!(
                    "cannot read the autoscalers of deployment.apps/locust-slave: {autoscalers}"
                ));
            }
            other => panic!("{other:?} has no documented purpose"),
        }
    }
}

#[test]
fn the_role_allows_nothing_else() {
    let (cluster, kubeconfig) = cluster_for(role_without(None));
    let run = |line: &str| support::locustctl(line).kubeconfig(&kubeconfig).run();
    for line in [
        "scale --replicas=2 deployment/locust-master",
        "scale --replicas=2 statefulset/x",
        "scale --replicas=2 -n kube-system deployment/locust-slave",
        "scale --replicas=2 deployment --all",
    ] {
        let outcome = run(line);
        assert_eq!(outcome.code, Some(1), "{line}");
        assert!(outcome.stderr.contains("forbidden"), "{line}: {}", outcome.stderr);
    }
    let master =
        cluster.handle().replicas("/apis/apps/v1/namespaces/default/deployments/locust-master");
    assert_eq!(master, Some(1));
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn the_pod_has_only_what_it_needs() {
    let deployment = manifest("deployment.yaml");
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["enableServiceLinks"], false);
    assert_eq!(pod["serviceAccountName"], manifest("serviceaccount.yaml")["metadata"]["name"]);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert!(pod["terminationGracePeriodSeconds"].as_i64() > Some(10));
    let container = &pod["containers"][0];
    assert_eq!(
        container["securityContext"],
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]}})
    );
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert_eq!(container["resources"]["limits"]["memory"], "128Mi");
    let role = manifest("role.yaml");
    for rule in role["rules"].as_array().unwrap() {
        let all = [&rule["verbs"], &rule["resources"], &rule["apiGroups"]];
        assert!(all.iter().all(|list| !words(list).contains(&"*")), "{rule}");
    }
    let policy = manifest("networkpolicy.yaml");
    let [rule] = &policy["spec"]["ingress"].as_array().unwrap()[..] else { panic!("{policy}") };
    assert_eq!(rule["ports"], json!([{"port": 8088, "protocol": "TCP"}]));
    assert_eq!(rule["from"][0], json!({"podSelector": {}}), "the pods of the namespace");
    assert!(rule["from"][1]["namespaceSelector"]["matchLabels"].is_object(), "{rule}");
    assert_eq!(policy["spec"]["podSelector"], deployment["spec"]["selector"]);
    assert_eq!(
        manifest("service.yaml")["spec"]["selector"],
        deployment["spec"]["selector"]["matchLabels"]
    );
}

#[test]
fn serve_accepts_the_arguments_of_the_pod() {
    let cluster = TestCluster::start();
    let token = cluster.file("token", "a-token-of-the-test-0123456789");
    let key = cluster.file("session-key", "a-session-key-of-the-test-0123456789");
    let deployment = manifest("deployment.yaml");
    let args = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    let args: Vec<_> = words(args)
        .into_iter()
        .map(|arg| match arg {
            "--listen=0.0.0.0:8088" => "--listen=0.0.0.0:0".to_owned(),
            arg => arg
                .replace("/etc/locustctl/token", token.to_str().unwrap())
                .replace("/etc/locustctl/session-key", key.to_str().unwrap()),
        })
        .collect();
    let (command, flags) = args.split_first().unwrap();
    assert_eq!(command, "serve");
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let serving = Serving::start(&cluster, &flags);
    assert_eq!((serving.get("/healthz").status, serving.get("/api/scale").status), (200, 401));
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn kubectl_accepts_all_manifests() {
    let output = Command::new("kubectl").arg("kustomize").arg(deploy()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut kinds: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("kind: ")).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "ConfigMap",
            "Deployment",
            "Lease",
            "NetworkPolicy",
            "Role",
            "RoleBinding",
            "Service",
            "ServiceAccount"
        ]
    );
    let subject = "subjects:\n- kind: ServiceAccount\n  name: locustctl\n  namespace: default\n";
    assert!(text.contains(subject), "{text}");
    assert!(text.contains(&format!("image: locustctl:{}", env!("CARGO_PKG_VERSION"))));
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn in_front_of_locust_the_probes_work_and_serve_finds_locust() {
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(deploy()).arg(copy.path()).status().unwrap();
    assert!(copied.success());
    let directory = copy.path().join("deploy");
    let file = directory.join("kustomization.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("# components:", "components:")).unwrap();
    let output = Command::new("kubectl").arg("kustomize").arg(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for (line, times) in [
        ("        - --locust-ui\n", 1),
        ("        - --locust=http://locust-master:8089\n", 1),
        ("            path: /-/locustctl/readyz\n", 2),
        ("            path: /-/locustctl/healthz\n", 1),
        ("    - port: 8089\n", 1),
    ] {
        assert_eq!(text.matches(line).count(), times, "{line} in {text}");
    }
}

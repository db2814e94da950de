//! The masters of a namespace, and the one that the workers of a target belong to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::role::{Role, Template};
use super::web_ui::{MasterHost, Service, WebUi, master_host};
use crate::locust::address::{Address, Proxied, ProxiedKind};
use crate::scaling::Target;

/// Labels that all objects of one Locust have, with the same value: those of Helm, of the chart, and of
/// the operators.
const IDENTITY_LABELS: [&str; 7] = [
    "app.kubernetes.io/instance",
    "release",
    "instance",
    "load_test",
    "performance-test-name",
    "locust.io/test-run",
    "locust.cloud/test-run",
];

/// Labels that differ between the pods of one object.
const POD_LABELS: [&str; 6] = [
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "controller-revision-hash",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "deployment",
];

/// Words in the name of an object that say its role, and not its Locust.
const ROLE_WORDS: [&str; 10] = [
    "worker",
    "workers",
    "slave",
    "slaves",
    "master",
    "leader",
    "main",
    "primary",
    "deployment",
    "controller",
];

/// The pods of one master. During an update, a master can have several pods.
#[derive(Debug, Clone)]
pub struct MasterGroup {
    /// Name of the object that owns the pods.
    name: String,
    pods: Vec<MasterPod>,
}

#[derive(Debug, Clone)]
struct MasterPod {
    template: Template,
    is_ready: bool,
    /// A container of the pod is running.
    is_running: bool,
}

/// The facts about workers that name their master.
#[derive(Debug, Clone, Default)]
pub struct WorkerFacts {
    /// Name of the target.
    pub name: String,
    /// Labels of the target and of its pods.
    labels: BTreeMap<String, String>,
    /// The master that the workers connect to.
    pub host: Option<MasterHost>,
}

impl WorkerFacts {
    /// Reads the target. `None` stands for a target that does not exist.
    pub fn new(target: &Target, object: Option<&Value>) -> Self {
        let template = object.map(Template::of_workload).unwrap_or_default();
        let template = Template { name: target.name.clone(), ..template };
        Self::of_template(&template.in_test(&target.resource))
    }

    /// Reads the pod template of the target.
    pub fn of_template(template: &Template) -> Self {
        let host = master_host(&template.containers);
        let mut labels = template.labels.clone();
        labels.extend(template.pod_labels.clone());
        Self { name: template.name.clone(), labels, host }
    }

    /// The Service of this namespace that the workers connect to.
    pub fn service<'a>(&self, services: &'a [Service], namespace: &str) -> Option<&'a Service> {
        let host = self.host.as_ref()?;
        let is_here = host.namespace.as_ref().is_none_or(|other| other == namespace);
        services.iter().find(|service| is_here && service.name == host.service)
    }
}

impl MasterGroup {
    /// True if this pod can be a master's. A LIST of pods keeps only these.
    pub fn has(pod: &Value) -> bool {
        matches!(Template::of_pod(pod).role(), Some(Role::Master | Role::Single))
    }

    /// The masters among the pods. Without a master, these are the Locusts in a single process.
    pub fn of_pods(pods: &[Value]) -> Vec<Self> {
        let templates: Vec<_> = pods
            .iter()
            .filter(|pod| !has_ended(pod))
            .map(|pod| (pod, Template::of_pod(pod)))
            .filter_map(|(pod, template)| Some((pod, template.role()?, template)))
            .collect();
        let with = |wanted: Role| {
            let mut groups: BTreeMap<(String, String), Self> = BTreeMap::new();
            for (pod, _, template) in templates.iter().filter(|(_, role, _)| *role == wanted) {
                let name = owner(pod, template);
                let labels = template.pod_labels.iter();
                let labels = labels.filter(|(name, _)| !POD_LABELS.contains(&name.as_str()));
                let key = (name.clone(), format!("{:?}", labels.collect::<Vec<_>>()));
                let group = groups.entry(key).or_insert_with(|| Self { name, pods: Vec::new() });
                let (is_ready, is_running) = (is_ready(pod), is_running(pod));
                group.pods.push(MasterPod { template: template.clone(), is_ready, is_running });
            }
            groups.into_values().collect::<Vec<_>>()
        };
        let masters = with(Role::Master);
        if masters.is_empty() { with(Role::Single) } else { masters }
    }

    /// The masters that can belong to the workers: the one that they connect to, else those with the same
    /// labels, else those with the same name. All masters, if nothing of this is known.
    pub fn of_workers(
        groups: Vec<Self>,
        facts: &WorkerFacts,
        services: &[Service],
        namespace: &str,
    ) -> Vec<Self> {
        if let Some(service) = facts.service(services, namespace) {
            let selected: Vec<_> =
                groups.iter().filter(|group| group.is_behind(service)).cloned().collect();
            if !selected.is_empty() || !service.selector.is_empty() {
                return selected;
            }
        }
        let similarities = groups.iter().map(|group| group.similarity(&facts.labels));
        let scored: Vec<_> = similarities.zip(&groups).collect();
        let with = |wanted: &dyn Fn(&Similarity) -> bool| -> Vec<Self> {
            let matching = scored.iter().filter(|(similarity, _)| wanted(similarity));
            matching.map(|(_, group)| (*group).clone()).collect()
        };
        let same = with(&|similarity| *similarity == Similarity::Same);
        let possible = with(&|similarity| *similarity != Similarity::Different);
        let found = if same.is_empty() { possible } else { same };
        if found.len() < 2 {
            return found;
        }
        let base = base_name(&facts.name);
        let named: Vec<_> =
            found.iter().filter(|group| base_name(&group.name) == base).cloned().collect();
        if named.is_empty() { found } else { named }
    }

    /// The address of the web UI; `None` if the master runs without one. It is behind a Service or, if
    /// no Service exposes it, at the pod itself.
    pub fn address(&self, services: &[Service], host: Option<&MasterHost>) -> Option<Address> {
        let pod = self.pod()?;
        let containers = &pod.template.containers;
        let ui = WebUi::of(containers);
        if ui.is_headless {
            return None;
        }
        let host = host.map(|host| host.service.as_str());
        let is_own = |service: &&Service| {
            let is_named = service.selector.is_empty() && host == Some(service.name.as_str());
            is_named || service.selects(&pod.template.pod_labels)
        };
        let behind = services.iter().filter(is_own);
        let behind = behind.filter_map(|one| Some((one.rank(host), one.address(&ui, containers)?)));
        let best = behind.min_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, address)| address);
        Some(best.unwrap_or_else(|| {
            Address::Proxied(Proxied {
                kind: ProxiedKind::Pod,
                name: pod.template.name.clone(),
                port: ui.port.to_string(),
                is_tls: ui.is_tls,
                base_path: ui.base_path,
            })
        }))
    }

    /// The address is that of one of the pods, or of a Service in front of them.
    pub fn is_at(&self, address: &Address, services: &[Service]) -> bool {
        let Address::Proxied(Proxied { kind, name, .. }) = address else { return false };
        match kind {
            ProxiedKind::Pod => self.pods.iter().any(|pod| pod.template.name == *name),
            ProxiedKind::Service => {
                services.iter().any(|service| service.name == *name && self.is_behind(service))
            }
        }
    }

    /// The run times that the master may have been started with; see [`WebUi::run_times`].
    pub fn run_times(&self) -> Vec<String> {
        let containers = self.pod().map(|pod| pod.template.containers.as_slice());
        WebUi::of(containers.unwrap_or_default()).run_times
    }

    /// A pod of the master is running, whether it is ready or not.
    pub fn is_running(&self) -> bool {
        self.pods.iter().any(|pod| pod.is_running)
    }

    /// Name of a pod of the master, for messages.
    pub fn pod_name(&self) -> &str {
        self.pod().map_or(&self.name, |pod| &pod.template.name)
    }

    /// A ready pod, else any pod.
    fn pod(&self) -> Option<&MasterPod> {
        self.pods.iter().find(|pod| pod.is_ready).or(self.pods.first())
    }

    fn is_behind(&self, service: &Service) -> bool {
        self.pods.iter().any(|pod| service.selects(&pod.template.pod_labels))
    }

    fn similarity(&self, labels: &BTreeMap<String, String>) -> Similarity {
        let Some(pod) = self.pods.first() else { return Similarity::Unknown };
        let own = |name: &str| pod.template.pod_labels.get(name);
        let known =
            IDENTITY_LABELS.iter().filter_map(|name| Some((own(name)?, labels.get(*name)?)));
        let mut similarity = Similarity::Unknown;
        for (own, other) in known {
            match own == other {
                true => similarity = Similarity::Same,
                false => return Similarity::Different,
            }
        }
        similarity
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Similarity {
    /// They have the same labels of one Locust.
    Same,
    /// They belong to different Locusts.
    Different,
    Unknown,
}

/// The name without the words for a role.
fn base_name(name: &str) -> Vec<&str> {
    name.split(['-', '_', '.']).filter(|part| !ROLE_WORDS.contains(part)).collect()
}

/// The name of the Deployment or other object that owns a pod. The name of a ReplicaSet ends with the
/// hash of its template.
fn owner(pod: &Value, template: &Template) -> String {
    let owners = pod["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut owners = owners.filter(|owner| owner["controller"] == true);
    let Some(owner) = owners.next().and_then(|owner| owner["name"].as_str()) else {
        return template.name.clone();
    };
    let hash = ["pod-template-hash", "rollouts-pod-template-hash"];
    let hash = hash.iter().find_map(|label| template.pod_labels.get(*label));
    let without_hash = hash.and_then(|hash| owner.strip_suffix(&format!("-{hash}")));
    without_hash.unwrap_or(owner).to_owned()
}

/// The pod's processes have ended, or are ending.
fn has_ended(pod: &Value) -> bool {
    let phase = pod["status"]["phase"].as_str();
    matches!(phase, Some("Succeeded" | "Failed")) || !pod["metadata"]["deletionTimestamp"].is_null()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
}

fn is_running(pod: &Value) -> bool {
    let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    containers.into_iter().any(|one| !one["state"]["running"].is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn master(name: &str, labels: Value) -> Value {
        json!({"metadata": {"name": name, "labels": labels},
            "spec": {"containers": [{"image": "locustio/locust", "args": ["--master"]}]}})
    }

    fn service(name: &str, selector: Value, port: u16) -> Service {
        let object = json!({"metadata": {"name": name},
            "spec": {"selector": selector, "ports": [{"port": port}]}});
        Service::read(&object).unwrap()
    }

    fn workers(name: &str, labels: Value, args: Value) -> WorkerFacts {
        let object = json!({"metadata": {"name": name}, "spec": {"template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"image": "locustio/locust", "args": args}]}}}});
        WorkerFacts::new(&Target::for_test(name), Some(&object))
    }

    /// The pods of the masters of these workers.
    fn found(pods: &[Value], facts: &WorkerFacts, services: &[Service]) -> Vec<String> {
        let groups = MasterGroup::of_pods(pods);
        let groups = MasterGroup::of_workers(groups, facts, services, "default");
        groups.iter().map(|group| group.pod_name().to_owned()).collect()
    }

    #[test]
    fn workers_belong_to_the_master_that_they_connect_to() {
        let pods = [master("a-0", json!({"app": "a"})), master("b-0", json!({"app": "b"}))];
        let services =
            [service("one", json!({"app": "a"}), 5557), service("two", json!({"app": "b"}), 5557)];
        let to = |host: &str| workers("w", json!({}), json!(["--worker", "--master-host", host]));
        assert_eq!(found(&pods, &to("two"), &services), ["b-0"]);
        assert_eq!(found(&pods, &to("one.default.svc"), &services), ["a-0"]);
        assert_eq!(found(&pods, &to("one.other.svc"), &services), ["a-0", "b-0"]);
        assert_eq!(found(&pods[..1], &to("two"), &services), [""; 0], "it does not run");
    }

    #[test]
    fn workers_belong_to_the_master_with_the_same_labels_or_name() {
        let release = |name: &str| json!({"app.kubernetes.io/instance": name});
        let pods = [master("x-0", release("x")), master("y-0", release("y"))];
        assert_eq!(found(&pods, &workers("w", release("y"), json!([])), &[]), ["y-0"]);
        assert_eq!(found(&pods, &workers("w", release("z"), json!([])), &[]), [""; 0]);
        assert_eq!(found(&pods, &workers("w", json!({}), json!([])), &[]), ["x-0", "y-0"]);
        let named = [master("shop-master", json!({})), master("mail-master", json!({}))];
        assert_eq!(
            found(&named, &workers("mail-worker", json!({}), json!([])), &[]),
            ["mail-master"]
        );
    }

    #[test]
    fn the_pod_itself_is_the_address_if_no_service_exposes_the_web_ui() {
        let pods = [master("a-0", json!({"app": "a"}))];
        let groups = MasterGroup::of_pods(&pods);
        let address = |services: &[Service]| {
            groups[0].address(services, None).map(|address| address.to_string())
        };
        assert_eq!(address(&[service("a", json!({"app": "a"}), 5557)]).unwrap(), "pod/a-0:8089");
        let both =
            [service("a", json!({"app": "a"}), 5557), service("b", json!({"app": "a"}), 8089)];
        assert_eq!(address(&both).unwrap(), "service/b:8089");
        let headless = json!({"metadata": {"name": "h"},
            "spec": {"containers": [{"image": "locust", "args": ["--master", "--headless"]}]}});
        assert_eq!(MasterGroup::of_pods(&[headless])[0].address(&both, None), None);
    }

    #[test]
    fn two_pods_of_one_master_are_one_master_and_ended_pods_are_none() {
        let of_hash = |name: &str, hash: &str| {
            let labels = json!({"app": "a", "pod-template-hash": hash});
            let mut pod = master(name, labels);
            let owner = json!([{"controller": true, "name": format!("a-{hash}")}]);
            pod["metadata"]["ownerReferences"] = owner;
            pod
        };
        let mut ready = of_hash("a-2-y", "2");
        ready["status"] = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let groups = MasterGroup::of_pods(&[of_hash("a-1-x", "1"), ready]);
        assert_eq!((groups.len(), groups[0].pod_name()), (1, "a-2-y"));
        let mut ended = master("a", json!({}));
        ended["status"] = json!({"phase": "Succeeded"});
        assert!(MasterGroup::of_pods(&[ended]).is_empty());
    }
}

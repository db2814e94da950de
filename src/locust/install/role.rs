//! The role of a pod template in a Locust load test. It follows from what the pods run; only without
//! such evidence it follows from names and labels.

use std::collections::BTreeMap;

use serde_json::Value;

use super::launch::{Launch, truth};
use crate::cluster::api::Resource;
use crate::scaling::is_test_of_locust_cloud;

/// The role of the pods of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Worker,
    Master,
    /// A Locust in a single process, or a pod with a master and workers.
    Single,
}

/// A pod template, or a pod, with the name and the labels of its object.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Name of the object.
    pub name: String,
    /// Labels of the object.
    pub labels: BTreeMap<String, String>,
    /// Labels of the pods.
    pub pod_labels: BTreeMap<String, String>,
    pub containers: Vec<Launch>,
}

/// Words in a name or label that say which part of Locust an object is.
const WORKER_WORDS: [&str; 2] = ["worker", "slave"];
const MASTER_WORDS: [&str; 4] = ["master", "leader", "primary", "coordinator"];

/// Words in the name of programs that stand beside Locust and are no part of it.
const COMPANIONS: [&str; 5] = ["exporter", "prometheus", "grafana", "influxdb", "operator"];

/// Variables with an address of a master end with one of these words.
const ADDRESS_ENDS: [&str; 8] =
    ["MASTER", "HOST", "URL", "ADDR", "ADDRESS", "IP", "SERVICE", "ENDPOINT"];

impl Template {
    /// Reads an object with `spec.template`, such as a Deployment.
    pub fn of_workload(object: &Value) -> Self {
        let template = &object["spec"]["template"];
        Self {
            pod_labels: labels(&template["metadata"]),
            containers: Launch::of_pod_spec(&template["spec"]),
            ..Self::named(object)
        }
    }

    /// Reads a pod.
    pub fn of_pod(pod: &Value) -> Self {
        let named = Self::named(pod);
        let containers = Launch::of_pod_spec(&pod["spec"]);
        Self { pod_labels: named.labels.clone(), containers, ..named }
    }

    fn named(object: &Value) -> Self {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        Self { name, labels: labels(&object["metadata"]), ..Self::default() }
    }

    /// Adds the label that the operator of `locust.cloud` gives to the pods of a LocustTest. Other types
    /// stay as they are.
    pub fn in_test(mut self, resource: &Resource) -> Self {
        if is_test_of_locust_cloud(resource) {
            self.pod_labels.insert("locust.io/test-run".to_owned(), self.name.clone());
        }
        self
    }

    /// The role of the pods; `None` if they are no part of Locust.
    pub fn role(&self) -> Option<Role> {
        let roles: Vec<_> =
            self.containers.iter().filter_map(|one| self.role_by_launch(one)).collect();
        let has = |role| roles.contains(&role);
        match (has(Role::Worker), has(Role::Master)) {
            (true, true) => return Some(Role::Single),
            (true, false) => return Some(Role::Worker),
            (false, true) => return Some(Role::Master),
            (false, false) => {}
        }
        if !self.is_locust() {
            return None;
        }
        let by_hint = self.containers.iter().find_map(hinted_role);
        let by_name = self.role_by_name();
        match (by_hint, by_name) {
            // Master and workers may share the variable with the master's address.
            (Some(Role::Worker), Some(Role::Master)) => Some(Role::Master),
            (Some(role), _) | (None, Some(role)) => Some(role),
            (None, None) if has(Role::Single) => Some(Role::Single),
            (None, None) => self.role_by_ports().or_else(|| self.single()),
        }
    }

    /// The role by flags and by the variables that Locust and the usual images read.
    fn role_by_launch(&self, launch: &Launch) -> Option<Role> {
        let is_worker = launch.has_word(&["--worker", "--slave"]);
        let is_master = launch.has_word(&["--master", "--expect-workers", "--expect-slaves"])
            || launch.words.iter().any(|word| word.starts_with("--expect-workers="));
        let is_certain = launch.flag(&["--master-host"]).is_some() || self.is_locust();
        match (is_worker, is_master) {
            (true, false) if is_certain => return Some(Role::Worker),
            (false, true) if is_certain => return Some(Role::Master),
            // A script has both flags, and a variable selects one.
            _ => {}
        }
        let roles = launch.variables.iter();
        let roles: Vec<_> =
            roles.filter_map(|(name, value)| role_by_variable(name, value.as_deref())).collect();
        let role = *roles.first()?;
        let is_clear = roles.iter().all(|other| *other == role);
        (is_clear && self.is_locust()).then_some(role)
    }

    fn role_by_name(&self) -> Option<Role> {
        let of = |text: &str| {
            let text = text.to_ascii_lowercase();
            let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
            let is_main = text.split(['-', '_', '.', '/', ':']).any(|part| part == "main");
            match (has(&WORKER_WORDS), has(&MASTER_WORDS) || is_main) {
                (true, false) => Some(Role::Worker),
                (false, true) => Some(Role::Master),
                _ => None,
            }
        };
        let values = |labels: &BTreeMap<String, String>| labels.values().find_map(|text| of(text));
        of(&self.name)
            .or_else(|| values(&self.pod_labels))
            .or_else(|| values(&self.labels))
            .or_else(|| self.containers.iter().find_map(|one| of(&one.name)))
            .or_else(|| {
                self.containers.iter().flat_map(|one| &one.sources).find_map(|text| of(text))
            })
            .or_else(|| self.containers.iter().find_map(|one| of(&one.image)))
    }

    /// Only a master listens at 5557. Some manifests of workers list the port too, so it is the weakest
    /// evidence.
    fn role_by_ports(&self) -> Option<Role> {
        let mut ports = self.containers.iter().flat_map(|one| &one.ports);
        ports.any(|(_, number)| *number == 5557).then_some(Role::Master)
    }

    /// A container runs Locust, and nothing gives it a role.
    fn single(&self) -> Option<Role> {
        let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let runs_locust = |one: &Launch| {
            file(&one.image).contains("locust")
                || one.words.iter().any(|word| file(word) == "locust")
        };
        self.containers.iter().any(runs_locust).then_some(Role::Single)
    }

    /// A container, the name or a label names Locust, and not a program beside it.
    fn is_locust(&self) -> bool {
        let names = [self.name.as_str()].into_iter();
        let names =
            names.chain(self.labels.values().chain(self.pod_labels.values()).map(String::as_str));
        let names: Vec<_> = names.chain(self.containers.iter().flat_map(names_of)).collect();
        let is_companion = self.containers.iter().any(|one| {
            let image = one.image.rsplit('/').next().unwrap_or_default();
            COMPANIONS.iter().any(|word| image.contains(word))
        }) && self.containers.len() == 1;
        !is_companion && names.iter().any(|name| name.to_ascii_lowercase().contains("locust"))
    }
}

/// The texts of a container that can name Locust.
fn names_of(launch: &Launch) -> impl Iterator<Item = &str> {
    let variables = launch.variables.iter().map(|(name, _)| name.as_str());
    let own = [launch.name.as_str(), launch.image.as_str()].into_iter();
    own.chain(variables).chain(launch.words.iter().map(String::as_str))
}

/// The role in a variable that selects it, such as `LOCUST_MODE=worker` or `LOCUST_MODE_WORKER=true`.
fn role_by_variable(name: &str, value: Option<&str>) -> Option<Role> {
    let name = name.to_ascii_uppercase();
    let is_set = value.is_none_or(|value| truth(value) == Some(true));
    match name.as_str() {
        "LOCUST_MODE_WORKER" | "LOCUST_MODE_SLAVE" | "LOCUST_WORKER" | "LOCUST_SLAVE"
        | "LOCUST_IS_WORKER" => return is_set.then_some(Role::Worker),
        "LOCUST_MODE_MASTER" | "LOCUST_IS_MASTER" => return is_set.then_some(Role::Master),
        "LOCUST_MASTER" if value.and_then(truth) == Some(true) => return Some(Role::Master),
        "LOCUST_MASTER_NODE_HOST" => {
            return value.is_none_or(|value| !value.trim().is_empty()).then_some(Role::Worker);
        }
        _ => {}
    }
    let selects = name.split('_').any(|part| matches!(part, "MODE" | "ROLE" | "TYPE" | "KIND"));
    match value?.trim().to_ascii_lowercase().trim_start_matches('-') {
        _ if !selects => None,
        "worker" | "workers" | "slave" | "slaves" => Some(Role::Worker),
        "master" | "leader" => Some(Role::Master),
        "standalone" | "single" | "local" => Some(Role::Single),
        _ => None,
    }
}

/// The role that follows from the address of a master, from settings that only a master has, or from the
/// name of a script.
fn hinted_role(launch: &Launch) -> Option<Role> {
    let is_master_setting =
        |name: &str| name.starts_with("LOCUST_EXPECT_") || name.starts_with("LOCUST_MASTER_BIND_");
    let names = || launch.variables.iter().map(|(name, _)| name.to_ascii_uppercase());
    let binds = ["--master-bind-host", "--master-bind-port"];
    if names().any(|name| is_master_setting(&name)) || launch.flag(&binds).is_some() {
        return Some(Role::Master);
    }
    if master_variables(launch).next().is_some() || launch.flag(&["--master-host"]).is_some() {
        return Some(Role::Worker);
    }
    let scripts = launch.words.iter().filter(|word| !word.starts_with('-'));
    let mut scripts = scripts.filter(|word| word.ends_with(".sh") || word.ends_with(".py"));
    scripts.find_map(|script| {
        let file = script.rsplit('/').next().unwrap_or_default();
        let has = |words: &[&str]| words.iter().any(|word| file.contains(word));
        match (has(&WORKER_WORDS), has(&["master"])) {
            (true, false) => Some(Role::Worker),
            (false, true) => Some(Role::Master),
            _ => None,
        }
    })
}

/// Variables with the address of a master, such as `LOCUST_MASTER` or `LOCUST_MASTER_URL`.
pub fn master_variables(launch: &Launch) -> impl Iterator<Item = &(String, Option<String>)> {
    launch.variables.iter().filter(|(name, value)| {
        let name = name.to_ascii_uppercase();
        let parts: Vec<_> = name.split('_').collect();
        let is_address = parts.contains(&"MASTER")
            && !parts.iter().any(|part| matches!(*part, "BIND" | "WEB" | "PORT"))
            && parts.last().is_some_and(|last| ADDRESS_ENDS.contains(last));
        let is_filled =
            value.as_ref().is_none_or(|value| !value.trim().is_empty() && truth(value).is_none());
        is_address && is_filled
    })
}

fn labels(metadata: &Value) -> BTreeMap<String, String> {
    let labels = metadata["labels"].as_object().into_iter().flatten();
    labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The role of a Deployment with this name, these labels of its pods, and this container.
    fn role(name: &str, labels: Value, container: Value) -> Option<Role> {
        let object = json!({"metadata": {"name": name}, "spec": {"template": {
            "metadata": {"labels": labels}, "spec": {"containers": [container]}}}});
        Template::of_workload(&object).role()
    }

    fn env(name: &str, value: &str) -> Value {
        json!({"image": "locustio/locust", "env": [{"name": name, "value": value}]})
    }

    #[test]
    fn flags_decide_first() {
        let locust = |args: Value| json!({"image": "locustio/locust", "args": args});
        for (container, expected) in [
            (locust(json!(["--worker", "--master-host=a"])), Some(Role::Worker)),
            (locust(json!(["-f", "a.py", "--slave"])), Some(Role::Worker)),
            (locust(json!(["--master", "--expect-workers=3"])), Some(Role::Master)),
            (locust(json!(["-f", "a.py"])), Some(Role::Single)),
            (locust(json!(["-f", "a.py", "--processes", "4"])), Some(Role::Single)),
            (json!({"image": "nginx", "args": ["--worker"]}), None),
            (json!({"image": "spark", "args": ["--master", "spark://a"]}), None),
            (json!({"image": "x", "args": ["--worker", "--master-host", "a"]}), Some(Role::Worker)),
            (json!({"image": "x", "command": ["sh", "-c", "locust --worker"]}), Some(Role::Worker)),
            (
                json!({"image": "x", "command": ["/bin/bash", "-c"], "args": ["pip install x && locust --master -f a.py"]}),
                Some(Role::Master),
            ),
            (
                json!({"image": "tornado", "command": ["locust-swarm"], "args": ["--workers", "4"]}),
                None,
            ),
        ] {
            assert_eq!(role("load", json!({}), container.clone()), expected, "{container}");
        }
        let args = locust(json!(["--worker"]));
        assert_eq!(role("locust-master", json!({"role": "master"}), args), Some(Role::Worker));
    }

    #[test]
    fn variables_decide_in_any_case() {
        for (name, value, expected) in [
            ("LOCUST_MODE", "worker", Some(Role::Worker)),
            ("LOCUST_MODE", "SLAVE", Some(Role::Worker)),
            ("LOCUST_MODE", "Master", Some(Role::Master)),
            ("LOCUST_MODE", "standalone", None),
            ("LOCUST_MODE_WORKER", "true", Some(Role::Worker)),
            ("LOCUST_MODE_WORKER", "false", None),
            ("LOCUST_MODE_MASTER", "1", Some(Role::Master)),
            ("LOCUST_MASTER_NODE_HOST", "a", Some(Role::Worker)),
            ("LOCUST_MASTER", "locust-master", Some(Role::Worker)),
            ("LOCUST_MASTER", "true", Some(Role::Master)),
            ("LOCUST_MASTER_URL", "http://a", Some(Role::Worker)),
            ("LOCUST_MASTER_BIND_PORT", "5557", Some(Role::Master)),
            ("LOCUST_EXPECT_WORKERS", "3", Some(Role::Master)),
            ("LOCUST_MASTER_WEB", "8089", None),
            ("NODE_ROLE", "slave", Some(Role::Worker)),
            ("GIT_BRANCH", "master", None),
            ("MODE", "--worker --master-host=a", Some(Role::Worker)),
            ("LOCUST_OPTIONS", "--master", Some(Role::Master)),
        ] {
            let found = role("load", json!({}), env(name, value)).filter(|it| *it != Role::Single);
            assert_eq!(found, expected, "{name}={value}");
        }
    }

    #[test]
    fn a_script_with_both_flags_is_selected_by_a_variable() {
        let script = "if [ $LOCUST_MODE = master ]; then locust --master; else locust --worker; fi";
        for (mode, expected) in [("master", Role::Master), ("worker", Role::Worker)] {
            let container = json!({"image": "x", "command": ["sh", "-c", script],
                "env": [{"name": "LOCUST_MODE", "value": mode}]});
            assert_eq!(role("load", json!({}), container), Some(expected));
        }
    }

    #[test]
    fn values_from_other_objects_count_by_their_names() {
        let from = json!({"configMapKeyRef": {"name": "locust-cm", "key": "x"}});
        let container =
            |name: &str| json!({"image": "locust", "env": [{"name": name, "valueFrom": from}]});
        assert_eq!(role("a", json!({}), container("LOCUST_MODE_WORKER")), Some(Role::Worker));
        assert_eq!(role("a", json!({}), container("LOCUST_MASTER_NODE_HOST")), Some(Role::Worker));
        assert_eq!(role("locust-worker", json!({}), container("LOCUST_MODE")), Some(Role::Worker));
        let sources =
            json!({"image": "locust", "envFrom": [{"configMapRef": {"name": "worker-env"}}]});
        assert_eq!(role("a", json!({}), sources), Some(Role::Worker));
    }

    #[test]
    fn names_and_labels_decide_last() {
        let plain = json!({"image": "registry.example/perf:1"});
        let locust = json!({"image": "locustio/locust"});
        for (name, labels, container, expected) in [
            ("locust-worker", json!({}), &plain, Some(Role::Worker)),
            ("locust-slave", json!({}), &plain, Some(Role::Worker)),
            ("locust-master", json!({"app": "locust-worker"}), &plain, Some(Role::Master)),
            ("locust-main-demo", json!({}), &plain, Some(Role::Master)),
            ("load", json!({"name": "locust", "role": "worker"}), &plain, Some(Role::Worker)),
            ("worker", json!({}), &locust, Some(Role::Worker)),
            ("worker", json!({}), &plain, None),
            ("locust", json!({}), &locust, Some(Role::Single)),
            ("celery-worker", json!({"app": "shop"}), &plain, None),
        ] {
            assert_eq!(role(name, labels, container.clone()), expected, "{name}");
        }
        let exporter = json!({"image": "containersol/locust_exporter",
            "env": [{"name": "LOCUST_EXPORTER_URI", "value": "http://locust-master:8089"}]});
        assert_eq!(role("locust-worker-exporter", json!({}), exporter), None);
        let ports = json!({"image": "my/locust", "ports": [{"containerPort": 8089}, {"containerPort": 5557}]});
        assert_eq!(role("locust", json!({}), ports), Some(Role::Master));
        let script = json!({"image": "my/locust", "command": ["/scripts/start-worker.sh"]});
        assert_eq!(role("load", json!({}), script), Some(Role::Worker));
    }

    #[test]
    fn a_master_by_its_name_that_has_the_masters_address_is_no_worker() {
        let shared = env("LOCUST_MASTER_HOST", "locust-master");
        assert_eq!(role("locust-master", json!({}), shared.clone()), Some(Role::Master));
        assert_eq!(role("load", json!({}), shared), Some(Role::Worker));
    }

    #[test]
    fn a_pod_with_a_master_and_workers_is_a_single_locust() {
        let containers = json!([{"image": "locust", "args": ["--master"]},
            {"image": "locust", "args": ["--worker", "--master-host=localhost"]}]);
        let object = json!({"metadata": {"name": "locust"},
            "spec": {"template": {"spec": {"containers": containers}}}});
        assert_eq!(Template::of_workload(&object).role(), Some(Role::Single));
    }
}

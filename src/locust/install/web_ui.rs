//! The web UI of a master: the port, the path and the protocol that its flags say, and the Service that
//! exposes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::launch::Launch;
use super::role::master_variables;
use crate::locust::address::{Address, Proxied, ProxiedKind, WEB_PORT};

/// The ports at which a master listens for its workers. No web UI is there.
const WORKER_PORTS: [u16; 2] = [5557, 5558];

/// The web UI of a master, by its flags and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebUi {
    pub port: u16,
    /// Begins and ends with a slash.
    pub base_path: String,
    pub is_tls: bool,
    /// The master runs with `--headless`: it has no web UI.
    pub is_headless: bool,
    /// The run time (`--run-time` or `LOCUST_RUN_TIME`) of each container that has one. Empty if the master starts
    /// a test by itself. The page shows the master's run time until a start sends another one. A value is an empty
    /// text if only the cluster knows it.
    pub run_times: Vec<String>,
}

impl WebUi {
    /// Reads the containers of a master. For the port, the path and TLS, the first container with the setting counts.
    pub fn of(containers: &[Launch]) -> Self {
        let setting = |flags: &[&str], variable: &str| {
            containers.iter().find_map(|one| one.setting(flags, variable))
        };
        let port = setting(&["--web-port", "-P"], "LOCUST_WEB_PORT");
        let base = setting(&["--web-base-path"], "LOCUST_WEB_BASE_PATH").unwrap_or_default();
        let base = base.trim_matches('/');
        let is_headless =
            |one: &Launch| one.is_on(&["--headless", "--no-web", "--no-ui"], "LOCUST_HEADLESS");
        let starts_by_itself = |one: &Launch| one.is_on(&["--autostart"], "LOCUST_AUTOSTART");
        let run_times = match containers.iter().any(starts_by_itself) {
            true => Vec::new(),
            false => containers.iter().filter_map(run_time).map(str::to_owned).collect(),
        };
        Self {
            port: port.and_then(|port| port.parse().ok()).unwrap_or(WEB_PORT),
            base_path: if base.is_empty() { "/".to_owned() } else { format!("/{base}/") },
            is_tls: setting(&["--tls-cert"], "LOCUST_TLS_CERT").is_some(),
            is_headless: containers.iter().any(is_headless),
            run_times,
        }
    }
}

/// The run time in a container's flags or variables. Python's argparse also accepts `-t10m`.
fn run_time(container: &Launch) -> Option<&str> {
    let mut attached = container.words.iter().rev().filter_map(|word| word.strip_prefix("-t"));
    let attached = attached.find(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    attached.or_else(|| container.setting_or_unknown(&["--run-time", "-t"], "LOCUST_RUN_TIME"))
}

/// A Service of the namespace.
#[derive(Debug, Clone)]
pub struct Service {
    pub name: String,
    /// Empty if its endpoints are not chosen by labels.
    pub selector: BTreeMap<String, String>,
    kind: String,
    ports: Vec<ServicePort>,
}

#[derive(Debug, Clone)]
struct ServicePort {
    name: String,
    number: u16,
    /// Number or name of the pod's port.
    target: String,
}

/// An item of a LIST of Services. Only what locating needs is kept, because a namespace can have many.
pub struct ListedService(pub Option<Service>);

impl<'de> Deserialize<'de> for ListedService {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|object| Self(Service::read(&object)))
    }
}

impl Service {
    /// Reads a Service; `None` without a name.
    pub fn read(object: &Value) -> Option<Self> {
        let spec = &object["spec"];
        let selector = spec["selector"].as_object().into_iter().flatten();
        let selector =
            selector.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let ports = spec["ports"].as_array().into_iter().flatten();
        Some(Self {
            name: object["metadata"]["name"].as_str()?.to_owned(),
            selector: selector.collect(),
            kind: spec["type"].as_str().unwrap_or_default().to_owned(),
            ports: ports.filter_map(ServicePort::read).collect(),
        })
    }

    /// The Service sends its requests to pods with these labels.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        !self.selector.is_empty()
            && self.selector.iter().all(|(name, value)| labels.get(name) == Some(value))
    }

    /// The address of the web UI behind this Service; `None` if no port leads to it. `containers` are
    /// those of the master's pod, whose named ports the Service can use.
    pub fn address(&self, ui: &WebUi, containers: &[Launch]) -> Option<Address> {
        let best = self.ports.iter().filter_map(|port| Some((port.rank(ui, containers)?, port)));
        let (_, port) = best.min_by_key(|(rank, _)| *rank)?;
        let is_usual = port.number == WEB_PORT || port.name.is_empty();
        let is_shared = self.ports.iter().filter(|other| other.number == port.number).count() > 1;
        let port = match is_usual && (!is_shared || port.name.is_empty()) {
            true => port.number.to_string(),
            false => port.name.clone(),
        };
        Some(Address::Proxied(Proxied {
            kind: ProxiedKind::Service,
            name: self.name.clone(),
            port,
            is_tls: ui.is_tls,
            base_path: ui.base_path.clone(),
        }))
    }

    /// The rank among the Services of one master; the smallest is the best. The one that the workers
    /// use comes first, then those inside the cluster.
    pub fn rank(&self, master_host: Option<&str>) -> (bool, bool, &str) {
        let is_outside = matches!(self.kind.as_str(), "LoadBalancer" | "NodePort");
        (master_host != Some(self.name.as_str()), is_outside, &self.name)
    }
}

impl ServicePort {
    fn read(port: &Value) -> Option<Self> {
        let number = u16::try_from(port["port"].as_u64()?).ok()?;
        let target = match &port["targetPort"] {
            Value::String(name) => name.clone(),
            Value::Number(target) => target.to_string(),
            _ => number.to_string(),
        };
        let name = port["name"].as_str().unwrap_or_default().to_owned();
        Some(Self { name, number, target })
    }

    /// How well the port fits the web UI; the smallest is the best. `None` if it leads elsewhere.
    fn rank(&self, ui: &WebUi, containers: &[Launch]) -> Option<u8> {
        let is_named = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.contains("web") || text.split(['-', '_']).any(|part| part.starts_with("ui"))
        };
        let looks_like_web = is_named(&self.name) || is_named(&self.target);
        match self.pod_port(containers) {
            Some(port) if port == ui.port => Some(0),
            Some(port) if WORKER_PORTS.contains(&port) => None,
            // The name of the pod's port is unknown.
            None if self.number == ui.port => Some(1),
            _ if looks_like_web => Some(2),
            Some(port) if port == WEB_PORT => Some(3),
            _ if self.number == WEB_PORT => Some(4),
            None if self.name.to_ascii_lowercase().starts_with("http") => Some(5),
            _ => None,
        }
    }

    /// The number of the pod's port; `None` if no container has a port with the target's name.
    fn pod_port(&self, containers: &[Launch]) -> Option<u16> {
        let named = || {
            let mut ports = containers.iter().flat_map(|one| &one.ports);
            ports.find(|(name, _)| *name == self.target).map(|(_, number)| *number)
        };
        self.target.parse().ok().or_else(named)
    }
}

/// The host name of the master that a worker connects to, as its flags or variables say; `None` if it
/// is unknown.
pub fn master_host(containers: &[Launch]) -> Option<MasterHost> {
    let by_variable = |one: &Launch| {
        let variables = master_variables(one).filter_map(|(_, value)| value.clone());
        let mut values: Vec<_> =
            one.variable("LOCUST_MASTER_NODE_HOST").map(str::to_owned).into_iter().collect();
        values.extend(variables);
        values.into_iter().next()
    };
    let by_flag = |one: &Launch| one.flag(&["--master-host"]).map(str::to_owned);
    let host = containers.iter().find_map(|one| by_flag(one).or_else(|| by_variable(one)))?;
    MasterHost::read(&host)
}

/// The name of a Service in a host name such as `locust-master.load-test.svc.cluster.local`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterHost {
    pub service: String,
    /// `None` for the namespace of the worker.
    pub namespace: Option<String>,
}

impl MasterHost {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let host = text.split_once("://").map_or(text, |(_, host)| host);
        let host = host.split(['/', ':']).next()?;
        let mut parts = host.split('.');
        let service = parts.next().filter(|service| !service.is_empty())?;
        let is_name = service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_number = host.parse::<std::net::IpAddr>().is_ok();
        if !is_name || is_number || host == "localhost" {
            return None;
        }
        let namespace = parts.next().map(str::to_owned);
        Some(Self { service: service.to_owned(), namespace })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn containers(container: Value) -> Vec<Launch> {
        Launch::of_pod_spec(&json!({"containers": [container]}))
    }

    fn address(ports: Value, container: Value) -> Option<String> {
        let object = json!({"metadata": {"name": "m"}, "spec": {"ports": ports}});
        let containers = containers(container);
        let service = Service::read(&object).unwrap();
        service.address(&WebUi::of(&containers), &containers).map(|address| address.to_string())
    }

    #[test]
    fn the_settings_of_the_web_ui_come_from_flags_and_variables() {
        let ui = |container: Value| WebUi::of(&containers(container));
        let usual = ui(json!({"args": ["--master"]}));
        assert_eq!(
            (usual.port, &*usual.base_path, usual.is_tls, usual.is_headless),
            (8089, "/", false, false)
        );
        let flags =
            json!({"args": ["--web-port=3000", "--web-base-path", "/load", "--tls-cert=/a"]});
        let flags = ui(flags);
        assert_eq!((flags.port, &*flags.base_path, flags.is_tls), (3000, "/load/", true));
        let env = json!({"env": [{"name": "LOCUST_WEB_PORT", "value": "80"},
            {"name": "LOCUST_HEADLESS", "value": "true"}]});
        assert_eq!((ui(env.clone()).port, ui(env).is_headless), (80, true));
    }

    #[test]
    fn the_run_time_of_a_master_limits_only_the_test_that_it_starts_by_itself() {
        let run_times = |container: Value| WebUi::of(&containers(container)).run_times;
        let secret = json!({"name": "LOCUST_RUN_TIME", "valueFrom": {"secretKeyRef": {}}});
        for (container, expected) in [
            (json!({"args": ["--master"]}), &[][..]),
            (json!({"args": ["--master", "-t", "10m"]}), &["10m"][..]),
            (json!({"args": ["--master", "-t10m"]}), &["10m"][..]),
            (json!({"args": ["--master", "--run-time=90"]}), &["90"][..]),
            (json!({"env": [{"name": "LOCUST_RUN_TIME", "value": "1h"}]}), &["1h"][..]),
            (json!({"env": [secret]}), &[""][..]),
            (json!({"args": ["--master", "-t", "10m", "--autostart"]}), &[][..]),
        ] {
            assert_eq!(run_times(container.clone()), expected, "{container}");
        }
    }

    #[test]
    fn the_port_is_found_by_target_number_or_name() {
        let master = json!({"args": ["--master"], "ports": [
            {"name": "loc-web", "containerPort": 8089}, {"name": "bind", "containerPort": 5557}]});
        for (ports, expected) in [
            (json!([{"port": 8089}]), Some("service/m:8089")),
            (json!([{"port": 80, "targetPort": 8089}]), Some("service/m:80")),
            (json!([{"name": "http", "port": 80, "targetPort": 8089}]), Some("service/m:http")),
            (json!([{"name": "a", "port": 9000, "targetPort": "loc-web"}]), Some("service/m:a")),
            (
                json!([{"name": "p3", "port": 8089, "targetPort": "unknown"}]),
                Some("service/m:8089"),
            ),
            (json!([{"name": "ui", "port": 80, "targetPort": "unknown"}]), Some("service/m:ui")),
            (json!([{"port": 5557}, {"port": 5558}]), None),
            (
                json!([{"name": "web", "port": 8089, "targetPort": "loc-web"},
                {"name": "bind", "port": 8089, "targetPort": "bind"}]),
                Some("service/m:web"),
            ),
            (json!([{"name": "quick", "port": 7000, "targetPort": 7000}]), None),
        ] {
            assert_eq!(address(ports.clone(), master.clone()).as_deref(), expected, "{ports}");
        }
        let moved = json!({"args": ["--master", "--web-port=3000"]});
        let ports = json!([{"name": "http", "port": 3000}, {"name": "web-old", "port": 8089}]);
        assert_eq!(address(ports, moved).as_deref(), Some("service/m:http"));
    }

    #[test]
    fn the_master_of_a_worker_is_named_by_its_flags_or_variables() {
        let host = |container: Value| master_host(&containers(container));
        let of = |service: &str, namespace: Option<&str>| {
            Some(MasterHost { service: service.into(), namespace: namespace.map(str::to_owned) })
        };
        for (container, expected) in [
            (json!({"args": ["--worker", "--master-host=a"]}), of("a", None)),
            (json!({"args": ["--master-host", "a.b.svc.cluster.local"]}), of("a", Some("b"))),
            (json!({"env": [{"name": "LOCUST_MASTER_NODE_HOST", "value": "a"}]}), of("a", None)),
            (
                json!({"env": [{"name": "LOCUST_MASTER_URL", "value": "http://a:8089/x"}]}),
                of("a", None),
            ),
            (json!({"args": ["--master-host=10.0.0.1"]}), None),
            (json!({"env": [{"name": "LOCUST_MASTER", "value": "$(LOCUST_SERVICE_HOST)"}]}), None),
            (json!({"args": ["--worker"]}), None),
        ] {
            assert_eq!(host(container.clone()), expected, "{container}");
        }
    }
}

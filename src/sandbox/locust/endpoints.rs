//! The pod behind an address of the API server's proxies for Services and pods.

use std::sync::Arc;

use serde_json::Value;

use super::program::{Program, WebUi};
use crate::sandbox::{
    object,
    resources::by_plural,
    routes::Target,
    status::Failure,
    store::{Key, Store},
};

/// A port of a pod.
pub(super) struct Endpoint {
    pub pod: Arc<Value>,
    port: u16,
    is_tls: bool,
    /// `services/NAME:PORT`, as in the path of the request.
    address: String,
}

impl Endpoint {
    /// Finds the pod of `services/[SCHEME:]NAME[:PORT]` or `pods/[SCHEME:]NAME[:PORT]`. `prefer` chooses
    /// one of the ready pods of a Service.
    ///
    /// # Errors
    /// The refusal of the API server.
    pub(super) fn find(
        store: &Store,
        target: &Target,
        prefer: impl FnOnce(&[Arc<Value>]) -> Option<Arc<Value>>,
    ) -> Result<Self, Failure> {
        let whole = target.name.as_deref().unwrap_or("");
        let (is_tls, name, port) = parts(whole);
        let namespace = target.namespace.as_deref().unwrap_or("");
        let resource = target.resource.as_str();
        let kind = by_plural(resource).ok_or_else(Failure::no_such_resource)?;
        let found = store.get(&Key::new(kind.plural, namespace, name));
        let found = found.ok_or_else(|| Failure::not_found(kind, name))?;
        let (pod, port) = match resource {
            "pods" => (Arc::clone(found), pod_port(found, port)?),
            _ => {
                let port = service_port(found, name, port)?;
                let pods: Vec<_> = endpoints(store, namespace, found)
                    .ok_or_else(|| Failure::not_found(kind, name))?;
                let pod = prefer(&pods).ok_or_else(|| {
                    let text = format!("no endpoints available for service {name:?}");
                    Failure::new(503, "ServiceUnavailable", text, None)
                })?;
                let number = target_port(&pod, port).ok_or_else(|| unreachable(&pod, 0))?;
                (pod, number)
            }
        };
        Ok(Self { pod, port, is_tls, address: format!("{resource}/{whole}") })
    }

    /// The web UI of the Locust that listens there.
    ///
    /// # Errors
    /// Nothing listens at the port, or it speaks TLS and the request does not, or the other way round.
    pub(super) fn web_ui(&self) -> Result<WebUi, Failure> {
        let Some(Program::Master(ui)) = Program::of(&self.pod) else {
            return Err(unreachable(&self.pod, self.port));
        };
        if ui.port != Some(self.port) {
            return Err(unreachable(&self.pod, self.port));
        }
        match (ui.is_tls, self.is_tls) {
            (true, false) => Err(broken("EOF")),
            (false, true) => Err(broken("tls: first record does not look like a TLS handshake")),
            _ => Ok(ui),
        }
    }

    /// The path of the login page, as the API server rewrites it.
    pub(super) fn login_path(&self, namespace: &str, base_path: &str) -> String {
        let base = if base_path.is_empty() { String::new() } else { format!("{base_path}/") };
        format!("api/v1/namespaces/{namespace}/{}/proxy/{base}login", self.address)
    }
}

/// The ready pods that a Service selects.
pub(super) fn selected<'a>(
    store: &'a Store,
    namespace: &'a str,
    service: &'a Value,
) -> impl Iterator<Item = &'a Arc<Value>> {
    with_labels(store, namespace, service).filter(|pod| object::has_condition(pod, "Ready"))
}

/// The pods that a Service selects, ready or not. A Service without a selector selects none.
pub(super) fn with_labels<'a>(
    store: &'a Store,
    namespace: &'a str,
    service: &'a Value,
) -> impl Iterator<Item = &'a Arc<Value>> {
    let selector = service["spec"]["selector"].as_object().filter(|labels| !labels.is_empty());
    let is_selected = move |pod: &Value| {
        let labels = &pod["metadata"]["labels"];
        selector.is_some_and(|all| all.iter().all(|(key, value)| labels[key] == *value))
    };
    let pods = store.list("pods", Some(namespace)).map(|(_, pod)| pod);
    pods.filter(move |pod| is_selected(pod))
}

/// The ready pods behind a Service. Without a selector, they are those that its Endpoints object names;
/// `None` if there is no such object (recording 68).
fn endpoints(store: &Store, namespace: &str, service: &Value) -> Option<Vec<Arc<Value>>> {
    if service["spec"]["selector"].as_object().is_some_and(|labels| !labels.is_empty()) {
        return Some(selected(store, namespace, service).cloned().collect());
    }
    let object = store.get(&Key::new("endpoints", namespace, object::name(service)))?;
    let subsets = object["subsets"].as_array().into_iter().flatten();
    let addresses = subsets.flat_map(|subset| subset["addresses"].as_array().into_iter().flatten());
    let pod = |address: &Value| {
        let name = object::text(address, "/targetRef/name");
        let pod = store.get(&Key::new("pods", namespace, name))?;
        object::has_condition(pod, "Ready").then(|| Arc::clone(pod))
    };
    Some(addresses.filter_map(pod).collect())
}

/// Scheme, name and port of `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.
fn parts(whole: &str) -> (bool, &str, &str) {
    let mut parts = whole.splitn(3, ':');
    match (parts.next().unwrap_or(""), parts.next(), parts.next()) {
        (scheme, Some(name), Some(port)) => (scheme == "https", name, port),
        (name, port, None) => (false, name, port.unwrap_or("")),
        (name, None, Some(_)) => (false, name, ""),
    }
}

/// The entry of a Service for a port, by number or by name. An empty port means the only one.
fn service_port<'a>(service: &'a Value, name: &str, port: &str) -> Result<&'a Value, Failure> {
    let ports = service["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    let number = port.parse::<u16>().ok();
    let is_it = |one: &&Value| match port {
        "" => ports.len() == 1,
        port => one["name"] == port || number.is_some_and(|number| one["port"] == number),
    };
    ports.iter().find(is_it).ok_or_else(|| {
        let text = format!("no service port {port} found for service {name:?}");
        Failure::new(503, "ServiceUnavailable", text, None)
    })
}

/// The number of the pod's port that an entry of a Service points to.
fn target_port(pod: &Value, port: &Value) -> Option<u16> {
    let target = &port["targetPort"];
    let Some(name) = target.as_str() else {
        return target.as_u64().or(port["port"].as_u64()).and_then(|port| u16::try_from(port).ok());
    };
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut ports = containers.flat_map(|one| one["ports"].as_array().into_iter().flatten());
    let found = ports.find(|one| one["name"] == name)?;
    u16::try_from(found["containerPort"].as_u64()?).ok()
}

/// The port of a request to a pod. Without one it is the pod's first port.
fn pod_port(pod: &Value, port: &str) -> Result<u16, Failure> {
    if object::text(pod, "/status/podIP").is_empty() {
        return Err(Failure::bad_request("address not allowed"));
    }
    let first = || pod["spec"]["containers"][0]["ports"][0]["containerPort"].as_u64();
    let number = match port {
        "" => Some(first().and_then(|port| u16::try_from(port).ok()).unwrap_or(80)),
        port => port.parse().ok(),
    };
    number.ok_or_else(|| Failure::bad_request(format!("invalid pod request {port:?}")))
}

/// Nothing listens at a port.
fn unreachable(pod: &Value, port: u16) -> Failure {
    let address = object::text(pod, "/status/podIP");
    broken(&format!("dial tcp {address}:{port}: connect: connection refused"))
}

fn broken(problem: &str) -> Failure {
    let text = format!("error trying to reach service: {problem}");
    Failure::new(503, "ServiceUnavailable", text, None)
}

//! The Locust behind the Service `locust-master`: its web API, through the API server's proxy.
//!
//! It behaves like Locust 2.47, or like an older release. Its workers are the ready pods with the
//! argument `--worker`. When workers join and leave, it loses users and leaves workers idle as the
//! real Locust does.

mod dispatcher;
mod form;
mod journal;
mod listener;
mod membership;
mod page;
mod release;
mod statistics;
mod swarm;
#[cfg(test)]
mod tests;
mod timeline;
mod views;

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{
    object,
    proxied::Proxied,
    query::Query,
    resources::by_plural,
    routes::Target,
    status::Failure,
    store::{Key, Store},
};
use form::Crash;
use swarm::{Process, Swarm};

pub use release::LocustRelease;

const HTML: &str = "text/html; charset=utf-8";

/// The master behind this Service runs from the start. Other masters start at the first request.
const SERVICE: (&str, &str) = ("default", "locust-master");

/// Answers a request to `services/NAME[:PORT]/proxy/PATH`.
///
/// The error messages are those of the API server's proxy for Services (recordings 49 and 61 to
/// 70).
pub(super) fn answer(
    store: &Store,
    locusts: &mut Locusts,
    target: &Target,
    query: &Query,
    method: &str,
    body: &[u8],
) -> Result<Proxied, Failure> {
    let whole = target.name.as_deref().unwrap_or("");
    let (name, port) = whole.split_once(':').unwrap_or((whole, ""));
    let namespace = target.namespace.as_deref().unwrap_or("");
    let service = store.get(&Key::new("services", namespace, name)).ok_or_else(|| {
        by_plural("services")
            .map_or_else(Failure::no_such_resource, |kind| Failure::not_found(kind, name))
    })?;
    if !has_port(service, port) {
        let text = format!("no service port {port} found for service {name:?}");
        return Err(Failure::new(503, "ServiceUnavailable", &text, None));
    }
    let Some(master) = locusts.master(store, namespace, service) else {
        let text = format!("no endpoints available for service {name:?}");
        return Err(Failure::new(503, "ServiceUnavailable", &text, None));
    };
    let workers = workers(store, namespace);
    let swarm = locusts.swarm(namespace, &master);
    swarm.update_workers(&workers);
    let path = target.subresource.as_deref().unwrap_or("").trim_start_matches("proxy");
    Ok(respond(swarm, method, path.trim_matches('/'), query, body))
}

/// The running masters.
#[derive(Debug)]
pub(super) struct Locusts {
    release: LocustRelease,
    /// The namespace and the swarm of each master, by the uid of its pod.
    swarms: HashMap<String, (String, Swarm)>,
}

impl Locusts {
    pub(super) fn new(release: LocustRelease) -> Self {
        Self { release, swarms: HashMap::new() }
    }

    /// Tells every master which workers there are. A master ends with its pod.
    pub(super) fn follow(&mut self, store: &Store) {
        let (namespace, name) = SERVICE;
        if let Some(service) = store.get(&Key::new("services", namespace, name))
            && let Some(master) = self.master(store, namespace, service)
        {
            self.swarm(namespace, &master);
        }
        let pods: HashSet<&str> =
            store.list("pods", None).map(|(_, pod)| object::uid(pod)).collect();
        self.swarms.retain(|uid, _| pods.contains(uid.as_str()));
        for (namespace, swarm) in self.swarms.values_mut() {
            swarm.update_workers(&workers(store, namespace));
        }
    }

    /// A ready pod behind the Service. A pod that already has a swarm is preferred.
    fn master(&self, store: &Store, namespace: &str, service: &Value) -> Option<Process> {
        let selector = service["spec"]["selector"].as_object()?;
        let is_selected = |pod: &Value| {
            let labels = &pod["metadata"]["labels"];
            selector.iter().all(|(key, value)| labels[key] == *value)
        };
        let pods = store.list("pods", Some(namespace)).map(|(_, pod)| pod);
        let ready = pods.filter(|pod| object::has_condition(pod, "Ready") && is_selected(pod));
        ready.map(|pod| process(pod)).max_by_key(|one| self.swarms.contains_key(&one.uid))
    }

    fn swarm(&mut self, namespace: &str, master: &Process) -> &mut Swarm {
        let entry = self.swarms.entry(master.uid.clone());
        let new = || (namespace.to_owned(), Swarm::new(self.release, &master.host));
        &mut entry.or_insert_with(new).1
    }
}

fn respond(swarm: &mut Swarm, method: &str, path: &str, query: &Query, body: &[u8]) -> Proxied {
    let release = swarm.release;
    let change = if release.stops_by_post() { "POST" } else { "GET" };
    let wanted = match path {
        "swarm" => "POST",
        "stop" | "stats/reset" => change,
        "worker-count" if !release.reports_worker_count() => return not_found(),
        "" | "worker-count" | "stats/requests" | "stats/report" | "exceptions" | "tasks"
        | "logs" => "GET",
        _ => return not_found(),
    };
    if method != wanted && (method, wanted) != ("HEAD", "GET") {
        return Proxied::new(405, HTML, page::NOT_ALLOWED);
    }
    let json = |value: Value| Proxied::new(200, "application/json", value.to_string());
    match path {
        "" => Proxied::new(200, HTML, page::html(&swarm.template_args())),
        "worker-count" => json(json!({ "worker_count": swarm.count() })),
        "stats/requests" => json(swarm.stats()),
        "exceptions" => json(json!({ "exceptions": [] })),
        "tasks" => json(swarm.tasks()),
        "logs" => json(swarm.logs()),
        "stats/report" => report(swarm, query),
        "swarm" => match swarm.start(body) {
            Ok(answer) => json(answer),
            Err(Crash) => Proxied::new(500, HTML, "Internal Server Error"),
        },
        "stop" => {
            swarm.stop();
            json(json!({ "message": "Test stopped", "success": true }))
        }
        _ => {
            swarm.reset();
            Proxied::new(200, HTML, "ok")
        }
    }
}

fn report(swarm: &mut Swarm, query: &Query) -> Proxied {
    let is_download = query.get("download").is_some_and(|value| !value.is_empty());
    let (args, file) = swarm.report(is_download);
    let disposition = is_download.then(|| format!("attachment;filename={file}"));
    Proxied { disposition, ..Proxied::new(200, HTML, page::report(&args)) }
}

fn not_found() -> Proxied {
    Proxied::new(404, HTML, page::NOT_FOUND)
}

/// True if the Service has this port, by number or by name. An empty port means the only one.
fn has_port(service: &Value, port: &str) -> bool {
    let ports = service["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    match port {
        "" => ports.len() == 1,
        port => {
            let number = port.parse::<u16>().ok();
            ports.iter().any(|one| one["name"] == port || number.is_some_and(|n| one["port"] == n))
        }
    }
}

/// The ready pods that run a worker.
fn workers(store: &Store, namespace: &str) -> Vec<Process> {
    let pods = store.list("pods", Some(namespace)).map(|(_, pod)| pod);
    let workers = pods.filter(|pod| object::has_condition(pod, "Ready") && is_worker(pod));
    workers.map(|pod| process(pod)).collect()
}

fn is_worker(pod: &Value) -> bool {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut args = containers.flat_map(|one| one["args"].as_array().into_iter().flatten());
    args.any(|arg| arg == "--worker")
}

/// The process in a pod. With `hostNetwork` its host name is the name of the node.
fn process(pod: &Value) -> Process {
    let spec = &pod["spec"];
    let host = match (spec["hostNetwork"].as_bool(), spec["nodeName"].as_str()) {
        (Some(true), Some(node)) => node,
        _ => spec["hostname"].as_str().unwrap_or_else(|| object::name(pod)),
    };
    Process { host: host.to_owned(), uid: object::uid(pod).to_owned() }
}

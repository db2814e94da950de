//! The Locust of each pod that runs a master: its web API, through the API server's proxies.
//!
//! It behaves like Locust 2.47, or like an older release. Its workers are the ready pods that run a
//! worker. When workers join and leave, it loses users and leaves workers idle as the
//! real Locust does.

mod csv;
mod dispatcher;
mod endpoints;
mod form;
mod journal;
mod listener;
mod membership;
mod page;
mod program;
mod release;
mod statistics;
mod swarm;
#[cfg(test)]
mod tests;
mod timeline;
mod views;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    object,
    proxied::Proxied,
    query::Query,
    routes::Target,
    status::Failure,
    store::{Key, Store},
};
use endpoints::Endpoint;
use form::Crash;
use program::Program;
use swarm::{Process, Swarm};

pub use release::LocustRelease;

const HTML: &str = "text/html; charset=utf-8";

/// Answers a request to `services/NAME[:PORT]/proxy/PATH` or `pods/NAME[:PORT]/proxy/PATH`.
///
/// The error messages are those of the API server's proxies (recordings 49 and 61 to 70).
pub(super) fn answer(
    store: &Store,
    locusts: &mut Locusts,
    target: &Target,
    query: &Query,
    method: &str,
    body: &[u8],
) -> Result<Proxied, Failure> {
    let namespace = target.namespace.as_deref().unwrap_or("");
    let endpoint = Endpoint::find(store, target, |pods| locusts.preferred(pods))?;
    let ui = endpoint.web_ui()?;
    let master = process(&endpoint.pod);
    let workers = workers(store, namespace, &master.uid);
    let swarm = locusts.swarm(namespace, &master);
    swarm.update_workers(&workers);
    let path = target.subresource.as_deref().unwrap_or("").trim_start_matches("proxy");
    let path = path.trim_matches('/');
    let Some(path) = path.strip_prefix(&ui.base_path).map(|path| path.trim_start_matches('/'))
    else {
        return Ok(not_found(swarm.release));
    };
    if ui.has_login && path != "login" {
        return Ok(Proxied::redirect(&format!(
            "/{}",
            endpoint.login_path(namespace, &ui.base_path)
        )));
    }
    Ok(respond(swarm, method, path, query, body))
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

    /// Starts the new masters, and tells every master which workers there are. A master ends with its
    /// pod. Of several masters behind one Service, only the oldest runs.
    pub(super) fn follow(&mut self, store: &Store) {
        let mut masters = Vec::new();
        for (key, service) in store.list("services", None) {
            let pods = endpoints::selected(store, &key.namespace, service);
            let pods = pods.filter(|pod| matches!(Program::of(pod), Some(Program::Master(_))));
            let pods: Vec<_> = pods.cloned().collect();
            masters.extend(self.preferred(&pods).map(|pod| (key.namespace.clone(), process(&pod))));
        }
        for (namespace, master) in masters {
            self.swarm(&namespace, &master);
        }
        let pods: HashSet<&str> =
            store.list("pods", None).map(|(_, pod)| object::uid(pod)).collect();
        self.swarms.retain(|uid, _| pods.contains(uid.as_str()));
        for (uid, (namespace, swarm)) in &mut self.swarms {
            swarm.update_workers(&workers(store, namespace, uid));
        }
    }

    /// The pod to connect to: the one whose swarm has run for the longest time.
    fn preferred(&self, pods: &[Arc<Value>]) -> Option<Arc<Value>> {
        let started = |pod: &&Arc<Value>| {
            let swarm = self.swarms.get(object::uid(pod));
            (swarm.is_none(), swarm.map(|(_, swarm)| swarm.booted))
        };
        pods.iter().min_by_key(started).cloned()
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
        "worker-count" if !release.reports_worker_count() => return not_found(release),
        ""
        | "worker-count"
        | "stats/requests"
        | "stats/report"
        | "stats/requests/csv"
        | "stats/requests_full_history/csv"
        | "stats/failures/csv"
        | "exceptions"
        | "exceptions/csv"
        | "tasks"
        | "logs" => "GET",
        _ => return not_found(release),
    };
    if method != wanted && (method, wanted) != ("HEAD", "GET") {
        return not_allowed(release);
    }
    let json = |value: Value| Proxied::new(200, "application/json", value.to_string());
    match path {
        "" => Proxied::new(200, HTML, page::html(&swarm.template_args())),
        "worker-count" => json(json!({ "worker_count": swarm.count() })),
        "stats/requests" => json(swarm.stats()),
        "stats/requests/csv" => csv_file(swarm, "requests", swarm.requests_csv()),
        "stats/requests_full_history/csv" => Proxied::new(404, HTML, csv::NO_HISTORY),
        "stats/failures/csv" => csv_file(swarm, "failures", swarm.failures_csv()),
        "exceptions/csv" => csv_file(swarm, "exceptions", csv::NO_EXCEPTIONS.to_owned()),
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

fn csv_file(swarm: &Swarm, name: &str, content: String) -> Proxied {
    let disposition = Some(format!("attachment;filename={}_{name}.csv", swarm.file_name()));
    Proxied { disposition, ..Proxied::new(200, "text/csv", content) }
}

fn report(swarm: &mut Swarm, query: &Query) -> Proxied {
    let is_download = query.get("download").is_some_and(|value| !value.is_empty());
    let args = swarm.report(is_download);
    let disposition =
        is_download.then(|| format!("attachment;filename={}.html", swarm.file_name()));
    Proxied { disposition, ..Proxied::new(200, HTML, page::report(&args)) }
}

fn not_found(release: LocustRelease) -> Proxied {
    match release.keeps_statuses() {
        true => Proxied::new(404, HTML, page::NOT_FOUND),
        false => Proxied::new(500, HTML, page::NOT_FOUND_AS_500),
    }
}

fn not_allowed(release: LocustRelease) -> Proxied {
    match release.keeps_statuses() {
        true => Proxied::new(405, HTML, page::NOT_ALLOWED),
        false => Proxied::new(500, HTML, page::NOT_ALLOWED_AS_500),
    }
}

/// The ready pods that run a worker of the master with this uid. A worker without a known master, or
/// whose master is no Service of the namespace, belongs to every master there. A worker stays connected while
/// its master's pod is not ready.
fn workers(store: &Store, namespace: &str, master: &str) -> Vec<Process> {
    let mut selects = HashMap::new();
    let mut is_own = |host: String| {
        *selects.entry(host).or_insert_with_key(|host| {
            let service = store.get(&Key::new("services", namespace, host));
            service.is_none_or(|service| {
                let mut pods = endpoints::with_labels(store, namespace, service);
                pods.any(|pod| object::uid(pod) == master)
            })
        })
    };
    let pods = store.list("pods", Some(namespace)).map(|(_, pod)| pod);
    let ready = pods.filter(|pod| object::has_condition(pod, "Ready"));
    let workers = ready.filter(|pod| match Program::of(pod) {
        Some(Program::Worker { master: Some(host) }) => is_own(host),
        Some(Program::Worker { master: None }) => true,
        Some(Program::Master(_)) | None => false,
    });
    workers.map(|pod| process(pod)).collect()
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

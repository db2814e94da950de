//! The Locust behind the Service `locust-master`: its web API, through the API server's proxy.
//!
//! It answers as Locust 2.47 does: its workers are the ready pods that run with `--worker`, and
//! users are lost and left idle exactly as there when workers leave and join.

mod page;
mod swarm;

use serde_json::{Value, json};

use super::{
    dispatch::Answer,
    object,
    resources::by_plural,
    routes::Target,
    shared::State,
    status::Failure,
    store::{Key, Store},
};

pub(super) use swarm::Swarm;

/// Answers a request to `services/NAME[:PORT]/proxy/PATH`.
///
/// The messages are those of the API server's proxy for Services; recordings 49 and 61 to 70.
pub(super) fn answer(
    state: &mut State,
    target: &Target,
    method: &str,
    body: &[u8],
) -> Result<Answer, Failure> {
    let whole = target.name.as_deref().unwrap_or("");
    let (name, port) = whole.split_once(':').unwrap_or((whole, ""));
    let namespace = target.namespace.as_deref().unwrap_or("");
    let service = state.store.get(&Key::new("services", namespace, name)).ok_or_else(|| {
        by_plural("services")
            .map_or_else(Failure::no_such_resource, |kind| Failure::not_found(kind, name))
    })?;
    if !has_port(service, port) {
        let text = format!("no service port {port} found for service {name:?}");
        return Err(Failure::new(503, "ServiceUnavailable", &text, None));
    }
    if !is_served(&state.store, namespace, service) {
        let text = format!("no endpoints available for service {name:?}");
        return Err(Failure::new(503, "ServiceUnavailable", &text, None));
    }
    let workers = workers(&state.store, namespace);
    state.swarm.meet(workers);
    let path = target.subresource.as_deref().unwrap_or("").trim_start_matches("proxy");
    Ok(respond(&mut state.swarm, method, path.trim_matches('/'), body))
}

fn respond(swarm: &mut Swarm, method: &str, path: &str, body: &[u8]) -> Answer {
    let json = |value: Value| Answer::Proxied(200, "application/json", value.to_string());
    match (method, path) {
        ("GET" | "HEAD", "") => {
            Answer::Proxied(200, "text/html; charset=utf-8", page::html(&swarm.template_args()))
        }
        ("GET", "worker-count") => json(json!({ "worker_count": swarm.count() })),
        ("GET", "stats/requests") => json(swarm.stats()),
        ("POST", "swarm") => json(swarm.start(body)),
        ("POST", "stop") => {
            swarm.stop();
            json(json!({ "message": "Test stopped", "success": true }))
        }
        ("POST", "stats/reset") => {
            swarm.reset();
            Answer::Proxied(200, "text/html; charset=utf-8", "ok".to_owned())
        }
        (_, "" | "worker-count" | "stats/requests" | "swarm" | "stop" | "stats/reset") => {
            Answer::Proxied(405, "text/html; charset=utf-8", page::NOT_ALLOWED.to_owned())
        }
        _ => Answer::Proxied(404, "text/html; charset=utf-8", page::NOT_FOUND.to_owned()),
    }
}

/// A port by number, by name, or the only one there is.
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

/// Whether a ready pod stands behind the Service.
fn is_served(store: &Store, namespace: &str, service: &Value) -> bool {
    let Some(selector) = service["spec"]["selector"].as_object() else { return false };
    let mut pods = store.list("pods", Some(namespace));
    pods.any(|(_, pod)| {
        let labels = &pod["metadata"]["labels"];
        object::has_condition(pod, "Ready")
            && selector.iter().all(|(key, value)| labels[key] == *value)
    })
}

/// The ready pods that run a worker: name and uid.
fn workers(store: &Store, namespace: &str) -> Vec<(String, String)> {
    let pods = store.list("pods", Some(namespace)).map(|(_, pod)| pod);
    let workers = pods.filter(|pod| object::has_condition(pod, "Ready") && is_worker(pod));
    workers.map(|pod| (object::name(pod).to_owned(), object::uid(pod).to_owned())).collect()
}

fn is_worker(pod: &Value) -> bool {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut args = containers.flat_map(|one| one["args"].as_array().into_iter().flatten());
    args.any(|arg| arg == "--worker")
}

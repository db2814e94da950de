//! Recognises the parts of a Locust on Kubernetes, wherever it comes from: its workers, its master, and
//! the Service of the master's web UI.

mod cluster_locusts;
mod launch;
mod locate;
mod masters;
mod role;
mod survey;
mod web_ui;

pub use cluster_locusts::{ClusterLocust, cluster_locusts};
pub use locate::{Place, initial_run_times, locate};
pub use role::{Role, Template};
pub use survey::{Installed, Survey, survey};

/// Reads an object as a workload, as a pod, and as a Service. For fuzzing.
pub fn try_object(object: &serde_json::Value) {
    let pods = std::slice::from_ref(object);
    let services: Vec<_> = web_ui::Service::read(object).into_iter().collect();
    let facts = masters::WorkerFacts::of_template(&Template::of_workload(object));
    let _ = Template::of_workload(object).role();
    let _ = locate::of_objects(&facts, &services, pods, "default");
}

//! All objects of a namespace, or of the cluster, that run a part of Locust.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;

use super::role::{Role, Template};
use crate::cluster::api::{Client, Discovery, Error, Listing, Resource};
use crate::scaling::{Target, count_field, is_test_of_locust_cloud, job_has_ended};

/// Types in which Locust is installed, as users type them. Only types that the server has are listed.
const TYPES: [&str; 8] = [
    "deployments.apps",
    "statefulsets.apps",
    "replicasets.apps",
    "replicationcontrollers",
    "deploymentconfigs.apps.openshift.io",
    "rollouts.argoproj.io",
    "jobs.batch",
    "locusttests.locust.cloud",
];

/// ReplicaSets of Deployments have this label. They are many, and their Deployment is listed.
const NOT_OF_A_DEPLOYMENT: &str = "!pod-template-hash";

/// An object that runs a part of Locust.
#[derive(Debug, Clone)]
pub struct Installed {
    pub target: Target,
    pub role: Role,
    /// The template of the pods, with names and labels.
    pub template: Template,
    /// The replicas that the object should have, and those that are ready.
    pub desired: i64,
    pub ready: i64,
}

/// The result of a survey.
#[derive(Debug, Default)]
pub struct Survey {
    /// The objects, by type and then in the server's order.
    pub objects: Vec<Installed>,
    /// The reason why a type could not be listed. Then objects may be missing.
    pub errors: Vec<Error>,
}

impl Survey {
    /// The objects that run workers.
    pub fn workers(&self) -> impl Iterator<Item = &Installed> {
        self.objects.iter().filter(|object| object.is_for_workers())
    }
}

/// Lists the objects that run a part of Locust: one LIST for each type, all at a time. An empty namespace
/// stands for all namespaces. Objects with an owner are left out, since only the owner can be scaled.
///
/// # Errors
/// None: the survey has the errors.
pub async fn survey(client: &Client, namespace: &str) -> Survey {
    let discovery = match Discovery::fetch(client).await {
        Ok(discovery) => discovery,
        Err(error) => return Survey { objects: Vec::new(), errors: vec![error] },
    };
    let types: Vec<_> = TYPES.iter().filter_map(|name| discovery.find(name)).collect();
    let lists = types.iter().map(|resource| async move {
        let is_set = resource.plural == "replicasets";
        let labels = is_set.then_some(NOT_OF_A_DEPLOYMENT);
        let is_kept = |item: &Value| Installed::read(resource, namespace, item).is_some();
        let listing = Listing { resource, namespace, labels };
        let items = client.list_where::<Value>(listing, is_kept).await?;
        let installed = items.iter().filter_map(|item| Installed::read(resource, namespace, item));
        Ok::<Vec<_>, Error>(installed.collect())
    });
    let mut survey = Survey::default();
    for list in join_all(lists).await {
        match list {
            Ok(installed) => survey.objects.extend(installed),
            Err(error) => survey.errors.push(error),
        }
    }
    survey
}

impl Installed {
    pub fn is_for_workers(&self) -> bool {
        self.role == Role::Worker
    }

    fn read(resource: &Arc<Resource>, namespace: &str, object: &Value) -> Option<Self> {
        let metadata = &object["metadata"];
        let mut owners = metadata["ownerReferences"].as_array().into_iter().flatten();
        if owners.any(keeps_count)
            || !metadata["deletionTimestamp"].is_null()
            || job_has_ended(object)
        {
            return None;
        }
        let template = Template::of_workload(object).in_test(resource);
        let role = match is_test_of_locust_cloud(resource) {
            true => Role::Worker,
            false => template.role()?,
        };
        let namespace = metadata["namespace"].as_str().unwrap_or(namespace);
        let target =
            Target::new(Arc::clone(resource), namespace, metadata["name"].as_str()?).ok()?;
        let (spec, status) = (&object["spec"], &object["status"]);
        let desired = spec[count_field(resource)].as_i64();
        // A Job counts in `ready`, an object of locust.cloud in `worker_count`.
        let counts = [&status["readyReplicas"], &status["ready"], &status["worker_count"]];
        let ready = counts.iter().find_map(|count| count.as_i64());
        Some(Self {
            target,
            role,
            template,
            desired: desired.unwrap_or(1),
            ready: ready.unwrap_or(0),
        })
    }
}

/// The owner sets the count of its object again, so only the owner can be scaled. The operator of
/// `locust.io` makes its Jobs once, and leaves them alone.
fn keeps_count(owner: &Value) -> bool {
    let group = owner["apiVersion"].as_str().unwrap_or_default().split('/').next();
    owner["controller"] == true && group != Some("locust.io")
}

//! Every Locust of the cluster: its workers, and the web UI of its master.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::join;

use super::locate::{Place, of_objects};
use super::masters::{MasterGroup, WorkerFacts};
use super::survey::{Installed, survey};
use super::web_ui::Service;
use crate::cluster::api::{self, Client, Listing, Resource};
use crate::locust::address::Address;
use crate::locust::error::Error;
use crate::scaling::PODS;

/// A Locust of the cluster.
#[derive(Debug)]
pub struct ClusterLocust {
    pub namespace: String,
    /// The object that runs the workers; `None` for a master whose workers are not recognised.
    pub workers: Option<Installed>,
    /// The web UI of the master; `None` if there is no master.
    pub web_ui: Result<Option<Address>, Error>,
}

/// Every Locust of the cluster, and why a type could not be listed.
#[derive(Debug)]
pub struct ClusterLocusts {
    /// Sorted by namespace.
    pub locusts: Vec<ClusterLocust>,
    pub errors: Vec<api::Error>,
}

/// Finds every Locust of the cluster: one LIST for each type, of all namespaces.
///
/// # Errors
/// None: the result has the errors.
pub async fn cluster_locusts(client: &Client) -> ClusterLocusts {
    let resource = Resource::services();
    let (namespace, labels) = ("", None);
    let (survey, services, pods) = join!(
        survey(client, namespace),
        client.list::<Value>(Listing { resource: &resource, namespace, labels }),
        client.list_where(Listing { resource: &PODS, namespace, labels }, MasterGroup::has)
    );
    let mut errors = survey.errors;
    let mut or_none = |listed: Result<Vec<Value>, api::Error>| {
        listed.unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        })
    };
    let (services, pods) = (by_namespace(or_none(services)), by_namespace(or_none(pods)));
    let services: BTreeMap<_, Vec<_>> = services
        .iter()
        .map(|(namespace, items)| (namespace, items.iter().filter_map(Service::read).collect()))
        .collect();
    let mut locusts = Vec::new();
    for installed in survey.objects.into_iter().filter(Installed::is_for_workers) {
        let namespace = installed.target.namespace.clone();
        let facts = WorkerFacts::of_template(&installed.template);
        let services = services.get(&namespace).map(Vec::as_slice).unwrap_or_default();
        let pods = pods.get(&namespace).map(Vec::as_slice).unwrap_or_default();
        let web_ui = match of_objects(&facts, services, pods, &namespace) {
            Ok(Place::At { address, .. }) => Ok(Some(address)),
            Ok(Place::Guessed(..) | Place::NoLocust) => Ok(None),
            Err(error) => Err(error),
        };
        locusts.push(ClusterLocust { namespace, workers: Some(installed), web_ui });
    }
    for (namespace, pods) in &pods {
        let services = services.get(namespace).map(Vec::as_slice).unwrap_or_default();
        for master in MasterGroup::of_pods(pods) {
            let address = master.address(services, None);
            let is_known = |known: &ClusterLocust| {
                known.namespace == *namespace && matches!(&known.web_ui, Ok(at) if *at == address)
            };
            if !locusts.iter().any(is_known) {
                let headless = || Error::Headless(master.pod_name().to_owned());
                let web_ui = address.ok_or_else(headless).map(Some);
                let namespace = namespace.clone();
                locusts.push(ClusterLocust { namespace, workers: None, web_ui });
            }
        }
    }
    locusts.sort_by(|one, other| one.namespace.cmp(&other.namespace));
    ClusterLocusts { locusts, errors }
}

fn by_namespace(items: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut sorted: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in items {
        let namespace = item["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        sorted.entry(namespace).or_default().push(item);
    }
    sorted
}

//! Finds the web UI of the master that a target's workers belong to.

use serde_json::Value;
use tokio::join;

use super::masters::{MasterGroup, WorkerFacts};
use super::web_ui::{ListedService, Service, WebUi};
use crate::cluster::api::{self, Client, Listing, Resource};
use crate::locust::address::{Address, Proxied, candidates};
use crate::locust::error::Error;
use crate::scaling::{PODS, Target};

/// The possible locations of the web UI of the target's Locust.
pub enum Place {
    /// The web UI of the master.
    At {
        address: Address,
        /// A pod of the master is running, whether it is ready or not.
        is_running: bool,
    },
    /// locustctl cannot list the Services or the pods. So these Services with usual names are left, the
    /// most likely one first. The error says which right is missing.
    Guessed(Vec<Address>, api::Error),
    /// There is no Locust in the namespace.
    NoLocust,
}

impl Place {
    fn of_master(master: &MasterGroup, address: Address) -> Self {
        Self::At { address, is_running: master.is_running() }
    }
}

/// The objects that show where the master of a target's workers is.
struct MasterObjects {
    facts: WorkerFacts,
    services: Result<Vec<Service>, api::Error>,
    /// The pods that may run a master.
    pods: Result<Vec<Value>, api::Error>,
}

impl MasterObjects {
    /// One LIST of the Services, one of the pods, and a GET of the target.
    async fn read(client: &Client, target: &Target) -> Self {
        let namespace = target.namespace.as_str();
        let resource = Resource::services();
        let subject = target.request_subject("get");
        let path = target.path();
        let (services, pods, object) = join!(
            client.list::<ListedService>(Listing { resource: &resource, namespace, labels: None }),
            client
                .list_where(Listing { resource: &PODS, namespace, labels: None }, MasterGroup::has),
            client.get_object(&path, &subject)
        );
        let facts = WorkerFacts::new(target, object.ok().as_ref());
        let services = services.map(|all| all.into_iter().filter_map(|listed| listed.0).collect());
        Self { facts, services, pods }
    }
}

/// Finds the web UI of the master that the target's workers belong to.
///
/// # Errors
/// The master has no web UI, several masters are possible, or the API server does not answer.
pub async fn locate(client: &Client, target: &Target) -> Result<Place, Error> {
    let MasterObjects { facts, services, pods } = MasterObjects::read(client, target).await;
    let services = match services {
        Ok(services) => services,
        Err(error) if is_forbidden(&error) => {
            return Ok(Place::Guessed(guesses(&facts, None), error));
        }
        Err(error) => return Err(Error::Api(error)),
    };
    let pods = match pods {
        Ok(pods) => pods,
        Err(error) if is_forbidden(&error) => {
            return Ok(Place::Guessed(guesses(&facts, Some(&services)), error));
        }
        Err(error) => return Err(Error::Api(error)),
    };
    of_objects(&facts, &services, &pods, &target.namespace)
}

/// The run times in the command of the master at this address; see [`WebUi::run_times`]. If no master of the
/// namespace has this address, those of the masters that the workers can belong to. Empty if there is no master, or
/// if locustctl may not list Services and pods.
///
/// # Errors
/// The API server does not answer.
pub async fn initial_run_times(
    client: &Client,
    target: &Target,
    address: &Address,
) -> Result<Vec<String>, Error> {
    let MasterObjects { facts, services, pods } = MasterObjects::read(client, target).await;
    let (services, pods) = match services.and_then(|services| Ok((services, pods?))) {
        Ok(objects) => objects,
        Err(error) if is_forbidden(&error) => return Ok(Vec::new()),
        Err(error) => return Err(Error::Api(error)),
    };
    let masters = MasterGroup::of_pods(&pods);
    let is_there = |master: &&MasterGroup| master.is_at(address, &services);
    let there: Vec<_> = masters.iter().filter(is_there).cloned().collect();
    let masters = match there.is_empty() {
        true => MasterGroup::of_workers(masters, &facts, &services, &target.namespace),
        false => there,
    };
    Ok(masters.iter().flat_map(MasterGroup::run_times).collect())
}

/// Finds the web UI in objects that were read before.
pub fn of_objects(
    facts: &WorkerFacts,
    services: &[Service],
    pods: &[Value],
    namespace: &str,
) -> Result<Place, Error> {
    let masters = MasterGroup::of_pods(pods);
    let masters = MasterGroup::of_workers(masters, facts, services, namespace);
    let host = facts.host.as_ref();
    match masters.as_slice() {
        [] => Ok(without_pods(facts, services, namespace)),
        [master] => match master.address(services, host) {
            Some(address) => Ok(Place::of_master(master, address)),
            None => Err(Error::Headless(master.pod_name().to_owned())),
        },
        several => {
            let with_ui =
                several.iter().filter_map(|one| Some((one, one.address(services, None)?)));
            let mut with_ui: Vec<_> = with_ui.collect();
            match with_ui.len() {
                0 => Err(Error::Headless(several[0].pod_name().to_owned())),
                1 => {
                    let (master, address) = with_ui.remove(0);
                    Ok(Place::of_master(master, address))
                }
                _ => Err(Error::Several(
                    with_ui.iter().map(|(_, address)| address.to_string()).collect(),
                )),
            }
        }
    }
}

/// The Service of a master without pods: the one that the workers connect to, or one with the same pods,
/// else one with a usual name. The API server then says that it has no endpoints.
fn without_pods(facts: &WorkerFacts, services: &[Service], namespace: &str) -> Place {
    let ui = WebUi::of(&[]);
    let expected = facts.service(services, namespace);
    let same = services.iter().filter(|service| {
        expected.is_some_and(|one| one.name == service.name || one.selector == service.selector)
    });
    let found = same.filter_map(|service| service.address(&ui, &[])).next();
    match found.or_else(|| guesses(facts, Some(services)).into_iter().next()) {
        Some(address) => Place::At { address, is_running: false },
        None => Place::NoLocust,
    }
}

/// Services with usual names, the most likely one first. `services` are those of the namespace, if they
/// are known.
fn guesses(facts: &WorkerFacts, services: Option<&[Service]>) -> Vec<Address> {
    let host = facts.host.as_ref().map(|host| host.service.clone());
    let mut names: Vec<_> = host.into_iter().collect();
    names.extend(candidates(&facts.name).into_iter().map(|proxied| proxied.name));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    match services {
        None => names.iter().map(|name| Address::Proxied(Proxied::of_service(name))).collect(),
        Some(services) => {
            let named = |name: &String| services.iter().find(|service| service.name == *name);
            let ui = WebUi::of(&[]);
            names.iter().filter_map(named).filter_map(|one| one.address(&ui, &[])).collect()
        }
    }
}

fn is_forbidden(error: &api::Error) -> bool {
    error.status().is_some_and(|status| status.code == 403)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(name: &str, ports: Value) -> Service {
        let spec = json!({"selector": {"app": "m"}, "ports": ports});
        Service::read(&json!({"metadata": {"name": name}, "spec": spec})).unwrap()
    }

    fn place(facts: &WorkerFacts, services: &[Service], pods: &[Value]) -> String {
        match of_objects(facts, services, pods, "default") {
            Ok(Place::At { address, .. }) => address.to_string(),
            Ok(Place::NoLocust) => "no Locust".to_owned(),
            Ok(Place::Guessed(..)) => "guessed".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_master_without_pods_is_expected_behind_its_service() {
        let facts = WorkerFacts::new(&Target::for_test("locust-slave"), None);
        let usual = service("locust-master", json!([{"port": 8089}]));
        assert_eq!(place(&facts, &[usual], &[]), "service/locust-master:8089");
        let other = service("shop", json!([{"port": 8089}]));
        assert_eq!(place(&facts, &[other], &[]), "no Locust");
        let object = json!({"metadata": {"name": "w"}, "spec": {"template": {"spec": {"containers": [
            {"image": "locust", "args": ["--worker", "--master-host=boss"]}]}}}});
        let facts = WorkerFacts::new(&Target::for_test("w"), Some(&object));
        let split = [
            service("boss", json!([{"port": 5557}, {"port": 5558}])),
            service("boss-web", json!([{"name": "web", "port": 80, "targetPort": 8089}])),
        ];
        assert_eq!(place(&facts, &split, &[]), "service/boss-web:web");
    }

    #[test]
    fn several_masters_are_listed_with_their_addresses() {
        let pod = |name: &str| {
            json!({"metadata": {"name": name, "labels": {"app": name}},
                "spec": {"containers": [{"image": "locust", "args": ["--master"]}]}})
        };
        let facts = WorkerFacts::new(&Target::for_test("users"), None);
        let text = place(&facts, &[], &[pod("a"), pod("b")]);
        assert!(
            text.contains("--locust=pod/a:8089") && text.contains("--locust=pod/b:8089"),
            "{text}"
        );
    }
}

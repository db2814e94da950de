//! Finds Locust's master: at a given address, or by the objects of the namespace.

use super::address::{Address, ProxiedKind};
use super::error::Error;
use super::install::{Place, locate};
use super::login::Login;
use super::master::Master;
use super::pods::{WorkerPods, WorkerTable};
use crate::cluster::api::Client;
use crate::scaling::Target;
use crate::text::quantity;

/// The given address of Locust's master, and the credentials for it.
#[derive(Debug, Clone)]
pub struct LocustLocation {
    pub address: Address,
    pub login: Login,
}

/// The result of the search for Locust's master.
pub enum Search<'a> {
    /// The client for the master.
    Found(Box<Master<'a>>),
    /// `--locust=none`, or there is no Locust in the namespace.
    Absent,
    /// A master answers, but none of its workers runs in a pod of the target: it has another test.
    Foreign {
        /// Address of that master.
        place: String,
        /// Workers that are connected to it.
        workers: usize,
    },
}

impl LocustLocation {
    /// Finds the master of the target's workers: at the address or, for [`Address::Auto`], by the
    /// Services and pods of the namespace. `pods` are the pods of the target. If they are unknown,
    /// locustctl does not compare the connected workers with them. For a given address it sends no request.
    ///
    /// # Errors
    /// There is a Locust, but it does not answer, asks for a login, or has no web UI; several Locusts are
    /// possible; or a right is missing.
    pub async fn find<'a>(
        &self,
        client: &'a Client,
        target: &Target,
        pods: Option<&WorkerPods>,
    ) -> Result<Search<'a>, Error> {
        let Self { address, login } = self;
        let namespace = &target.namespace;
        if *address != Address::Auto {
            let master = Master::at(address, client, namespace, login)?;
            return Ok(master.map_or(Search::Absent, |master| {
                Search::Found(Box::new(master.with_workers(client, target)))
            }));
        }
        if !may_hold_workers(target) {
            return Ok(Search::Absent);
        }
        let (addresses, is_running, unlisted) = match locate(client, target).await? {
            Place::At { address, is_running } => (vec![address], is_running, None),
            Place::Guessed(addresses, error) => (addresses, false, Some(error)),
            Place::NoLocust => return Ok(Search::Absent),
        };
        let mut search = None;
        for address in addresses {
            let Some(master) = Master::at(&address, client, namespace, login)? else { continue };
            let master = master.with_workers(client, target);
            let table = match master.stats().await {
                Ok(stats) => WorkerTable::new(&stats, pods),
                Err(error) if unlisted.is_some() && error.is_absent() => continue,
                Err(error) if error.has_no_endpoints() => {
                    // Behind a Service, the pod may only be unready. At a pod's own address, 404 means that the
                    // pod is gone.
                    let is_behind_service = matches!(
                        &address,
                        Address::Proxied(found) if found.kind == ProxiedKind::Service
                    );
                    return Err(match is_running && is_behind_service {
                        true => Error::NotReady(master.place()),
                        false => Error::NoEndpoints(master.place()),
                    });
                }
                Err(error) => return Err(error),
            };
            if table.own() > 0 || table.foreign == 0 {
                return Ok(Search::Found(Box::new(master)));
            }
            search = Some(Search::Foreign { place: master.place(), workers: table.foreign });
        }
        match (search, unlisted) {
            (Some(search), _) => Ok(search),
            (None, Some(error)) => Err(Error::Api(error)),
            (None, None) => Ok(Search::Absent),
        }
    }
}

/// The message for a master with workers that do not run in the target's pods.
pub fn foreign_text(place: &str, workers: usize, target: &Target) -> String {
    let workers = quantity(workers, "worker");
    format!("Locust at {place} has {workers}, and none of them runs in a pod of {target}")
}

/// The message if no Locust was found for the target.
pub fn absent_text(target: &Target) -> String {
    if !may_hold_workers(target) {
        return format!(
            "{target} has the name of a master, so locustctl does not look for workers in it; name the object \
             that runs the workers"
        );
    }
    format!(
        "there is no Locust in namespace {}; if its master runs elsewhere, name it with --locust=URL",
        target.namespace
    )
}

/// The target's pods may run workers. A target whose name ends with `master` has none.
pub fn may_hold_workers(target: &Target) -> bool {
    !target.name.ends_with("master")
}

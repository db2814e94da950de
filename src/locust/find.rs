//! Finds Locust's master: at a given address, or by the names of Services.

use super::address::{Address, candidates};
use super::error::Error;
use super::master::{Login, Master};
use super::pods::{WorkerPods, WorkerTable};
use crate::cluster::api::Client;
use crate::scaling::Target;

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
    /// `--locust=none`, or none of the usual Services has a master.
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
    /// Finds the master of the target's workers: at the address or, for [`Address::Auto`], at the
    /// usual Services. `pods` are the pods of the target. If they are unknown, locustctl does not
    /// compare the connected workers with them. For a given address it sends no request.
    ///
    /// # Errors
    /// A Service exists, but its Locust does not answer or asks for a login.
    pub async fn find<'a>(
        &self,
        client: &'a Client,
        target: &Target,
        pods: Option<&WorkerPods>,
    ) -> Result<Search<'a>, Error> {
        let Self { address, login } = self;
        let namespace = &target.namespace;
        match address {
            Address::Auto if !may_hold_workers(target) => return Ok(Search::Absent),
            Address::Auto => {}
            address => {
                let master = Master::at(address, client, namespace, login)?;
                return Ok(master.map_or(Search::Absent, |master| Search::Found(Box::new(master))));
            }
        }
        let mut search = Search::Absent;
        for address in candidates(&target.name) {
            let Some(master) = Master::at(&address, client, namespace, login)? else { continue };
            let table = match master.stats().await {
                Ok(stats) => WorkerTable::new(&stats, pods),
                Err(error) if error.is_absent() => continue,
                Err(error) => return Err(error),
            };
            if table.own() > 0 || table.foreign == 0 {
                return Ok(Search::Found(Box::new(master)));
            }
            search = Search::Foreign { place: master.place(), workers: table.foreign };
        }
        Ok(search)
    }
}

/// The message for a master with workers that do not run in the target's pods.
pub fn foreign_text(place: &str, workers: usize, target: &Target) -> String {
    let noun = if workers == 1 { "worker" } else { "workers" };
    format!("Locust at {place} has {workers} {noun}, and none of them runs in a pod of {target}")
}

/// The target's pods may run workers. A target whose name ends with `master` has none.
pub fn may_hold_workers(target: &Target) -> bool {
    !target.name.ends_with("master")
}

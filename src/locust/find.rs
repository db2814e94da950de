//! Where Locust's master is: as it was given, or by the names of Services.

use super::address::{Address, candidates};
use super::error::Error;
use super::master::{Login, Master};
use super::pods::{WorkerPods, WorkerTable};
use crate::cluster::api::Client;
use crate::scaling::Target;

/// Where Locust's master is said to be, and how to authenticate there.
#[derive(Debug, Clone)]
pub struct LocustLocation {
    /// The address.
    pub address: Address,
    /// The credentials for Locust, or for a proxy in front of it.
    pub login: Login,
}

/// The result of the search for Locust's master.
pub enum Search<'a> {
    /// It answers.
    Found(Box<Master<'a>>),
    /// It is not to be asked, or it is at none of the usual Services.
    Absent,
    /// A master answers, but its workers run in other pods than the target's: it has another test.
    Foreign {
        /// Where that master is.
        place: String,
        /// Workers that are connected to it.
        workers: usize,
    },
}

impl LocustLocation {
    /// Finds the master of the target's workers: at the address, or, for [`Address::Auto`], at the
    /// Services where it usually is. `pods` are the target's; where they are not known, the
    /// connected workers are not compared with them. A master at a given address is not asked yet.
    ///
    /// # Errors
    /// The master cannot be asked where it is said to be.
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
        for place in candidates(&target.name) {
            let Some(master) = Master::at(&place, client, namespace, login)? else { continue };
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

/// A sentence on a master whose workers run in other pods than the target's.
pub fn foreign_text(place: &str, workers: usize, target: &Target) -> String {
    let noun = if workers == 1 { "worker" } else { "workers" };
    format!("Locust at {place} has {workers} {noun}, and none of them runs in a pod of {target}")
}

/// The target's pods may run workers, by its name: a master is none of its own workers.
pub fn may_hold_workers(target: &Target) -> bool {
    !target.name.ends_with("master")
}

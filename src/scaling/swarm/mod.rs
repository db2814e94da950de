//! Locust beside a scale: where its master is, what a running test loses by the scale, and, after
//! it, until the master counts the workers and the test has its users back.

mod give_back;
mod settle;

use std::collections::BTreeSet;

use super::order::NewCount;
use super::target::Target;
use super::wait::{PODS, Pod, Workload, label_selector};
use crate::api::{self, About, Client, Listing};
use crate::locust::{Address, Error, Login, Master, candidates};

pub use give_back::{GivenBack, give_back};
pub use settle::{Unsettled, settle};

/// Where Locust's master is said to be, and who we are there.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Where.
    pub address: Address,
    /// Who.
    pub login: Login,
}

impl Whereabouts {
    /// Finds the master of these workers: at the address, or, for [`Address::Auto`], at the
    /// Services where it usually is. `None` when it is at none of them, or is not to be asked.
    ///
    /// # Errors
    /// It cannot be asked where it is said to be.
    pub async fn master<'a>(
        &self,
        client: &'a Client,
        workers: &Target,
    ) -> Result<Option<Master<'a>>, Error> {
        let Self { address, login } = self;
        let namespace = &workers.namespace;
        // A master is none of its own workers.
        match address {
            Address::Auto if workers.name.ends_with("master") => return Ok(None),
            Address::Auto => {}
            address => return Master::at(address, client, namespace, login),
        }
        for place in candidates(&workers.name) {
            let Some(master) = Master::at(&place, client, namespace, login)? else { continue };
            match master.worker_count().await {
                Ok(_) => return Ok(Some(master)),
                Err(error) if error.is_absent() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// The names of a target's ready pods.
///
/// # Errors
/// The target or its pods may not be read.
pub async fn ready_pods(client: &Client, target: &Target) -> Result<BTreeSet<String>, api::Error> {
    let resource = target.resource.plural_with_group();
    let about = About { verb: "get", resource, name: target.name.clone() };
    let object = client.get_object(&target.path(), &about).await?;
    let object: Workload = serde_json::from_value(object)
        .map_err(|error| api::Error::Unreadable(format!("the target cannot be read: {error}")))?;
    let Some(selector) = label_selector(&object.spec.selector) else { return Ok(BTreeSet::new()) };
    let listing =
        Listing { resource: &PODS, namespace: &target.namespace, labels: Some(&selector) };
    let pods = client.list::<Pod>(listing).await?;
    Ok(pods.iter().filter(|pod| pod.is_ready()).map(|pod| pod.name().to_owned()).collect())
}

/// What a running test loses by this scale, in a sentence for people; `None` when nothing.
pub fn cost(state: &str, users: i64, workers: i64, new: NewCount) -> Option<String> {
    if !crate::locust::is_running(state) || workers <= 0 {
        return None;
    }
    let new = match new {
        NewCount::Exactly(count) => i64::from(count),
        NewCount::By(by) => workers.saturating_add(by).max(0),
    };
    let leaving = workers - new;
    if leaving <= 0 {
        return None;
    }
    Some(match new {
        0 => format!("a test is running with {users} users: without workers it ends"),
        _ => format!(
            "a test is running with {users} users on {workers} workers; {leaving} of them will \
             leave, and up to 3 s of their statistics are lost"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_running_test_loses_is_said() {
        let leave = "a test is running with 60 users on 5 workers; 4 of them will leave, and up to 3 s of their statistics are lost";
        let ends = "a test is running with 60 users: without workers it ends";
        for (state, workers, new, expected) in [
            ("running", 5, NewCount::Exactly(1), Some(leave)),
            ("running", 5, NewCount::By(-4), Some(leave)),
            ("spawning", 5, NewCount::Exactly(0), Some(ends)),
            ("running", 5, NewCount::By(-9), Some(ends)),
            ("running", 5, NewCount::Exactly(5), None),
            ("running", 5, NewCount::Exactly(9), None),
            ("stopped", 5, NewCount::Exactly(0), None),
            ("running", 0, NewCount::Exactly(0), None),
        ] {
            assert_eq!(cost(state, 60, workers, new).as_deref(), expected, "{state} {new:?}");
        }
    }
}

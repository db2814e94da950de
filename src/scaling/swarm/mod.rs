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
        match address {
            Address::Auto if !may_hold_workers(workers) => return Ok(None),
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

/// Whether a target's pods may run workers, by its name: a master is none of its own workers.
pub fn may_hold_workers(target: &Target) -> bool {
    !target.name.ends_with("master")
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

/// A test, as far as it matters to whoever changes the number of its workers.
#[derive(Debug, Clone, Copy)]
pub struct Test<'a> {
    /// Of Locust's runner.
    pub state: &'a str,
    /// Users right now.
    pub users: i64,
    /// Workers that Locust counts.
    pub workers: i64,
}

/// A change of the number of pods that hold some of them.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// Workers that Locust counts in these pods.
    pub workers: i64,
    /// Pods that they are in.
    pub pods: i64,
    /// Pods that there are to be.
    pub new: NewCount,
}

/// What a running test loses by these changes, in a sentence for people; `None` when nothing.
pub fn cost(test: Test<'_>, changes: &[Change]) -> Option<String> {
    let Test { state, users, workers } = test;
    let leaving: i64 = changes.iter().map(Change::leaving).sum();
    if !crate::locust::is_running(state) || leaving <= 0 {
        return None;
    }
    let users = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
    if leaving >= workers {
        return Some(format!("a test is running with {users}: without workers it ends"));
    }
    let noun = if workers == 1 { "worker" } else { "workers" };
    Some(format!(
        "a test is running with {users} on {workers} {noun}; {leaving} of them will leave, and up \
         to 3 s of their statistics are lost"
    ))
}

impl Change {
    /// Workers that leave.
    fn leaving(&self) -> i64 {
        let Self { workers, pods, new } = *self;
        let new = match new {
            NewCount::Exactly(count) => i64::from(count),
            NewCount::By(by) => pods.saturating_add(by).max(0),
        };
        match (new >= pods, workers > pods) {
            (true, _) => 0,
            // A pod may hold several of Locust's workers.
            (false, true) => (workers as f64 * (pods - new) as f64 / pods as f64).round() as i64,
            (false, false) => (workers - new).max(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_running_test_loses_is_said() {
        let leave = |workers, leaving| {
            format!(
                "a test is running with 60 users on {workers} workers; {leaving} of them will \
                 leave, and up to 3 s of their statistics are lost"
            )
        };
        let ends = || "a test is running with 60 users: without workers it ends".to_owned();
        let change = |workers, pods, new| Change { workers, pods, new };
        let to = |count| NewCount::Exactly(count);
        for (state, workers, changes, expected) in [
            ("running", 5, vec![change(5, 5, to(1))], Some(leave(5, 4))),
            ("running", 5, vec![change(5, 5, NewCount::By(-4))], Some(leave(5, 4))),
            ("spawning", 5, vec![change(5, 5, to(0))], Some(ends())),
            ("running", 5, vec![change(5, 5, NewCount::By(-9))], Some(ends())),
            ("running", 10, vec![change(10, 5, to(3))], Some(leave(10, 4))),
            ("running", 10, vec![change(10, 5, to(5))], None),
            ("running", 5, vec![change(5, 5, to(9))], None),
            ("running", 3, vec![change(3, 5, to(4))], None),
            // The others are somebody else's.
            ("running", 10, vec![change(1, 1, to(4))], None),
            ("running", 10, vec![change(1, 1, to(0))], Some(leave(10, 1))),
            ("running", 5, vec![change(3, 3, to(0)), change(2, 2, to(0))], Some(ends())),
            ("running", 5, vec![change(3, 3, to(1)), change(2, 2, to(0))], Some(leave(5, 4))),
            ("stopped", 5, vec![change(5, 5, to(0))], None),
            ("running", 0, vec![change(0, 5, to(0))], None),
        ] {
            let test = Test { state, users: 60, workers };
            assert_eq!(cost(test, &changes), expected, "{state} {workers} {changes:?}");
        }
    }
}

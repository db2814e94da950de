//! Looks for Locust and its running test before a scale.

use anyhow::{Error, anyhow};

use super::running_test::RunningTest;
use super::test_pods::{own_pods, worker_pods};
use crate::cluster::api::Client;
use crate::locust::{
    self, Address, LocustLocation, Look, Master, Search, WorkerPods, absent_text, foreign_text,
    may_hold_workers, retried_while,
};
use crate::scaling::{Order, Target};
use crate::text::terminal::{harmless, say};

/// The result of a look for Locust.
pub(super) enum LocustSearch<'a> {
    Found(Box<RunningTest<'a>>),
    /// The master does not run yet, or is starting.
    Missing(MissingMaster),
    /// Locust refuses to answer. A later attempt has the same result.
    Failed {
        error: Error,
        /// The warning if the orders remove pods.
        risk: Option<String>,
    },
    /// Locust is not asked. A note says why.
    Ignored,
}

/// A master that does not answer.
pub(super) struct MissingMaster {
    /// The reason.
    pub why: String,
    /// The warning if the orders remove pods, and the master may have a running test.
    pub risk: Option<String>,
}

/// The result of [`find`].
enum Found<'a> {
    Master(Box<Master<'a>>, Box<Look>),
    /// The master has no workers of the target. The text says so.
    Foreign(String),
    Absent,
}

impl<'a> LocustSearch<'a> {
    /// Asks Locust for the state of its test. If an order removes pods, a failure that may pass is retried: without
    /// an answer, the orders cannot spare the test.
    pub(super) async fn new(
        client: &'a Client,
        location: &LocustLocation,
        orders: &[Order],
    ) -> Self {
        let targets = own_pods(client, orders).await;
        let pods = worker_pods(&targets);
        let leaving = orders.iter().zip(&targets).map(|(order, pods)| pods.max_leaving(order));
        let leaving = leaving.fold(0, i64::saturating_add);
        let (mut foreign, mut missing) = (None, None);
        // The master may belong to any of the targets.
        for Order { target, .. } in orders.iter().filter(|order| may_hold_workers(&order.target)) {
            let attempt = || find(client, location, target, pods.as_ref());
            let found = match leaving {
                0 => attempt().await,
                _ => {
                    let may_pass =
                        |error: &locust::Error| error.may_pass() && !is_without_master(error);
                    retried_while(attempt, may_pass).await
                }
            };
            match found {
                Ok(Found::Master(master, before)) => {
                    say(&harmless(&format!("Using Locust at {}", master.place())));
                    let test = RunningTest::new(client, *master, *before, targets, orders);
                    return Self::Found(Box::new(test));
                }
                Ok(Found::Foreign(text)) => foreign = Some(text),
                Ok(Found::Absent) => {
                    missing = Some(MissingMaster { why: absent_text(target), risk: None });
                }
                Err(error) => {
                    let risk = match is_without_master(&error) {
                        true => None,
                        false => unchecked_removal(leaving),
                    };
                    let why = error.explanation();
                    match error.is_temporary() {
                        true => missing = Some(MissingMaster { why, risk }),
                        false => return Self::Failed { error: anyhow!("{why}"), risk },
                    }
                }
            }
        }
        match (foreign, missing) {
            (Some(text), _) => say(&harmless(&format!(
                "Note: {text}, so locustctl ignores it. To use another Locust, give --locust=URL or \
                 --locust=service/NAME."
            ))),
            (None, Some(missing)) => return Self::Missing(missing),
            (None, None) if location.address == Address::None => {}
            (None, None) => say(
                "Note: locustctl does not ask Locust, because the targets have names of masters, not of workers",
            ),
        }
        Self::Ignored
    }
}

/// Finds the master of the target's workers, and takes a look at its test.
async fn find<'a>(
    client: &'a Client,
    location: &LocustLocation,
    target: &Target,
    pods: Option<&WorkerPods>,
) -> Result<Found<'a>, locust::Error> {
    Ok(match location.find(client, target, pods).await? {
        Search::Absent => Found::Absent,
        Search::Foreign { place, workers } => Found::Foreign(foreign_text(&place, workers, target)),
        Search::Found(master) => {
            let before = Look::take(&master, pods.cloned()).await?;
            Found::Master(master, Box::new(before))
        }
    })
}

/// The pod of the master is not ready, or does not exist. So no test is running.
fn is_without_master(error: &locust::Error) -> bool {
    error.has_no_endpoints() || matches!(error, locust::Error::NoEndpoints(_))
}

/// The warning that this number of pods leaves without a look at the test.
fn unchecked_removal(leaving: i64) -> Option<String> {
    let what = match leaving {
        ..=0 => return None,
        1 => "1 pod".to_owned(),
        i64::MAX => "all pods at once".to_owned(),
        count => format!("{count} pods at once"),
    };
    Some(format!(
        "locustctl could not ask Locust, so it cannot tell if a test is running. The change removes {what}. A \
         running test can lose users. The master of Locust up to 2.46.5 can stop working if several workers \
         leave a running test at once"
    ))
}

//! Looks for Locust and its running test before a scale.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Error, anyhow};
use tokio::time::Instant;

use super::running_test::RunningTest;
use super::test_pods::{max_leaving, own_pods, worker_pods};
use crate::cluster::api::Client;
use crate::locust::{
    self, Address, LocustLocation, Look, Master, RETRY_LIMIT, Search, WorkerPods, absent_text,
    foreign_text, may_hold_workers, retried_until,
};
use crate::scaling::{Order, Target};
use crate::text::terminal::{harmless, say};

/// The result of a look for Locust.
pub(super) enum LocustSearch<'a> {
    Found(Box<RunningTest<'a>>),
    /// The master does not run yet, or is starting.
    Missing {
        /// The reason.
        why: String,
        /// The warning if the orders remove pods, and the master may have a running test.
        risk: Option<String>,
    },
    /// Locust refuses to answer. A later attempt has the same result.
    Failed {
        error: Error,
        /// The warning, as in [`Self::Missing`].
        risk: Option<String>,
    },
    /// Locust is not asked. A note says why.
    Ignored,
}

/// The result of [`find`].
enum Found<'a> {
    Master(Box<Master<'a>>, Box<Look>),
    /// The master has no workers of the target. The text says so.
    Foreign(String),
    Absent,
}

impl<'a> LocustSearch<'a> {
    /// Asks Locust for the state of its test before the orders. If an order removes pods, a failure that may pass is
    /// retried: without an answer, the orders cannot spare the test.
    pub(super) async fn before(
        client: &'a Client,
        location: &LocustLocation,
        orders: &[Order],
    ) -> Self {
        Self::look(client, location, orders, RETRY_LIMIT).await
    }

    /// Asks Locust once, after the orders.
    pub(super) async fn after(
        client: &'a Client,
        location: &LocustLocation,
        orders: &[Order],
    ) -> Self {
        Self::look(client, location, orders, Duration::ZERO).await
    }

    async fn look(
        client: &'a Client,
        location: &LocustLocation,
        orders: &[Order],
        patience: Duration,
    ) -> Self {
        let targets = own_pods(client, orders).await;
        let pods = worker_pods(&targets);
        let leaving = max_leaving(orders, &targets);
        let end = Instant::now() + if leaving > 0 { patience } else { Duration::ZERO };
        let is_told = Cell::new(false);
        let may_pass = |error: &locust::Error| {
            let may_pass = error.may_pass() && !error.is_without_master() && !error.is_refused();
            if may_pass && !is_told.replace(true) {
                let (limit, why) = (patience.as_secs(), error.explanation());
                say(&harmless(&format!("Trying again for up to {limit} s: {why}")));
            }
            may_pass
        };
        let (mut foreign, mut missing, mut risk) = (None, None, None);
        // The master may belong to any of the targets.
        for Order { target, .. } in orders.iter().filter(|order| may_hold_workers(&order.target)) {
            let attempt = || find(client, location, target, pods.as_ref());
            match retried_until(end, attempt, may_pass).await {
                Ok(Found::Master(master, before)) => {
                    say(&harmless(&format!("Using Locust at {}", master.place())));
                    let test = RunningTest::new(client, *master, *before, targets, orders);
                    return Self::Found(Box::new(test));
                }
                Ok(Found::Foreign(text)) => foreign = Some(text),
                Ok(Found::Absent) => missing = Some(absent_text(target)),
                Err(error) => {
                    let why = error.explanation();
                    if !error.is_without_master() {
                        risk = unchecked_removal(leaving, &why);
                    }
                    match error.is_temporary() {
                        true => missing = Some(why),
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
            (None, Some(why)) => return Self::Missing { why, risk },
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

/// The warning that this number of pods leaves without a look at the test. `why` is the failure of the look.
fn unchecked_removal(leaving: i64, why: &str) -> Option<String> {
    let what = match leaving {
        ..=0 => return None,
        1 => "removes 1 pod".to_owned(),
        i64::MAX => "may remove several pods at once".to_owned(),
        count => format!("removes {count} pods at once"),
    };
    Some(format!(
        "{why}. Without an answer from Locust, locustctl cannot tell if a test is running. The change {what}. A running test can lose users. The master of Locust up to 2.46.5 can stop working if several workers \
         leave a running test at once"
    ))
}

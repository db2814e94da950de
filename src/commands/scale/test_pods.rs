//! The pods of the workers that a scale changes.

use futures_util::future::join_all;

use crate::cluster::api::Client;
use crate::locust::{WorkerPods, may_hold_workers};
use crate::scaling::{Order, OwnPods, Target, pods_of};
use crate::text::terminal::{harmless, say};

/// The pods of each order's target; `None` if they cannot be read. A note says why.
pub(super) async fn own_pods(client: &Client, orders: &[Order]) -> Vec<Option<OwnPods>> {
    let read = |order: &Order| {
        let target = order.target.clone();
        async move {
            match may_hold_workers(&target) {
                true => pods_of(client, &target).await,
                false => Ok(OwnPods::default()),
            }
        }
    };
    let results = join_all(orders.iter().map(read)).await;
    let mut is_noted = false;
    let own = results.into_iter().zip(orders).map(|(result, order)| match result {
        Ok(own) => Some(own),
        // The scale itself reports a target that does not exist.
        Err(error) if error.status().is_some_and(|status| status.code == 404) => None,
        Err(error) => {
            if !std::mem::replace(&mut is_noted, true) {
                say(&harmless(&format!(
                    "Note: the pods of {} cannot be listed: {error}",
                    order.target
                )));
            }
            None
        }
    });
    own.collect()
}

/// The pods of all targets; `None` if those of one target are unknown.
pub(super) fn worker_pods(targets: &[Option<OwnPods>], orders: &[Order]) -> Option<WorkerPods> {
    let is_known = targets
        .iter()
        .zip(orders)
        .all(|(own, order)| own.is_some() || !may_hold_workers(&order.target));
    let pods = targets.iter().flatten().flat_map(|own| &own.pods);
    is_known.then(|| WorkerPods::new(pods))
}

/// The pods of these targets now.
///
/// # Errors
/// The pods of a target cannot be listed.
pub(super) async fn ready_pods(client: &Client, targets: &[Target]) -> Result<WorkerPods, String> {
    let mut pods = Vec::new();
    for target in targets {
        pods.extend(pods_of(client, target).await.map_err(|error| error.to_string())?.pods);
    }
    Ok(WorkerPods::new(&pods))
}

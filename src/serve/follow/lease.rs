//! Holds the Lease while this replica has to redistribute users, and takes over from one that has ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::super::backend::Backend;
use super::super::log::log;
use super::super::rebalancer::Rebalancer;
use super::super::settings::RebalancePolicy;

/// Time between two attempts to take or renew the Lease: client-go's default.
const PERIOD: Duration = Duration::from_secs(2);

/// Time between two looks at the Lease while this replica does not want it.
const IDLE_PERIOD: Duration = Duration::from_secs(5);

/// Takes, renews and releases the Lease; never ends.
///
/// With `--rebalance=always`, a replica holds the Lease as long as it runs. Otherwise it holds the Lease from
/// the beginning of a change until the users are checked. If it ends in between, the Lease expires, and
/// another replica completes the work.
pub(crate) async fn follow_lease(backend: &Backend, rebalancer: &Arc<Rebalancer>) {
    let Backend { client, leadership, turns, locust, .. } = backend;
    if !leadership.has_lease() || locust.rebalance == RebalancePolicy::Never {
        return std::future::pending().await;
    }
    loop {
        let is_wanted = locust.rebalance == RebalancePolicy::Always || turns.has_unchecked();
        if is_wanted {
            leadership.acquire(client).await;
            tokio::time::sleep(PERIOD).await;
            continue;
        }
        leadership.release(client).await;
        let ended = leadership.ended_holder(client).await;
        if ended.is_some() {
            // Without the right to write the Lease, or if another replica is faster, there is nothing to take
            // over.
            leadership.acquire(client).await;
        }
        match ended.filter(|_| leadership.is_leader()) {
            Some(holder) => {
                log(&format!(
                    "the replica {} has ended before it could check the users: this replica takes over",
                    holder.identity
                ));
                let (unchecked, rebalancer) = (turns.mark_unchecked(), Arc::clone(rebalancer));
                tokio::spawn(async move { rebalancer.take_over(unchecked).await });
            }
            None => drop(timeout(IDLE_PERIOD, turns.unchecked()).await),
        }
    }
}

//! Carrying out several orders at the same time.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt};

use super::record::record;
use super::{Order, Progress, ScaleError, Scaled, Target, scale};
use crate::cluster::api::{Client, MAX_CONCURRENT_REQUESTS};

/// Carries out all orders, at most [`MAX_CONCURRENT_REQUESTS`] at the same time. `report` receives the
/// index and the outcome of each order as soon as it has one. Orders for the same object run one after
/// another, because each would make the other's PATCH fail.
pub async fn scale_all(
    client: &Client,
    orders: &[Order],
    progress: &Progress,
    mut report: impl FnMut(usize, Result<Scaled, ScaleError>),
) {
    let in_order = |chain: Vec<usize>| {
        let one = move |index| async move {
            (index, scale_one(client, &orders[index], progress, index).await)
        };
        Box::pin(stream::iter(chain).then(one))
    };
    let mut outcomes =
        stream::iter(chains(orders)).map(in_order).flatten_unordered(MAX_CONCURRENT_REQUESTS);
    while let Some((index, outcome)) = outcomes.next().await {
        report(index, outcome);
    }
}

/// Carries out one order and records its command if `--record` asks for it. `index` is the order's
/// index in `progress`.
///
/// # Errors
/// [`ScaleError`]
pub async fn scale_one(
    client: &Client,
    order: &Order,
    progress: &Progress,
    index: usize,
) -> Result<Scaled, ScaleError> {
    let scaled = scale(client, order, progress, index).await?;
    record(client, order).await;
    Ok(scaled)
}

/// The indices of the orders, grouped by target. The order of the indices stays.
fn chains(orders: &[Order]) -> Vec<Vec<usize>> {
    let mut chain_of: HashMap<&Target, usize> = HashMap::with_capacity(orders.len());
    let mut chains: Vec<Vec<usize>> = Vec::with_capacity(orders.len());
    for (index, order) in orders.iter().enumerate() {
        match chain_of.get(&order.target) {
            Some(chain) => chains[*chain].push(index),
            None => {
                chain_of.insert(&order.target, chains.len());
                chains.push(vec![index]);
            }
        }
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::NewCount;

    #[test]
    fn orders_for_the_same_target_run_one_after_another() {
        let order = |name: &&str| Order::new(Target::for_test(name), NewCount::By(1));
        let orders: Vec<_> = ["a", "b", "a", "c", "a"].iter().map(order).collect();
        assert_eq!(chains(&orders), [vec![0, 2, 4], vec![1], vec![3]]);
    }
}

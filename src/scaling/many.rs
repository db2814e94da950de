//! Many orders at once.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt};

use super::record::record;
use super::{Order, Progress, ScaleError, Scaled, Target, scale};
use crate::cluster::api::{Client, MAX_CONCURRENT_REQUESTS};

/// Carries out all orders, as many at once as the server bears, and reports each as soon as its
/// outcome is known, with its index. Orders for the same object are carried out one after another:
/// otherwise they would only disturb each other.
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

/// Carries out one order, and notes its command where that is wanted. `index` is its place in
/// `progress`.
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

/// The orders' indices, those for the same object together; otherwise in their order.
fn chains(orders: &[Order]) -> Vec<Vec<usize>> {
    let mut place: HashMap<&Target, usize> = HashMap::with_capacity(orders.len());
    let mut chains: Vec<Vec<usize>> = Vec::with_capacity(orders.len());
    for (index, order) in orders.iter().enumerate() {
        match place.get(&order.target) {
            Some(place) => chains[*place].push(index),
            None => {
                place.insert(&order.target, chains.len());
                chains.push(vec![index]);
            }
        }
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::{Condition, DryRun, NewCount, ObjectSource};

    #[test]
    fn what_is_named_twice_is_scaled_one_after_the_other() {
        let order = |name: &&str| Order {
            target: Target::for_test(name),
            new: NewCount::By(1),
            condition: Condition::default(),
            dry_run: DryRun::None,
            object: ObjectSource::None,
            listed: None,
            limits: None,
            change_cause: None,
        };
        let orders: Vec<_> = ["a", "b", "a", "c", "a"].iter().map(order).collect();
        assert_eq!(chains(&orders), [vec![0, 2, 4], vec![1], vec![3]]);
    }
}

//! The pods of the workers that a scale changes.

use futures_util::future::join_all;

use crate::cluster::api::{Client, Error};
use crate::locust::{Steps, Test, WorkerPods, may_hold_workers};
use crate::scaling::{NewCount, Order, OwnPods, Target, counts_of, pods_of};
use crate::text::quantity;
use crate::text::terminal::{harmless, say};

/// The pods of an order's target before the change.
#[derive(Debug)]
pub(super) enum TargetPods {
    /// The replicas, and the pods of the workers. A target that cannot have workers has none.
    Known(OwnPods),
    /// The target does not exist. The scale itself reports it.
    Missing,
    /// The pods cannot be listed, so they may hold workers.
    Unlisted {
        /// The reason.
        why: String,
        /// `spec.replicas` of the target; `None` if it cannot be read either.
        replicas: Option<i64>,
    },
}

impl TargetPods {
    async fn read(client: &Client, target: &Target) -> Self {
        if !may_hold_workers(target) {
            return Self::Known(OwnPods::default());
        }
        match pods_of(client, target).await {
            Ok(own) => Self::Known(own),
            Err(error) if is_missing(&error) => Self::Missing,
            Err(error) => match counts_of(client, target).await {
                Ok(counts) => {
                    let replicas = Some(i64::from(counts.replicas));
                    Self::Unlisted { why: error.to_string(), replicas }
                }
                Err(_) => Self::Unlisted { why: error.to_string(), replicas: None },
            },
        }
    }

    pub(super) fn known(&self) -> Option<&OwnPods> {
        match self {
            Self::Known(own) => Some(own),
            Self::Missing | Self::Unlisted { .. } => None,
        }
    }

    /// The number of replicas before the order. `None` if it is unknown, or if the order removes no
    /// pods.
    pub(super) fn replicas_to_leave(&self, order: &Order) -> Option<i64> {
        self.known().map(|own| own.replicas).filter(|_| self.max_leaving(order) > 0)
    }

    /// The largest number of pods that can leave by this order.
    pub(super) fn max_leaving(&self, order: &Order) -> i64 {
        let replicas = match self {
            Self::Known(own) => Some(own.replicas),
            Self::Missing => return 0,
            Self::Unlisted { replicas, .. } => replicas.or(order.condition.replicas),
        };
        let leaving = match (replicas, order.new) {
            (Some(replicas), _) => Steps::new(order, replicas).count(),
            (None, NewCount::By(by)) => by.saturating_neg(),
            (None, NewCount::Exactly(_)) => i64::MAX,
        };
        leaving.max(0)
    }
}

/// The largest number of pods that can leave by all orders. `pods` has those of each order's target.
pub(super) fn max_leaving(orders: &[Order], pods: &[TargetPods]) -> i64 {
    let each = orders.iter().zip(pods).map(|(order, pods)| pods.max_leaving(order));
    each.fold(0, i64::saturating_add)
}

fn is_missing(error: &Error) -> bool {
    error.status().is_some_and(|status| status.code == 404)
}

/// The pods of each order's target. If some cannot be listed, a note says why.
pub(super) async fn own_pods(client: &Client, orders: &[Order]) -> Vec<TargetPods> {
    let read = |order: &Order| {
        let target = order.target.clone();
        async move { TargetPods::read(client, &target).await }
    };
    let all = join_all(orders.iter().map(read)).await;
    let mut unlisted = all.iter().zip(orders).filter_map(|(pods, order)| match pods {
        TargetPods::Unlisted { why, .. } => Some((why, order)),
        TargetPods::Known(_) | TargetPods::Missing => None,
    });
    if let Some((why, order)) = unlisted.next() {
        say(&harmless(&format!("Note: the pods of {} cannot be listed: {why}", order.target)));
    }
    all
}

/// A target that can lose pods, and whose pods cannot be listed.
pub(super) struct UnlistedTarget<'a> {
    target: &'a Target,
    /// The reason.
    why: &'a str,
}

/// The first of these orders that can remove pods, and whose pods cannot be listed.
pub(super) fn unlisted<'a>(
    orders: &'a [Order],
    pods: &'a [TargetPods],
) -> Option<UnlistedTarget<'a>> {
    orders.iter().zip(pods).find_map(|(order, pods)| match pods {
        TargetPods::Unlisted { why, .. } if pods.max_leaving(order) > 0 => {
            Some(UnlistedTarget { target: &order.target, why })
        }
        _ => None,
    })
}

impl UnlistedTarget<'_> {
    /// The error of a change that would have to be made in steps.
    pub(super) fn refusal(&self) -> String {
        let Self { target, why } = self;
        format!(
            "nothing was changed: the pods of {target} cannot be listed ({why}), so locustctl cannot remove \
             one pod after another. The master of this release of Locust can stop working when several \
             workers leave a running test at once. Try again, or remove all pods at once with --at-once"
        )
    }

    /// The warning on what the test loses.
    pub(super) fn loss(&self, test: Test<'_>) -> String {
        let target = self.target;
        let (users, workers) = (quantity(test.users, "user"), quantity(test.workers, "worker"));
        format!(
            "a test is running with {users} on {workers}; locustctl cannot tell how many \
             workers will leave, because the pods of {target} cannot be listed"
        )
    }
}

/// The pods of all targets; `None` if those of one target are unknown.
pub(super) fn worker_pods(targets: &[TargetPods]) -> Option<WorkerPods> {
    let own: Option<Vec<_>> = targets.iter().map(TargetPods::known).collect();
    Some(WorkerPods::new(own?.into_iter().flat_map(|own| &own.pods)))
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

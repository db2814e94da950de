//! Follows the targets until each wait is decided. There are three ways: one watch for all targets of
//! a collection, one watch for each target, or polling each target. The first way that the server
//! allows is taken.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::{FutureExt, LocalBoxFuture, join_all};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::error::WaitError;
use super::readiness::{WorkloadKind, readiness_of_scale};
use super::request::Wait;
use super::tracker::Tracker;
use crate::cluster::api::{Client, Error, Status, WatchEvent, WatchTarget};
use crate::scaling::read_workload::{counts_of, workload_of};
use crate::scaling::workload::Workload;

/// Maximum number of watches on one connection. Further targets are polled.
const MAX_WATCHES: usize = 32;

/// The time between two polls of a target, as in kubectl.
const PERIOD: Duration = Duration::from_secs(1);

/// Many targets are polled less often, so that there are at most 50 requests in a second.
const PERIOD_PER_TARGET: Duration = Duration::from_millis(20);

/// Follows all targets until each wait is decided.
pub(super) async fn until_ready(client: &Client, tracker: &Tracker<'_>, count: usize) {
    let follower = Follower { client, tracker, count };
    let mut collections: HashMap<_, Vec<usize>> = HashMap::new();
    let mut scales = Vec::new();
    for index in 0..count {
        let target = &tracker.wait(index).target;
        match WorkloadKind::of(&target.resource) {
            Some(_) => {
                let collection = (&target.resource, &target.namespace);
                collections.entry(collection).or_default().push(index);
            }
            None => scales.push(index),
        }
    }
    let watched = collections.into_values().enumerate().map(|(number, members)| {
        let follower = &follower;
        async move {
            match number < MAX_WATCHES {
                true => follower.collection(members).await,
                false => follower.poll_all(&members).await,
            }
        }
        .boxed_local()
    });
    let polled = scales.into_iter().map(|index| follower.poll(index).boxed_local());
    let all: Vec<LocalBoxFuture<'_, ()>> = watched.chain(polled).collect();
    join_all(all).await;
}

/// Waits as kubectl does: reads the scale of each target immediately and then every second, until
/// spec and status have the new count. Unlike in kubectl, it fails if another client scales the
/// target.
pub(super) async fn until_synced(client: &Client, tracker: &Tracker<'_>, count: usize) {
    let follower = Follower { client, tracker, count };
    let follower = &follower;
    let each = (0..count).map(|index| async move {
        let wait = tracker.wait(index);
        let mut ticks = follower.ticks();
        while tracker.is_pending(index) {
            ticks.tick().await;
            match counts_of(client, &wait.target).await {
                Ok(scale) => {
                    let now = readiness_of_scale(&scale, wait.requested);
                    tracker.update_from_scale(index, now, scale.selector);
                }
                Err(error) => tracker.end(index, Err(WaitError::Api(error))),
            }
        }
    });
    join_all(each).await;
}

/// Reads each target that is still undecided. The last event of a watch may be old, if a proxy holds
/// the events back.
pub(super) async fn once_more(client: &Client, tracker: &Tracker<'_>, count: usize) {
    let follower = Follower { client, tracker, count };
    let all: Vec<_> = (0..count).collect();
    let pending = tracker.pending(&all).into_iter();
    join_all(pending.map(|index| follower.look_once_more(index))).await;
}

struct Follower<'a, 'b> {
    client: &'a Client,
    tracker: &'a Tracker<'b>,
    count: usize,
}

impl Follower<'_, '_> {
    /// Follows targets of one type and namespace.
    async fn collection(&self, members: Vec<usize>) {
        let Err(error) = self.watch(&members).await else { return };
        let pending = self.tracker.pending(&members);
        if error.status().is_none() {
            pending.iter().for_each(|index| self.tracker.unknown(*index, error.clone()));
        } else if members.len() > 1 && pending.len() <= MAX_WATCHES {
            // A Role may allow single objects by their names.
            join_all(pending.into_iter().map(|index| self.follow_one(index))).await;
        } else if let Some(first) = pending.first() {
            self.note(*first, &error);
            self.poll_all(&pending).await;
        }
    }

    async fn follow_one(&self, index: usize) {
        match self.watch(&[index]).await {
            Ok(()) => {}
            Err(error) if error.status().is_some() => {
                self.note(index, &error);
                self.poll(index).await;
            }
            Err(error) => self.tracker.unknown(index, error),
        }
    }

    fn note(&self, index: usize, error: &Error) {
        let resource = self.tracker.wait(index).target.resource.plural_with_group();
        self.tracker.note(format!(
            "Note: {resource} cannot be watched, so locustctl reads them every second: {error}"
        ));
    }

    /// Watches targets of one type and namespace until all their waits are decided.
    async fn watch(&self, members: &[usize]) -> Result<(), Error> {
        let first = &self.tracker.wait(members[0]).target;
        let Some(kind) = WorkloadKind::of(&first.resource) else { return Ok(()) };
        let indices: HashMap<&str, usize> = members
            .iter()
            .map(|index| (self.tracker.wait(*index).target.name.as_str(), *index))
            .collect();
        let mut watch = self.client.watch::<Workload>(WatchTarget {
            resource: &first.resource,
            namespace: &first.namespace,
            name: (members.len() == 1).then_some(&first.name),
            labels: None,
        });
        let index_of = |object: &Workload| indices.get(object.metadata.name.as_str()).copied();
        let update = |object: &Workload| {
            if let Some(index) = index_of(object) {
                self.tracker.update(index, kind, object);
            }
        };
        while !self.tracker.pending(members).is_empty() {
            match watch.next().await? {
                WatchEvent::Present(objects) => {
                    objects.iter().for_each(update);
                    let present: Vec<_> = objects.iter().filter_map(index_of).collect();
                    let missing = members.iter().filter(|index| !present.contains(index));
                    missing.for_each(|index| self.tracker.deleted(*index));
                }
                WatchEvent::Changed(object) => update(&object),
                WatchEvent::Deleted(object) => {
                    if let Some(index) = index_of(&object) {
                        self.tracker.deleted(index);
                    }
                }
                WatchEvent::Interrupted(error) => {
                    for index in self.tracker.pending(members) {
                        self.tracker.set_read_error(index, Some(error.clone()));
                    }
                }
                WatchEvent::Resumed => {
                    members.iter().for_each(|index| self.tracker.set_read_error(*index, None));
                }
            }
        }
        Ok(())
    }

    async fn poll_all(&self, members: &[usize]) {
        join_all(members.iter().map(|index| self.poll(*index))).await;
    }

    /// Polls a target until its wait is decided.
    async fn poll(&self, index: usize) {
        let mut ticks = self.ticks();
        while self.tracker.is_pending(index) {
            ticks.tick().await;
            if let Err(error) = self.look(index).await {
                self.failed(index, error);
            }
        }
    }

    /// Reads the object, or the scale if the type is not built in.
    async fn look(&self, index: usize) -> Result<(), Error> {
        let Wait { target, requested } = self.tracker.wait(index);
        let Some(kind) = WorkloadKind::of(&target.resource) else {
            let scale = counts_of(self.client, target).await?;
            let now = readiness_of_scale(&scale, *requested);
            self.tracker.update_from_scale(index, now, scale.selector);
            return Ok(());
        };
        self.tracker.update(index, kind, &workload_of(self.client, target).await?);
        Ok(())
    }

    /// Reads a target for the last time. Ignores an error if the server refuses to return the single
    /// object.
    async fn look_once_more(&self, index: usize) {
        match self.look(index).await {
            Err(error) if is_missing(&error) => self.tracker.deleted(index),
            Err(error) if error.is_transient() => self.tracker.set_read_error(index, Some(error)),
            Ok(()) | Err(_) => {}
        }
    }

    fn failed(&self, index: usize, error: Error) {
        if is_missing(&error) {
            self.tracker.deleted(index);
        } else if error.is_transient() {
            self.tracker.set_read_error(index, Some(error));
        } else {
            self.tracker.unknown(index, error);
        }
    }

    fn ticks(&self) -> Interval {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        let mut ticks = interval(PERIOD.max(PERIOD_PER_TARGET.saturating_mul(count)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }
}

fn is_missing(error: &Error) -> bool {
    error.status().is_some_and(Status::is_not_found)
}

//! Looking at targets until all is decided: by one watch for all of a collection where that is
//! allowed, else by one for each, else by asking again and again.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::{FutureExt, LocalBoxFuture, join_all};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::error::WaitError;
use super::readiness::{WorkloadKind, readiness_of_scale};
use super::request::Wait;
use super::tracker::Tracker;
use crate::cluster::api::{Client, Error, Status, WatchEvent, WatchTarget};
use crate::scaling::workload::{Workload, workload_of};

/// On one connection; more than that are asked about instead.
const MOST_WATCHES: usize = 32;

/// kubectl's.
const PERIOD: Duration = Duration::from_secs(1);

/// Many targets are asked about less often, so that there are never more than 50 requests a second.
const PERIOD_OF_EACH: Duration = Duration::from_millis(20);

/// Looks at all waits until each is decided.
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
    let watched = collections.into_values().enumerate().map(|(place, members)| {
        let follower = &follower;
        async move {
            match place < MOST_WATCHES {
                true => follower.collection(members).await,
                false => follower.ask_for_all(&members).await,
            }
        }
        .boxed_local()
    });
    let asked = scales.into_iter().map(|index| follower.ask(index).boxed_local());
    let all: Vec<LocalBoxFuture<'_, ()>> = watched.chain(asked).collect();
    join_all(all).await;
}

/// kubectl's own wait: the scale of each, at once and then every second, until both its counts are
/// the new one. Here it fails when somebody else scales meanwhile.
pub(super) async fn until_synced(client: &Client, tracker: &Tracker<'_>, count: usize) {
    let follower = Follower { client, tracker, count };
    let follower = &follower;
    let each = (0..count).map(|index| async move {
        let wait = tracker.wait(index);
        let mut ticks = follower.ticks();
        while tracker.is_pending(index) {
            ticks.tick().await;
            match client.get_scale(&wait.target.path(), &wait.target.about("get")).await {
                Ok(scale) => {
                    let now = readiness_of_scale(&scale, wait.wanted);
                    tracker.seen_scale(index, now, scale.selector);
                }
                Err(error) => tracker.end(index, Err(WaitError::Api(error))),
            }
        }
    });
    join_all(each).await;
}

/// One look at each that is still undecided: what a watch has told may be old, when something on
/// the way holds it back.
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
    /// Targets of one type and namespace.
    async fn collection(&self, members: Vec<usize>) {
        let Err(error) = self.watch(&members).await else { return };
        let pending = self.tracker.pending(&members);
        if error.status().is_none() {
            pending.iter().for_each(|index| self.tracker.unknown(*index, error.clone()));
        } else if members.len() > 1 && pending.len() <= MOST_WATCHES {
            // A Role may allow to look at some objects by their names.
            join_all(pending.into_iter().map(|index| self.alone(index))).await;
        } else if let Some(first) = pending.first() {
            self.note(*first, &error);
            self.ask_for_all(&pending).await;
        }
    }

    async fn alone(&self, index: usize) {
        match self.watch(&[index]).await {
            Ok(()) => {}
            Err(error) if error.status().is_some() => {
                self.note(index, &error);
                self.ask(index).await;
            }
            Err(error) => self.tracker.unknown(index, error),
        }
    }

    fn note(&self, index: usize, error: &Error) {
        let resource = self.tracker.wait(index).target.resource.plural_with_group();
        self.tracker.note(format!(
            "Note: {resource} cannot be watched, so they are asked about every second: {error}"
        ));
    }

    /// Until all of them are decided.
    async fn watch(&self, members: &[usize]) -> Result<(), Error> {
        let first = &self.tracker.wait(members[0]).target;
        let Some(kind) = WorkloadKind::of(&first.resource) else { return Ok(()) };
        let places: HashMap<&str, usize> = members
            .iter()
            .map(|index| (self.tracker.wait(*index).target.name.as_str(), *index))
            .collect();
        let mut watch = self.client.watch::<Workload>(WatchTarget {
            resource: &first.resource,
            namespace: &first.namespace,
            name: (members.len() == 1).then_some(&first.name),
            labels: None,
        });
        let place = |object: &Workload| places.get(object.metadata.name.as_str()).copied();
        let see = |object: &Workload| {
            if let Some(index) = place(object) {
                self.tracker.seen(index, kind, object);
            }
        };
        while !self.tracker.pending(members).is_empty() {
            match watch.next().await? {
                WatchEvent::Present(objects) => {
                    objects.iter().for_each(see);
                    let present: Vec<_> = objects.iter().filter_map(place).collect();
                    let missing = members.iter().filter(|index| !present.contains(index));
                    missing.for_each(|index| self.tracker.deleted(*index));
                }
                WatchEvent::Changed(object) => see(&object),
                WatchEvent::Deleted(object) => {
                    if let Some(index) = place(&object) {
                        self.tracker.deleted(index);
                    }
                }
                WatchEvent::Interrupted(error) => {
                    for index in self.tracker.pending(members) {
                        self.tracker.disturbed(index, Some(error.clone()));
                    }
                }
                WatchEvent::Resumed => {
                    members.iter().for_each(|index| self.tracker.disturbed(*index, None));
                }
            }
        }
        Ok(())
    }

    async fn ask_for_all(&self, members: &[usize]) {
        join_all(members.iter().map(|index| self.ask(*index))).await;
    }

    /// Looks at it again and again.
    async fn ask(&self, index: usize) {
        let mut ticks = self.ticks();
        while self.tracker.is_pending(index) {
            ticks.tick().await;
            if let Err(error) = self.look(index).await {
                self.failed(index, error);
            }
        }
    }

    /// Reads the object; of types that are not built in the scale, which is all that is known.
    async fn look(&self, index: usize) -> Result<(), Error> {
        let Wait { target, wanted } = self.tracker.wait(index);
        let Some(kind) = WorkloadKind::of(&target.resource) else {
            let scale = self.client.get_scale(&target.path(), &target.about("get")).await?;
            let now = readiness_of_scale(&scale, *wanted);
            self.tracker.seen_scale(index, now, scale.selector);
            return Ok(());
        };
        self.tracker.seen(index, kind, &workload_of(self.client, target).await?);
        Ok(())
    }

    /// The last look at one that is still undecided. That it may not be read alone is no news.
    async fn look_once_more(&self, index: usize) {
        match self.look(index).await {
            Err(error) if is_missing(&error) => self.tracker.deleted(index),
            Err(error) if error.is_transient() => self.tracker.disturbed(index, Some(error)),
            Ok(()) | Err(_) => {}
        }
    }

    fn failed(&self, index: usize, error: Error) {
        if is_missing(&error) {
            self.tracker.deleted(index);
        } else if error.is_transient() {
            self.tracker.disturbed(index, Some(error));
        } else {
            self.tracker.unknown(index, error);
        }
    }

    fn ticks(&self) -> Interval {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        let mut ticks = interval(PERIOD.max(PERIOD_OF_EACH.saturating_mul(count)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }
}

fn is_missing(error: &Error) -> bool {
    error.status().is_some_and(Status::is_not_found)
}

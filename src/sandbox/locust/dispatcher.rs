//! Locust's dispatcher. It distributes the users over the workers.
//!
//! This is `locust/dispatch.py` for one user class. A dispatch that only rebalances leaves the flag
//! `dispatch_in_progress` set. The master then ignores every change of the workers, until the flag
//! is cleared by a dispatch that has nothing to rebalance or that changes the number of users.

use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Dispatcher {
    workers: Vec<String>,
    users: u64,
    is_rebalance_due: bool,
    is_in_progress: bool,
}

impl Dispatcher {
    pub(super) fn new(workers: impl Iterator<Item = String>) -> Self {
        Self {
            workers: workers.collect(),
            users: 0,
            is_rebalance_due: false,
            is_in_progress: false,
        }
    }

    /// While this is true, the master starts no dispatch without a request.
    pub(super) fn is_in_progress(&self) -> bool {
        self.is_in_progress
    }

    pub(super) fn add(&mut self, id: &str) {
        self.workers.push(id.to_owned());
        self.is_rebalance_due = true;
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.workers.retain(|worker| worker != id);
        self.is_rebalance_due |= !self.workers.is_empty();
    }

    /// Distributes this number of users. Returns the users of each worker.
    pub(super) fn dispatch(&mut self, users: u64) -> HashMap<&str, u64> {
        self.is_in_progress = self.is_rebalance_due && self.users == users;
        self.is_rebalance_due = false;
        self.users = users;
        self.sort();
        let count = self.workers.len().max(1) as u64;
        let share = |place: u64| users / count + u64::from(place < users % count);
        (0..).zip(&self.workers).map(|(place, id)| (id.as_str(), share(place))).collect()
    }

    /// Sorts the workers: the first of each host, then the second of each host, and so on.
    fn sort(&mut self) {
        self.workers.sort_unstable();
        let mut hosts: HashMap<String, usize> = HashMap::new();
        self.workers.sort_by_cached_key(|id| {
            let workers_of_host =
                hosts.entry(id.split('_').next().unwrap_or(id).to_owned()).or_default();
            *workers_of_host += 1;
            (*workers_of_host, id.clone())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(all: &[&str]) -> Dispatcher {
        Dispatcher::new(all.iter().map(|id| (*id).to_owned()))
    }

    #[test]
    fn every_host_gets_users_before_any_gets_a_second_share() {
        let mut dispatcher = ids(&["a_2", "b_1", "a_1"]);
        assert_eq!(dispatcher.dispatch(4)["a_1"], 2);
        assert_eq!(dispatcher.workers, ["a_1", "b_1", "a_2"]);
    }

    /// Measured with 2.47.0 and 2.46.4, in this order.
    #[test]
    fn a_dispatch_that_only_rebalances_stays_in_progress() {
        let mut dispatcher = ids(&["a_1", "b_1", "c_1", "d_1"]);
        for (leaves, users, is_in_progress) in [
            (None, 60, false),
            (Some("a_1"), 60, true),
            (None, 60, false),
            (Some("b_1"), 60, true),
            (Some("c_1"), 80, false),
        ] {
            leaves.into_iter().for_each(|id| dispatcher.remove(id));
            dispatcher.dispatch(users);
            assert_eq!(dispatcher.is_in_progress(), is_in_progress, "{leaves:?} {users}");
        }
    }
}

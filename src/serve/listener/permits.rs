//! Limits on open connections, in total and per client network. If a limit is reached, a connection without an
//! open request makes room.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::super::caller::client_network;
use super::super::log::log;
use super::activity::Activity;

/// Minimum time between two log lines about a reached limit.
const LOG_PERIOD: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(super) struct Permits(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    most: usize,
    most_per_network: usize,
    /// The open connections, the oldest first.
    open: BTreeMap<u64, Open>,
    /// The number of the next connection.
    next: u64,
    by_network: HashMap<IpAddr, usize>,
    logged: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    network: IpAddr,
    activity: Activity,
}

/// The permit of one open connection. Dropping it releases it.
#[derive(Debug)]
pub(super) struct Permit {
    permits: Permits,
    number: u64,
}

impl Permits {
    pub(super) fn new(most: usize, most_per_network: usize) -> Self {
        let by_network = HashMap::new();
        Self(Arc::new(Mutex::new(Counts {
            most,
            most_per_network,
            open: BTreeMap::new(),
            next: 0,
            by_network,
            logged: None,
        })))
    }

    /// Takes a permit for a connection from this address. If a limit is reached, the oldest connection on
    /// which nothing was asked is evicted, or else the one that has been idle for the longest time. `None` if
    /// every connection has an open request.
    pub(super) fn acquire(&self, address: IpAddr, activity: &Activity) -> Option<Permit> {
        let mut state = self.lock();
        let network = client_network(address);
        let of_network = state.of_network(network);
        let evicted = if of_network >= state.most_per_network {
            Some(state.longest_idle(|open| open.network == network))
        } else if state.open.len() >= state.most {
            Some(state.longest_idle(|_| true))
        } else {
            None
        };
        if let Some(evicted) = evicted {
            state.log_limit(network, of_network, evicted.is_some());
            let evicted = state.remove(evicted?)?;
            evicted.activity.evict();
        }
        let number = state.next;
        state.next += 1;
        state.open.insert(number, Open { network, activity: activity.clone() });
        *state.by_network.entry(network).or_default() += 1;
        Some(Permit { permits: self.clone(), number })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock()
    }
}

impl Counts {
    fn of_network(&self, network: IpAddr) -> usize {
        self.by_network.get(&network).copied().unwrap_or_default()
    }

    fn longest_idle(&self, is_candidate: impl Fn(&Open) -> bool) -> Option<u64> {
        let candidates = self.open.iter().filter(|(_, open)| is_candidate(open));
        let idle = candidates
            .filter_map(|(number, open)| Some((open.activity.idleness()?, *number)))
            .min();
        idle.map(|(_, number)| number)
    }

    fn remove(&mut self, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        if let Some(count) = self.by_network.get_mut(&open.network) {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&open.network);
            }
        }
        Some(open)
    }

    fn log_limit(&mut self, network: IpAddr, of_network: usize, has_idle: bool) {
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_PERIOD) {
            self.logged = Some(Instant::now());
            let count = self.open.len();
            let what = match has_idle {
                true => "the oldest connections without an open request are closed",
                false => "new ones are refused",
            };
            log(&format!(
                "too many connections: {count} are open, {of_network} of them from {network}; {what}"
            ));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // An evicted connection was removed already.
        self.permits.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// A connection with an open request. It cannot be evicted.
    fn asked() -> Activity {
        let activity = Activity::new();
        std::mem::forget(activity.begin());
        activity
    }

    #[test]
    fn the_total_and_each_address_are_limited_and_a_dropped_permit_is_free_again() {
        let permits = Permits::new(3, 2);
        let acquire = |address| permits.acquire(address, &asked());
        let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
        let first = acquire(one).unwrap();
        let _second = acquire(one).unwrap();
        assert!(acquire(one).is_none(), "a third connection from one address");
        let _third = acquire(other).unwrap();
        assert!(acquire(other).is_none(), "a fourth connection in total");
        drop(first);
        assert!(acquire(one).is_some());
    }

    #[test]
    fn addresses_in_one_ipv6_network_share_a_limit() {
        let permits = Permits::new(9, 1);
        let acquire = |text| permits.acquire(address(text), &asked());
        let _first = acquire("2001:db8:1:2::1").unwrap();
        assert!(acquire("2001:db8:1:2:ffff::9").is_none());
        assert!(acquire("2001:db8:1:3::1").is_some());
        let _mapped = acquire("::ffff:10.0.0.1").unwrap();
        assert!(acquire("10.0.0.1").is_none());
    }

    #[tokio::test]
    async fn the_oldest_connection_on_which_nothing_was_asked_makes_room() {
        let permits = Permits::new(4, 3);
        let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
        let is_evicted = |activity: &Activity| activity.evicted().now_or_never().is_some();
        let of_other = Activity::new();
        let _other = permits.acquire(other, &of_other).unwrap();
        let (first, second) = (asked(), Activity::new());
        let _first = permits.acquire(one, &first).unwrap();
        let evicted = permits.acquire(one, &second).unwrap();
        let third = asked();
        let _third = permits.acquire(one, &third).unwrap();
        let _fourth = permits.acquire(one, &asked()).expect("room in the network");
        assert!(is_evicted(&second) && !is_evicted(&of_other) && !is_evicted(&first));
        drop(evicted);
        assert!(permits.acquire(one, &asked()).is_none(), "an evicted permit is not freed twice");
        let _fifth = permits.acquire(address("10.0.0.3"), &asked()).expect("room in total");
        assert!(is_evicted(&of_other));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_silent_connection_the_one_that_is_idle_longest_makes_room() {
        let permits = Permits::new(3, 3);
        let (one, is_evicted) = (address("10.0.0.1"), |activity: &Activity| {
            activity.evicted().now_or_never().is_some()
        });
        let (first, second, busy) = (Activity::new(), Activity::new(), asked());
        let _permits =
            [&first, &second, &busy].map(|activity| permits.acquire(one, activity).unwrap());
        // The second connection is idle for a longer time than the first one.
        for activity in [&second, &first] {
            tokio::time::advance(Duration::from_secs(1)).await;
            drop(activity.begin());
        }
        let third = Activity::new();
        let _third = permits.acquire(one, &third).unwrap();
        assert!(is_evicted(&second) && !is_evicted(&first) && !is_evicted(&busy));
        let _fourth = permits.acquire(one, &asked()).unwrap();
        assert!(is_evicted(&third) && !is_evicted(&first), "nothing was asked on the third one");
        let request = first.begin();
        assert!(permits.acquire(one, &asked()).is_none(), "every connection has an open request");
        drop(request);
        assert!(permits.acquire(one, &asked()).is_some() && is_evicted(&first));
    }
}

//! Limits on open connections, in total and per client network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::super::caller::client_network;
use super::super::log::log;

/// Minimum time between two log lines about refused connections.
const LOG_PERIOD: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(super) struct Permits(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    most: usize,
    most_per_network: usize,
    count: usize,
    by_network: HashMap<IpAddr, usize>,
    logged: Option<Instant>,
}

/// The permit of one open connection. Dropping it releases it.
#[derive(Debug)]
pub(super) struct Permit {
    permits: Permits,
    network: IpAddr,
}

impl Permits {
    pub(super) fn new(most: usize, most_per_network: usize) -> Self {
        let by_network = HashMap::new();
        Self(Arc::new(Mutex::new(Counts {
            most,
            most_per_network,
            count: 0,
            by_network,
            logged: None,
        })))
    }

    /// Takes a permit for a connection from this address; `None` if a limit is reached.
    pub(super) fn acquire(&self, address: IpAddr) -> Option<Permit> {
        let mut state = self.lock();
        let network = client_network(address);
        let of_network = state.by_network.get(&network).copied().unwrap_or_default();
        if state.count >= state.most || of_network >= state.most_per_network {
            state.log_refusal(network, of_network);
            return None;
        }
        state.count += 1;
        state.by_network.insert(network, of_network + 1);
        Some(Permit { permits: self.clone(), network })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock()
    }
}

impl Counts {
    fn log_refusal(&mut self, network: IpAddr, of_network: usize) {
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_PERIOD) {
            self.logged = Some(Instant::now());
            let count = self.count;
            log(&format!(
                "new connections are refused: {count} are open, {of_network} of them from {network}"
            ));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.permits.lock();
        state.count -= 1;
        if let Some(count) = state.by_network.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                state.by_network.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_total_and_each_address_are_limited_and_a_dropped_permit_is_free_again() {
        let permits = Permits::new(3, 2);
        let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
        let first = permits.acquire(one).unwrap();
        let _second = permits.acquire(one).unwrap();
        assert!(permits.acquire(one).is_none(), "a third connection from one address");
        let _third = permits.acquire(other).unwrap();
        assert!(permits.acquire(other).is_none(), "a fourth connection in total");
        drop(first);
        assert!(permits.acquire(one).is_some());
    }

    #[test]
    fn addresses_in_one_ipv6_network_share_a_limit() {
        let permits = Permits::new(9, 1);
        let _first = permits.acquire(address("2001:db8:1:2::1")).unwrap();
        assert!(permits.acquire(address("2001:db8:1:2:ffff::9")).is_none());
        assert!(permits.acquire(address("2001:db8:1:3::1")).is_some());
        let _mapped = permits.acquire(address("::ffff:10.0.0.1")).unwrap();
        assert!(permits.acquire(address("10.0.0.1")).is_none());
    }
}

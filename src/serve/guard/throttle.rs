//! Rate limit for wrong tokens, for each client network. Nothing waits here: a request that comes
//! too early is refused.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::super::caller::client_network;

/// Wrong tokens without a pause.
const FREE_ATTEMPTS: u32 = 5;

/// Pause after the first wrong token beyond [`FREE_ATTEMPTS`]. Each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Failures are forgotten after this time without a new one.
const MEMORY: Duration = Duration::from_secs(15 * 60);

/// Limit on remembered networks.
const MAX_NETWORKS: usize = 10_000;

/// The failures of each client network.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<IpAddr, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Throttle {
    /// The time that this address must wait before its next attempt.
    pub(super) fn pause(&self, address: IpAddr) -> Option<Duration> {
        let failures = *self.lock().get(&client_network(address))?;
        let pause = failures.pause().checked_sub(failures.last.elapsed())?;
        (!pause.is_zero()).then_some(pause)
    }

    /// Records a wrong token.
    pub(super) fn record_failure(&self, address: IpAddr) {
        let (now, network) = (Instant::now(), client_network(address));
        let mut table = self.lock();
        // A network that is not remembered could try without limit, so an old one is evicted.
        if table.len() >= MAX_NETWORKS && !table.contains_key(&network) {
            make_room(&mut table);
        }
        let failures = table.entry(network).or_insert(Failures { count: 0, last: now });
        if failures.last.elapsed() >= MEMORY {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
    }

    /// Forgets the failures after a valid token.
    pub(super) fn reset(&self, address: IpAddr) {
        self.lock().remove(&client_network(address));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.0.lock()
    }
}

/// Evicts the oldest tenth. Evicting only one would need a search for every new network.
fn make_room(table: &mut HashMap<IpAddr, Failures>) {
    let mut times: Vec<_> = table.values().map(|failures| failures.last).collect();
    let (_, limit, _) = times.select_nth_unstable(MAX_NETWORKS / 10);
    table.retain(|_, failures| failures.last > *limit);
}

impl Failures {
    fn pause(self) -> Duration {
        match self.count.checked_sub(FREE_ATTEMPTS) {
            None | Some(0) => Duration::ZERO,
            Some(beyond) => (FIRST_PAUSE * 2_u32.pow((beyond - 1).min(10))).min(MAX_PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wrong_token_after_five_doubles_the_pause_up_to_a_minute() {
        let throttle = Throttle::default();
        let address = ip("10.0.0.1");
        for _ in 0..5 {
            assert_eq!(throttle.pause(address), None);
            throttle.record_failure(address);
        }
        assert_eq!(throttle.pause(address), None, "five wrong tokens cause no pause");
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            throttle.record_failure(address);
            assert_eq!(throttle.pause(address), Some(Duration::from_secs(seconds)));
            assert_eq!(throttle.pause(ip("10.0.0.2")), None, "other addresses are not affected");
            advance(Duration::from_secs(seconds)).await;
            assert_eq!(throttle.pause(address), None);
        }
        advance(MEMORY).await;
        throttle.record_failure(address);
        assert_eq!(throttle.pause(address), None, "earlier failures are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_valid_token_resets_the_count_and_a_network_counts_as_one() {
        let throttle = Throttle::default();
        for last in 0..6 {
            throttle.record_failure(ip(&format!("2001:db8::{last}")));
        }
        assert!(throttle.pause(ip("2001:db8::ffff")).is_some());
        throttle.reset(ip("2001:db8::1"));
        assert_eq!(throttle.pause(ip("2001:db8::ffff")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_networks_is_limited_and_new_ones_are_still_recorded() {
        let throttle = Throttle::default();
        let mut most = 0;
        for number in 0..=u32::try_from(MAX_NETWORKS).unwrap() {
            advance(Duration::from_millis(1)).await;
            throttle.record_failure(IpAddr::from(number.to_be_bytes()));
            most = most.max(throttle.lock().len());
        }
        assert_eq!(most, MAX_NETWORKS);
        let (oldest, latest) = (ip("0.0.0.0"), IpAddr::from((MAX_NETWORKS as u32).to_be_bytes()));
        assert!(!throttle.lock().contains_key(&oldest), "the oldest network is evicted");
        assert_eq!(throttle.lock().len(), MAX_NETWORKS - MAX_NETWORKS / 10);
        for _ in 0..5 {
            throttle.record_failure(latest);
        }
        assert!(throttle.pause(latest).is_some());
    }
}

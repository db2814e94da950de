//! Wrong tokens are slowed down, for each address alone: a wrong one from elsewhere holds up
//! nobody. Nothing waits here: whoever comes too early is sent away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::caller::network;

/// Slips of the finger that cost nothing.
const FREE: u32 = 5;

/// After the first wrong one that is not free; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// After so long without a wrong one all is forgotten.
const MEMORY: Duration = Duration::from_secs(15 * 60);

/// Addresses that are remembered.
const MOST: usize = 10_000;

/// Who was wrong, how often.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<IpAddr, Wrong>>);

#[derive(Debug, Clone, Copy)]
struct Wrong {
    count: u32,
    last: Instant,
}

impl Throttle {
    /// How long this address has to wait until it may try again.
    pub(super) fn pause(&self, address: IpAddr) -> Option<Duration> {
        let wrong = *self.lock().get(&network(address))?;
        let pause = wrong.pause().checked_sub(wrong.last.elapsed())?;
        (!pause.is_zero()).then_some(pause)
    }

    /// It was wrong.
    pub(super) fn wrong(&self, address: IpAddr) {
        let (now, address) = (Instant::now(), network(address));
        let mut table = self.lock();
        // Somebody has to be forgotten: a newcomer who is not remembered could try without end.
        if table.len() >= MOST && !table.contains_key(&address) {
            make_room(&mut table);
        }
        let wrong = table.entry(address).or_insert(Wrong { count: 0, last: now });
        if wrong.last.elapsed() >= MEMORY {
            wrong.count = 0;
        }
        *wrong = Wrong { count: wrong.count.saturating_add(1), last: now };
    }

    /// It was right: what was before is forgotten.
    pub(super) fn right(&self, address: IpAddr) {
        self.lock().remove(&network(address));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Wrong>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the tenth that was wrong longest ago: one alone would mean a search for each newcomer.
fn make_room(table: &mut HashMap<IpAddr, Wrong>) {
    let mut times: Vec<_> = table.values().map(|wrong| wrong.last).collect();
    let (_, limit, _) = times.select_nth_unstable(MOST / 10);
    table.retain(|_, wrong| wrong.last > *limit);
}

impl Wrong {
    fn pause(self) -> Duration {
        match self.count.checked_sub(FREE) {
            None | Some(0) => Duration::ZERO,
            Some(beyond) => (FIRST_PAUSE * 2_u32.pow((beyond - 1).min(10))).min(LONGEST_PAUSE),
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
            throttle.wrong(address);
        }
        assert_eq!(throttle.pause(address), None, "five are free");
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            throttle.wrong(address);
            assert_eq!(throttle.pause(address), Some(Duration::from_secs(seconds)));
            assert_eq!(throttle.pause(ip("10.0.0.2")), None, "another address");
            advance(Duration::from_secs(seconds)).await;
            assert_eq!(throttle.pause(address), None);
        }
        advance(MEMORY).await;
        throttle.wrong(address);
        assert_eq!(throttle.pause(address), None, "it was long ago");
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_one_is_a_new_beginning_and_a_network_counts_as_one() {
        let throttle = Throttle::default();
        for last in 0..6 {
            throttle.wrong(ip(&format!("2001:db8::{last}")));
        }
        assert!(throttle.pause(ip("2001:db8::ffff")).is_some());
        throttle.right(ip("2001:db8::1"));
        assert_eq!(throttle.pause(ip("2001:db8::ffff")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_fills_no_memory_and_hides_no_newcomer() {
        let throttle = Throttle::default();
        let mut most = 0;
        for number in 0..=u32::try_from(MOST).unwrap() {
            advance(Duration::from_millis(1)).await;
            throttle.wrong(IpAddr::from(number.to_be_bytes()));
            most = most.max(throttle.lock().len());
        }
        assert_eq!(most, MOST);
        let (oldest, latest) = (ip("0.0.0.0"), IpAddr::from((MOST as u32).to_be_bytes()));
        assert!(!throttle.lock().contains_key(&oldest), "who was wrong longest ago makes room");
        assert_eq!(throttle.lock().len(), MOST - MOST / 10);
        for _ in 0..5 {
            throttle.wrong(latest);
        }
        assert!(throttle.pause(latest).is_some());
    }
}

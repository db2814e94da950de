//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::caller::network;
use super::super::log::log;

/// That there is no room is said so often at most.
const SILENCE: Duration = Duration::from_secs(10);

/// Room for connections.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    most: usize,
    most_of_one: usize,
    count: usize,
    by_address: HashMap<IpAddr, usize>,
    told: Option<Instant>,
}

/// A connection's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Room,
    address: IpAddr,
}

impl Room {
    pub(super) fn new(most: usize, most_of_one: usize) -> Self {
        let by_address = HashMap::new();
        Self(Arc::new(Mutex::new(State { most, most_of_one, count: 0, by_address, told: None })))
    }

    /// A place for a connection from this address, if there is one.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let mut state = self.lock();
        let address = network(address);
        let of_one = state.by_address.get(&address).copied().unwrap_or_default();
        if state.count >= state.most || of_one >= state.most_of_one {
            state.complain(address, of_one);
            return None;
        }
        state.count += 1;
        state.by_address.insert(address, of_one + 1);
        Some(Place { room: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn complain(&mut self, address: IpAddr, of_one: usize) {
        if self.told.is_none_or(|told| told.elapsed() >= SILENCE) {
            self.told = Some(Instant::now());
            let count = self.count;
            log(&format!(
                "connections are turned away: {count} are open, {of_one} of them from {address}"
            ));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.room.lock();
        state.count -= 1;
        if let Some(count) = state.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                state.by_address.remove(&self.address);
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
    fn nobody_takes_all_the_room_and_what_is_left_is_free_again() {
        let room = Room::new(3, 2);
        let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
        let first = room.enter(one).unwrap();
        let _second = room.enter(one).unwrap();
        assert!(room.enter(one).is_none(), "a third from one address");
        let _third = room.enter(other).unwrap();
        assert!(room.enter(other).is_none(), "a fourth in all");
        drop(first);
        assert!(room.enter(one).is_some());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let room = Room::new(9, 1);
        let _first = room.enter(address("2001:db8:1:2::1")).unwrap();
        assert!(room.enter(address("2001:db8:1:2:ffff::9")).is_none());
        assert!(room.enter(address("2001:db8:1:3::1")).is_some());
        let _mapped = room.enter(address("::ffff:10.0.0.1")).unwrap();
        assert!(room.enter(address("10.0.0.1")).is_none());
    }
}

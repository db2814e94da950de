//! Ports for a Locust.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Fewer Locusts than this run at any time, with two ports each.
const CANDIDATES: u16 = 4000;

/// The number of ports that this test program has tried.
static TRIED: AtomicU16 = AtomicU16::new(0);

/// A free TCP port. Locust opens it later, and opens it again when a test restarts the master.
///
/// The kernel never gives it to another program, because it lies below the kernel's own range
/// (`ip_local_port_range`). The UDP socket of the same number keeps it from other tests.
pub struct ReservedPort {
    number: u16,
    _reservation: UdpSocket,
}

impl ReservedPort {
    pub fn new() -> Self {
        let first = first_of_the_kernel().checked_sub(CANDIDATES).expect("ports of our own");
        for _ in 0..CANDIDATES {
            let number = first + TRIED.fetch_add(1, Ordering::Relaxed) % CANDIDATES;
            let Ok(reservation) = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)) else { continue };
            if TcpListener::bind((Ipv4Addr::UNSPECIFIED, number)).is_ok() {
                return Self { number, _reservation: reservation };
            }
        }
        panic!("all {CANDIDATES} ports from {first} are in use");
    }

    pub fn number(&self) -> u16 {
        self.number
    }
}

/// The lowest port that the kernel gives to programs that ask for any port.
fn first_of_the_kernel() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    range.split_whitespace().next().unwrap().parse().unwrap()
}

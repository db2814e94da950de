//! Who sent a request: put into each request's extensions before a route sees it.

use std::net::{IpAddr, SocketAddr};

/// The other end of the connection, as the listener saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its address; a proxy's, where one stands in front.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
}

/// Who is asking, once the guard has let them through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For the history and the audit line; made harmless to show, at most 128 characters.
    pub name: String,
    /// Where from: the peer's address, or what a trusted proxy says of it.
    pub from: IpAddr,
    /// How it was proved.
    pub proof: Proof,
}

/// How a caller has proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nobody asked: on loopback, or by `--auth none`.
    NotAsked,
    /// `Authorization: Bearer`, as programs do.
    Bearer,
    /// The cookie of somebody who logged in.
    Session,
    /// The header of a trusted proxy.
    Proxy,
    /// A cookie that Locust lets in.
    Locust,
}

/// What counts as one client where clients are counted: an address, and of IPv6 a /64, which one
/// customer of a provider has wholly.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

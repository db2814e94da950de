//! The sender of a request. Routes find it in the request's extensions.

use std::net::{IpAddr, SocketAddr};

use ipnet::Ipv6Net;

/// The other end of the connection, as the listener saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address of the client, or of a proxy in front of the server.
    pub address: SocketAddr,
    /// True if the connection uses TLS.
    pub is_tls: bool,
}

/// The caller of a request that the guard has admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name for the history and the audit log. It is safe to show and has at most 128 characters.
    pub name: String,
    /// The address of the client, as the peer or a trusted proxy tells.
    pub from: IpAddr,
    pub proof: Proof,
}

/// How a caller was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Not at all: on loopback, or with `--auth none`.
    NotRequired,
    /// By the token in `Authorization: Bearer`.
    Bearer,
    /// By the session cookie.
    Session,
    /// By the header of a trusted proxy.
    Proxy,
    /// By a cookie that Locust accepts.
    Locust,
}

/// The network that limits per client apply to: the address itself, or the /64 of an IPv6 address.
/// A provider gives one customer a whole /64.
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).network().into(),
        address => address,
    }
}

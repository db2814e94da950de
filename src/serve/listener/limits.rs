//! Limits on the number of connections, and on slow clients.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Open connections from one address. A proxy needs many, but no address may take all of them.
    pub per_address: usize,
    /// Time limit for the TLS handshake.
    pub handshake: Duration,
    /// Time limit for the head of a request. On HTTP/1 it is also the time limit until the next
    /// request of the same connection.
    pub head: Duration,
    /// Idle timeout of an HTTP/2 connection. Browsers keep such a connection open on purpose.
    pub idle: Duration,
    /// Time limit for the body of a request.
    pub body: Duration,
    /// Time limit for a client that reads nothing of an answer.
    pub stalled: Duration,
    /// Time limit for the client's part in closing a connection.
    pub close: Duration,
    /// Time limit for running answers when the server stops.
    pub shutdown: Duration,
}

pub(super) const LIMITS: Limits = Limits {
    connections: 1024,
    per_address: 900,
    handshake: Duration::from_secs(10),
    head: Duration::from_secs(10),
    idle: Duration::from_secs(60),
    body: Duration::from_secs(30),
    stalled: Duration::from_secs(30),
    close: Duration::from_secs(1),
    shutdown: Duration::from_secs(10),
};

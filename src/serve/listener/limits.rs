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
    /// Drain at most this much of an unread body, in bytes.
    pub drained: usize,
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
    // The largest body that is read: one that is relayed to Locust.
    drained: 1024 * 1024,
    stalled: Duration::from_secs(30),
    close: Duration::from_secs(1),
    shutdown: Duration::from_secs(10),
};

/// File descriptors for everything except clients: the cluster, Locust, files and the runtime.
const RESERVED: u64 = 64;

/// Connections that are accepted whatever the limit on file descriptors is.
const MIN_CONNECTIONS: usize = 8;

impl Limits {
    /// Leaves room for `descriptors` open files, if known. Each connection needs `per_connection` of them.
    pub(super) fn within(self, descriptors: Option<u64>, per_connection: u64) -> Self {
        let Some(descriptors) = descriptors else { return self };
        let room = descriptors.saturating_sub(RESERVED) / per_connection.max(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX).max(MIN_CONNECTIONS);
        if room >= self.connections {
            return self;
        }
        Self { connections: room, per_address: self.per_address.min(room - room / 8), ..self }
    }
}

/// The soft limit on open files, which `ulimit -n` shows; `None` if there is none.
#[cfg(unix)]
pub(super) fn max_descriptors() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
pub(super) fn max_descriptors() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_for_connections_fits_the_limit_on_open_files() {
        for (descriptors, per_connection, expected) in [
            (None, 1, (1024, 900)),
            (Some(1_048_576), 2, (1024, 900)),
            (Some(1024), 1, (960, 840)),
            (Some(1024), 2, (480, 420)),
            (Some(128), 1, (64, 56)),
            (Some(20), 1, (8, 7)),
        ] {
            let limits = LIMITS.within(descriptors, per_connection);
            assert_eq!((limits.connections, limits.per_address), expected, "{descriptors:?}");
        }
    }
}

//! Counts the connections that were opened, and measures how long opening took.
//!
//! A PATCH without a connection was certainly not applied. If the request's time limit ends during the
//! connect, the HTTP library reports just a timeout. This count shows that nothing was sent.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// Counts the connections of one client. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<ConnectionStats>>);

/// The number of connections that were opened, and the time of the last one (TCP and TLS).
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectionStats {
    /// The number since the client was created.
    pub count: usize,
    /// The time that opening the last one took.
    pub took: Duration,
}

impl Connections {
    /// The current numbers.
    pub fn stats(&self) -> ConnectionStats {
        *self.0.lock()
    }

    pub(super) fn add(&self, took: Duration) {
        let mut stats = self.0.lock();
        *stats = ConnectionStats { count: stats.count + 1, took };
    }
}

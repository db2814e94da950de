//! The limit on concurrent requests to one server.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Enough to hide the latency of the network, and far below a server's limit for one client.
pub const MAX_CONCURRENT_REQUESTS: usize = 32;

/// Limits the concurrent requests.
///
/// The first request runs alone. Until its reply we do not know whether the server speaks HTTP/2.
/// Without HTTP/2, each concurrent request opens its own connection. After a 429, no request starts
/// during the pause. After the pause, the limit is half as high.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    state: Mutex<LimitState>,
    changed: Notify,
}

#[derive(Debug)]
struct LimitState {
    under_way: usize,
    limit: usize,
    /// True until the first request has ended.
    is_new: bool,
    paused_until: Option<Instant>,
}

/// The permission for one request, held until the request has ended.
pub struct Permit<'a>(&'a ConcurrencyLimit);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.state.lock().under_way -= 1;
        self.0.changed.notify_waiters();
    }
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        let state = LimitState { under_way: 0, limit: 1, is_new: true, paused_until: None };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl ConcurrencyLimit {
    /// Waits until one more request may start.
    pub async fn acquire(&self) -> Permit<'_> {
        loop {
            let changed = self.changed.notified();
            let paused_until = {
                let mut state = self.state.lock();
                match state.paused_until.filter(|until| *until > Instant::now()) {
                    None if state.under_way < state.limit => {
                        state.under_way += 1;
                        return Permit(self);
                    }
                    paused_until => paused_until,
                }
            };
            match paused_until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => changed.await,
            }
        }
    }

    /// Starts a pause after a 429. Returns true if this is a new pause, and false if a concurrent
    /// request already started it.
    pub fn start_pause(&self, pause: Duration) -> bool {
        let mut state = self.state.lock();
        let now = Instant::now();
        let is_first = state.paused_until.is_none_or(|until| until <= now);
        if is_first {
            state.limit = (state.limit / 2).max(1);
            state.is_new = false;
        }
        state.paused_until = state.paused_until.max(Some(now + pause));
        is_first
    }

    /// Raises the limit after a request has ended without a retry. The first request raises it to the
    /// maximum. After a 429 has halved the limit, each such request raises it by one.
    pub fn raise_limit(&self) {
        let mut state = self.state.lock();
        state.limit = match std::mem::take(&mut state.is_new) {
            true => MAX_CONCURRENT_REQUESTS,
            false => (state.limit + 1).min(MAX_CONCURRENT_REQUESTS),
        };
        drop(state);
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn try_acquire(limit: &ConcurrencyLimit) -> Option<Permit<'_>> {
        tokio::time::timeout(Duration::from_millis(1), limit.acquire()).await.ok()
    }

    #[tokio::test]
    async fn the_first_request_runs_alone_and_then_the_limit_is_the_maximum() {
        let limit = ConcurrencyLimit::default();
        let first = try_acquire(&limit).await;
        assert!(first.is_some());
        assert!(try_acquire(&limit).await.is_none());
        limit.raise_limit();
        drop(first);
        let mut others = Vec::new();
        while let Some(other) = try_acquire(&limit).await {
            others.push(other);
        }
        assert_eq!(others.len(), MAX_CONCURRENT_REQUESTS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_server_gets_a_pause_and_then_half_as_many_requests() {
        let limit = ConcurrencyLimit::default();
        limit.raise_limit();
        assert!(limit.start_pause(Duration::from_secs(2)));
        assert!(
            !limit.start_pause(Duration::from_secs(2)),
            "a second 429 of the same burst must not start a new pause"
        );
        let before = Instant::now();
        let mut permits = vec![limit.acquire().await];
        assert_eq!(before.elapsed(), Duration::from_secs(2));
        while let Some(other) = try_acquire(&limit).await {
            permits.push(other);
        }
        assert_eq!(permits.len(), MAX_CONCURRENT_REQUESTS / 2);
        limit.raise_limit();
        assert!(try_acquire(&limit).await.is_some());
        assert_eq!(permits.len(), MAX_CONCURRENT_REQUESTS / 2);
    }
}

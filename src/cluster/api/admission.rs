//! The limit on concurrent requests to one server.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Enough to hide the latency of the network, and far below a server's limit for one client.
pub const MAX_CONCURRENT_REQUESTS: usize = 32;

/// Limits the concurrent requests.
///
/// The first request goes alone: until it is answered we do not know whether the server lets
/// requests share a connection (HTTP/2), and each further request would open one. After a 429 no
/// request starts during the pause, and half as many run at once afterwards.
#[derive(Debug)]
pub struct Admission {
    state: Mutex<AdmissionState>,
    changed: Notify,
}

#[derive(Debug)]
struct AdmissionState {
    under_way: usize,
    limit: usize,
    /// True until the first request has ended.
    is_new: bool,
    closed_until: Option<Instant>,
}

/// The permission for one request, held until the request has ended.
pub struct Permit<'a>(&'a Admission);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.state.lock().under_way -= 1;
        self.0.changed.notify_waiters();
    }
}

impl Default for Admission {
    fn default() -> Self {
        let state = AdmissionState { under_way: 0, limit: 1, is_new: true, closed_until: None };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl Admission {
    /// Waits until one more request may start.
    pub async fn enter(&self) -> Permit<'_> {
        loop {
            let changed = self.changed.notified();
            let closed_until = {
                let mut state = self.state.lock();
                match state.closed_until.filter(|until| *until > Instant::now()) {
                    None if state.under_way < state.limit => {
                        state.under_way += 1;
                        return Permit(self);
                    }
                    closed_until => closed_until,
                }
            };
            match closed_until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => changed.await,
            }
        }
    }

    /// Starts a pause after a 429. Returns true for the first call of a pause: the other requests
    /// that were under way report the same pause.
    pub fn close(&self, pause: Duration) -> bool {
        let mut state = self.state.lock();
        let now = Instant::now();
        let is_first = state.closed_until.is_none_or(|until| until <= now);
        if is_first {
            state.limit = (state.limit / 2).max(1);
            state.is_new = false;
        }
        state.closed_until = state.closed_until.max(Some(now + pause));
        is_first
    }

    /// Raises the limit after a request has ended: to the maximum after the first request, by one
    /// after a 429.
    pub fn open(&self) {
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

    async fn try_enter(admission: &Admission) -> Option<Permit<'_>> {
        tokio::time::timeout(Duration::from_millis(1), admission.enter()).await.ok()
    }

    #[tokio::test]
    async fn the_first_request_goes_alone_and_opens_the_way_for_the_others() {
        let admission = Admission::default();
        let first = try_enter(&admission).await;
        assert!(first.is_some());
        assert!(try_enter(&admission).await.is_none());
        admission.open();
        drop(first);
        let mut others = Vec::new();
        while let Some(other) = try_enter(&admission).await {
            others.push(other);
        }
        assert_eq!(others.len(), MAX_CONCURRENT_REQUESTS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_server_gets_a_pause_and_then_half_as_many_requests() {
        let admission = Admission::default();
        admission.open();
        assert!(admission.close(Duration::from_secs(2)));
        assert!(!admission.close(Duration::from_secs(2)), "the others of the same burst");
        let before = Instant::now();
        let mut permits = vec![admission.enter().await];
        assert_eq!(before.elapsed(), Duration::from_secs(2));
        while let Some(other) = try_enter(&admission).await {
            permits.push(other);
        }
        assert_eq!(permits.len(), MAX_CONCURRENT_REQUESTS / 2);
        admission.open();
        assert!(try_enter(&admission).await.is_some());
        assert_eq!(permits.len(), MAX_CONCURRENT_REQUESTS / 2);
    }
}

//! How many requests are under way at once: as many as the server bears.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Enough to hide the way to the server, and far below what a server lets one client have.
pub const MOST_AT_ONCE: usize = 32;

/// Lets requests in. The first one goes alone, since others would each open a connection while it
/// is not known whether one can be shared; a server that turns a request away (429) is left alone
/// for as long as it wishes, and then gets half as many at once.
#[derive(Debug)]
pub struct Admission {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    under_way: usize,
    limit: usize,
    /// Nothing was answered yet.
    is_new: bool,
    closed_until: Option<Instant>,
}

/// Held while a request is under way.
pub struct Admitted<'a>(&'a Admission);

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.state.lock().under_way -= 1;
        self.0.changed.notify_waiters();
    }
}

impl Default for Admission {
    fn default() -> Self {
        let state = State { under_way: 0, limit: 1, is_new: true, closed_until: None };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl Admission {
    /// Waits until one more request may be sent.
    pub async fn enter(&self) -> Admitted<'_> {
        loop {
            let changed = self.changed.notified();
            let closed_until = {
                let mut state = self.state.lock();
                match state.closed_until.filter(|until| *until > Instant::now()) {
                    None if state.under_way < state.limit => {
                        state.under_way += 1;
                        return Admitted(self);
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

    /// The server turned a request away and asks for a pause. True for the first to say so: what
    /// was under way at the same time is about the same pause.
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

    /// A request has come to its end: after the first one all may come, and after the server was
    /// busy one more at once than before.
    pub fn open(&self) {
        let mut state = self.state.lock();
        state.limit = match std::mem::take(&mut state.is_new) {
            true => MOST_AT_ONCE,
            false => (state.limit + 1).min(MOST_AT_ONCE),
        };
        drop(state);
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_let_in(admission: &Admission) -> Option<Admitted<'_>> {
        tokio::time::timeout(Duration::from_millis(1), admission.enter()).await.ok()
    }

    #[tokio::test]
    async fn the_first_request_goes_alone_and_then_all_may_come() {
        let admission = Admission::default();
        let first = is_let_in(&admission).await;
        assert!(first.is_some());
        assert!(is_let_in(&admission).await.is_none());
        admission.open();
        drop(first);
        let mut others = Vec::new();
        while let Some(other) = is_let_in(&admission).await {
            others.push(other);
        }
        assert_eq!(others.len(), MOST_AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_server_is_left_alone_and_then_gets_half_as_many() {
        let admission = Admission::default();
        admission.open();
        assert!(admission.close(Duration::from_secs(2)));
        assert!(!admission.close(Duration::from_secs(2)), "the others of the same burst");
        let before = Instant::now();
        let mut let_in = vec![admission.enter().await];
        assert_eq!(before.elapsed(), Duration::from_secs(2));
        while let Some(other) = is_let_in(&admission).await {
            let_in.push(other);
        }
        assert_eq!(let_in.len(), MOST_AT_ONCE / 2);
        admission.open();
        assert!(is_let_in(&admission).await.is_some());
        assert_eq!(let_in.len(), MOST_AT_ONCE / 2);
    }
}

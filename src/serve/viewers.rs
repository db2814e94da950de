//! Limits on open event streams, in total and for each user.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use parking_lot::Mutex;

use super::caller::{Caller, Proof};
use super::problem::Problem;

/// Limit on open event streams.
const MAX_VIEWERS: usize = 800;

/// Limit on open event streams of one user. A team may share a token.
const MAX_PER_USER: usize = 200;

/// Time after which a refused viewer should try again, in seconds.
const RETRY_AFTER: u64 = 5;

/// The open event streams.
#[derive(Debug, Clone, Default)]
pub(super) struct Viewers(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_user: HashMap<String, usize>,
}

/// The permit of one event stream. Dropping it releases it.
#[derive(Debug)]
pub(super) struct ViewerPermit {
    viewers: Viewers,
    user: Option<String>,
}

impl Viewers {
    /// Takes a permit for an event stream of this caller. Callers without a name of their own share only the
    /// limit on all streams.
    ///
    /// # Errors
    /// The answer when a limit is reached.
    pub(super) fn acquire(&self, caller: &Caller) -> Result<ViewerPermit, Problem> {
        let user = match caller.proof {
            Proof::Bearer | Proof::Session | Proof::Proxy => Some(caller.name.clone()),
            Proof::NotRequired | Proof::Locust => None,
        };
        let mut counts = self.0.lock();
        if counts.all >= MAX_VIEWERS {
            let detail = "Too many viewers are connected; try again later.";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "TooManyViewers", detail);
            return Err(problem.with_retry_after(RETRY_AFTER));
        }
        if let Some(user) = &user {
            let of_user = counts.by_user.entry(user.clone()).or_default();
            if *of_user >= MAX_PER_USER {
                let detail =
                    format!("{user} has {MAX_PER_USER} open event streams; close some of them.");
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "TooManyViewers", detail);
                return Err(problem.with_retry_after(RETRY_AFTER));
            }
            *of_user += 1;
        }
        counts.all += 1;
        Ok(ViewerPermit { viewers: self.clone(), user })
    }
}

impl Drop for ViewerPermit {
    fn drop(&mut self) {
        let mut counts = self.viewers.0.lock();
        counts.all -= 1;
        let Some(user) = &self.user else { return };
        if let Some(count) = counts.by_user.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                counts.by_user.remove(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str, proof: Proof) -> Caller {
        Caller { name: name.to_owned(), from: [127, 0, 0, 1].into(), proof }
    }

    #[test]
    fn a_user_cannot_take_all_places_and_a_closed_stream_frees_its_place() {
        let viewers = Viewers::default();
        let alice = caller("alice", Proof::Session);
        let mut streams: Vec<_> =
            (0..MAX_PER_USER).map(|_| viewers.acquire(&alice).unwrap()).collect();
        assert_eq!(viewers.acquire(&alice).unwrap_err().status(), 429);
        let bob = viewers.acquire(&caller("bob", Proof::Bearer)).unwrap();
        streams.pop();
        streams.push(viewers.acquire(&alice).unwrap());
        drop((streams, bob));
        let anonymous = caller("anonymous", Proof::NotRequired);
        let streams: Vec<_> =
            (0..MAX_VIEWERS).map(|_| viewers.acquire(&anonymous).unwrap()).collect();
        assert_eq!(viewers.acquire(&alice).unwrap_err().status(), 503);
        drop(streams);
        assert!(viewers.0.lock().by_user.is_empty());
    }
}

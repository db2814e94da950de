//! Decides which replica redistributes the users of a running test: the one that holds the Lease. Without
//! `--lease`, this process is the only one.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::log::log;
use crate::cluster::api::Client;
use crate::cluster::lease::{Holder, Holding, Lease};
use crate::text::terminal::printable;

/// Time after which another replica takes the Lease of one that has ended without releasing it: client-go's
/// default.
const DURATION: Duration = Duration::from_secs(15);

/// True while this process may redistribute the users.
pub(super) struct Leadership {
    /// `None` without `--lease`.
    lease: Option<tokio::sync::Mutex<Lease>>,
    name: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held_until: Option<Instant>,
    /// The last logged problem.
    logged: String,
}

impl Leadership {
    pub(super) fn new(namespace: &str, lease: Option<&str>) -> Self {
        let client = |name: &str| Lease::new(namespace, name, Lease::identity(), DURATION);
        Self {
            lease: lease.map(|name| tokio::sync::Mutex::new(client(name))),
            name: lease.unwrap_or_default().to_owned(),
            state: Mutex::default(),
        }
    }

    pub(super) fn has_lease(&self) -> bool {
        self.lease.is_some()
    }

    /// True if this process may send a start to Locust now.
    pub(super) fn is_leader(&self) -> bool {
        let is_held = |until: Option<Instant>| until.is_some_and(|until| Instant::now() < until);
        self.lease.is_none() || is_held(self.state.lock().held_until)
    }

    /// Takes or renews the Lease.
    pub(super) async fn acquire(&self, client: &Client) {
        let Some(lease) = &self.lease else { return };
        let mut lease = lease.lock().await;
        let holding = lease.acquire(client).await;
        self.state.lock().held_until = lease.held_until();
        let problem = match holding {
            Ok(Holding::Held | Holding::HeldBy(_)) => String::new(),
            Ok(Holding::NotAllowed(why)) => why,
            Err(error) => error.to_string(),
        };
        self.log_problem(&problem);
    }

    /// Releases the Lease if this process holds it.
    pub(super) async fn release(&self, client: &Client) {
        let Some(lease) = &self.lease else { return };
        let mut lease = lease.lock().await;
        if self.state.lock().held_until.take().is_some() {
            let problem = lease.release(client).await.err().map(|error| error.to_string());
            self.log_problem(&problem.unwrap_or_default());
        }
    }

    /// The replica that has ended while it was redistributing the users: its Lease has expired, and it has
    /// not released it.
    pub(super) async fn ended_holder(&self, client: &Client) -> Option<Holder> {
        let mut lease = self.lease.as_ref()?.lock().await;
        match lease.look(client).await {
            Ok(holder) => {
                let ended = holder.filter(|holder| holder.expires_in.is_zero());
                // A problem that keeps this process from taking the Lease is logged once.
                if ended.is_none() {
                    self.log_problem("");
                }
                ended
            }
            Err(error) => {
                self.log_problem(&error.to_string());
                None
            }
        }
    }

    /// Logs a problem once. An empty text means that there is none any more.
    fn log_problem(&self, problem: &str) {
        let mut state = self.state.lock();
        if state.logged != problem {
            problem.clone_into(&mut state.logged);
            if !problem.is_empty() {
                log(&printable(&format!(
                    "serve cannot use the Lease {}, so it redistributes no users: {problem}",
                    self.name
                )));
            }
        }
    }
}

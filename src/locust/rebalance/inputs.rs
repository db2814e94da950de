//! Inputs and options of a rebalance.

use std::time::Duration;

use tokio::time::Instant;

use super::super::health::{Verdict, silent_worker};
use super::super::look::Look;
use super::super::master::Master;
use super::super::memory::StartMemory;
use super::super::start::{KnownStart, Start};
use super::start_in_progress::StartInProgress;

/// The speed at which a rebalance starts the lost users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebalanceMode {
    /// All at once, whatever the spawn rate.
    AtOnce,
    /// At the test's own spawn rate.
    Ramp,
    /// No start is sent. The test is only judged.
    Never,
}

/// A listener that gets each start before it is sent.
type OnAttempt<'a> = &'a (dyn Fn(&Start, Instant) + Sync);

/// Inputs and options of a rebalance.
pub struct Rebalance<'a, 'b> {
    pub master: &'a Master<'b>,
    pub mode: RebalanceMode,
    /// Locust's state before the workers changed; `None` if it is unknown.
    pub before: Option<&'a Look>,
    /// The last start of the test, if it is known.
    pub known: Option<&'a KnownStart>,
    /// Time limit for users that Locust is still starting, or that finish their tasks.
    pub limit: Duration,
    /// Workers that were connected when the pods had settled; `None` if the caller did not wait for
    /// them.
    pub workers: Option<usize>,
    /// The file that keeps starts for the next run of locustctl.
    pub memory: Option<&'a StartMemory>,
    /// A start without an answer is repeated once if the test still needs it.
    pub repeats: bool,
    /// Called with each start before it is sent, and with the time from which its run time counts.
    pub on_attempt: Option<OnAttempt<'a>>,
    /// Called with each start as soon as Locust has accepted it.
    pub on_start: Option<&'a (dyn Fn(&KnownStart) + Sync)>,
    /// Set until a start or a ramp is finished and remembered. The work must not end before that.
    pub in_progress: Option<&'a StartInProgress>,
}

impl Rebalance<'_, '_> {
    /// A worker may hang or be gone, and Locust may not have noticed it yet. True in three cases: there is no look before
    /// the change; a worker is connected that was not connected then; the pods had different numbers of workers then.
    pub(super) fn has_doubtful_workers(&self, look: &Look) -> bool {
        let Some(before) = self.before else { return true };
        let was_connected = |id: &str| before.stats.connected().any(|worker| worker.id == id);
        let is_new = look.stats.connected().any(|worker| !was_connected(&worker.id));
        let table = before.table();
        is_new || (table.own() > 0 && table.processes_in_each().is_none())
    }

    /// The reason to wait while a worker of a ready pod has lost its connection: it may come back with its users.
    /// If it does not, Locust drops it about a minute later, and starts all users again on the other workers. `None` also
    /// for a verdict that the return of the worker would not change.
    pub(super) fn lost_workers(&self, look: &Look, verdict: &Verdict) -> Option<String> {
        let now = look.worker_count();
        if !verdict.may_change() || !look.is_running() || now == 0 {
            return None;
        }
        match (self.workers, verdict) {
            (Some(all), _) => (now < all)
                .then(|| format!("only {now} of {all} workers are still connected to Locust")),
            (
                None,
                Verdict::Repairable(_)
                | Verdict::WorkerSilent(_)
                | Verdict::Unsafe(_)
                | Verdict::Unknown(_),
            ) => silent_worker(look),
            (None, _) => None,
        }
    }
}

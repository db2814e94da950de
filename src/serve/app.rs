//! What all requests share, and the change itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderValue, StatusCode};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::Instant;

use super::LocustSettings;
use super::aftermath::{Before, Change};
use super::caller::Caller;
use super::live::{Ended, Entry, Live};
use super::log::{Audit, audit};
use super::metrics::Metrics;
use super::problem::Problem;
use super::refusal::{explain, refusal};
use super::snapshot::{Limits, Outcome, TargetInfo, Users};
use crate::cluster::api::Client;
use crate::locust::{KnownStart, LocustLocation};
use crate::scaling::{
    self, Condition, DryRun, NewCount, ObjectSource, Order, Progress, Scaled, Target,
};
use crate::text::terminal::printable;

/// Changes under way at the same time; each waits for the API server.
const MOST_CHANGES: usize = 16;

/// Viewers at the same time.
const MOST_VIEWERS: usize = 800;

/// What all requests share.
pub struct App {
    /// For the cluster.
    pub client: Client,
    /// What is scaled.
    pub target: Target,
    /// What is known of it.
    pub live: Live,
    /// What is counted.
    pub metrics: Metrics,
    /// Room for viewers.
    pub viewers: Arc<Semaphore>,
    /// Turns true when serve is to end.
    pub is_stopping: watch::Receiver<bool>,
    /// Where Locust is, and what may be done there.
    pub locust: LocustSettings,
    /// The cookie of somebody who looks at us and is logged in to Locust.
    borrowed: Mutex<Option<HeaderValue>>,
    /// The last start of a test that was made or relayed here.
    start: Mutex<Option<KnownStart>>,
    /// The last change: what follows from an earlier one is no longer of interest.
    pub(super) latest: watch::Sender<u64>,
    /// Changes made here whose check of the running test is unfinished.
    pub(super) open_changes: AtomicUsize,
    limits: Limits,
    changes: Semaphore,
}

/// A change, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The new count.
    pub new: NewCount,
    /// Only if this is the present one.
    pub current: Option<i64>,
    /// Only tried, by the API server.
    pub is_dry_run: bool,
}

/// A change that took place, or would have.
#[derive(Debug)]
pub struct Done {
    /// As it stands in the history; a dry run does not.
    pub ended: Option<Ended>,
    /// The count before.
    pub old: Option<i64>,
    /// The count now.
    pub new: i64,
    /// Notes, in sentences.
    pub message: String,
    /// What it means for a running test, as soon as that is known; absent when none is running.
    pub users: Option<oneshot::Receiver<Users>>,
}

impl App {
    /// Nothing is asked yet.
    pub fn new(
        client: Client,
        target: Target,
        info: TargetInfo,
        limits: Limits,
        locust: LocustSettings,
        is_stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            client,
            target,
            live: Live::new(info, limits),
            metrics: Metrics::default(),
            viewers: Arc::new(Semaphore::new(MOST_VIEWERS)),
            is_stopping,
            locust,
            borrowed: Mutex::default(),
            start: Mutex::default(),
            latest: watch::Sender::new(0),
            open_changes: AtomicUsize::new(0),
            limits,
            changes: Semaphore::new(MOST_CHANGES),
        }
    }

    /// Where Locust is, with the cookie of a viewer where no other is given: a viewer's own page of
    /// Locust asks the same things all the time.
    pub fn location(&self) -> LocustLocation {
        let mut location = self.locust.location.clone();
        let login = &mut location.login;
        if login.cookie.is_none() {
            login.cookie.clone_from(&self.borrowed());
        }
        location
    }

    /// True while a change made here, or its check of the running test, is unfinished.
    pub fn is_changing(&self) -> bool {
        self.open_changes.load(Ordering::Relaxed) > 0
    }

    /// The last start of a test that was made or relayed here; `None` when the test has ended since.
    pub fn known_start(&self) -> Option<KnownStart> {
        self.start.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers a start, unless a later one is known.
    pub fn remember_start(&self, start: KnownStart) {
        let mut known = self.start.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.at <= start.at) {
            *known = Some(start);
        }
    }

    /// Forgets the start that was accepted at this time, and earlier ones.
    pub fn forget_start(&self, at: Instant) {
        let mut known = self.start.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_some_and(|known| known.at <= at) {
            *known = None;
        }
    }

    /// Somebody who looks at us was let in by Locust with this cookie.
    pub fn borrow_cookie(&self, cookie: &HeaderValue) {
        let is_new = self.borrowed().replace(cookie.clone()).is_none();
        if is_new {
            self.live.look_again();
        }
    }

    fn borrowed(&self) -> MutexGuard<'_, Option<HeaderValue>> {
        self.borrowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the count, and notes who did and what became of it. It is carried to its end even
    /// when whoever asked has gone.
    ///
    /// # Errors
    /// The answer for what went wrong. It was noted too.
    pub async fn change(self: &Arc<Self>, asked: Asked, caller: Caller) -> Result<Done, Problem> {
        let app = Arc::clone(self);
        let task = tokio::spawn(async move { app.carry_out(asked, &caller).await });
        task.await.unwrap_or_else(|_| {
            let detail = "The change broke off by a mistake of locustctl's own; look at the count \
                          before you try again.";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", detail))
        })
    }

    /// Writes down a change that was refused before it was begun.
    pub fn refused(&self, caller: &Caller, new: Option<i64>, problem: &Problem) {
        let old = self.desired();
        let (outcome, detail) = ("refused", problem.detail());
        audit(&Audit {
            who: &caller.name,
            from: caller.from,
            action: "scale",
            old,
            new,
            outcome,
            detail,
        });
    }

    async fn carry_out(self: &Arc<Self>, asked: Asked, caller: &Caller) -> Result<Done, Problem> {
        let Ok(_room) = self.changes.try_acquire() else {
            let detail = "Too many changes are under way; try again in a moment.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", detail);
            let problem = problem.with_retry_after(1);
            self.refused(caller, asked.count(), &problem);
            return Err(problem);
        };
        let order = self.order(asked);
        if asked.is_dry_run {
            let result = scaling::scale(&self.client, &order, &Progress::default(), 0).await;
            let summary = Summary::new(asked, &result);
            summary.audit(caller, "scale (dry run)");
            return summary.answer(None, result);
        }
        let before = match self.before().await {
            Before::NoTest => None,
            Before::Running(stats) => Some(Some(stats)),
            Before::Unknown => Some(None),
        };
        self.live.begin();
        let open = OpenChange::new(self);
        let mut under_way = UnderWay { app: self, caller, asked: Some(asked) };
        let steps = before.as_ref().and_then(|before| self.steps(&order, before.as_deref()?));
        let (result, stopped) = match (&before, steps) {
            (Some(Some(look)), Some(steps)) => self.scale_in_steps(&order, steps, look).await,
            _ => (scaling::scale(&self.client, &order, &Progress::default(), 0).await, None),
        };
        let mut summary = Summary::new(asked, &result);
        if summary.outcome == Outcome::Failed {
            summary.old = summary.old.or_else(|| self.desired());
        }
        under_way.asked = None;
        self.metrics.changed(summary.outcome);
        summary.audit(caller, "scale");
        let on_the_way = steps.and_then(|_| Some(counts_between(summary.old?, summary.new?)));
        let change = self
            .live
            .end(Entry { on_the_way: on_the_way.unwrap_or_default(), ..summary.entry(caller) });
        let new = summary.new.filter(|_| summary.outcome == Outcome::Scaled);
        let users = new.zip(before).map(|(new, before)| {
            self.look_after(Change { ended: change, new, before, caller: caller.clone(), open })
        });
        match stopped {
            Some(stopped) => Err(Problem::new(StatusCode::CONFLICT, "Stopped", stopped)),
            None => summary.answer(Some(change), result).map(|done| Done { users, ..done }),
        }
    }

    /// As far as is known.
    fn desired(&self) -> Option<i64> {
        self.live.now().snapshot.replicas.map(|replicas| replicas.desired)
    }

    fn order(&self, asked: Asked) -> Order {
        Order {
            target: self.target.clone(),
            new: asked.new,
            condition: Condition { replicas: asked.current, resource_version: None },
            dry_run: if asked.is_dry_run { DryRun::Server } else { DryRun::None },
            object: ObjectSource::None,
            listed: None,
            limits: Some(self.limits),
            change_cause: None,
        }
    }
}

impl Asked {
    /// The count, where it does not depend on the present one.
    fn count(self) -> Option<i64> {
        match self.new {
            NewCount::Exactly(count) => Some(count.into()),
            NewCount::By(_) => None,
        }
    }
}

/// An unfinished change made here; dropping it marks the change as finished.
pub(super) struct OpenChange(Arc<App>);

impl OpenChange {
    fn new(app: &Arc<App>) -> Self {
        app.open_changes.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(app))
    }
}

impl Drop for OpenChange {
    fn drop(&mut self) {
        self.0.open_changes.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sees to it that a change which was begun is also ended, should it break off.
struct UnderWay<'a> {
    app: &'a App,
    caller: &'a Caller,
    asked: Option<Asked>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Some(asked) = self.asked else { return };
        let summary = Summary::broken_off(asked);
        summary.audit(self.caller, "scale");
        self.app.metrics.changed(summary.outcome);
        self.app.live.end(summary.entry(self.caller));
    }
}

/// The counts that steps of one pod go through from `old` down to `new`; both are left out.
fn counts_between(old: i64, new: i64) -> Vec<i64> {
    (new + 1..old).rev().collect()
}

/// What became of a change, as it is noted.
struct Summary {
    old: Option<i64>,
    new: Option<i64>,
    outcome: Outcome,
    message: String,
}

impl Summary {
    fn new(asked: Asked, result: &Result<Scaled, scaling::ScaleError>) -> Self {
        match result {
            Ok(Scaled { old, new, notes, asked_for, .. }) => {
                let changed = asked_for
                    .map(|asked| format!("{asked} were asked for, and the server made it {new}"));
                let notes: Vec<_> = notes.iter().cloned().chain(changed).collect();
                let is_same = *old == Some(*new);
                let outcome = if is_same { Outcome::Unchanged } else { Outcome::Scaled };
                let message = printable(&notes.join("; "));
                Self { old: *old, new: Some(*new), outcome, message }
            }
            Err(problem) => {
                use scaling::ScaleError as P;
                let outcome = match problem {
                    P::AnswerLost { .. } => Outcome::Unknown,
                    _ => Outcome::Failed,
                };
                let old = match problem {
                    P::ReplicasDiffer { was, .. } => *was,
                    P::LostRaces { last, .. } => *last,
                    _ => None,
                };
                let message = explain(problem);
                Self { old, new: asked.count(), outcome, message }
            }
        }
    }

    fn broken_off(asked: Asked) -> Self {
        let message = "The change broke off; what became of it is not known.".to_owned();
        Self { old: None, new: asked.count(), outcome: Outcome::Unknown, message }
    }

    fn audit(&self, caller: &Caller, action: &str) {
        audit(&Audit {
            who: &caller.name,
            from: caller.from,
            action,
            old: self.old,
            new: self.new,
            outcome: self.outcome.word(),
            detail: &self.message,
        });
    }

    fn entry(&self, caller: &Caller) -> Entry {
        Entry {
            who: caller.name.clone(),
            old: self.old,
            on_the_way: Vec::new(),
            new: self.new,
            outcome: self.outcome,
            message: self.message.clone(),
        }
    }

    fn answer(
        self,
        ended: Option<Ended>,
        result: Result<Scaled, scaling::ScaleError>,
    ) -> Result<Done, Problem> {
        match result {
            Ok(Scaled { old, new, .. }) => {
                Ok(Done { ended, old, new, message: self.message, users: None })
            }
            Err(problem) => Err(refusal(&problem)),
        }
    }
}

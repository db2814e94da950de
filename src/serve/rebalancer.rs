//! Checks a running test after a change: once the workers are settled, it gets its users back.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::backend::Backend;
use super::caller::Caller;
use super::live::{EndedChange, Live};
use super::log::{Audit, NO_ADDRESS, audit};
use super::settings::RebalancePolicy;
use super::settling::{Settling, settling};
use super::snapshot::{Stage, UserCheck};
use super::test_before::TestBefore;
use super::turns::UncheckedChange;
use crate::locust::{
    Error, KnownStart, Look, Master, Outcome, Rebalance, RebalanceMode, Search, StartInProgress,
    have_users_ended, is_worker_starting, retried, wait_for_workers,
};
use crate::text::terminal::printable;

/// Time limit for the pods to become ready.
const PODS_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Pods that are not ready after this time may never start, for example in a full cluster.
const LATE_PODS: Duration = Duration::from_secs(20);

/// Time limit for the workers to connect. The master notices a killed worker after 4 s.
const WORKERS_LIMIT: Duration = Duration::from_secs(60);

/// Time limit for the workers if the master did not answer before the change.
const SILENT_LIMIT: Duration = Duration::from_secs(10);

/// Time limit for another replica, which holds the Lease, to redistribute the users.
const LEADER_LIMIT: Duration = Duration::from_secs(60);

/// Time between two looks at the test while another replica holds the Lease.
const LEADER_PERIOD: Duration = Duration::from_secs(1);

/// The check of a running test when the workers are settled.
#[derive(Clone, Copy)]
struct Work<'a> {
    /// The number of workers.
    new: i64,
    /// The test before the change, if known.
    before: Option<&'a Look>,
    /// Shows what is being waited for.
    wait: &'a (dyn Fn(&str) + Sync),
}

/// A change that was made here while a test was running, or may have been running.
pub(super) struct ChangeDuringTest {
    pub ended: EndedChange,
    /// The requested count; `None` if the answer was lost, so that it must be read.
    pub new: Option<i64>,
    /// The test before the change, if known.
    pub before: Option<Box<Look>>,
    pub caller: Caller,
    /// Marks the change as unchecked until it is dropped.
    pub unchecked: UncheckedChange,
}

/// Redistributes the users of a running test, after changes and on request.
pub(super) struct Rebalancer {
    pub(super) backend: Arc<Backend>,
    /// The history id of the last change. It ends the checks of earlier changes.
    latest: watch::Sender<u64>,
    /// The history id of a change whose check is unfinished, or was ended by a later change, and the test
    /// before that change.
    unchecked_before: Mutex<Option<(u64, Look)>>,
    /// Turns true when the server stops.
    is_stopping: watch::Receiver<bool>,
}

impl Rebalancer {
    pub(super) fn new(backend: Arc<Backend>, is_stopping: watch::Receiver<bool>) -> Self {
        let latest = watch::Sender::new(0);
        Self { backend, latest, unchecked_before: Mutex::default(), is_stopping }
    }

    /// Looks at the test before a change.
    pub(super) async fn test_before(&self) -> TestBefore {
        match TestBefore::look(&self.backend).await {
            TestBefore::Running(look) => TestBefore::Running(Box::new(self.best(*look))),
            test => test,
        }
    }

    /// Chooses the look that shows how many users the test had before a change. If workers have just left with their
    /// users, it is the look before that, or the last one at which the test had all of them.
    fn best(&self, now: Look) -> Look {
        let unchecked = self.unchecked_before.lock().clone().map(|(_, before)| before);
        let is_same = |before: &Look| {
            let known = self.backend.known_start();
            now.shows_same_users_requested(before) || before.is_valid_for(&now, known.as_ref())
        };
        let unchecked = unchecked.filter(|before| !now.replaces(before) && is_same(before));
        let has_ended = |before: &Look| {
            let had = u64::try_from(before.users()).unwrap_or(0);
            have_users_ended(&now, before) && !is_worker_starting(had, &now, Some(before))
        };
        match unchecked.or_else(|| self.steady_for(&now)) {
            Some(before) if now.users() < before.users() && !has_ended(&before) => {
                Look { pods: now.pods, ..before }
            }
            _ => now,
        }
    }

    /// The last look at which the test had all its users, if it is valid for this test.
    fn steady_for(&self, now: &Look) -> Option<Look> {
        let known = self.backend.known_start();
        self.backend.live.steady().filter(|steady| steady.is_valid_for(now, known.as_ref()))
    }

    /// The last look at which the running test had all its users; `None` if Locust does not answer.
    pub(super) async fn steady(&self, master: &Master<'_>) -> Option<Look> {
        self.backend.live.steady()?;
        let now = Look::take(master, self.backend.live.worker_pods()).await.ok()?;
        self.steady_for(&now)
    }

    /// Checks a running test after a change, in the background. The result goes to the history, to
    /// the audit log and to the returned receiver.
    pub(super) fn check(
        self: &Arc<Self>,
        change: ChangeDuringTest,
    ) -> oneshot::Receiver<UserCheck> {
        let (sender, users) = oneshot::channel();
        let rebalancer = Arc::clone(self);
        let id = change.ended.id;
        rebalancer.latest.send_replace(id);
        *rebalancer.unchecked_before.lock() =
            change.before.as_deref().cloned().map(|one| (id, one));
        tokio::spawn(async move {
            let mut latest = rebalancer.latest.subscribe();
            let mut is_stopping = rebalancer.is_stopping.clone();
            let outcome = tokio::select! {
                biased;
                _ = latest.wait_for(|latest| *latest > id) => failed_check(
                    "the number of workers changed again before serve could check the users"
                        .to_owned(),
                ),
                outcome = rebalancer.wait_and_check(&change) => {
                    rebalancer.unchecked_before.lock().take_if(|(of, _)| *of == id);
                    outcome
                }
                _ = is_stopping.wait_for(|is_stopping| *is_stopping) => failed_check(
                    "serve ended before it could check the users; check them with locustctl status".to_owned(),
                ),
            };
            let live = &rebalancer.backend.live;
            live.set_users(id, outcome.clone());
            live.request_look();
            audit_rebalance(&change.caller, &outcome);
            drop(change.unchecked);
            // The request may have ended without waiting.
            let _ = sender.send(outcome);
        });
        users
    }

    /// Completes the check of a replica that has ended after a change. It is recorded if it finds a problem.
    pub(super) async fn take_over(&self, unchecked: UncheckedChange) {
        let live = &self.backend.live;
        let checked = async {
            let new = within_limit(settled_count(live), &unchecked).await?;
            let before = match self.backend.find_locust(live.worker_pods().as_ref()).await {
                Ok(Search::Found(master)) => self.steady(&master).await,
                _ => None,
            };
            loop {
                let work = Work { new, before: before.as_ref(), wait: &|_| {} };
                if let Some(users) =
                    self.wait_and_rebalance(work).await.map_err(|e| e.to_string())?
                {
                    return Ok(users);
                }
            }
        };
        let users = checked.await.unwrap_or_else(failed_check);
        audit(&Audit {
            who: "locustctl",
            from: NO_ADDRESS,
            action: "rebalance",
            old: None,
            new: None,
            outcome: users.stage.as_str(),
            detail: &users.text,
        });
        live.record_automatic_rebalance(users);
        live.request_look();
    }

    /// Waits and checks. Starts over if another change began in the meantime, because that change may fail
    /// and then nobody else checks the users.
    async fn wait_and_check(&self, change: &ChangeDuringTest) -> UserCheck {
        loop {
            let checked = match self.wait_for_pods(change).await {
                Ok(new) => {
                    let wait = |text: &str| self.set_waiting(change, text);
                    let before = change.before.as_deref();
                    self.wait_and_rebalance(Work { new, before, wait: &wait }).await
                }
                Err(why) => return failed_check(why),
            };
            match checked {
                Ok(Some(users)) => return users,
                Ok(None) => {}
                Err(error) => {
                    return failed_check(format!(
                        "serve cannot tell if the test has its users: {error}; check them in Locust's page"
                    ));
                }
            }
        }
    }

    fn set_waiting(&self, change: &ChangeDuringTest, text: &str) {
        let users = UserCheck { stage: Stage::Waiting, text: text.to_owned() };
        self.backend.live.set_users(change.ended.id, users);
    }

    /// Waits until all pods are ready, and returns their number.
    async fn wait_for_pods(&self, change: &ChangeDuringTest) -> Result<i64, String> {
        self.set_waiting(change, "waiting for the pods");
        within_limit(self.ready_pods(change), &change.unchecked).await?
    }

    async fn ready_pods(&self, change: &ChangeDuringTest) -> Result<i64, String> {
        let live = &self.backend.live;
        let Some(new) = change.new else {
            live.wait_for_read_after(change.ended).await;
            return Ok(settled_count(live).await);
        };
        match settling(live, change.ended, new).await {
            Settling::Settled => Ok(new),
            Settling::Overtaken(_) => {
                Err("the number of workers changed again before all workers were ready".to_owned())
            }
            Settling::Gone => Err("the target was deleted".to_owned()),
        }
    }

    /// No test was running before the change, and serve has never found a Locust of these workers.
    fn never_found_test(&self, before: Option<&Look>) -> bool {
        before.is_none() && self.backend.live.now().snapshot.locust.is_none()
    }

    /// Waits for the workers, and redistributes the users if the test needs it. `None` if another
    /// change began before the end.
    async fn wait_and_rebalance(&self, work: Work<'_>) -> Result<Option<UserCheck>, Error> {
        let Work { new, before, wait } = work;
        wait("waiting for the workers to connect to Locust");
        let pods = self.backend.live.worker_pods();
        let master = match retried(|| self.backend.find_locust(pods.as_ref())).await? {
            Search::Found(master) => master,
            Search::Absent | Search::Foreign { .. } if self.never_found_test(before) => {
                let text = "no Locust was found for these workers".to_owned();
                return Ok(Some(UserCheck { stage: Stage::Passed, text }));
            }
            Search::Absent => {
                return Ok(Some(failed_check(
                    "Locust was not found after the change; check that its master runs".to_owned(),
                )));
            }
            Search::Foreign { place, .. } => {
                return Ok(Some(failed_check(format!(
                    "Locust at {place} runs another test: its workers are not in the target's pods; \
                     name the right Locust with --locust"
                ))));
            }
        };
        let pods = || std::future::ready(self.backend.live.ready_worker_pods(new));
        let limit = if before.is_some() { WORKERS_LIMIT } else { SILENT_LIMIT };
        let silent = Look::default();
        let settled = wait_for_workers(&master, before.unwrap_or(&silent), limit, pods).await;
        let workers = settled.as_ref().ok().copied();
        let Some(outcome) = self.run_as_leader(&master, before, workers).await? else {
            return Ok(None);
        };
        let is_well = outcome.is_well() && settled.is_ok() && !outcome.health().is_alarming();
        let text = match settled {
            Ok(_) => outcome.to_string(),
            Err(difference) => format!("{difference}; {outcome}"),
        };
        let stage = if is_well { Stage::Passed } else { Stage::Failed };
        Ok(Some(UserCheck { stage, text: printable(&text) }))
    }

    /// Judges the test, and redistributes its users if it needs that and this replica holds the Lease.
    /// Otherwise waits until the holder has done it, or until this replica holds the Lease. `None` as for
    /// [`Self::run`].
    async fn run_as_leader(
        &self,
        master: &Master<'_>,
        before: Option<&Look>,
        workers: Option<usize>,
    ) -> Result<Option<Outcome>, Error> {
        let Backend { locust, leadership, turns, .. } = &*self.backend;
        let begin = Instant::now();
        loop {
            let turn = turns.rebalance().await;
            let is_decided = leadership.is_leader() || locust.rebalance == RebalancePolicy::Never;
            let mode = match locust.rebalance {
                RebalancePolicy::AfterChanges | RebalancePolicy::Always
                    if leadership.is_leader() =>
                {
                    RebalanceMode::AtOnce
                }
                _ => RebalanceMode::Never,
            };
            let outcome = self.run(master, before, mode, workers).await?;
            drop(turn);
            match outcome {
                Some(outcome @ Outcome::Disabled(_)) if !is_decided => {
                    if begin.elapsed() > LEADER_LIMIT {
                        return Err(Error::Refused(format!(
                            "{}; the replica that holds the Lease has not redistributed the users",
                            outcome.health()
                        )));
                    }
                    sleep(LEADER_PERIOD).await;
                }
                outcome => return Ok(outcome),
            }
        }
    }

    /// Judges the test, and redistributes its users if it needs that. The caller has the turn. `None`
    /// if a change began before the end; a start that was sent is remembered.
    pub(super) async fn run(
        &self,
        master: &Master<'_>,
        before: Option<&Look>,
        mode: RebalanceMode,
        workers: Option<usize>,
    ) -> Result<Option<Outcome>, Error> {
        let known = self.backend.known_start();
        let (known, limit, memory) = (known.as_ref(), WORKERS_LIMIT, None);
        let on_start = |sent: &KnownStart| self.backend.remember_start(sent.clone());
        let on_start: Option<&(dyn Fn(&KnownStart) + Sync)> = Some(&on_start);
        let in_progress = StartInProgress::default();
        let rebalance = Rebalance {
            master,
            mode,
            before,
            known,
            limit,
            workers,
            memory,
            repeats: true,
            on_attempt: None,
            on_start,
            in_progress: Some(&in_progress),
        };
        let mut report = |_: &str| {};
        let work = rebalance.run(self.backend.live.worker_pods(), &mut report);
        match in_progress.or_signal(work, self.backend.turns.change_begins(), || {}).await {
            Ok(outcome) => outcome.map(Some),
            Err(()) => Ok(None),
        }
    }
}

/// Waits until all desired replicas are ready, and returns their number.
async fn settled_count(live: &Live) -> i64 {
    let mut frames = live.subscribe();
    loop {
        let replicas = frames.borrow_and_update().snapshot.replicas;
        if let Some(now) = replicas.filter(|now| now.settled) {
            return now.desired;
        }
        if frames.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Waits until the pods of a change are `ready`, for at most [`PODS_LIMIT`].
async fn within_limit<T>(
    ready: impl Future<Output = T>,
    unchecked: &UncheckedChange,
) -> Result<T, String> {
    let mut ready = std::pin::pin!(ready);
    if let Ok(ready) = timeout(LATE_PODS, ready.as_mut()).await {
        return Ok(ready);
    }
    // If a worker leaves now, its users must not be missing until the end of this wait.
    let _late = unchecked.late();
    timeout(PODS_LIMIT - LATE_PODS, ready).await.map_err(|_| {
        let limit = PODS_LIMIT.as_secs() / 60;
        format!("not all workers were ready within {limit} minutes; the page shows the reasons")
    })
}

pub(super) fn audit_rebalance(caller: &Caller, users: &UserCheck) {
    audit(&Audit {
        who: &caller.name,
        from: caller.from,
        action: "rebalance",
        old: None,
        new: None,
        outcome: users.stage.as_str(),
        detail: &users.text,
    });
}

fn failed_check(text: String) -> UserCheck {
    UserCheck { stage: Stage::Failed, text: printable(&text) }
}

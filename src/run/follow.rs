//! Follows a running test: its state, its statistics, its users, and what others change.

mod rebalance;

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until};

use super::conditions::{Condition, ConditionResult, Status};
use super::observations::Observations;
use super::patience::{is_temporary_for_locust, patiently};
use super::requested_users::RequestedUsers;
use super::results::LiveStatistics;
use super::shortage::{Shortage, WorkerChange};
use super::start::BegunTest;
use super::stop::stop_test;
use crate::cluster::api::Client;
use crate::locust::{
    AutoRebalancer, Error, Master, MasterLog, Page, StartInProgress, StartMemory, Stats,
    WorkerPods, is_idle, is_running,
};
use crate::scaling::{Target, pods_of};
use crate::text::terminal::harmless;

/// The time between two looks. A look costs Locust two requests.
const PERIOD: Duration = Duration::from_secs(2);

/// The number of looks between two checks of the master's log and of the number of replicas. These cost more.
const LOOKS_PER_FULL_CHECK: u32 = 5;

/// How long to retry reading the master's log.
const LOG_RETRY_LIMIT: Duration = Duration::from_secs(5);

/// A test that stops at most this long before the end of its run time has not ended early. Locust itself stops a
/// test up to one second early, and locustctl can notice the start of the test later than Locust.
const MAX_EARLY_END: Duration = Duration::from_millis(2500);

/// After the run time: how long Locust may take to stop the test by itself.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A test to follow.
pub struct Follow<'a> {
    pub client: &'a Client,
    pub target: &'a Target,
    pub master: &'a Master<'a>,
    pub test: BegunTest,
    /// The test is ended when one of these is met.
    pub abort_if: &'a [Condition],
    pub run_time: Option<Duration>,
    /// The replicas at the start.
    pub replicas: i64,
    /// How long Locust may fail to answer.
    pub timeout: Duration,
    /// Tells whether a start that redistributes users is unfinished.
    pub in_progress: &'a StartInProgress,
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TestEnd {
    /// By itself.
    Regular,
    /// Before its run time was over. The text is the reason.
    Early(String),
    /// A condition of `--abort-if` is met. The test is still running.
    Aborted(Box<ConditionResult>),
    /// The test is still running after its run time.
    Overdue,
    /// Locust has begun to stop the test, but its state is not `stopped` within the time limit. The text has the
    /// state.
    Unstopped(String),
}

/// The state of the test, for a display.
#[derive(Debug, Clone)]
pub struct Tick {
    pub since_start: Duration,
    pub page: Page,
    pub live: LiveStatistics,
}

/// State from one look to the next.
struct Following<'a, 'b> {
    follow: &'b Follow<'a>,
    seen: &'b mut Observations,
    rebalancer: AutoRebalancer,
    requested: RequestedUsers,
    shortage: Shortage,
    pods: WorkerPods,
    replicas: i64,
    requests: u64,
    workers: Option<i64>,
    looks: u32,
    was_running: bool,
    /// The first look at which the test was not running any more.
    stopping_since: Option<Instant>,
}

impl<'a> Follow<'a> {
    /// Looks at the test every two seconds until it ends. `seen` gets what was seen, and `on_tick` the state at
    /// each look, with the events so far. After a look that failed it gets no state.
    ///
    /// # Errors
    /// Locust does not answer for longer than [`Self::timeout`].
    pub async fn run(
        &self,
        seen: &mut Observations,
        on_tick: &mut dyn FnMut(Option<&Tick>, &Observations),
    ) -> Result<TestEnd, Error> {
        let mut following = Following {
            follow: self,
            seen,
            rebalancer: AutoRebalancer::with_memory(StartMemory::of_user()),
            requested: RequestedUsers::new(self.test.known.clone()),
            shortage: Shortage::default(),
            pods: WorkerPods::default(),
            replicas: self.replicas,
            requests: 0,
            workers: None,
            looks: 0,
            was_running: false,
            stopping_since: None,
        };
        let (mut last_answer, mut is_lost) = (Instant::now(), false);
        loop {
            let next = Instant::now() + PERIOD;
            match following.look(on_tick).await {
                Ok(Some(end)) => return Ok(end),
                Ok(None) => (last_answer, is_lost) = (Instant::now(), false),
                Err(error) if !is_temporary_for_locust(&error) => return Err(error),
                Err(error) if last_answer.elapsed() >= self.timeout => return Err(error),
                Err(error) if !is_lost => {
                    is_lost = true;
                    following.seen.note(harmless(&format!("Locust did not answer: {error}")));
                    on_tick(None, following.seen);
                }
                Err(_) => {}
            }
            sleep_until(next).await;
        }
    }

    /// True if the run time and `margin` have passed since the start. False without a run time.
    fn is_over(&self, margin: Duration) -> bool {
        self.run_time.is_some_and(|time| self.test.at.elapsed() >= time + margin)
    }
}

impl Following<'_, '_> {
    async fn look(
        &mut self,
        on_tick: &mut dyn FnMut(Option<&Tick>, &Observations),
    ) -> Result<Option<TestEnd>, Error> {
        let master = self.follow.master;
        let not_locust =
            |path: &str, status: String| Error::NotLocust { path: path.to_owned(), status };
        let no_state = || not_locust("/", "with a page without Locust's state".to_owned());
        let page = master.page().await?.ok_or_else(no_state)?;
        let body = master.fetch("stats/requests").await?;
        let live = LiveStatistics::parse(&body)
            .map_err(|error| not_locust("/stats/requests", error.to_string()))?;
        let stats = Stats::parse(&body).unwrap_or_default();
        if is_idle(&page.state) {
            return Ok(Some(self.end(&page)));
        }
        if let Some(end) = self.unnoticed_end(&page).await? {
            return Ok(Some(end));
        }
        self.looks += 1;
        self.was_running |= page.state == "running";
        // The answer may be older than the start.
        let is_current = !is_idle(&live.state);
        if is_current {
            self.seen.history.add(OffsetDateTime::now_utc(), &live);
            self.notice_reset(&live);
        }
        self.notice_edit(&page).await?;
        let change = match (self.workers, page.worker_count) {
            (Some(before), Some(now)) if now < before => WorkerChange::Left,
            _ => WorkerChange::None,
        };
        self.notice_scale(&page).await;
        self.notice_users(&page, change);
        self.rebalance(&page, &stats).await?;
        let tick = Tick { since_start: self.follow.test.at.elapsed(), page, live };
        on_tick(Some(&tick), self.seen);
        Ok(self.premature_end(&tick))
    }

    /// The way in which the test ended, if only the master's log shows the end. If a test is stopped while Locust itself
    /// starts users, the state can be `running` afterwards, until the test is stopped once more.
    /// So this function stops it.
    async fn unnoticed_end(&mut self, page: &Page) -> Result<Option<TestEnd>, Error> {
        let is_stuck = |page: &Page| page.state == "running" && page.user_count == 0;
        if !is_stuck(page) || !self.log().await?.is_some_and(|log| log.has_ended()) {
            return Ok(None);
        }
        // The page may be older than the log.
        let Follow { master, timeout, .. } = self.follow;
        if !master.page().await?.as_ref().is_some_and(is_stuck) {
            return Ok(None);
        }
        let end = self.end(page);
        Ok(Some(match stop_test(master, *timeout).await {
            Ok(_) => end,
            Err(why) => TestEnd::Unstopped(format!("Locust does not stop the test: {why}")),
        }))
    }

    /// The reason to end a test that Locust has not ended. While Locust stops the test, its users leave, so the
    /// conditions are not evaluated.
    fn premature_end(&mut self, tick: &Tick) -> Option<TestEnd> {
        if !tick.page.is_running() {
            let passed = self.stopping_since.get_or_insert_with(Instant::now).elapsed();
            let state = &tick.page.state;
            return (passed >= STOP_GRACE + self.follow.timeout).then(|| {
                let seconds = passed.as_secs();
                let text = format!(
                    "Locust does not stop the test: its state is still {state} after {seconds} s"
                );
                TestEnd::Unstopped(text)
            });
        }
        self.stopping_since = None;
        if is_running(&tick.live.state)
            && let Some(met) = self.aborted(tick)
        {
            return Some(TestEnd::Aborted(Box::new(met)));
        }
        self.follow.is_over(STOP_GRACE).then_some(TestEnd::Overdue)
    }

    /// The way in which the test ended.
    fn end(&mut self, page: &Page) -> TestEnd {
        if page.state == "ready" {
            return TestEnd::Early("Locust's master was restarted".to_owned());
        }
        let time = self.follow.run_time.unwrap_or_default();
        let is_early =
            self.follow.run_time.is_some() && self.follow.test.at.elapsed() + MAX_EARLY_END < time;
        match page.worker_count {
            Some(0) => TestEnd::Early("the last worker left Locust".to_owned()),
            _ if is_early => TestEnd::Early(format!(
                "the test stopped after {} s of {} s: somebody stopped it, or Locust lost all its workers",
                self.follow.test.at.elapsed().as_secs(),
                time.as_secs()
            )),
            _ => TestEnd::Regular,
        }
    }

    fn notice_reset(&mut self, live: &LiveStatistics) {
        let requests = live.statistics.total.requests;
        if requests < self.requests {
            self.seen.note("the statistics were reset during the test".to_owned());
        }
        self.requests = requests;
    }

    /// Notices an edit by somebody else.
    async fn notice_edit(&mut self, page: &Page) -> Result<(), Error> {
        if self.requested.known().is_none() {
            return Ok(());
        }
        if page.follows_starts() {
            let had_lost_start = self.requested.has_lost_start();
            let note = self.requested.see_page(page);
            note.into_iter().for_each(|note| self.seen.note(note));
            if had_lost_start && !self.requested.has_lost_start() {
                self.remember_lost_start().await?;
            }
            return Ok(());
        }
        let is_due = self.looks.is_multiple_of(LOOKS_PER_FULL_CHECK)
            || self.requested.has_suspect()
            || self.lacks_users(page);
        // In state `spawning`, Locust itself may be starting the users of a worker that leaves.
        if page.state == "running"
            && is_due
            && let Some(log) = self.log().await?
        {
            let note = self.requested.see_log(&log);
            note.into_iter().for_each(|note| self.seen.note(note));
        }
        Ok(())
    }

    /// Saves the start whose answer was lost, when the page shows it. A later rebalance needs the time of this start in
    /// the log.
    async fn remember_lost_start(&mut self) -> Result<(), Error> {
        let master = self.follow.master;
        if let Some(log) = self.log().await?
            && let Some(known) = self.requested.complete(&log)
        {
            StartMemory::of_user().save(&master.place(), Some(&log), known);
        }
        Ok(())
    }

    /// Reads the master's log, and retries after an error, because the next look would not notice this change again.
    async fn log(&self) -> Result<Option<MasterLog>, Error> {
        let give_up = Instant::now() + LOG_RETRY_LIMIT;
        patiently(give_up, || self.follow.master.log()).await
    }

    fn lacks_users(&self, page: &Page) -> bool {
        self.requested.wanted(page).is_some_and(|wanted| users(page) < wanted)
    }

    /// Notices the lowest number of users, and users that are lost or back.
    fn notice_users(&mut self, page: &Page, change: WorkerChange) {
        let wanted = self.requested.wanted(page);
        let is_running = page.state == "running";
        // After the ramp-up, the state is `spawning` during another start, for example after Locust has dropped a worker.
        if is_running || (page.is_running() && self.seen.has_ramped_up) {
            self.seen.see_users(users(page), wanted);
        }
        if !is_running {
            return;
        }
        let note = match wanted {
            Some(wanted) if self.seen.has_ramped_up => {
                self.shortage.update(users(page), wanted, change)
            }
            _ => None,
        };
        note.into_iter().for_each(|note| self.seen.note(note));
    }

    /// Notices that somebody else has scaled the workers.
    async fn notice_scale(&mut self, page: &Page) {
        let Follow { client, target, .. } = self.follow;
        let is_changed = self.workers.is_some() && self.workers != page.worker_count;
        if !is_changed && !self.looks.is_multiple_of(LOOKS_PER_FULL_CHECK) {
            self.workers = page.worker_count;
            return;
        }
        if let (Some(before), Some(now)) = (self.workers, page.worker_count)
            && before != now
        {
            self.seen
                .note(format!("the number of connected workers changed from {before} to {now}"));
        }
        self.workers = page.worker_count;
        let Ok(own) = pods_of(client, target).await else { return };
        self.pods = WorkerPods::new(&own.pods).remember(&self.pods);
        if own.replicas != self.replicas {
            let (old, new) = (self.replicas, own.replicas);
            self.seen.note(format!("somebody else scaled {target} from {old} to {new}"));
            self.replicas = new;
        }
    }

    fn aborted(&self, tick: &Tick) -> Option<ConditionResult> {
        let is_shape = self.requested.known().is_none();
        if !is_shape && !self.was_running {
            return None;
        }
        let results = self.follow.abort_if.iter().map(|one| one.evaluate_live(&tick.live));
        results.into_iter().find(|result| result.status == Status::Met)
    }
}

/// Users that are running.
fn users(page: &Page) -> u64 {
    u64::try_from(page.user_count).unwrap_or(0)
}

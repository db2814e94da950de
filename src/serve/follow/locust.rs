//! Looks at Locust's master periodically, more often while the page is open.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::super::backend::Backend;
use super::super::live::Live;
use super::super::log::{Audit, NO_ADDRESS, audit, log};
use super::super::settings::RebalancePolicy;
use super::super::snapshot::{Stage, Swarm, UserCheck};
use crate::locust::{
    Address, AutoRebalancer, Error, Health, KnownStart, LocustLocation, Look, Master, MasterLog,
    Outcome, Search, StartInProgress, UnreportedStarts, UserStart, Watched, WorkerPods,
    burst_warning, foreign_text,
};
use crate::text::terminal::{harmless, printable};

/// Time between two looks while the page is open or a test is kept. Locust caches its statistics for
/// as long, and its own page reads them as often.
const ACTIVE_PERIOD: Duration = Duration::from_secs(2);

/// Minimum time between two looks, however many viewers arrive.
const MIN_PERIOD: Duration = Duration::from_millis(250);

/// Time between two looks while there are no viewers, or no Locust.
const IDLE_PERIOD: Duration = Duration::from_secs(30);

/// The result of a rebalance that a change has ended before its confirmation.
const INTERRUPTED: &str = "locustctl redistributed the users; a change of the number of \
     replicas began before locustctl could confirm that the test has all of them";

/// Looks at Locust periodically; never ends. The location may change between two looks.
pub(crate) async fn follow_locust(backend: &Backend) {
    let mut location = backend.location();
    if location.address == Address::None {
        return std::future::pending().await;
    }
    let live = &backend.live;
    let mut follower =
        Follower { backend, live, rebalancer: AutoRebalancer::default(), logged: String::new() };
    let mut master = None;
    loop {
        let last = std::mem::replace(&mut location, backend.location());
        if last.login.cookie != location.login.cookie {
            master = None;
        }
        if master.is_none() {
            master = follower.find(&location).await;
        }
        live.set_locust_address(master.as_ref().map(|master| master.address().clone()));
        if let Some(found) = &master
            && let Err(error) = follower.look(found).await
        {
            follower.note_login(&error);
            follower.set_error(found.place(), &error);
            if location.address == Address::Auto && error.is_absent() {
                master = None;
            }
        }
        live.note_look();
        let is_kept = backend.locust.rebalance == RebalancePolicy::Always;
        pause(live, master.is_some(), is_kept).await;
    }
}

/// Waits until the next look is due, or a viewer requests one.
async fn pause(live: &Live, is_found: bool, is_kept: bool) {
    sleep(MIN_PERIOD).await;
    let is_active = is_found && (live.has_subscribers() || is_kept);
    let period = if is_active { ACTIVE_PERIOD } else { IDLE_PERIOD };
    let _ = timeout(period, live.look_requested()).await;
}

struct Follower<'a> {
    backend: &'a Backend,
    live: &'a Live,
    rebalancer: AutoRebalancer,
    /// The last logged reason why Locust was not found.
    logged: String,
}

impl<'a> Follower<'a> {
    async fn find(&mut self, location: &LocustLocation) -> Option<Master<'a>> {
        let pods = self.live.worker_pods();
        let Backend { client, target, .. } = self.backend;
        let found = location.find(client, target, pods.as_ref()).await;
        if let Ok(search) = &found {
            self.live.set_locust_absent(!matches!(search, Search::Found(_)));
        }
        match found {
            Ok(Search::Found(master)) => Some(*master),
            Ok(Search::Absent) => None,
            Ok(Search::Foreign { place, workers }) => {
                self.log_once(foreign_text(&place, workers, target));
                None
            }
            Err(error) => {
                self.note_login(&error);
                if self.is_never_found(&error) {
                    self.log_once(format!("The search for Locust failed: {error}"));
                }
                None
            }
        }
    }

    fn note_login(&self, error: &Error) {
        if matches!(error, Error::Login) {
            self.backend.set_locust_login(true);
        }
    }

    fn log_once(&mut self, text: String) {
        if text != self.logged {
            log(&harmless(&text));
            self.logged = text;
        }
    }

    async fn look(&mut self, master: &Master<'_>) -> Result<(), Error> {
        let pods = self.live.worker_pods();
        let known = self.backend.known_start();
        let turn = match self.backend.locust.rebalance {
            RebalancePolicy::Always if self.backend.leadership.is_leader() => {
                self.backend.turns.try_automatic_rebalance()
            }
            RebalancePolicy::Always | RebalancePolicy::AfterChanges | RebalancePolicy::Never => {
                None
            }
        };
        let (look, health) = match turn {
            Some(_turn) => match self.look_and_rebalance(master, pods, known.as_ref()).await? {
                Some(watched) => (watched.look, watched.health),
                None => return Ok(()),
            },
            None => {
                let result = self.rebalancer.look(master, pods, known.as_ref()).await;
                if let Some(accepted) = self.rebalancer.take_unreported_starts().accepted {
                    self.backend.remember_start(accepted);
                }
                result?
            }
        };
        if let Some(known) = known {
            self.update_start(known, &look);
        }
        self.live.set_steady(self.rebalancer.steady());
        self.live.set_run_time(look.page.as_ref().and_then(|page| page.run_time));
        self.set_swarm(Swarm::new(master.place(), &look, &health));
        Ok(())
    }

    /// Looks at Locust, and redistributes the users if the test needs it. `None` if a change began
    /// before the end.
    async fn look_and_rebalance(
        &mut self,
        master: &Master<'_>,
        pods: Option<WorkerPods>,
        known: Option<&KnownStart>,
    ) -> Result<Option<Watched>, Error> {
        let in_progress = StartInProgress::default();
        let mut report = |_: &str| {};
        let work = self.rebalancer.look_and_rebalance(
            master,
            pods,
            known,
            Some(&in_progress),
            &mut report,
        );
        let change = self.backend.turns.change_begins();
        let result = in_progress.or_signal(work, change, || {}).await;
        let UnreportedStarts { accepted, attempt } = self.rebalancer.take_unreported_starts();
        let is_accepted = accepted.is_some();
        if let Some(accepted) = accepted {
            self.backend.remember_start(accepted);
        }
        let watched = match result {
            Ok(Ok(watched)) => watched,
            Ok(Err(error)) => {
                if let Some(attempt) = attempt {
                    self.record(Stage::Failed, printable(&attempt.failure(&error)));
                }
                return Err(error);
            }
            Err(()) => {
                match attempt {
                    _ if is_accepted => self.record(Stage::Failed, INTERRUPTED.to_owned()),
                    Some(attempt) => self.record(Stage::Failed, attempt.unconfirmed()),
                    None => {}
                }
                return Ok(None);
            }
        };
        if let Some(outcome) = &watched.outcome
            && let Some(sent) = outcome.sent()
        {
            self.backend.remember_start(sent.clone());
            self.record_outcome(outcome);
        }
        Ok(Some(watched))
    }

    /// Forgets a start whose test has ended, or was edited in a way that Locust itself does not show.
    /// Adds the time of a relayed start from the master's log.
    fn update_start(&self, known: KnownStart, look: &Look) {
        let log = look.log.as_ref();
        let is_logged = log.and_then(MasterLog::last_spawn).is_some();
        let is_shown = is_logged || look.shows_requested_users();
        let has_all = u64::try_from(look.users()) == Ok(known.start.users);
        let is_in_log = log
            .and_then(MasterLog::last_spawn)
            .is_some_and(|spawn| spawn.users == known.start.users);
        let has_ended = !look.is_running() && known.at.elapsed() > ACTIVE_PERIOD * 2;
        if has_ended || (self.rebalancer.is_edited() && !is_shown && !has_all) {
            self.backend.forget_start(known.at);
        } else if known.logged_at.is_none() && is_in_log && known.at.elapsed() < IDLE_PERIOD {
            let logged_at = log.and_then(MasterLog::last_start_by_hand);
            self.backend.remember_start(KnownStart { logged_at, ..known });
        }
    }

    /// Records the outcome of an automatic rebalance: workers have left without a change by serve.
    fn record_outcome(&self, outcome: &Outcome) {
        let stage = if outcome.is_well() { Stage::Passed } else { Stage::Failed };
        let mut text = printable(&outcome.to_string());
        if let Some(warning) = self.rebalancer.given_up() {
            text.push_str("; ");
            text.push_str(warning);
        }
        self.record(stage, text);
    }

    fn record(&self, stage: Stage, text: String) {
        audit(&Audit {
            who: "locustctl",
            from: NO_ADDRESS,
            action: "rebalance",
            old: None,
            new: None,
            outcome: stage.as_str(),
            detail: &text,
        });
        self.live.record_automatic_rebalance(UserCheck { stage, text: harmless(&text) });
    }

    fn set_swarm(&self, swarm: Swarm) {
        self.live.change(|state| {
            state.locust_answered = Some(Instant::now());
            let last = state.swarm.replace(swarm);
            if last.is_none_or(|last| !last.problem.is_empty())
                && let Some(now) = &state.swarm
            {
                log(&format!("Watching Locust at {}", now.address));
            }
        });
    }

    /// Notes that Locust does not answer. Its last answer stays on the page.
    fn set_error(&self, address: String, error: &Error) {
        self.live.change(|state| {
            let swarm = state.swarm.get_or_insert_default();
            swarm.address = address;
            swarm.set_error(error);
        });
    }

    /// Notes that the search for Locust failed. Returns true if Locust was never found before.
    fn is_never_found(&self, error: &Error) -> bool {
        let mut is_never_found = false;
        self.live.change(|state| match &mut state.swarm {
            Some(swarm) => swarm.set_error(error),
            None => is_never_found = true,
        });
        is_never_found
    }
}

impl Swarm {
    fn set_error(&mut self, error: &Error) {
        let problem = harmless(&error.explanation());
        if self.problem.is_empty() {
            log(&problem);
        }
        self.problem = problem;
    }

    fn new(address: String, look: &Look, health: &Health) -> Self {
        let mut notes = look.worker_notes();
        if health.is_alarming() {
            notes.push(health.to_string());
        }
        if health.needs_rebalance() {
            notes.extend(burst_warning(look, health, &[], UserStart::AtOnce));
        }
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        // Without rounding, each look would change the state.
        let rounded = |number: f64, steps: f64| (number * steps).round() / steps;
        Self {
            address: harmless(&address),
            problem: String::new(),
            state: harmless(look.state()),
            workers: count(health.workers),
            target_workers: count(look.own_workers()),
            users: health.users,
            desired_users: health.wanted.and_then(|wanted| i64::try_from(wanted).ok()),
            requests_per_second: rounded(look.rate(), 10.0),
            failure_ratio: rounded(look.stats.fail_ratio, 1000.0),
            notes: notes.iter().map(|note| harmless(note)).collect(),
            needs_rebalance: health.needs_rebalance(),
        }
    }
}

//! Locust's master, looked at again and again, more often while somebody looks at serve.

use std::time::Duration;

use tokio::time::timeout;

use super::super::RebalanceWhen;
use super::super::app::App;
use super::super::log::{AUTOMATIC, Audit, audit, log};
use super::super::snapshot::{Stage, Swarm, Users};
use super::Live;
use crate::locust::{
    Address, AutoRebalancer, Error, Health, KnownStart, LocustLocation, Look, Master, MasterLog,
    Outcome, Search, WorkerTable, foreign_text,
};
use crate::text::terminal::{harmless, printable};

/// The time between two looks while somebody looks at serve, or a test is to be kept: Locust caches
/// its statistics for as long, and its own page looks as often.
const PERIOD: Duration = Duration::from_secs(2);

/// Between looks, however many people begin to look at serve.
const SHORTEST_PERIOD: Duration = Duration::from_millis(250);

/// The time between two looks while nobody looks, or where there is no Locust.
const IDLE_PERIOD: Duration = Duration::from_secs(30);

/// Looks at Locust, where `app` says that it is at that moment; never ends.
pub async fn follow_swarm(app: &App) {
    let mut location = app.location();
    if location.address == Address::None {
        return std::future::pending().await;
    }
    let mut follower = Follower {
        app,
        live: &app.live,
        rebalancer: AutoRebalancer::default(),
        told: String::new(),
    };
    let mut master = None;
    loop {
        let last = std::mem::replace(&mut location, app.location());
        if last.login.cookie != location.login.cookie {
            master = None;
        }
        if master.is_none() {
            master = follower.find(&location).await;
        }
        app.live.found_locust(master.as_ref().map(|master| master.address().clone()));
        if let Some(found) = &master
            && let Err(error) = follower.look(found).await
        {
            app.live.swarm_is_silent(found.place(), &error);
            if location.address == Address::Auto && error.is_absent() {
                master = None;
            }
        }
        let is_kept = app.locust.rebalance == RebalanceWhen::Always;
        app.live.pause(master.is_some(), is_kept).await;
    }
}

struct Follower<'a> {
    app: &'a App,
    live: &'a Live,
    rebalancer: AutoRebalancer,
    /// Why Locust could not be found, as it was logged last.
    told: String,
}

impl<'a> Follower<'a> {
    async fn find(&mut self, location: &LocustLocation) -> Option<Master<'a>> {
        let pods = self.live.worker_pods();
        let App { client, target, .. } = self.app;
        match location.find(client, target, pods.as_ref()).await {
            Ok(Search::Found(master)) => Some(*master),
            Ok(Search::Absent) => None,
            Ok(Search::Foreign { place, workers }) => {
                self.once(foreign_text(&place, workers, target));
                None
            }
            Err(error) => {
                let is_new = self.live.is_new_silence(&error);
                if is_new {
                    self.once(format!("The search for Locust failed: {error}"));
                }
                None
            }
        }
    }

    fn once(&mut self, text: String) {
        if text != self.told {
            log(&harmless(&text));
            self.told = text;
        }
    }

    async fn look(&mut self, master: &Master<'_>) -> Result<(), Error> {
        let pods = self.live.worker_pods();
        let known = self.app.known_start();
        let (look, health) = match self.app.locust.rebalance {
            // A change from here is seen through by itself.
            RebalanceWhen::Always if !self.app.is_changing() => {
                let watched = self
                    .rebalancer
                    .look_and_rebalance(master, pods, known.as_ref(), None, &mut |_| {})
                    .await?;
                if let Some(outcome) = &watched.outcome
                    && let Some(sent) = outcome.sent()
                {
                    self.app.remember_start(sent.clone());
                    self.kept(outcome);
                }
                (watched.look, watched.health)
            }
            _ => self.rebalancer.look(master, pods, known.as_ref()).await?,
        };
        if let Some(known) = known {
            self.update_start(known, &look);
        }
        self.live.set_steady(self.rebalancer.steady());
        self.live.set_run_time(look.page.as_ref().and_then(|page| page.run_time));
        let swarm = Swarm::new(master.place(), &look, &health);
        self.live.swarm(swarm);
        Ok(())
    }

    /// Forgets a start whose test has ended, and learns when the master's log has one that was
    /// relayed.
    fn update_start(&self, known: KnownStart, look: &Look) {
        let log = look.log.as_ref();
        let is_logged = log
            .and_then(MasterLog::last_spawn)
            .is_some_and(|spawn| spawn.users == known.start.users);
        if !look.is_running() && known.at.elapsed() > PERIOD * 2 {
            self.app.forget_start(known.at);
        } else if known.logged_at.is_none() && is_logged && known.at.elapsed() < IDLE_PERIOD {
            let logged_at = log.and_then(MasterLog::last_start_by_hand);
            self.app.remember_start(KnownStart { logged_at, ..known });
        }
    }

    /// A running test was asked for its users although nothing was changed here.
    fn kept(&self, outcome: &Outcome) {
        let stage = match outcome {
            Outcome::Repaired { .. } => Stage::Well,
            _ => Stage::Wrong,
        };
        let mut text = printable(&outcome.to_string());
        if let Some(warning) = self.rebalancer.given_up() {
            text.push_str("; ");
            text.push_str(warning);
        }
        audit(&Audit {
            who: "locustctl",
            from: AUTOMATIC,
            action: "rebalance",
            old: None,
            new: None,
            outcome: stage.word(),
            detail: &text,
        });
        self.live.kept(Users { stage, text });
    }
}

impl Live {
    /// Until it is time to look again: soon while somebody looks at serve, at once when somebody
    /// begins to.
    async fn pause(&self, is_there: bool, is_kept: bool) {
        tokio::time::sleep(SHORTEST_PERIOD).await;
        let has_viewers = self.frames.receiver_count() > 0;
        let period = if is_there && (has_viewers || is_kept) { PERIOD } else { IDLE_PERIOD };
        let _ = timeout(period, self.is_wanted.notified()).await;
    }

    fn swarm(&self, swarm: Swarm) {
        self.change(|state| {
            let last = state.swarm.replace(swarm);
            if last.is_none_or(|last| !last.problem.is_empty())
                && let Some(now) = &state.swarm
            {
                log(&format!("Watching Locust at {}", now.at));
            }
        });
    }

    /// It was there, or is said to be: what it told last stays.
    fn swarm_is_silent(&self, at: String, error: &Error) {
        self.change(|state| {
            let swarm = state.swarm.get_or_insert_default();
            swarm.at = at;
            swarm.is_silent(error);
        });
    }

    /// Locust could not be looked for; gives whether it was never seen before.
    fn is_new_silence(&self, error: &Error) -> bool {
        let mut is_new = false;
        self.change(|state| match &mut state.swarm {
            Some(swarm) => swarm.is_silent(error),
            None => is_new = true,
        });
        is_new
    }
}

impl Swarm {
    fn is_silent(&mut self, error: &Error) {
        let problem = harmless(&format!("Locust cannot be asked: {error}"));
        if self.problem.is_empty() {
            log(&problem);
        }
        self.problem = problem;
    }

    fn new(at: String, look: &Look, health: &Health) -> Self {
        let table: WorkerTable = look.table();
        let mut notes = look.worker_notes();
        if health.is_alarming() {
            notes.push(health.to_string());
        }
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            at,
            problem: String::new(),
            state: harmless(look.state()),
            workers: count(health.workers),
            own_workers: count(table.own()),
            users: health.users,
            users_wanted: health.wanted.and_then(|wanted| i64::try_from(wanted).ok()),
            notes: notes.iter().map(|note| harmless(note)).collect(),
            needs_rebalance: health.needs_rebalance(),
        }
    }
}

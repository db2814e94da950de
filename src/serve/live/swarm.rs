//! What Locust's master tells, looked at while somebody looks at us.

use std::time::Duration;

use tokio::time::timeout;

use super::super::log::log;
use super::super::snapshot::Swarm;
use super::Live;
use crate::api::Client;
use crate::locust::{Address, Error, Master, Roster, Settings, Stats, roster};
use crate::scaling::{Target, Whereabouts};
use crate::terminal::harmless;

/// Locust keeps its statistics for as long, and its own page looks as often.
const PERIOD: Duration = Duration::from_secs(2);

/// Between looks, however many people begin to look at us.
const SHORTEST_PERIOD: Duration = Duration::from_millis(250);

/// While nobody looks, or where there is no Locust.
const IDLE_PERIOD: Duration = Duration::from_secs(30);

/// Looks at Locust again and again, where `whereabouts` says at that moment; never ends.
pub async fn follow_swarm(
    client: &Client,
    target: &Target,
    whereabouts: impl Fn() -> Whereabouts,
    live: &Live,
) {
    let mut now = whereabouts();
    if now.address == Address::None {
        return std::future::pending().await;
    }
    let (mut master, mut told) = (None, String::new());
    loop {
        let last = std::mem::replace(&mut now, whereabouts());
        if last.login.cookie != now.login.cookie {
            master = None;
        }
        if master.is_none() {
            master = match now.master(client, target).await {
                Ok(found) => found,
                Err(error) => {
                    live.no_swarm(&error, &mut told);
                    None
                }
            };
        }
        live.found_locust(master.as_ref().map(|master| master.address().clone()));
        if let Some(found) = &master {
            match look(found, live, &target.name).await {
                Ok(swarm) => live.swarm(swarm),
                Err(error) => {
                    live.swarm_is_silent(found.place(), &error);
                    if now.address == Address::Auto && error.is_absent() {
                        master = None;
                    }
                }
            }
        }
        live.pause(master.is_some()).await;
    }
}

async fn look(master: &Master<'_>, live: &Live, target: &str) -> Result<Swarm, Error> {
    let settings = master.settings().await?;
    let stats = master.stats().await?;
    let pods = live.ready_pods();
    let roster = roster(&stats, pods.as_ref(), &[target]);
    Ok(Swarm::new(master.place(), &stats, settings.as_ref(), &roster))
}

impl Live {
    /// Until it is time to look again: soon while somebody looks at us, at once when somebody
    /// begins to.
    async fn pause(&self, is_there: bool) {
        tokio::time::sleep(SHORTEST_PERIOD).await;
        let has_viewers = self.frames.receiver_count() > 0;
        let period = if is_there && has_viewers { PERIOD } else { IDLE_PERIOD };
        let _ = timeout(period, self.is_wanted.notified()).await;
    }

    fn swarm(&self, swarm: Swarm) {
        self.change(|state| {
            let last = state.swarm.replace(swarm);
            if last.is_none_or(|last| !last.problem.is_empty())
                && let Some(now) = &state.swarm
            {
                log(&format!("Locust is followed at {}", now.at));
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

    /// It could not be looked for; that is told once where it was never seen.
    fn no_swarm(&self, error: &Error, told: &mut String) {
        self.change(|state| match &mut state.swarm {
            Some(swarm) => swarm.is_silent(error),
            None => {
                let why = format!("Locust cannot be looked for: {error}");
                if why != *told {
                    log(&why);
                    *told = why;
                }
            }
        });
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

    fn new(at: String, stats: &Stats, settings: Option<&Settings>, roster: &Roster) -> Self {
        let users = settings.map_or(stats.user_count, |settings| settings.user_count);
        let state = settings.map_or(&stats.state, |settings| &settings.state);
        let counted = i64::try_from(stats.counted().count()).unwrap_or(i64::MAX);
        let is_running = crate::locust::is_running(state);
        let is_shaped = settings.is_some_and(Settings::is_shaped);
        let is_told = is_running && !is_shaped;
        let wanted = settings.and_then(|settings| settings.num_users).filter(|_| is_told);
        let wanted = wanted.map(|wanted| wanted as i64);
        let is_short = state == "running" && wanted.is_some_and(|wanted| users < wanted);
        let are_idle = state == "running"
            && !roster.idle.is_empty()
            && wanted.is_some_and(|wanted| wanted >= counted);
        let mut notes = roster.notes();
        if let Some(wanted) = wanted.filter(|_| is_short) {
            notes.push(format!("the test has {users} of the {wanted} users that it wants"));
        }
        Self {
            at,
            problem: String::new(),
            state: harmless(state),
            workers: settings.and_then(|settings| settings.worker_count).unwrap_or(counted),
            own_workers: i64::try_from(roster.counted).unwrap_or(i64::MAX),
            users,
            users_wanted: wanted,
            notes: notes.iter().map(|note| harmless(note)).collect(),
            needs_rebalance: is_short || are_idle,
        }
    }
}

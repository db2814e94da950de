//! The swarm: Locust's master with its workers and its test.
//!
//! After a start, the master rebalances the users for the first change of the workers and ignores
//! each later change: the users of a worker that leaves are lost, and a worker that joins stays
//! idle. So 5 workers with 60 users that are scaled to 1 continue with 15 users, in the state
//! `running`.

use std::collections::HashSet;

use tokio::time::Instant;

use super::{
    dispatcher::Dispatcher,
    form::Settings,
    journal::{Journal, Level},
    listener::Listener,
    release::LocustRelease,
    statistics::Statistics,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunnerState {
    Ready,
    Spawning,
    Running,
    Stopping,
    Stopped,
}

/// A pod that runs a master or a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub host: String,
    pub uid: String,
}

impl Process {
    /// The id that Locust gives to a worker.
    pub(super) fn id(&self) -> String {
        format!("{}_{}", self.host, self.uid.replace('-', ""))
    }
}

/// A worker that the master knows.
#[derive(Debug)]
pub(super) struct Worker {
    pub id: String,
    pub index: usize,
    /// The users that it runs.
    pub users: u64,
    /// The users that it has reported to the master.
    pub reported: u64,
    pub is_missing: bool,
}

/// The master and its state.
#[derive(Debug)]
pub(super) struct Swarm {
    pub(super) release: LocustRelease,
    pub(super) state: RunnerState,
    /// The ids of the running workers, including those that the master does not know.
    pub(super) processes: HashSet<String>,
    pub(super) workers: Vec<Worker>,
    pub(super) next_index: usize,
    pub(super) settings: Settings,
    /// Users and spawn rate of the test.
    pub(super) target: (u64, f64),
    pub(super) dispatcher: Option<Dispatcher>,
    pub(super) listener: Listener,
    /// When a start outside the listener stops waiting for reports.
    pub(super) reports_expire: Option<Instant>,
    /// When the requested run times end.
    pub(super) timers: Vec<Instant>,
    pub(super) booted: Instant,
    pub(super) statistics: Statistics,
    pub(super) journal: Journal,
    /// True if users were running when the test stopped.
    pub(super) had_users: bool,
}

impl Swarm {
    /// A master that has just started on this host.
    pub(super) fn new(release: LocustRelease, host: &str) -> Self {
        let now = Instant::now();
        let mut journal = Journal::new(host);
        journal.write(now, Level::Info, "main", &format!("Starting Locust {release}"));
        let text = "Starting web interface at http://0.0.0.0:8089, press enter to open your default browser.";
        journal.write(now, Level::Info, "main", text);
        Self {
            release,
            state: RunnerState::Ready,
            processes: HashSet::new(),
            workers: Vec::new(),
            next_index: 0,
            settings: Settings::default(),
            target: (0, 0.0),
            dispatcher: None,
            listener: Listener::Free,
            reports_expire: None,
            timers: Vec::new(),
            booted: now,
            statistics: Statistics::new(now),
            journal,
            had_users: false,
        }
    }

    /// Locust's `MasterRunner.start`, up to where it waits for reports. Returns false if there is
    /// no worker.
    pub(super) fn send_spawn_jobs(&mut self, at: Instant) -> bool {
        let (users, rate) = self.target;
        let count = self.count();
        if count == 0 {
            let text = "You can't start a distributed test before at least one worker processes has connected";
            self.journal.write(at, Level::Warning, "runners", text);
            return false;
        }
        let text = format!(
            "Sending spawn jobs of {users} users at {rate:.2} spawn rate to {count} ready workers"
        );
        self.journal.write(at, Level::Info, "runners", &text);
        if rate / count as f64 > 100.0 {
            let text = "Your selected spawn rate is very high (>100/worker), and this is known to sometimes cause issues. Do you really need to ramp up that fast?";
            self.journal.write(at, Level::Warning, "runners", text);
        }
        if !matches!(self.state, RunnerState::Running | RunnerState::Spawning) {
            self.statistics.clear(at);
        }
        self.state = RunnerState::Spawning;
        let counted = self.workers.iter().filter(|worker| !worker.is_missing);
        let ids = counted.map(|worker| worker.id.clone());
        let dispatcher = self.dispatcher.get_or_insert_with(|| Dispatcher::new(ids));
        let shares = dispatcher.dispatch(users);
        for worker in &mut self.workers {
            worker.users = shares.get(worker.id.as_str()).copied().unwrap_or(0);
        }
        true
    }

    /// The end of Locust's `MasterRunner.start`.
    pub(super) fn finish_spawning(&mut self, at: Instant) {
        self.state = RunnerState::Running;
        let users = self.users();
        let prefix = if users == self.target.0 {
            "All users spawned"
        } else {
            "Spawning is complete and report waittime is expired, but not all reports received from workers"
        };
        let text = format!("{prefix}: {{\"U\": {users}}} ({users} total users)");
        self.journal.write(at, Level::Info, "runners", &text);
    }

    /// The master receives the workers' reports.
    pub(super) fn receive_reports(&mut self) {
        self.workers.iter_mut().for_each(|worker| worker.reported = worker.users);
    }

    /// `/stats/reset`
    pub(super) fn reset(&mut self) {
        self.statistics.clear(Instant::now());
    }

    /// The number of workers that are not missing.
    pub(super) fn count(&self) -> usize {
        self.workers.iter().filter(|worker| !worker.is_missing).count()
    }

    /// The number of users that the workers have reported.
    pub(super) fn users(&self) -> u64 {
        self.workers.iter().map(|worker| worker.reported).sum()
    }
}

/// The end of the log line of a worker that has connected.
pub(super) fn reported_as_ready(count: usize) -> String {
    format!("reported as ready. {count} workers connected.")
}

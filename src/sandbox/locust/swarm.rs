//! The swarm: Locust's master with its workers, its test, and what happens to it as time passes.
//!
//! After a start the master balances the first change among the workers; it ignores each later
//! one: the users of a worker that leaves are gone, and one that joins stays idle. So 5 workers
//! with 60 users that become 1 go on with 15, in the state `running`.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{
    dispatcher::Dispatcher,
    form::{self, Crash, Refusal, Settings, Start},
    journal::{Journal, Level},
    listener::{Change, Listener},
    release::LocustRelease,
    statistics::{HISTORY_INTERVAL, Statistics},
};

/// The master waits this long for reports that do not come.
pub(super) const REPORT_WAIT: Duration = Duration::from_secs(1);

/// The state of the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
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
    /// Users that it runs.
    pub users: u64,
    /// Users that the master has been told of.
    pub reported: u64,
    pub is_missing: bool,
}

/// Something that happens by itself.
#[derive(Debug, Clone, Copy)]
enum Due {
    ReportsExpire,
    RunTimeEnds,
    WorkersMissing,
    WorkersDropped,
    History,
}

/// The master and what it knows.
#[derive(Debug)]
pub(super) struct Swarm {
    pub(super) release: LocustRelease,
    pub(super) phase: Phase,
    /// The ids of the workers that run, known to the master or not.
    processes: HashSet<String>,
    pub(super) workers: Vec<Worker>,
    pub(super) next_index: usize,
    pub(super) settings: Settings,
    /// Users and spawn rate of the test.
    pub(super) target: (u64, f64),
    pub(super) dispatcher: Option<Dispatcher>,
    pub(super) listener: Listener,
    /// When a start that the listener does not hear of stops waiting for reports.
    reports_expire: Option<Instant>,
    /// When the run times that have been asked for end.
    timers: Vec<Instant>,
    booted: Instant,
    pub(super) statistics: Statistics,
    pub(super) journal: Journal,
    /// Users were running when the test stopped.
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
            phase: Phase::Ready,
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

    /// Takes note of the workers that run now.
    pub(super) fn meet(&mut self, workers: &[Process]) {
        let now = Instant::now();
        self.advance(now);
        let present: HashSet<String> = workers.iter().map(Process::id).collect();
        let mut left: Vec<String> = self.processes.difference(&present).cloned().collect();
        left.sort_unstable();
        let joined = workers.iter().map(Process::id).filter(|id| !self.processes.contains(id));
        let joined: Vec<String> = joined.collect();
        self.processes = present;
        for id in left {
            self.notice(now, Change::Left(id));
        }
        for id in joined {
            self.notice(now, Change::Joined(id));
        }
    }

    /// Lets everything happen that is due by now.
    fn advance(&mut self, now: Instant) {
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= now) {
            self.statistics.count_until(at, self.users());
            match due {
                Due::ReportsExpire => self.expire_reports(at),
                Due::RunTimeEnds => {
                    self.timers.retain(|timer| *timer > at);
                    self.stop_test(at);
                }
                Due::WorkersMissing => self.miss_workers(at),
                Due::WorkersDropped => self.drop_missing(),
                Due::History => self.statistics.sample(at, self.users()),
            }
        }
        self.statistics.count_until(now, self.users());
    }

    fn next_due(&self) -> Option<(Instant, Due)> {
        let (missing, dropped) = self.workers_go();
        let expire = self.listener.busy_until().into_iter().chain(self.reports_expire).min();
        [
            (expire, Due::ReportsExpire),
            (self.timers.iter().copied().min(), Due::RunTimeEnds),
            (missing, Due::WorkersMissing),
            (dropped, Due::WorkersDropped),
            (self.next_sample(), Due::History),
        ]
        .into_iter()
        .filter_map(|(at, due)| Some((at?, due)))
        .min_by_key(|(at, _)| *at)
    }

    /// The master looks at its statistics all the time, but keeps what it sees only of a test.
    fn next_sample(&self) -> Option<Instant> {
        if matches!(self.phase, Phase::Ready | Phase::Stopped) {
            return None;
        }
        let passed = self.statistics.counted.saturating_duration_since(self.booted);
        let ticks = passed.as_secs() / HISTORY_INTERVAL.as_secs() + 1;
        self.booted.checked_add(Duration::from_secs(ticks * HISTORY_INTERVAL.as_secs()))
    }

    fn expire_reports(&mut self, at: Instant) {
        if self.reports_expire.take_if(|expire| *expire <= at).is_some() {
            self.finish_spawning(at);
        }
        if self.listener.busy_until().is_some_and(|until| until <= at) {
            self.free_listener(at);
        }
    }

    /// `POST /swarm`
    pub(super) fn start(&mut self, body: &[u8]) -> Result<Value, Crash> {
        let now = Instant::now();
        let answer = |message: &str, success: bool| json!({ "host": null, "message": message, "success": success });
        let start = match form::read(body, self.release, &mut self.settings) {
            Ok(start) => start,
            Err(Refusal::Crash) => return Err(Crash),
            Err(Refusal::Unreadable(text)) => {
                self.journal.write(now, Level::Error, "web", &text);
                return Ok(answer(&text, false));
            }
            Err(Refusal::Incomplete(text)) => {
                self.cancel_timers();
                self.journal.write(now, Level::Error, "web", text);
                return Ok(answer(text, false));
            }
        };
        self.cancel_timers();
        self.start_test(now, start);
        let mut answer = answer("Swarming started", true);
        if let Some(seconds) = start.run_time {
            self.timers.extend(now.checked_add(Duration::from_secs(seconds)));
            answer["run_time"] = json!(seconds);
        }
        Ok(answer)
    }

    fn cancel_timers(&mut self) {
        if self.release.cancels_timers() {
            self.timers.clear();
        }
    }

    fn start_test(&mut self, now: Instant, start: Start) {
        // What the listener is busy with would be over before the users of this start are there.
        self.free_listener(now);
        self.target = (start.users, start.rate);
        if !self.send_spawn_jobs(now) {
            return;
        }
        if matches!(self.listener, Listener::Free) {
            self.hear_reports();
        }
        if self.users() == start.users {
            self.finish_spawning(now);
        } else {
            self.reports_expire = now.checked_add(REPORT_WAIT);
        }
    }

    /// Locust's `MasterRunner.start`, up to where it waits for reports; says whether there is
    /// anybody to start users.
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
        if !matches!(self.phase, Phase::Running | Phase::Spawning) {
            self.statistics.clear(at);
        }
        self.phase = Phase::Spawning;
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
        self.phase = Phase::Running;
        let users = self.users();
        let prefix = if users == self.target.0 {
            "All users spawned"
        } else {
            "Spawning is complete and report waittime is expired, but not all reports received from workers"
        };
        let text = format!("{prefix}: {{\"U\": {users}}} ({users} total users)");
        self.journal.write(at, Level::Info, "runners", &text);
    }

    /// The workers' reports reach the master.
    pub(super) fn hear_reports(&mut self) {
        self.workers.iter_mut().for_each(|worker| worker.reported = worker.users);
    }

    /// `/stop`
    pub(super) fn stop(&mut self) {
        self.cancel_timers();
        self.stop_test(Instant::now());
    }

    /// Locust's `MasterRunner.stop`. A master that hears nothing is `stopping` until it misses its
    /// workers.
    pub(super) fn stop_test(&mut self, at: Instant) {
        if matches!(self.phase, Phase::Ready | Phase::Stopped | Phase::Stopping) {
            return;
        }
        self.free_listener(at);
        self.reports_expire = None;
        self.had_users = self.users() > 0;
        self.dispatcher = None;
        self.workers.iter_mut().for_each(|worker| worker.users = 0);
        if matches!(self.listener, Listener::Dead { .. }) && self.users() > 0 {
            self.phase = Phase::Stopping;
            return;
        }
        self.hear_reports();
        self.phase = Phase::Stopped;
        let count = self.count();
        for worker in self.workers.iter().filter(|worker| !worker.is_missing) {
            let name = format!("{} (index {})", worker.id, worker.index);
            for text in ["reported that it has stopped".to_owned(), reported_as_ready(count)] {
                self.journal.write(at, Level::Info, "runners", &format!("{name} {text}"));
            }
        }
    }

    /// `/stats/reset`
    pub(super) fn reset(&mut self) {
        self.statistics.clear(Instant::now());
    }

    /// Workers that are counted.
    pub(super) fn count(&self) -> usize {
        self.workers.iter().filter(|worker| !worker.is_missing).count()
    }

    /// Users that the master knows of.
    pub(super) fn users(&self) -> u64 {
        self.workers.iter().map(|worker| worker.reported).sum()
    }
}

/// The end of the line of a worker that has connected.
pub(super) fn reported_as_ready(count: usize) -> String {
    format!("reported as ready. {count} workers connected.")
}

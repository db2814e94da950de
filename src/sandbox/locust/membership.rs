//! Workers that join and leave, as the master's listener hears of them.

use tokio::time::{Duration, Instant};

use super::{
    journal::Level,
    listener::{Change, Listener},
    swarm::{Phase, Swarm, Worker, reported_as_ready},
};

/// A worker that quits still answers the master's messages for this long.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The master misses its workers this long after its listener has ended; 3.2 to 4.8 s were
/// measured.
const MISSING_AFTER: Duration = Duration::from_secs(4);

/// The master forgets missing workers after this time.
const DROPPED_AFTER: Duration = Duration::from_secs(60);

impl Swarm {
    /// A worker has joined or left.
    pub(super) fn notice(&mut self, at: Instant, change: Change) {
        match &mut self.listener {
            Listener::Free => self.handle(at, change),
            Listener::Busy { waiting, .. } => waiting.push((at, change)),
            Listener::Dead { .. } => {}
        }
    }

    fn handle(&mut self, at: Instant, change: Change) {
        let line = match change {
            Change::Joined(id) => self.connect(at, id),
            Change::Left(id) => match self.disconnect(&id) {
                Some(line) => line,
                None => return,
            },
        };
        let is_balanced = self.phase == Phase::Running
            && self.dispatcher.as_ref().is_some_and(|dispatcher| !dispatcher.is_in_progress());
        if is_balanced && self.send_spawn_jobs(at) {
            if self.users() != self.target.0 {
                self.listener = Listener::Busy { since: at, line, waiting: Vec::new() };
                return;
            }
            self.finish_spawning(at);
            self.hear_reports();
        }
        self.conclude(at, &line);
    }

    /// Adds a worker; gives its line for the log.
    fn connect(&mut self, at: Instant, id: String) -> String {
        self.journal.worker_started(at, &id, self.release);
        self.dispatcher.iter_mut().for_each(|dispatcher| dispatcher.add(&id));
        let index = self.next_index;
        self.next_index += 1;
        let line = format!("{id} (index {index}) {}", reported_as_ready(self.count() + 1));
        self.workers.push(Worker { id, index, users: 0, reported: 0, is_missing: false });
        line
    }

    /// Removes a worker; gives its line for the log.
    fn disconnect(&mut self, id: &str) -> Option<String> {
        let place = self.workers.iter().position(|worker| worker.id == id)?;
        let worker = self.workers.remove(place);
        self.dispatcher.iter_mut().for_each(|dispatcher| dispatcher.remove(id));
        let ready = self.workers.iter().filter(|worker| worker.reported == 0).count();
        Some(format!("Worker '{id}' (index {}) quit. {ready} workers ready.", worker.index))
    }

    /// The end of a message of a worker.
    fn conclude(&mut self, at: Instant, line: &str) {
        self.journal.write(at, Level::Info, "runners", line);
        if self.workers.is_empty() {
            let text = "The last worker quit, stopping test.";
            self.journal.write(at, Level::Info, "runners", text);
            self.stop_test(at);
            self.phase = Phase::Stopped;
        }
    }

    /// The listener stops waiting for reports, and hears all that has been said meanwhile.
    pub(super) fn free_listener(&mut self, at: Instant) {
        if !matches!(self.listener, Listener::Busy { .. }) {
            return;
        }
        let listener = std::mem::replace(&mut self.listener, Listener::Free);
        let Listener::Busy { since, line, waiting } = listener else { return };
        self.finish_spawning(at);
        self.hear_reports();
        self.conclude(at, &line);
        let mut last_words = Vec::new();
        for (said, change) in waiting {
            if let Change::Left(id) = &change
                && said.saturating_duration_since(since) <= LAST_WORDS
                && self.workers.iter().any(|worker| worker.id == *id)
            {
                last_words.push(id.clone());
            }
            self.notice(at, change);
        }
        self.hear_last_words(at, &last_words);
    }

    /// Messages of workers that have quit, but had been sent users before.
    fn hear_last_words(&mut self, at: Instant, ids: &[String]) {
        let mut warn = |message: &str, id: &str| {
            let text =
                format!("Got {message} message from unknown worker {id}. Asking worker to quit.");
            self.journal.write(at, Level::Warning, "runners", &text);
        };
        ids.iter().for_each(|id| warn("spawning", id));
        if self.release.survives_leavers() {
            ids.iter().for_each(|id| warn("spawning_complete", id));
        } else if let Some(id) = ids.first() {
            self.journal.write(at, Level::Critical, "runners", &traceback(id));
            self.listener = Listener::Dead { since: at };
        }
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

    /// When a master without a listener misses its workers, and when it forgets them.
    pub(super) fn workers_go(&self) -> (Option<Instant>, Option<Instant>) {
        let Listener::Dead { since } = self.listener else { return (None, None) };
        let missing = since.checked_add(MISSING_AFTER);
        let dropped = missing.and_then(|missing| missing.checked_add(DROPPED_AFTER));
        let has = |is_missing: bool| self.workers.iter().any(|one| one.is_missing == is_missing);
        (missing.filter(|_| has(false)), dropped.filter(|_| has(true)))
    }

    pub(super) fn miss_workers(&mut self, at: Instant) {
        for worker in &mut self.workers {
            let text =
                format!("Worker {} failed to send heartbeat, setting state to missing.", worker.id);
            self.journal.write(at, Level::Info, "runners", &text);
            (worker.users, worker.reported, worker.is_missing) = (0, 0, true);
        }
        let text = "The last worker went missing, stopping test.";
        self.journal.write(at, Level::Info, "runners", text);
        self.stop_test(at);
        self.phase = Phase::Stopped;
    }

    pub(super) fn drop_missing(&mut self) {
        self.workers.retain(|worker| !worker.is_missing);
    }
}

/// The log line at the end of the listener, as 2.46.4 writes it.
fn traceback(id: &str) -> String {
    const FILE: &str = "/opt/venv/lib/python3.11/site-packages/locust/runners.py";
    format!(
        "Unhandled exception in greenlet: <Greenlet at 0x7fdf34cc0fe0: <bound method MasterRunner.client_listener of <locust.runners.MasterRunner object at 0x7fdf34cb6e10>>>
Traceback (most recent call last):
  File \"src/gevent/greenlet.py\", line 912, in gevent._gevent_cgreenlet.Greenlet.run
  File \"{FILE}\", line 1015, in client_listener
    self.handle_message(client_id, msg)
    ^^^^^^^^^^^^^^^^^
  File \"{FILE}\", line 1146, in handle_message
    self.clients[msg.node_id].state = STATE_RUNNING
    ^^^^^^^^^^^^^^^^^
  File \"{FILE}\", line 640, in __getitem__
    return self._worker_nodes[k]
    ^^^^^^^^^^^^^^^^^
KeyError: '{id}'"
    )
}

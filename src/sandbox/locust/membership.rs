//! Workers that join and leave, as the listener handles them.

use tokio::time::{Duration, Instant};

use super::{
    journal::Level,
    listener::{Change, Listener},
    swarm::{RunnerState, Swarm, Worker, reported_as_ready},
};

/// A worker that quits still answers the master's messages for this long.
const LATE_MESSAGES: Duration = Duration::from_millis(500);

/// How long after the end of the listener the workers go missing. 3.2 to 4.8 s were measured.
const MISSING_AFTER: Duration = Duration::from_secs(4);

/// How long after that the master drops the missing workers.
const DROPPED_AFTER: Duration = Duration::from_secs(60);

impl Swarm {
    /// A worker has joined or left.
    pub(super) fn on_change(&mut self, at: Instant, change: Change) {
        match &mut self.listener {
            Listener::Free => self.handle(at, change),
            Listener::Busy { waiting, .. } => waiting.push((at, change)),
            Listener::Ended { .. } => {}
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
        let is_balanced = self.state == RunnerState::Running
            && self.dispatcher.as_ref().is_some_and(|dispatcher| !dispatcher.is_in_progress());
        if is_balanced && self.send_spawn_jobs(at) {
            if self.users() != self.target.0 {
                self.listener = Listener::Busy { since: at, line, waiting: Vec::new() };
                return;
            }
            self.finish_spawning(at);
            self.receive_reports();
        }
        self.conclude(at, &line);
    }

    /// Adds a worker. Returns its log line.
    fn connect(&mut self, at: Instant, id: String) -> String {
        self.journal.worker_started(at, &id, self.release);
        self.dispatcher.iter_mut().for_each(|dispatcher| dispatcher.add(&id));
        let index = self.next_index;
        self.next_index += 1;
        let line = format!("{id} (index {index}) {}", reported_as_ready(self.count() + 1));
        self.workers.push(Worker { id, index, users: 0, reported: 0, is_missing: false });
        line
    }

    /// Removes a worker. Returns its log line.
    fn disconnect(&mut self, id: &str) -> Option<String> {
        let place = self.workers.iter().position(|worker| worker.id == id)?;
        let worker = self.workers.remove(place);
        self.dispatcher.iter_mut().for_each(|dispatcher| dispatcher.remove(id));
        let ready = self.workers.iter().filter(|worker| worker.reported == 0).count();
        Some(format!("Worker '{id}' (index {}) quit. {ready} workers ready.", worker.index))
    }

    /// The last step of handling a message.
    fn conclude(&mut self, at: Instant, line: &str) {
        self.journal.write(at, Level::Info, "runners", line);
        if self.workers.is_empty() {
            let text = "The last worker quit, stopping test.";
            self.journal.write(at, Level::Info, "runners", text);
            self.stop_test(at);
            self.state = RunnerState::Stopped;
        }
    }

    /// The listener stops waiting for reports, and handles the queued changes.
    pub(super) fn free_listener(&mut self, at: Instant) {
        if !matches!(self.listener, Listener::Busy { .. }) {
            return;
        }
        let listener = std::mem::replace(&mut self.listener, Listener::Free);
        let Listener::Busy { since, line, waiting } = listener else { return };
        self.finish_spawning(at);
        self.receive_reports();
        self.conclude(at, &line);
        let mut late = Vec::new();
        for (said, change) in waiting {
            if let Change::Left(id) = &change
                && said.saturating_duration_since(since) <= LATE_MESSAGES
                && self.workers.iter().any(|worker| worker.id == *id)
            {
                late.push(id.clone());
            }
            self.on_change(at, change);
        }
        self.handle_late_messages(at, &late);
    }

    /// Handles the messages of workers that have quit after the master had sent them users.
    fn handle_late_messages(&mut self, at: Instant, ids: &[String]) {
        let mut warn = |message: &str, id: &str| {
            let text =
                format!("Got {message} message from unknown worker {id}. Asking worker to quit.");
            self.journal.write(at, Level::Warning, "runners", &text);
        };
        ids.iter().for_each(|id| warn("spawning", id));
        if self.release.survives_late_messages() {
            ids.iter().for_each(|id| warn("spawning_complete", id));
        } else if let Some(id) = ids.first() {
            self.journal.write(at, Level::Critical, "runners", &traceback(id));
            self.listener = Listener::Ended { since: at };
        }
    }

    /// Locust's `MasterRunner.stop`. Without a listener the state is `stopping` until the workers
    /// go missing.
    pub(super) fn stop_test(&mut self, at: Instant) {
        if matches!(self.state, RunnerState::Ready | RunnerState::Stopped | RunnerState::Stopping) {
            return;
        }
        self.free_listener(at);
        self.reports_expire = None;
        self.had_users = self.users() > 0;
        self.statistics.end(at, self.users());
        self.dispatcher = None;
        self.workers.iter_mut().for_each(|worker| worker.users = 0);
        if matches!(self.listener, Listener::Ended { .. }) && self.users() > 0 {
            self.state = RunnerState::Stopping;
            return;
        }
        self.receive_reports();
        self.state = RunnerState::Stopped;
        let count = self.count();
        for worker in self.workers.iter().filter(|worker| !worker.is_missing) {
            let name = format!("{} (index {})", worker.id, worker.index);
            for text in ["reported that it has stopped".to_owned(), reported_as_ready(count)] {
                self.journal.write(at, Level::Info, "runners", &format!("{name} {text}"));
            }
        }
    }

    /// When the workers of a master without a listener go missing, and when they are dropped.
    pub(super) fn missing_and_dropped_at(&self) -> (Option<Instant>, Option<Instant>) {
        let Listener::Ended { since } = self.listener else { return (None, None) };
        let missing = since.checked_add(MISSING_AFTER);
        let dropped = missing.and_then(|missing| missing.checked_add(DROPPED_AFTER));
        let has = |is_missing: bool| self.workers.iter().any(|one| one.is_missing == is_missing);
        (missing.filter(|_| has(false)), dropped.filter(|_| has(true)))
    }

    pub(super) fn mark_workers_missing(&mut self, at: Instant) {
        for worker in &mut self.workers {
            let text =
                format!("Worker {} failed to send heartbeat, setting state to missing.", worker.id);
            self.journal.write(at, Level::Info, "runners", &text);
            (worker.users, worker.reported, worker.is_missing) = (0, 0, true);
        }
        let text = "The last worker went missing, stopping test.";
        self.journal.write(at, Level::Info, "runners", text);
        self.stop_test(at);
        self.state = RunnerState::Stopped;
    }

    pub(super) fn drop_missing(&mut self) {
        self.workers.retain(|worker| !worker.is_missing);
    }
}

/// The log line at the end of the listener, from 2.46.4.
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

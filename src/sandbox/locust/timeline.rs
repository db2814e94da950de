//! The swarm over time: workers that come and go, starts, stops, and timers.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{
    form::{self, Crash, Refusal, Start},
    journal::Level,
    listener::{Change, Listener, REPORT_WAIT},
    statistics::HISTORY_INTERVAL,
    swarm::{Process, RunnerState, Swarm},
};

/// An event that happens at a time.
#[derive(Debug, Clone, Copy)]
enum TimedEvent {
    ReportsExpire,
    RunTimeEnds,
    WorkersMissing,
    WorkersDropped,
    History,
}

impl Swarm {
    /// Updates the swarm to the workers that run now.
    pub(super) fn update_workers(&mut self, workers: &[Process]) {
        let now = Instant::now();
        self.advance(now);
        let present: HashSet<String> = workers.iter().map(Process::id).collect();
        let mut left: Vec<String> = self.processes.difference(&present).cloned().collect();
        left.sort_unstable();
        let joined = workers.iter().map(Process::id).filter(|id| !self.processes.contains(id));
        let joined: Vec<String> = joined.collect();
        self.processes = present;
        for id in left {
            self.on_change(now, Change::Left(id));
        }
        for id in joined {
            self.on_change(now, Change::Joined(id));
        }
    }

    /// Handles all events up to this time.
    fn advance(&mut self, now: Instant) {
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= now) {
            self.statistics.count_until(at, self.users());
            match due {
                TimedEvent::ReportsExpire => self.expire_reports(at),
                TimedEvent::RunTimeEnds => {
                    self.timers.retain(|timer| *timer > at);
                    self.stop_test(at);
                }
                TimedEvent::WorkersMissing => self.mark_workers_missing(at),
                TimedEvent::WorkersDropped => self.drop_missing(),
                TimedEvent::History => self.statistics.sample(at, self.users()),
            }
        }
        self.statistics.count_until(now, self.users());
    }

    fn next_due(&self) -> Option<(Instant, TimedEvent)> {
        let (missing, dropped) = self.missing_and_dropped_at();
        let expire = self.listener.busy_until().into_iter().chain(self.reports_expire).min();
        [
            (expire, TimedEvent::ReportsExpire),
            (self.timers.iter().copied().min(), TimedEvent::RunTimeEnds),
            (missing, TimedEvent::WorkersMissing),
            (dropped, TimedEvent::WorkersDropped),
            (self.next_sample(), TimedEvent::History),
        ]
        .into_iter()
        .filter_map(|(at, due)| Some((at?, due)))
        .min_by_key(|(at, _)| *at)
    }

    /// When the next sample is due. The master takes samples all the time, but keeps only those of
    /// a test.
    fn next_sample(&self) -> Option<Instant> {
        if matches!(self.state, RunnerState::Ready | RunnerState::Stopped) {
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
        // The listener stops waiting before the users of this start are spawned.
        self.free_listener(now);
        self.target = (start.users, start.rate);
        self.statistics.failure_share = self.settings.failure_percent.clamp(0.0, 100.0) / 100.0;
        if !self.send_spawn_jobs(now) {
            return;
        }
        if matches!(self.listener, Listener::Free) {
            self.receive_reports();
        }
        if self.users() == start.users {
            self.finish_spawning(now);
        } else {
            self.reports_expire = now.checked_add(REPORT_WAIT);
        }
    }

    /// `/stop`
    pub(super) fn stop(&mut self) {
        self.cancel_timers();
        self.stop_test(Instant::now());
    }
}

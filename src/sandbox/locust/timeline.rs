//! The swarm as time passes, and the starts and stops that its web API is asked for.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{
    form::{self, Crash, Refusal, Start},
    journal::Level,
    listener::{Change, Listener, REPORT_WAIT},
    statistics::HISTORY_INTERVAL,
    swarm::{Phase, Process, Swarm},
};

/// Something that happens by itself.
#[derive(Debug, Clone, Copy)]
enum Due {
    ReportsExpire,
    RunTimeEnds,
    WorkersMissing,
    WorkersDropped,
    History,
}

impl Swarm {
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

    /// `/stop`
    pub(super) fn stop(&mut self) {
        self.cancel_timers();
        self.stop_test(Instant::now());
    }
}

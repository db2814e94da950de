//! The swarm: its workers, its users, and how Locust 2.47 loses them.
//!
//! After a start the first change among the workers is balanced out; each later one is not: the
//! users of a worker that leaves are gone, and one that joins stays idle. So 5 workers with 60
//! users that become 1 go on with 15, in the state `running`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::query::Query;

/// Requests that a user makes in a second.
const PACE: f64 = 0.5;

/// The state of the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Ready,
    Running,
    Stopped,
}

#[derive(Debug)]
struct Worker {
    pod: String,
    id: String,
    users: u64,
}

/// A test, or that there is none.
#[derive(Debug)]
pub(in crate::sandbox) struct Swarm {
    phase: Phase,
    workers: Vec<Worker>,
    /// Users and spawn rate that were asked for last.
    wanted: Option<(u64, f64)>,
    run_time: Option<String>,
    /// Whether the next change among the workers is balanced out.
    is_balanced_once: bool,
    requests: f64,
    counted: Instant,
}

impl Swarm {
    pub(in crate::sandbox) fn new() -> Self {
        Self {
            phase: Phase::Ready,
            workers: Vec::new(),
            wanted: None,
            run_time: None,
            is_balanced_once: false,
            requests: 0.0,
            counted: Instant::now(),
        }
    }

    /// Takes note of the workers that there are now: name and uid of their pods.
    pub(super) fn meet(&mut self, pods: Vec<(String, String)>) {
        self.pass();
        while let Some(place) =
            self.workers.iter().position(|worker| !pods.iter().any(|pod| pod.0 == worker.pod))
        {
            self.workers.remove(place);
            self.changed();
        }
        for (pod, uid) in pods {
            if !self.workers.iter().any(|worker| worker.pod == pod) {
                let id = format!("{pod}_{}", uid.replace('-', ""));
                self.workers.push(Worker { pod, id, users: 0 });
                self.changed();
            }
        }
        if self.workers.is_empty() && self.phase == Phase::Running {
            self.phase = Phase::Stopped;
        }
    }

    /// Workers that are counted.
    pub(super) fn count(&self) -> usize {
        self.workers.len()
    }

    /// `POST /swarm`
    pub(super) fn start(&mut self, form: &[u8]) -> Value {
        let form = Query::parse(&String::from_utf8_lossy(form));
        let answer = |message: &str, success: bool| json!({ "host": null, "message": message, "success": success });
        let missing = "Missing or invalid user_count or spawn_rate from /swarm request";
        let (Some(users), Some(rate)) = (form.get("user_count"), form.get("spawn_rate")) else {
            return answer(missing, false);
        };
        let Ok(users) = users.parse::<i64>() else {
            let text = format!("Invalid user_count value: '{users}' (must be an integer)");
            return answer(&text, false);
        };
        let (Ok(users), Ok(rate)) = (u64::try_from(users), rate.parse::<f64>()) else {
            return answer(missing, false);
        };
        if self.phase != Phase::Running {
            self.reset();
        }
        self.wanted = Some((users, rate));
        self.run_time = form.get("run_time").filter(|time| !time.is_empty()).map(str::to_owned);
        if !self.workers.is_empty() {
            self.phase = Phase::Running;
            self.is_balanced_once = true;
            self.balance();
        }
        answer("Swarming started", true)
    }

    /// `POST /stop`
    pub(super) fn stop(&mut self) {
        self.workers.iter_mut().for_each(|worker| worker.users = 0);
        self.phase = Phase::Stopped;
    }

    /// `POST /stats/reset`
    pub(super) fn reset(&mut self) {
        self.requests = 0.0;
        self.counted = Instant::now();
    }

    /// `GET /stats/requests`
    pub(super) fn stats(&self) -> Value {
        let (users, rate) = (self.users(), self.rate());
        let requests = self.requests as u64;
        let entry = |name: &str, method: &str| {
            json!({ "name": name, "method": method, "num_requests": requests, "num_failures": 0,
                "avg_content_length": 1024.0, "avg_response_time": 12.0, "median_response_time": 11,
                "min_response_time": 7.0, "max_response_time": 26.0, "current_rps": rate, "total_rps": rate,
                "current_fail_per_sec": 0.0, "total_fail_per_sec": 0.0,
                "response_time_percentile_0.95": 26, "response_time_percentile_0.99": 26 })
        };
        let entries = match self.phase {
            Phase::Ready => json!([entry("Aggregated", "")]),
            _ => json!([entry("/", "GET"), entry("Aggregated", "")]),
        };
        let workers: Vec<Value> = self.workers.iter().map(|worker| self.row(worker)).collect();
        json!({ "state": self.word(), "user_count": users, "worker_count": self.count(), "workers": workers,
            "stats": entries, "errors": [], "fail_ratio": 0.0, "total_rps": rate, "total_fail_per_sec": 0.0,
            "current_rps": rate, "current_fail_per_sec": 0.0,
            "current_response_time_percentiles":
                { "response_time_percentile_0.5": 11, "response_time_percentile_0.95": 26 } })
    }

    /// What stands in the page.
    pub(super) fn template_args(&self) -> Value {
        let (users, rate) = self.wanted.unzip();
        json!({ "available_shape_classes": ["Default"], "available_user_classes": ["U"],
            "available_user_tasks": { "U": ["index"] }, "extra_options": {}, "hide_common_options": null,
            "history": [], "host": null, "is_distributed": true, "is_host_required": false,
            "locustfile": "locustfile.py", "missing_host_warning": false, "num_users": users,
            "override_host_warning": false, "percentiles_to_chart": [0.5, 0.95],
            "percentiles_to_statistics": [0.95, 0.99], "profile": null, "run_time": self.run_time,
            "shape_use_common_options": null, "show_userclass_picker": false, "spawn_rate": rate,
            "state": self.word(), "stats_history_enabled": false, "tasks": "{}",
            "user_count": self.users(),
            "users": { "U": { "fixed_count": 0, "host": null, "tasks": ["index"], "weight": 1 } },
            "version": "2.47.0", "worker_count": self.count() })
    }

    fn row(&self, worker: &Worker) -> Value {
        let state = match (self.phase, worker.users) {
            (Phase::Running, 1..) => "running",
            _ => "ready",
        };
        json!({ "id": worker.id, "state": state, "user_count": worker.users,
            "cpu_usage": 1.5 + worker.users as f64 * 0.4, "memory_usage": 55_914_496 })
    }

    fn users(&self) -> u64 {
        self.workers.iter().map(|worker| worker.users).sum()
    }

    fn rate(&self) -> f64 {
        if self.phase == Phase::Running { self.users() as f64 * PACE } else { 0.0 }
    }

    fn word(&self) -> &'static str {
        match self.phase {
            Phase::Ready => "ready",
            Phase::Running => "running",
            Phase::Stopped => "stopped",
        }
    }

    /// A worker has joined or left.
    fn changed(&mut self) {
        if self.phase == Phase::Running && std::mem::take(&mut self.is_balanced_once) {
            self.balance();
        }
    }

    fn balance(&mut self) {
        let (Some((users, _)), count) = (self.wanted, self.workers.len() as u64) else { return };
        for (place, worker) in (0_u64..).zip(&mut self.workers) {
            worker.users = users / count + u64::from(place < users % count);
        }
    }

    fn pass(&mut self) {
        let passed: Duration = self.counted.elapsed();
        self.counted = Instant::now();
        self.requests += self.rate() * passed.as_secs_f64();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(count: usize) -> Vec<(String, String)> {
        (0..count).map(|number| (format!("w-{number}"), format!("{number:032x}"))).collect()
    }

    fn users(swarm: &Swarm) -> Vec<u64> {
        swarm.workers.iter().map(|worker| worker.users).collect()
    }

    fn running(workers: usize, count: u64) -> Swarm {
        let mut swarm = Swarm::new();
        swarm.meet(pods(workers));
        swarm.start(format!("user_count={count}&spawn_rate=10").as_bytes());
        swarm
    }

    #[tokio::test(start_paused = true)]
    async fn five_workers_that_become_one_leave_fifteen_of_sixty_users() {
        let mut swarm = running(5, 60);
        assert_eq!(users(&swarm), [12; 5]);
        swarm.meet(pods(1));
        assert_eq!(users(&swarm), [15]);
        assert_eq!(swarm.stats()["state"], "running");
        assert_eq!(swarm.template_args()["num_users"], 60);
        swarm.start(b"user_count=60&spawn_rate=10");
        assert_eq!(users(&swarm), [60]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_newcomer_gets_users_and_the_next_stay_idle() {
        let mut swarm = running(2, 20);
        swarm.meet(pods(3));
        assert_eq!(users(&swarm), [7, 7, 6]);
        swarm.meet(pods(5));
        assert_eq!(users(&swarm), [7, 7, 6, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_workers_a_test_stops_and_a_start_starts_nothing() {
        let mut swarm = running(2, 20);
        swarm.meet(Vec::new());
        assert_eq!(swarm.stats()["state"], "stopped");
        let answer = swarm.start(b"user_count=5&spawn_rate=5");
        assert_eq!(answer["success"], true);
        assert_eq!(swarm.stats()["state"], "stopped");
        swarm.meet(pods(1));
        assert_eq!(swarm.stats()["state"], "stopped", "and stays so when workers return");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_number_of_users_is_refused_as_by_locust() {
        let mut swarm = running(1, 5);
        for (form, message) in [
            ("", "Missing or invalid user_count or spawn_rate from /swarm request"),
            (
                "user_count=-1&spawn_rate=1",
                "Missing or invalid user_count or spawn_rate from /swarm request",
            ),
            ("user_count=abc&spawn_rate=1", "Invalid user_count value: 'abc' (must be an integer)"),
        ] {
            let answer = swarm.start(form.as_bytes());
            assert_eq!((&answer["success"], &answer["message"]), (&json!(false), &json!(message)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_test_that_runs_keeps_its_statistics_when_it_is_started_again() {
        let mut swarm = running(1, 10);
        tokio::time::advance(Duration::from_secs(10)).await;
        swarm.meet(pods(1));
        let requests = || 50;
        assert_eq!(swarm.stats()["stats"][0]["num_requests"], requests());
        swarm.start(b"user_count=10&spawn_rate=1");
        assert_eq!(swarm.stats()["stats"][0]["num_requests"], requests());
        swarm.stop();
        swarm.start(b"user_count=10&spawn_rate=1");
        assert_eq!(swarm.stats()["stats"][0]["num_requests"], 0);
    }
}

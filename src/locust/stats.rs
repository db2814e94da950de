//! `GET /stats/requests`: the statistics and the workers. Locust caches the answer for 2 seconds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::json::whole_object;

/// The statistics. A field that a release does not send has its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// State of the runner: `ready`, `spawning`, `running`, `stopping`, `stopped`, …
    pub state: String,
    /// Users that are running.
    pub user_count: i64,
    /// The connected workers, and for a minute also the missing ones. `None` if Locust runs in a
    /// single process.
    pub workers: Option<Vec<Worker>>,
    /// Requests per second since the start.
    pub total_rps: f64,
    /// Requests per second over the last seconds; `None` before release 2.17.
    pub current_rps: Option<f64>,
    /// Share of failed requests, from 0 to 1.
    pub fail_ratio: f64,
}

/// One worker process, as the master sees it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Worker {
    /// Host name, an underscore, and 32 hexadecimal digits.
    pub id: String,
    /// `ready`, `spawning`, `running` or `missing`.
    pub state: String,
    /// Users that are running on it.
    pub user_count: i64,
    /// CPU usage in percent of one core.
    pub cpu_usage: f64,
    /// Memory in bytes; `None` before release 2.9.
    pub memory_usage: Option<f64>,
}

impl Stats {
    /// Reads the answer; `None` if it is not Locust's.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let stats: Self = whole_object(body)?;
        // Every release sends the state.
        (!stats.state.is_empty()).then_some(stats)
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.current_rps.unwrap_or(self.total_rps)
    }

    pub fn connected(&self) -> impl Iterator<Item = &Worker> {
        self.workers.iter().flatten().filter(|worker| !worker.is_missing())
    }

    /// Ids of the connected workers.
    pub fn connected_ids(&self) -> BTreeSet<&str> {
        self.connected().map(|worker| &*worker.id).collect()
    }
}

impl Worker {
    /// The host name in the id: the name of the pod, or of the node if the pod has `hostNetwork`.
    pub fn host(&self) -> &str {
        let is_random =
            |end: &str| end.len() == 32 && end.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.id.rsplit_once('_') {
            Some((host, end)) if is_random(end) => host,
            _ => &self.id,
        }
    }

    /// The master has not received its heartbeat for some seconds.
    pub fn is_missing(&self) -> bool {
        self.state == "missing"
    }
}

/// In this state of the runner, no test is running.
pub fn is_idle(state: &str) -> bool {
    matches!(state, "ready" | "stopped")
}

/// In this state of the runner, a test is starting its users or has them.
pub fn is_running(state: &str) -> bool {
    matches!(state, "running" | "spawning")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_that_a_release_does_not_send_has_its_default() {
        let stats = json!({"state": "running", "user_count": 3, "total_rps": 1.5, "fail_ratio": 0.1,
            "stats": [], "errors": []});
        let stats = Stats::parse(stats.to_string().as_bytes()).unwrap();
        assert_eq!((stats.rate(), stats.workers.as_ref()), (1.5, None));
        let worker: Worker =
            serde_json::from_value(json!({"id": "a_1", "state": "ready"})).unwrap();
        assert_eq!((worker.host(), worker.memory_usage), ("a_1", None));
    }

    #[test]
    fn answers_of_other_servers_are_not_statistics() {
        for body in ["[]", "{}", "[\"running\"]", "<html>", "{\"state\": 3}"] {
            assert_eq!(Stats::parse(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn the_id_of_a_worker_has_its_host() {
        let host = |id: &str| Worker { id: id.to_owned(), ..Worker::default() }.host().to_owned();
        assert_eq!(
            host("locust-slave-7d6d-x2x_532504a3fc6440c3a0773eb17e1576da"),
            "locust-slave-7d6d-x2x"
        );
        assert_eq!(host("host_name_532504a3fc6440c3a0773eb17e1576da"), "host_name");
        assert_eq!(host("no-end"), "no-end");
    }
}

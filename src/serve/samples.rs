//! The last hour in numbers, for the chart of the page: one sample of the live state every 15 seconds.
//!
//! A sample sends no requests. Without viewers, serve looks at Locust every 30 s, so the numbers of
//! Locust may be as old.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::sleep;

use super::live::Live;
use super::log::now;
use super::snapshot::{ConnectionState, Snapshot};

/// Time between two samples.
const PERIOD: Duration = Duration::from_secs(15);

/// Limit on the samples: one hour.
const MAX_SAMPLES: usize = 240;

/// Time between two checks for the first answer of the API server. The first sample follows it.
const FIRST_CHECK: Duration = Duration::from_millis(250);

/// The numbers at one moment. A number is `None` if it was not known then.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// RFC 3339 in UTC.
    #[serde(rename = "at")]
    pub time: String,
    /// Ready workers.
    pub ready: Option<i64>,
    /// Workers that are connected to Locust.
    pub connected: Option<i64>,
    pub users: Option<i64>,
    pub requests_per_second: Option<f64>,
}

/// The samples of the last hour, with their subscribers.
#[derive(Debug, Default)]
pub struct Samples {
    /// The latest last.
    kept: Mutex<VecDeque<Sample>>,
    /// The server-sent event of the latest sample; empty before the first one.
    latest: watch::Sender<Bytes>,
}

impl Samples {
    /// All samples, the latest last.
    pub fn all(&self) -> Vec<Sample> {
        self.kept.lock().iter().cloned().collect()
    }

    /// Subscribes to the event of the latest sample. A slow subscriber misses samples.
    pub fn subscribe(&self) -> watch::Receiver<Bytes> {
        self.latest.subscribe()
    }

    /// Takes a sample of the live state periodically; never ends.
    pub(super) async fn record(&self, live: &Live) {
        while live.now().snapshot.connection.state == ConnectionState::Connecting {
            sleep(FIRST_CHECK).await;
        }
        loop {
            self.add(Sample::new(now(), &live.now().snapshot));
            sleep(PERIOD).await;
        }
    }

    fn add(&self, sample: Sample) {
        // Serializing cannot fail: a sample is plain data.
        let data = serde_json::to_string(&sample).unwrap_or_default();
        self.latest.send_replace(Bytes::from(format!("event: sample\ndata: {data}\n\n")));
        let mut kept = self.kept.lock();
        if kept.len() == MAX_SAMPLES {
            kept.pop_front();
        }
        kept.push_back(sample);
    }
}

impl Sample {
    /// The numbers of this state. Outdated numbers are not known.
    fn new(time: String, snapshot: &Snapshot) -> Self {
        let is_connected = snapshot.connection.state == ConnectionState::Connected;
        let replicas = snapshot.replicas.filter(|_| is_connected);
        let answers =
            |swarm: &&super::snapshot::Swarm| swarm.problem.is_empty() && !swarm.state.is_empty();
        let swarm = snapshot.locust.as_ref().filter(answers);
        Self {
            time,
            ready: replicas.map(|replicas| replicas.ready.unwrap_or(replicas.current)),
            connected: swarm.map(|swarm| swarm.workers),
            users: swarm.map(|swarm| swarm.users),
            requests_per_second: swarm.map(|swarm| swarm.requests_per_second),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::Limits;
    use crate::serve::snapshot::{Replicas, Swarm, TargetInfo};

    fn live() -> Live {
        let text = String::new;
        let target = TargetInfo {
            kind: text(),
            name: text(),
            namespace: text(),
            cluster: text(),
            context: None,
            simulated: false,
        };
        Live::new(target, Limits { min: 0, max: 100 })
    }

    fn snapshot() -> Snapshot {
        let mut snapshot = live().now().snapshot.clone();
        snapshot.connection.state = ConnectionState::Connected;
        snapshot.replicas =
            Some(Replicas { desired: 5, current: 5, ready: Some(2), settled: false });
        snapshot.locust = Some(Swarm {
            state: "running".to_owned(),
            workers: 3,
            users: 60,
            requests_per_second: 12.5,
            ..Swarm::default()
        });
        snapshot
    }

    fn sample(snapshot: &Snapshot) -> (Option<i64>, Option<i64>, Option<i64>, Option<f64>) {
        let Sample { ready, connected, users, requests_per_second, .. } =
            Sample::new(String::new(), snapshot);
        (ready, connected, users, requests_per_second)
    }

    #[test]
    fn outdated_numbers_are_not_known() {
        let mut now = snapshot();
        assert_eq!(sample(&now), (Some(2), Some(3), Some(60), Some(12.5)));
        now.connection.state = ConnectionState::Lost;
        assert_eq!(sample(&now), (None, Some(3), Some(60), Some(12.5)));
        now.connection.state = ConnectionState::Connected;
        now.locust.as_mut().unwrap().problem = "Locust does not answer".to_owned();
        assert_eq!(sample(&now), (Some(2), None, None, None));
        now.locust = None;
        assert_eq!(sample(&now), (Some(2), None, None, None));
    }

    #[test]
    fn the_samples_of_one_hour_are_kept() {
        let samples = Samples::default();
        let events = samples.subscribe();
        assert!(events.borrow().is_empty());
        for number in 0..300 {
            samples.add(Sample::new(number.to_string(), &snapshot()));
        }
        let all = samples.all();
        assert_eq!((all.len(), all[0].time.as_str(), all[239].time.as_str()), (240, "60", "299"));
        assert!(events.borrow().starts_with(b"event: sample\ndata: {\"at\":\"299\",\"ready\":2,"));
        assert_eq!(PERIOD * 240, Duration::from_secs(60 * 60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sample_is_taken_every_fifteen_seconds_and_without_a_subscription() {
        let (live, samples) = (live(), Samples::default());
        let count_after = async |time| {
            let both = async { tokio::join!(live.publish(), samples.record(&live)) };
            let _ = tokio::time::timeout(time, both).await;
            samples.all().len()
        };
        assert_eq!(count_after(PERIOD).await, 0, "before the first answer of the API server");
        live.change(|state| state.set_connection_state(ConnectionState::Lost, ""));
        assert_eq!(count_after(PERIOD * 3 - FIRST_CHECK).await, 3);
        assert!(!live.has_subscribers(), "Locust is not asked more often");
    }
}

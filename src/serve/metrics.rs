//! What Prometheus is told: requests, durations, replicas, changes, restarts of the watch.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::snapshot::{Link, Outcome, Snapshot};

/// From what is answered from memory to what waits for a slow API server; in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 90.0];

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: Outcome,
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.word().encode(encoder)
    }
}

/// All that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    changes: Family<Ended, Counter>,
    restarts: Counter,
    viewers: Gauge,
    connected: Gauge,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    desired: Gauge<f64, AtomicU64>,
    current: Gauge<f64, AtomicU64>,
    ready: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("locustctl");
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            changes: Family::default(),
            restarts: Counter::default(),
            viewers: Gauge::default(),
            connected: Gauge::default(),
            counts: Counts::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        let text = "How long answers took until their headers, in seconds";
        registry.register("http_request_duration_seconds", text, metrics.durations.clone());
        let text = "Changes of the count that were asked for here, by what became of them";
        registry.register("scale_operations", text, metrics.changes.clone());
        let text = "How often a watch had to be begun anew after a disturbance";
        registry.register("watch_restarts", text, metrics.restarts.clone());
        registry.register("event_streams", "Viewers at present", metrics.viewers.clone());
        let text = "Whether the target can be seen at present";
        registry.register("cluster_connected", text, metrics.connected.clone());
        let Counts { desired, current, ready } = &metrics.counts;
        let counts = [
            ("replicas_desired", "Replicas that are wanted", desired),
            ("replicas_current", "Replicas that are there", current),
            ("replicas_ready", "Replicas that are ready", ready),
        ];
        for (name, text, gauge) in counts {
            registry.register(name, text, gauge.clone());
        }
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// A request was answered; `route` is one of ours, never what was sent.
    pub fn answered(&self, route: &'static str, method: &'static str, code: u16, took: Duration) {
        self.requests.get_or_create(&Answered { route, method, code }).inc();
        self.durations.get_or_create(&Route { route }).observe(took.as_secs_f64());
    }

    /// A change has ended.
    pub fn changed(&self, outcome: Outcome) {
        self.changes.get_or_create(&Ended { outcome }).inc();
    }

    /// A watch had to be begun anew.
    pub fn watch_restarted(&self) {
        self.restarts.inc();
    }

    /// Counts a viewer until the guard is dropped.
    pub fn viewer(&self) -> Viewer {
        self.viewers.inc();
        Viewer(self.viewers.clone())
    }

    /// Everything, with the counts of this state.
    ///
    /// # Errors
    /// None that is known of: the text is written into memory.
    pub fn text(&self, snapshot: &Snapshot) -> Result<String, std::fmt::Error> {
        let replicas = snapshot.replicas;
        // What is not known is no number: OpenMetrics has a word for that.
        let count = |gauge: &Gauge<f64, AtomicU64>, count: Option<i64>| {
            gauge.set(count.map_or(f64::NAN, |count| count as f64));
        };
        count(&self.counts.desired, replicas.map(|replicas| replicas.desired));
        count(&self.counts.current, replicas.map(|replicas| replicas.current));
        count(&self.counts.ready, replicas.and_then(|replicas| replicas.ready));
        self.connected.set((snapshot.connection.state == Link::Connected).into());
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Somebody who follows the events.
#[derive(Debug)]
pub struct Viewer(Gauge);

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.dec();
    }
}

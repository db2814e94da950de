//! The metrics for Prometheus: requests, durations, replicas, changes and restarts of the watches.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::snapshot::{ConnectionState, Outcome, Snapshot};
use crate::text::stderr;

/// Buckets of the durations, in seconds: from answers from memory to a slow API server.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 90.0];

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: Outcome,
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabel, Histogram, fn() -> Histogram>,
    changes: Family<OutcomeLabel, Counter>,
    restarts: Counter,
    dropped_lines: Counter,
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
            dropped_lines: Counter::default(),
            viewers: Gauge::default(),
            connected: Gauge::default(),
            counts: Counts::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Answered requests", metrics.requests.clone());
        let text = "Time until the headers of an answer, in seconds";
        registry.register("http_request_duration_seconds", text, metrics.durations.clone());
        let text = "Requested changes of the number of replicas, by outcome";
        registry.register("scale_operations", text, metrics.changes.clone());
        let text = "Restarts of a watch after an error";
        registry.register("watch_restarts", text, metrics.restarts.clone());
        let text = "Lines of the log that were dropped, because stderr was not read in time";
        registry.register("log_lines_dropped", text, metrics.dropped_lines.clone());
        registry.register("event_streams", "Open event streams", metrics.viewers.clone());
        let text = "1 if the connection to the cluster is up, else 0";
        registry.register("cluster_connected", text, metrics.connected.clone());
        let Counts { desired, current, ready } = &metrics.counts;
        let counts = [
            ("replicas_desired", "Desired replicas", desired),
            ("replicas_current", "Current replicas", current),
            ("replicas_ready", "Ready replicas", ready),
        ];
        for (name, text, gauge) in counts {
            registry.register(name, text, gauge.clone());
        }
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts an answered request. `route` must be a known route, and not text from a client.
    pub fn request_answered(
        &self,
        route: &'static str,
        method: &'static str,
        code: u16,
        took: Duration,
    ) {
        self.requests.get_or_create(&RequestLabels { route, method, code }).inc();
        self.durations.get_or_create(&RouteLabel { route }).observe(took.as_secs_f64());
    }

    pub fn change_ended(&self, outcome: Outcome) {
        self.changes.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub fn watch_restarted(&self) {
        self.restarts.inc();
    }

    /// Counts a viewer until the returned value is dropped.
    pub fn viewer(&self) -> Viewer {
        self.viewers.inc();
        Viewer(self.viewers.clone())
    }

    /// The text of all metrics, with the counts of this state.
    ///
    /// # Errors
    /// Formatting fails; this is not expected, because the text is written into memory.
    pub fn text(&self, snapshot: &Snapshot) -> Result<String, std::fmt::Error> {
        let replicas = snapshot.replicas;
        // OpenMetrics uses NaN for unknown values.
        let count = |gauge: &Gauge<f64, AtomicU64>, count: Option<i64>| {
            gauge.set(count.map_or(f64::NAN, |count| count as f64));
        };
        count(&self.counts.desired, replicas.map(|replicas| replicas.desired));
        count(&self.counts.current, replicas.map(|replicas| replicas.current));
        count(&self.counts.ready, replicas.and_then(|replicas| replicas.ready));
        self.connected.set((snapshot.connection.state == ConnectionState::Connected).into());
        // Only this function adds to the counter.
        self.dropped_lines.inc_by(stderr::dropped().saturating_sub(self.dropped_lines.get()));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A viewer of the events. Dropping it ends the count.
#[derive(Debug)]
pub struct Viewer(Gauge);

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.dec();
    }
}

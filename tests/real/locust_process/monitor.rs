//! Takes four samples a second of a running test.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use support::serving::Http;

use super::{RealLocust, requests_in, values_of};

const PERIOD: Duration = Duration::from_millis(250);

#[derive(Debug, Clone)]
pub struct Sample {
    pub state: String,
    pub users: i64,
    /// The requests in the row `Aggregated`. They are up to two seconds old.
    pub requests: i64,
    taken: Instant,
}

/// Takes samples until it is dropped.
pub struct Monitor {
    samples: Arc<Mutex<Vec<Sample>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Monitor {
    pub fn start(locust: &RealLocust) -> Self {
        let url = locust.url().to_owned();
        let samples: Arc<Mutex<Vec<Sample>>> = Arc::default();
        let is_over = Arc::<AtomicBool>::default();
        let (taken, ends) = (Arc::clone(&samples), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            let http = Http::new();
            while !ends.load(Ordering::Relaxed) {
                // A failed sample is left out.
                taken.lock().unwrap().extend(sample(&http, &url));
                std::thread::sleep(PERIOD);
            }
        });
        Self { samples, is_over, thread: Some(thread) }
    }

    pub fn samples(&self) -> Vec<Sample> {
        self.samples.lock().unwrap().clone()
    }

    pub fn highest_users(&self) -> i64 {
        self.samples().iter().map(|sample| sample.users).max().unwrap()
    }

    /// The time from the first to the last sample of the longest sequence of samples that all fulfil the condition.
    pub fn longest(&self, condition: impl Fn(&Sample) -> bool) -> Duration {
        let samples = self.samples();
        let stretches = samples.chunk_by(|a, b| condition(a) == condition(b));
        let fulfilled = stretches.filter(|stretch| condition(&stretch[0]));
        let lengths = fulfilled.map(|it| it[it.len() - 1].taken - it[0].taken);
        lengths.max().unwrap_or_default()
    }

    /// The first two samples between which the number of requests decreased.
    pub fn decrease(&self) -> Option<(Sample, Sample)> {
        let samples = self.samples();
        let lost = samples.windows(2).find(|pair| pair[1].requests < pair[0].requests)?;
        Some((lost[0].clone(), lost[1].clone()))
    }

    /// Asserts that the test was in one of these states in every sample.
    #[track_caller]
    pub fn assert_state_throughout(&self, states: &[&str]) {
        for sample in self.samples() {
            assert!(states.contains(&&*sample.state), "{sample:?}");
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn sample(http: &Http, url: &str) -> Option<Sample> {
    let get = |path: &str| http.try_send(http.request("GET", &format!("{url}{path}"))).ok();
    let stats = serde_json::from_str(&get("/stats/requests")?.text).ok()?;
    let values = values_of(&get("/")?.text)?;
    Some(Sample {
        state: values["state"].as_str()?.to_owned(),
        users: values["user_count"].as_i64()?,
        requests: requests_in(&stats),
        taken: Instant::now(),
    })
}

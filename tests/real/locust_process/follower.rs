//! Starts and ends workers when pods become ready and go.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use support::serving::Http;

use super::starter::{Launch, Process};

/// The workers, shared by the test and the thread that follows the pods.
pub type Pods = Arc<Mutex<Workers>>;

pub fn lock(pods: &Mutex<Workers>) -> MutexGuard<'_, Workers> {
    pods.lock()
}

/// The workers of all pods.
#[derive(Default)]
pub struct Workers {
    pub is_over: bool,
    /// No further worker is started while this is set.
    pub are_held: bool,
    by_pod: HashMap<String, Worker>,
    /// Workers whose pods are gone, and the times at which they are told to end. They stay here, because dropping them
    /// would kill the children of a parent that has ended before them.
    leaving: Vec<(Process, Option<Instant>)>,
    /// How many workers have been started.
    started: usize,
    /// The next worker hangs this long after its first user has started.
    next_hangs_after: Option<Duration>,
}

enum Worker {
    /// The pod has been ready since this time.
    Waiting(Instant),
    /// The worker has this number in the order of starts.
    Running(usize, Process),
    /// The worker was killed and is not started again.
    Killed,
}

impl Workers {
    /// Kills one worker. Returns the name of its pod.
    pub fn kill_one(&mut self) -> String {
        let is_running = |worker: &Worker| matches!(worker, Worker::Running(..));
        let (pod, worker) = self.by_pod.iter_mut().find(|(_, worker)| is_running(worker)).unwrap();
        *worker = Worker::Killed;
        pod.clone()
    }

    /// Kills the process of one worker. It is started again, like by a kubelet.
    pub fn crash_one(&mut self) {
        let running = self.by_pod.values().find_map(|worker| match worker {
            Worker::Running(_, process) => Some(process),
            Worker::Waiting(_) | Worker::Killed => None,
        });
        running.unwrap().signal("KILL");
    }

    /// The worker that was started last sends no heartbeats until it gets SIGCONT. Returns its number.
    pub fn pause_last(&mut self) -> usize {
        let number = self.started;
        self.with_number(number).unwrap().signal("STOP");
        number
    }

    /// Kills all workers.
    pub fn clear(&mut self) {
        self.by_pod.clear();
        self.leaving.clear();
    }

    fn with_number(&self, wanted: usize) -> Option<&Process> {
        self.by_pod.values().find_map(|worker| match worker {
            Worker::Running(number, process) if *number == wanted => Some(process),
            _ => None,
        })
    }
}

/// Everything that is needed to start a worker.
pub struct Follower {
    /// The URL of the list of pods.
    pub url: String,
    pub token: String,
    /// The process of a worker. The follower adds the name of the pod.
    pub worker: Launch,
    /// Further arguments of the first worker.
    pub first: Vec<String>,
    /// The name of the node, if the pods use the node's network.
    pub node: Option<String>,
    pub starts_after: Duration,
    pub ends_after: Duration,
    pub pods: Pods,
}

impl Follower {
    pub fn run(self) {
        let http = Http::new();
        while !lock(&self.pods).is_over {
            let request = http.request("GET", &self.url).bearer_auth(&self.token);
            // A request to a busy cluster is repeated.
            if let Ok(reply) = http.try_send(request)
                && reply.status == 200
            {
                self.follow(&ready_pods(&reply.json()));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn follow(&self, ready: &[String]) {
        let mut workers = lock(&self.pods);
        let gone: Vec<_> =
            workers.by_pod.keys().filter(|name| !ready.contains(name)).cloned().collect();
        for name in gone {
            if let Some(Worker::Running(_, process)) = workers.by_pod.remove(&name) {
                workers.leaving.push((process, Some(Instant::now() + self.ends_after)));
            }
        }
        for (process, ends) in &mut workers.leaving {
            if ends.is_some_and(|ends| ends <= Instant::now()) {
                process.signal("TERM");
                *ends = None;
            }
        }
        // A worker that has crashed is started again, like by a kubelet.
        workers.by_pod.retain(|_, worker| match worker {
            Worker::Running(_, process) => !process.has_ended(),
            Worker::Waiting(_) | Worker::Killed => true,
        });
        for name in ready {
            self.start(&mut workers, name);
        }
    }

    /// Starts the worker of a pod when it is due.
    fn start(&self, workers: &mut Workers, pod: &str) {
        let waiting = Worker::Waiting(Instant::now());
        let are_held = workers.are_held;
        let worker = workers.by_pod.entry(pod.to_owned()).or_insert(waiting);
        let Worker::Waiting(since) = worker else { return };
        if are_held || since.elapsed() < self.starts_after {
            return;
        }
        let first: &[String] = if workers.started == 0 { &self.first } else { &[] };
        let host = self.node.as_deref().unwrap_or(pod);
        let mut launch = self.worker.clone();
        launch.arguments.extend_from_slice(first);
        launch.environment.insert("POD", host.to_owned());
        let hangs_after = workers.next_hangs_after.take();
        let hangs_after = hangs_after.map(|after| ("HANGS_AFTER", after.as_secs_f64().to_string()));
        launch.environment.extend(hangs_after);
        workers.started += 1;
        *worker = Worker::Running(workers.started, Process::start(&launch));
    }
}

fn ready_pods(pods: &Value) -> Vec<String> {
    let conditions =
        |pod: &Value| pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let is_ready = |pod: &&Value| {
        conditions(pod).iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    let items = pods["items"].as_array().cloned().unwrap_or_default();
    let ready = items.iter().filter(is_ready);
    ready.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// A worker that hangs. It continues when this is dropped.
pub struct Hanging {
    pods: Pods,
    number: usize,
}

impl Hanging {
    pub fn last(pods: &Pods) -> Self {
        let number = lock(pods).pause_last();
        Self { pods: pods.clone(), number }
    }

    pub fn next(pods: &Pods, after: Duration) -> Self {
        let mut workers = lock(pods);
        workers.next_hangs_after = Some(after);
        Self { pods: pods.clone(), number: workers.started + 1 }
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        if let Some(process) = lock(&self.pods).with_number(self.number) {
            process.signal("CONT");
        }
    }
}

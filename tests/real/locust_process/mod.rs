//! A real Locust: its master, the server under test, and a worker for each ready pod of a sandbox.

mod builder;
mod follower;
mod monitor;
mod ports;
mod relay;
mod request;
mod scenario;
mod starter;
mod target;

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Turn;
use follower::{Pods, lock};
use ports::ReservedPort;
use serde_json::Value;
use starter::{Launch, Process};
use support::cluster::TestCluster;
use support::serving::{Http, Reply};
use target::Target;

pub use builder::{Builder, HostName};
pub use follower::Hanging;
pub use monitor::Monitor;
pub use relay::{Post, Relay};
pub use scenario::{
    Scenario, assert_says, assert_silent, assert_tells, create_deployment, is_long, on_each,
    releases, too_old_releases,
};

/// The oldest supported release, the last release before each change of behaviour, and the latest.
pub const ALL_RELEASES: [&str; 4] = ["2.25.0", "2.32.2", "2.46.4", "2.47.0"];

/// The most widely used release, and the latest.
pub const RELEASES: [&str; 2] = ["2.32.2", LATEST];

/// The latest release.
pub const LATEST: &str = "2.47.0";

/// The newest tested release that is too old for locustctl.
pub const TOO_OLD: &str = "2.15.1";

/// Longer than Locust needs to start, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A running Locust. All its processes end when it is dropped.
pub struct RealLocust {
    _turn: Turn,
    _ports: [ReservedPort; 2],
    url: String,
    http: Http,
    target: Target,
    master: Process,
    start_master: Launch,
    pods: Pods,
    follower: Option<JoinHandle<()>>,
}

impl RealLocust {
    /// Starts a master, a server under test, and workers for the pods of `deployment/locust-slave`.
    pub fn start(release: &str, cluster: &TestCluster) -> Self {
        Self::builder(release, cluster).start()
    }

    /// Starts it with another locustfile and further flags for the master.
    pub fn start_with(
        release: &str,
        cluster: &TestCluster,
        locustfile: &str,
        flags: &[&str],
    ) -> Self {
        let builder = Self::builder(release, cluster).locustfile(locustfile);
        builder.worker_locustfile("locustfile.py").master_flags(flags).start()
    }

    pub fn builder<'a>(release: &'a str, cluster: &'a TestCluster) -> Builder<'a> {
        Builder::new(release, cluster)
    }

    fn wait_for_page(&self) {
        let request = || self.http.request("GET", &format!("{}/", self.url));
        eventually(
            PATIENCE,
            || self.http.try_send(request()).is_ok(),
            || format!("Locust's page; the master logged {}", self.log_text()),
        );
    }

    /// Ends the master cleanly, as when its pod is replaced. Its workers end with it.
    pub fn stop_master(&mut self) {
        self.master.signal("TERM");
        self.master.wait();
    }

    /// Starts a master in the place of the stopped one.
    pub fn start_master(&mut self) {
        self.master = Process::start(&self.start_master);
        self.wait_for_page();
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn get(&self, path: &str) -> Value {
        self.fetch("GET", path).json()
    }

    pub fn page(&self) -> String {
        self.text("/")
    }

    pub fn text(&self, path: &str) -> String {
        self.fetch("GET", path).text
    }

    /// The values in Locust's page: `state`, `user_count`, `worker_count`, `num_users`, `run_time`,
    /// and others. Locust does not cache them.
    pub fn values(&self) -> Value {
        values_of(&self.page()).expect("a page with values: 2.22 or newer")
    }

    fn fetch(&self, method: &str, path: &str) -> Reply {
        self.http.send(self.http.request(method, &format!("{}{path}", self.url)))
    }

    pub fn post(&self, path: &str, form: &str) -> Value {
        let request = self.http.request("POST", &format!("{}{path}", self.url));
        let media_type = "application/x-www-form-urlencoded";
        self.http.send(request.header("content-type", media_type).body(form.to_owned())).json()
    }

    pub fn stop_test(&self) {
        self.command("/stop");
    }

    /// Resets the statistics, as the button in Locust's page does.
    pub fn reset_statistics(&self) {
        self.command("/stats/reset");
    }

    /// Releases before 2.47.0 accept these commands only as GET, and refuse a POST with 405 or 500.
    fn command(&self, path: &str) {
        let reply = self.fetch("POST", path);
        let reply = if reply.status >= 400 { self.fetch("GET", path) } else { reply };
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
    }

    /// Waits until the statistics fulfil the condition. They are up to two seconds old.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_until_seen(|| self.get("/stats/requests"), wanted)
    }

    /// Waits until the values in the page fulfil the condition.
    #[track_caller]
    pub fn wait_for_values(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_until_seen(|| self.values(), wanted)
    }

    #[track_caller]
    fn wait_until_seen(&self, look: impl Fn() -> Value, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            last = look();
            if wanted(&last) {
                return last;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("not seen in time: {last:#}");
    }

    /// The users of each counted worker, by the worker's id. They are up to two seconds old.
    pub fn users_by_worker(&self) -> Vec<(String, i64)> {
        let stats = self.get("/stats/requests");
        let workers = stats["workers"].as_array().cloned().unwrap_or_default();
        let counted = workers.iter().filter(|worker| worker["state"] != "missing");
        let users = |worker: &Value| worker["user_count"].as_i64().unwrap();
        counted.map(|worker| (worker["id"].as_str().unwrap().to_owned(), users(worker))).collect()
    }

    /// The number of requests of the test so far, from the statistics.
    pub fn requests(&self) -> i64 {
        requests_in(&self.get("/stats/requests"))
    }

    /// The number of requests that the server under test has answered.
    pub fn served(&self) -> usize {
        self.target.served()
    }

    /// The lines of the master's log.
    pub fn log(&self) -> Vec<String> {
        self.log_text().lines().map(str::to_owned).collect()
    }

    fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.start_master.log).unwrap_or_default())
            .into_owned()
    }

    /// True if the master has failed while workers left. It then ends no test any more
    /// (locust#3515).
    pub fn is_broken(&self) -> bool {
        self.log_text().contains("KeyError")
    }

    /// Kills the worker of one pod for good. Returns the name of the pod.
    pub fn kill_a_worker(&self) -> String {
        lock(&self.pods).kill_one()
    }

    /// Kills the worker of one pod, as when it runs out of memory. It is started again.
    pub fn crash_a_worker(&self) {
        lock(&self.pods).crash_one();
    }

    /// While this is set, pods that become ready get no worker.
    pub fn hold_new_workers(&self, are_held: bool) {
        lock(&self.pods).are_held = are_held;
    }

    /// The worker that was started last hangs, as on a node that hangs.
    pub fn last_worker_hangs(&self) -> Hanging {
        Hanging::last(&self.pods)
    }

    /// The next worker hangs this long after its first user has started, as on a node that hangs.
    pub fn next_worker_hangs(&self, after: Duration) -> Hanging {
        Hanging::next(&self.pods, after)
    }
}

impl Drop for RealLocust {
    fn drop(&mut self) {
        lock(&self.pods).is_over = true;
        let _ = self.follower.take().map(JoinHandle::join);
        lock(&self.pods).clear();
        if std::thread::panicking() {
            let log = self.log();
            let last = log.len().saturating_sub(40);
            eprintln!("the master's log ends with:\n{}", log[last..].join("\n"));
        }
    }
}

/// The values in Locust's page. Releases before 2.22 have none.
pub fn values_of(page: &str) -> Option<Value> {
    let (_, values) = page.split_once("window.templateArgs = ")?;
    serde_json::Deserializer::from_str(values).into_iter().next()?.ok()
}

/// The requests in the row `Aggregated`.
fn requests_in(stats: &Value) -> i64 {
    let rows = stats["stats"].as_array().and_then(|rows| rows.last());
    rows.and_then(|row| row["num_requests"].as_i64()).unwrap_or_default()
}

/// Waits until the condition holds, at most for `limit`.
#[track_caller]
pub fn eventually(
    limit: Duration,
    mut condition: impl FnMut() -> bool,
    description: impl Fn() -> String,
) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "timed out after {limit:?} waiting for {}",
            description()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

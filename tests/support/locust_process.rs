//! A real Locust: its master, and a worker for each ready pod of a sandbox.
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::support::cluster::TestCluster;
use super::support::serving::{Http, wait_until};
use locustctl::sandbox::Account;

/// Releases that are installed by tests/run.sh: an older one, and the latest.
pub const RELEASES: [&str; 2] = ["2.32.2", "2.47.0"];

/// The worker of each pod; none where it was killed and stays so.
type Workers = Arc<Mutex<HashMap<String, Option<Child>>>>;

/// A running Locust; ends when dropped.
pub struct RealLocust {
    url: String,
    http: Http,
    tested: Child,
    master: Child,
    start_master: Command,
    workers: Workers,
    stop: Arc<AtomicBool>,
    follower: Option<JoinHandle<()>>,
}

impl RealLocust {
    /// Starts a master, a server to test, and workers as the pods of `deployment/locust-slave` come
    /// and go.
    pub fn start(release: &str, cluster: &TestCluster) -> Self {
        Self::start_with(release, cluster, "locustfile.py", &[])
    }

    /// The same with another locustfile of the fixtures, and further flags for the master.
    pub fn start_with(
        release: &str,
        cluster: &TestCluster,
        locustfile: &str,
        flags: &[&str],
    ) -> Self {
        let python = python(release);
        let (web, bind, tested) = (free_port(), free_port(), free_port());
        let empty = cluster.directory().join("served");
        std::fs::create_dir_all(&empty).unwrap();
        let mut start_tested = quiet(&python);
        start_tested.args(["-m", "http.server", "--bind", "127.0.0.1", &tested.to_string()]);
        let mut start_master = quiet(&python);
        start_master
            .args(["-m", "locust", "--master", "--web-host=127.0.0.1", "-f"])
            .arg(fixture(locustfile))
            .args(["--web-port", &web.to_string(), "--master-bind-port", &bind.to_string()])
            .args(["--host", &format!("http://127.0.0.1:{tested}")])
            .args(flags);
        let stop = Arc::new(AtomicBool::new(false));
        let follower = Follower {
            python,
            bind,
            url: format!(
                "{}/api/v1/namespaces/default/pods?labelSelector=role%3Dworker",
                cluster.server()
            ),
            token: cluster.token(Account::Admin).to_owned(),
            workers: Arc::default(),
        };
        let workers = Arc::clone(&follower.workers);
        let is_over = Arc::clone(&stop);
        let follower = std::thread::spawn(move || follower.run(&is_over));
        let locust = Self {
            url: format!("http://127.0.0.1:{web}"),
            http: Http::new(),
            tested: start_tested.current_dir(empty).spawn().unwrap(),
            master: start_master.spawn().unwrap(),
            start_master,
            workers,
            stop,
            follower: Some(follower),
        };
        locust.wait_for_page();
        locust
    }

    fn wait_for_page(&self) {
        let address = self.url.strip_prefix("http://").unwrap();
        wait_until(|| TcpStream::connect(address).is_ok(), || "Locust's page".to_owned());
    }

    /// Ends the master in good order, as when its pod is replaced; its workers end with it.
    pub fn stop_master(&mut self) {
        terminate(&self.master);
        self.master.wait().unwrap();
    }

    /// Starts a master in the place of the one that was stopped.
    pub fn start_master(&mut self) {
        self.master = self.start_master.spawn().unwrap();
        self.wait_for_page();
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn get(&self, path: &str) -> Value {
        self.http.send(self.http.request("GET", &format!("{}{path}", self.url))).json()
    }

    pub fn page(&self) -> String {
        self.text("/")
    }

    pub fn text(&self, path: &str) -> String {
        self.http.send(self.http.request("GET", &format!("{}{path}", self.url))).text
    }

    pub fn post(&self, path: &str, form: &str) -> Value {
        let request = self.http.request("POST", &format!("{}{path}", self.url));
        let media_type = "application/x-www-form-urlencoded";
        self.http.send(request.header("content-type", media_type).body(form.to_owned())).json()
    }

    /// Waits until the statistics are so; they are up to two seconds old.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        wait_until(
            || {
                last = self.get("/stats/requests");
                wanted(&last)
            },
            || "Locust's statistics".to_owned(),
        );
        last
    }

    /// Kills the worker of one pod, as when memory runs out; gives the pod's name.
    pub fn kill_a_worker(&self) -> String {
        let mut workers = self.workers.lock().unwrap();
        let (pod, worker) = workers.iter_mut().next().unwrap();
        let mut worker = worker.take().unwrap();
        worker.kill().unwrap();
        worker.wait().unwrap();
        pod.clone()
    }

    /// Requests that the test has made so far.
    pub fn requests(&self) -> i64 {
        let stats = self.get("/stats/requests");
        let entries = stats["stats"].as_array().unwrap();
        entries.last().map_or(0, |one| one["num_requests"].as_i64().unwrap())
    }
}

impl Drop for RealLocust {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.follower.take().map(JoinHandle::join);
        for process in [&mut self.tested, &mut self.master] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Starts and ends workers as pods get ready and go.
struct Follower {
    python: PathBuf,
    bind: u16,
    url: String,
    token: String,
    workers: Workers,
}

impl Follower {
    fn run(self, is_over: &AtomicBool) {
        let http = Http::new();
        while !is_over.load(Ordering::Relaxed) {
            let pods = http.send(http.request("GET", &self.url).bearer_auth(&self.token)).json();
            self.follow(&pods);
            std::thread::sleep(Duration::from_millis(100));
        }
        for worker in self.workers.lock().unwrap().values_mut().flatten() {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }

    fn follow(&self, pods: &Value) {
        let mut workers = self.workers.lock().unwrap();
        let conditions =
            |pod: &Value| pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let is_ready = |pod: &&Value| {
            conditions(pod).iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        let items = pods["items"].as_array().cloned().unwrap_or_default();
        let ready: Vec<String> = items
            .iter()
            .filter(is_ready)
            .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
            .collect();
        let gone: Vec<_> = workers.keys().filter(|name| !ready.contains(name)).cloned().collect();
        for name in gone {
            let Some(Some(mut worker)) = workers.remove(&name) else { continue };
            terminate(&worker);
            // It is waited for elsewhere, as a kubelet would.
            std::thread::spawn(move || worker.wait());
        }
        // One that has ended by itself is started anew, as a kubelet would.
        workers.retain(|_, worker| match worker {
            Some(worker) => worker.try_wait().unwrap().is_none(),
            None => true,
        });
        for name in ready {
            workers.entry(name).or_insert_with_key(|name| Some(self.worker(name)));
        }
    }

    fn worker(&self, pod: &str) -> Child {
        quiet(&self.python)
            .arg(fixture("worker.py"))
            .args(["--worker", "--master-port", &self.bind.to_string(), "-f"])
            .arg(fixture("locustfile.py"))
            .env("POD", pod)
            .spawn()
            .unwrap()
    }
}

fn quiet(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn terminate(process: &Child) {
    let _ = Command::new("kill").args(["-s", "TERM", &process.id().to_string()]).status();
}

fn python(release: &str) -> PathBuf {
    let root = std::env::var("LOCUSTS").expect("tests/run.sh sets LOCUSTS");
    Path::new(&root).join(release).join("bin/python")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/locust").join(name)
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

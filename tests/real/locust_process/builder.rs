//! The start of a real Locust.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use locustctl::sandbox::Account;
use support::cluster::TestCluster;
use support::serving::Http;

use super::RealLocust;
use super::follower::{Follower, Pods};
use super::ports::ReservedPort;
use super::starter::{Launch, Process};
use super::target::Target;
use crate::Turn;

/// The number of seconds after which a master takes a silent worker for missing, and a worker takes a silent
/// master for gone. On a busy machine, they may be silent for longer than Locust's limits of 3 and 60 seconds.
const PATIENT_HEARTBEATS: u32 = 150;

/// The host name of a worker. It is the first part of its id.
#[derive(Debug, Clone, Default)]
pub enum HostName {
    /// The pod's name, as usual.
    #[default]
    Pod,
    /// This node's name, as with `hostNetwork: true`.
    Node(String),
}

/// The settings of a Locust.
pub struct Builder<'a> {
    release: &'a str,
    cluster: &'a TestCluster,
    locustfile: String,
    worker_locustfile: Option<String>,
    master_flags: Vec<String>,
    first_worker_flags: Vec<String>,
    worker_flags: Vec<String>,
    host_name: HostName,
    heartbeats: Option<u32>,
    starts_after: Duration,
    ends_after: Duration,
    selector: String,
}

impl<'a> Builder<'a> {
    pub(super) fn new(release: &'a str, cluster: &'a TestCluster) -> Self {
        Self {
            release,
            cluster,
            locustfile: "locustfile.py".to_owned(),
            worker_locustfile: None,
            master_flags: Vec::new(),
            first_worker_flags: Vec::new(),
            worker_flags: Vec::new(),
            host_name: HostName::Pod,
            heartbeats: Some(PATIENT_HEARTBEATS),
            starts_after: Duration::ZERO,
            ends_after: Duration::ZERO,
            selector: "role=worker".to_owned(),
        }
    }

    /// The locustfile: the name of a fixture, or an absolute path.
    pub fn locustfile(mut self, name: &str) -> Self {
        name.clone_into(&mut self.locustfile);
        self
    }

    /// Another locustfile for the workers.
    pub fn worker_locustfile(mut self, name: &str) -> Self {
        self.worker_locustfile = Some(name.to_owned());
        self
    }

    pub fn master_flags(mut self, flags: &[&str]) -> Self {
        self.master_flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }

    /// Flags of the first worker, such as `--processes 2`.
    pub fn first_worker_flags(mut self, flags: &[&str]) -> Self {
        self.first_worker_flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }

    /// Flags of each worker.
    pub fn worker_flags(mut self, flags: &[&str]) -> Self {
        self.worker_flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }

    pub fn host_name(mut self, host_name: HostName) -> Self {
        self.host_name = host_name;
        self
    }

    /// The master takes a silent worker for missing after three seconds, as usual.
    pub fn usual_heartbeats(mut self) -> Self {
        self.heartbeats = None;
        self
    }

    /// The master takes a silent worker for missing after this many seconds.
    pub fn heartbeats(mut self, seconds: u32) -> Self {
        self.heartbeats = Some(seconds);
        self
    }

    /// Workers start this long after their pods are ready.
    pub fn workers_start_after(mut self, delay: Duration) -> Self {
        self.starts_after = delay;
        self
    }

    /// Workers end this long after their pods are gone, as with a `preStop` hook.
    pub fn workers_end_after(mut self, delay: Duration) -> Self {
        self.ends_after = delay;
        self
    }

    /// The label selector of the pods with a worker. The default is `role=worker`.
    pub fn pods(mut self, selector: &str) -> Self {
        selector.clone_into(&mut self.selector);
        self
    }

    /// Starts Locust, and waits until the master serves its page.
    pub fn start(self) -> RealLocust {
        let turn = Turn::wait();
        let ports = [ReservedPort::new(), ReservedPort::new()];
        let [web, bind] = [ports[0].number(), ports[1].number()];
        let target = Target::start();
        let log = self.cluster.path(&format!("master-{web}.log"));
        let (web, bind) = (web.to_string(), bind.to_string());
        let locustfile = path_of(&self.locustfile);
        let arguments = [
            "--master",
            "--web-host=127.0.0.1",
            "-f",
            &locustfile,
            "--web-port",
            &web,
            "--master-bind-port",
            &bind,
            "--host",
            &target.url(),
        ];
        let mut start_master = Launch {
            release: self.release.to_owned(),
            arguments: arguments
                .map(str::to_owned)
                .into_iter()
                .chain(self.master_flags.clone())
                .collect(),
            environment: self.environment(),
            log,
            group: false,
        };
        start_master.environment.insert("POD", "locust-master".to_owned());
        let pods = Pods::default();
        let follower = self.follower(&bind, pods.clone());
        let locust = RealLocust {
            _turn: turn,
            _ports: ports,
            url: format!("http://127.0.0.1:{web}"),
            http: Http::new(),
            target,
            master: Process::start(&start_master),
            start_master,
            pods,
            follower: Some(std::thread::spawn(move || follower.run())),
        };
        locust.wait_for_page();
        locust
    }

    /// The environment variables for `named.py` that the master and all workers get.
    fn environment(&self) -> HashMap<&'static str, String> {
        self.heartbeats.map(|it| ("HEARTBEATS", it.to_string())).into_iter().collect()
    }

    fn follower(self, bind: &str, pods: Pods) -> Follower {
        let environment = self.environment();
        let locustfile = path_of(&self.worker_locustfile.unwrap_or(self.locustfile));
        let selector = url::form_urlencoded::byte_serialize(self.selector.as_bytes());
        let selector: String = selector.collect();
        let server = self.cluster.server();
        let arguments = ["--worker", "--master-port", bind, "-f", &locustfile];
        Follower {
            url: format!("{server}/api/v1/namespaces/default/pods?labelSelector={selector}"),
            token: self.cluster.token(Account::Admin).to_owned(),
            worker: Launch {
                release: self.release.to_owned(),
                arguments: arguments
                    .map(str::to_owned)
                    .into_iter()
                    .chain(self.worker_flags)
                    .collect(),
                environment,
                log: self.cluster.path("workers.log"),
                group: true,
            },
            first: self.first_worker_flags,
            node: match self.host_name {
                HostName::Pod => None,
                HostName::Node(name) => Some(name),
            },
            starts_after: self.starts_after,
            ends_after: self.ends_after,
            pods,
        }
    }
}

/// The Python interpreter of the virtual environment with this release of Locust.
pub(super) fn python(release: &str) -> PathBuf {
    let root = std::env::var("LOCUSTS").expect("tests/run.sh sets LOCUSTS");
    Path::new(&root).join(release).join("bin/python")
}

/// The path of a fixture. An absolute path stays as it is.
pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/locust").join(name)
}

fn path_of(fixture_name: &str) -> String {
    fixture(fixture_name).to_str().unwrap().to_owned()
}

//! Starts processes of Locust by forking (tests/fixtures/locust/starter.py).
//!
//! A start of Locust takes about 0.4 s of CPU time. A fork of a process that has imported Locust takes about 0.02 s.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::{Condvar, Mutex};
use serde::Serialize;

use super::builder::{fixture, python};

/// The starter of each release.
static STARTERS: Mutex<Option<HashMap<String, Arc<Starter>>>> = Mutex::new(None);

/// A process to start.
#[derive(Debug, Clone, Serialize)]
pub struct Launch {
    #[serde(skip)]
    pub release: String,
    pub arguments: Vec<String>,
    /// Environment variables in addition to those of the test program.
    pub environment: HashMap<&'static str, String>,
    /// The file to which stdout and stderr are appended.
    pub log: PathBuf,
    /// The process leads its own group, so signals also reach its children.
    pub group: bool,
}

/// The processes that have ended.
#[derive(Default)]
struct Ended {
    pids: HashSet<u32>,
    /// The starter has ended, and the kernel has killed its processes.
    are_all: bool,
}

impl Ended {
    fn has(&self, pid: u32) -> bool {
        self.are_all || self.pids.contains(&pid)
    }
}

/// A program that starts the processes of one release. All of them are killed when the test program ends.
pub struct Starter {
    channel: Mutex<(ChildStdin, Receiver<u32>)>,
    ended: Mutex<Ended>,
    one_ended: Condvar,
}

impl Starter {
    /// The starter of this release. It is started if necessary.
    fn of(release: &str) -> Arc<Self> {
        let mut starters = STARTERS.lock();
        let starters = starters.get_or_insert_default();
        let starter = starters.entry(release.to_owned());
        Arc::clone(starter.or_insert_with(|| Self::start(release)))
    }

    fn start(release: &str) -> Arc<Self> {
        let mut command = Command::new("setpriv");
        // The kernel kills the starter when the thread that started it ends. So the starter also ends if the test
        // program is killed.
        command.args(["--pdeathsig", "KILL"]).arg(python(release)).arg(fixture("starter.py"));
        command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let (pipes, started_pipes) = channel();
        std::thread::spawn(move || {
            let mut child = command.spawn().unwrap();
            let _ = pipes.send((child.stdin.take().unwrap(), child.stdout.take().unwrap()));
            let _ = child.wait();
        });
        let (requests, events) = started_pipes.recv().unwrap();
        let (started, pids) = channel();
        let starter = Arc::new(Self {
            channel: Mutex::new((requests, pids)),
            ended: Mutex::default(),
            one_ended: Condvar::new(),
        });
        let listener = Arc::clone(&starter);
        std::thread::spawn(move || listener.listen(events, &started));
        starter
    }

    /// Reads what the program reports, until it ends.
    fn listen(&self, events: ChildStdout, started: &Sender<u32>) {
        for line in BufReader::new(events).lines().map_while(Result::ok) {
            let (event, pid) = line.split_once(' ').unwrap();
            let pid = pid.parse().unwrap();
            if event == "started" {
                // The kernel may have reused the id of an earlier process.
                self.ended.lock().pids.remove(&pid);
                let _ = started.send(pid);
            } else {
                self.ended.lock().pids.insert(pid);
                self.one_ended.notify_all();
            }
        }
        self.ended.lock().are_all = true;
        self.one_ended.notify_all();
    }

    /// Starts a process. Returns its process id.
    fn launch(&self, launch: &Launch) -> u32 {
        let mut channel = self.channel.lock();
        let (requests, pids) = &mut *channel;
        let line = serde_json::to_string(launch).unwrap();
        requests.write_all(format!("{line}\n").as_bytes()).unwrap();
        pids.recv().expect("tests/fixtures/locust/starter.py has not ended")
    }
}

/// One process or a group of processes. It is killed when this is dropped.
pub struct Process {
    starter: Arc<Starter>,
    pid: u32,
    /// The argument of `kill`: a process id, or `-` and the id of a group.
    address: String,
}

impl Process {
    pub fn start(launch: &Launch) -> Self {
        let starter = Starter::of(&launch.release);
        let pid = starter.launch(launch);
        let address = if launch.group { format!("-{pid}") } else { pid.to_string() };
        Self { starter, pid, address }
    }

    /// Sends a signal: `TERM`, `KILL`, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        // The kernel may have reused the id of a process that has ended. A group may have other processes.
        if self.has_ended() && !self.address.starts_with('-') {
            return;
        }
        let _ = Command::new("kill")
            .args(["-s", name, "--", &self.address])
            .stderr(Stdio::null())
            .status();
    }

    pub fn has_ended(&self) -> bool {
        self.starter.ended.lock().has(self.pid)
    }

    pub fn wait(&self) {
        let mut ended = self.starter.ended.lock();
        self.starter.one_ended.wait_while(&mut ended, |ended| !ended.has(self.pid));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal("KILL");
        self.wait();
    }
}

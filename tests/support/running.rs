//! A call of the binary that runs in the background.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use crate::cluster::TestCluster;
use crate::program;
use crate::serving::wait_until;

/// The running call. It is killed when this is dropped.
pub struct Running {
    child: Child,
    output: tempfile::TempDir,
}

impl Running {
    /// Starts `locustctl LINE` against the cluster. Ctrl-C works as in a terminal.
    pub fn start(cluster: &TestCluster, line: &str) -> Self {
        Self::start_with(line, |command| {
            command.env("KUBECONFIG", cluster.kubeconfig());
        })
    }

    /// Starts `locustctl LINE` after `prepare`.
    pub fn start_with(line: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        let output = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(output.path().join(name)).unwrap();
        let mut command = Command::new("/usr/bin/env");
        command
            .arg("--default-signal=HUP,INT,TERM")
            .arg(program())
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", output.path())
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        prepare(&mut command);
        Self { child: command.spawn().unwrap(), output }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.output.path().join(name)).unwrap()
    }

    /// The output so far.
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// The error output so far.
    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    /// Waits until this text is in either output.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let all = || format!("{}{}", self.stdout(), self.stderr());
        wait_until(|| all().contains(text), || format!("{text:?} in {}", all()));
    }

    /// Sends the signal of Ctrl-C.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends a signal, like `kill -s NAME`.
    pub fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    /// Waits until the command handles signals itself, as the kernel tells.
    #[track_caller]
    pub fn wait_for_handlers(&self) {
        let path = format!("/proc/{}/status", self.child.id());
        let is_caught = || {
            let status = std::fs::read_to_string(&path).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            // SIGHUP, SIGINT and SIGTERM.
            let wanted = 1 | 1 << 1 | 1 << 14;
            u64::from_str_radix(caught.trim(), 16).unwrap() & wanted == wanted
        };
        wait_until(is_caught, || "the signal handlers".to_owned());
    }

    /// Sends the signal again and again until the command ends. Returns the exit code.
    pub fn insist(&mut self, name: &str) -> Option<i32> {
        let mut status = None;
        wait_until(
            || {
                status = self.child.try_wait().unwrap();
                if status.is_none() {
                    self.signal(name);
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
                status.is_some()
            },
            || "the end of the command".to_owned(),
        );
        status.unwrap().code()
    }

    /// Waits for its end. Returns the exit code.
    pub fn end(&mut self) -> Option<i32> {
        let mut status = None;
        wait_until(
            || {
                status = self.child.try_wait().unwrap();
                status.is_some()
            },
            || "the end of the command".to_owned(),
        );
        status.unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

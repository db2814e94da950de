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
        let output = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(output.path().join(name)).unwrap();
        let child = Command::new("/usr/bin/env")
            .arg("--default-signal=HUP,INT,TERM")
            .arg(program())
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", output.path())
            .env("KUBECONFIG", cluster.kubeconfig())
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Self { child, output }
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
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "INT", &process]).status().unwrap().success());
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

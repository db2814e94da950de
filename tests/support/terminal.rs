//! A call of the binary on a terminal of its own, with `script` of util-linux.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::cluster::TestCluster;
use crate::program;
use crate::serving::{collect, wait_until};

/// The running call. It is killed when this is dropped.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts `locustctl LINE` against the cluster. Ctrl-C works.
    pub fn start(cluster: &TestCluster, line: &str) -> Self {
        Self::start_with(cluster, "dumb", line)
    }

    /// The same with this value of `TERM`. With `xterm`, lines are drawn again.
    pub fn start_with(cluster: &TestCluster, term: &str, line: &str) -> Self {
        let program = program();
        let command = format!("env --default-signal=HUP,INT,TERM {} {line}", program.display());
        let mut child = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TERM", term)
            .env("HOME", cluster.directory())
            .env("KUBECONFIG", cluster.kubeconfig())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keys = child.stdin.take().unwrap();
        let (screen, reader) = collect(child.stdout.take().unwrap());
        Self { child, keys, screen, reader: Some(reader) }
    }

    /// All that the terminal has shown so far.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().replace("\r\n", "\n")
    }

    /// Waits until the terminal has shown this text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        wait_until(|| self.screen().contains(text), || format!("{text:?} in {}", self.screen()));
    }

    /// Presses keys: `"y\n"`, or `"\u{3}"` for Ctrl-C.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits for the end. Returns the exit code and all that the terminal has shown.
    pub fn end(mut self) -> (Option<i32>, String) {
        let (mut status, screen) = (None, Arc::clone(&self.screen));
        wait_until(
            || {
                status = self.child.try_wait().unwrap();
                status.is_some()
            },
            || format!("the end of the command: {}", screen.lock().unwrap()),
        );
        self.reader.take().unwrap().join().unwrap();
        (status.unwrap().code(), self.screen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

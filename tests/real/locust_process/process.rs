//! Processes that end with the test, even if it panics.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

/// One process or a group of processes. It is killed when this is dropped.
pub struct Process {
    child: Child,
    /// The argument of `kill`: a process id, or `-` and the id of a group.
    address: String,
}

impl Process {
    /// Starts one process.
    pub fn spawn(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        let address = child.id().to_string();
        Self { child, address }
    }

    /// Starts a process that leads its own group. Signals also reach its children.
    pub fn spawn_group(command: &mut Command) -> Self {
        let child = command.process_group(0).spawn().unwrap();
        let address = format!("-{}", child.id());
        Self { child, address }
    }

    /// Sends a signal: `TERM`, `KILL`, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        // A process that has ended cannot get the signal, and does not need it.
        let _ = Command::new("kill")
            .args(["-s", name, "--", &self.address])
            .stderr(std::process::Stdio::null())
            .status();
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn wait(&mut self) {
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal("KILL");
        self.wait();
    }
}

//! Processes that end with the test, also when it panics.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

/// One process or a group of processes; killed when dropped.
pub struct Process {
    child: Child,
    /// What `kill` is given: a process id, or `-` and the id of a group.
    address: String,
}

impl Process {
    /// Starts one process.
    pub fn spawn(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        let address = child.id().to_string();
        Self { child, address }
    }

    /// Starts a process that leads a group of its own: signals reach its children, too.
    pub fn spawn_group(command: &mut Command) -> Self {
        let child = command.process_group(0).spawn().unwrap();
        let address = format!("-{}", child.id());
        Self { child, address }
    }

    /// Sends a signal: `TERM`, `KILL`, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        // A process that has ended already cannot be reached, and need not be.
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

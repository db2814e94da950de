//! A child process that is killed together with its own children when its owner is dropped.

use std::io;

use tokio::process::{Child, Command};

/// A child process. Dropping it kills the child and its children, if the child has not ended.
///
/// Without a terminal, the child gets a process group of its own, and the whole group is killed. With
/// a terminal, the child stays in our group: the terminal would stop a background group that asks for
/// a password. Its children are then found through `/proc`, which only Linux has.
#[derive(Debug)]
pub struct ChildTree {
    pub child: Child,
    #[cfg(unix)]
    has_group: bool,
}

impl ChildTree {
    /// Starts `command`.
    ///
    /// # Errors
    /// The operating system cannot start it.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        let has_group = !has_terminal();
        #[cfg(unix)]
        if has_group {
            command.process_group(0);
        }
        let child = command.kill_on_drop(true).spawn()?;
        Ok(Self {
            child,
            #[cfg(unix)]
            has_group,
        })
    }
}

#[cfg(unix)]
impl ChildTree {
    /// Sends a signal of the operating system to the child. Without a terminal its children get it too. With a
    /// terminal, Ctrl-C reaches the child without us, so `SIGINT` is not sent in the foreground.
    pub fn signal(&self, number: u8) {
        use rustix::process::{Pid, Signal, kill_process, kill_process_group};

        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let (Some(id), Some(signal)) = (id, Signal::from_named_raw(number.into())) else { return };
        // Nothing can be done about a process that ended in the meantime.
        let _ = match (self.has_group, signal) {
            (true, signal) => kill_process_group(id, signal),
            (false, Signal::INT) if is_in_foreground() => Ok(()),
            (false, signal) => kill_process(id, signal),
        };
    }
}

/// True if our process group is the one that the terminal sends Ctrl-C to.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    let terminal = std::fs::File::open("/dev/tty");
    let group = terminal.ok().and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
    group == Some(rustix::process::getpgrp())
}

#[cfg(not(unix))]
impl ChildTree {
    /// The system sends Ctrl-C to the child, too.
    pub fn signal(&self, _number: u8) {}
}

/// True if the process has a terminal, even if its standard streams are redirected.
#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

#[cfg(unix)]
impl Drop for ChildTree {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process, kill_process_group};

        // A reaped child has no PID.
        let Some(number) = self.child.id().and_then(|id| i32::try_from(id).ok()) else { return };
        // Nothing can be done about a process that ended in the meantime.
        if self.has_group {
            if let Some(group) = Pid::from_raw(number) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            return;
        }
        for number in descendants(number) {
            if let Some(process) = Pid::from_raw(number) {
                let _ = kill_process(process, Signal::KILL);
            }
        }
    }
}

/// The processes below `ancestor`.
#[cfg(unix)]
fn descendants(ancestor: i32) -> Vec<i32> {
    let parents = parents();
    let mut found = vec![ancestor];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        let children = parents.iter().filter(|(child, of)| *of == parent && !found.contains(child));
        let children: Vec<i32> = children.map(|(child, _)| *child).collect();
        found.extend(children);
        at += 1;
    }
    found.split_off(1)
}

/// Each process with its parent.
#[cfg(unix)]
fn parents() -> Vec<(i32, i32)> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let parent = |entry: io::Result<std::fs::DirEntry>| {
        let name = entry.ok()?.file_name();
        let number: i32 = name.to_str()?.parse().ok()?;
        let status = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // The name of the program is in parentheses, and may have any character.
        let (_, rest) = status.rsplit_once(')')?;
        Some((number, rest.split_whitespace().nth(1)?.parse().ok()?))
    };
    processes.filter_map(parent).collect()
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};
    use tokio::io::AsyncReadExt;

    use super::*;

    /// Starts a shell that starts a long `sleep`, and returns the number of the sleep.
    async fn shell_with_sleep(then: &str) -> (ChildTree, i32) {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("sleep 300 >&- 2>&- & echo $!; {then}")]);
        let mut tree = ChildTree::spawn(command.stdout(Stdio::piped())).unwrap();
        let (mut line, mut stdout) = (String::new(), tree.child.stdout.take().unwrap());
        while !line.ends_with('\n') {
            line.push(stdout.read_u8().await.unwrap().into());
        }
        tree.child.stdout = Some(stdout);
        (tree, line.trim().parse().unwrap())
    }

    /// True if the process runs. A zombie does not.
    fn runs(number: i32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    #[tokio::test]
    async fn a_child_that_is_dropped_ends_with_its_children() {
        let (tree, sleep) = shell_with_sleep("wait").await;
        let shell = i32::try_from(tree.child.id().unwrap()).unwrap();
        assert!(runs(sleep));
        assert_eq!(descendants(shell), [sleep]);
        drop(tree);
        let started = Instant::now();
        while runs(sleep) || runs(shell) {
            assert!(started.elapsed() < Duration::from_secs(30), "{shell} or {sleep} still runs");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_process_that_a_child_leaves_behind_stays() {
        let (mut tree, sleep) = shell_with_sleep("exit 0").await;
        assert!(tree.child.wait().await.unwrap().success());
        drop(tree);
        assert!(runs(sleep));
        kill_process(Pid::from_raw(sleep).unwrap(), Signal::KILL).unwrap();
    }
}

//! The command of `run -- COMMAND`.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;

use tokio::process::Command;

use crate::process::ChildTree;

/// The environment variable with the URL of Locust's web UI.
pub const URL_VARIABLE: &str = "LOCUSTCTL_LOCUST_URL";

/// The running command. It has our standard streams. Dropping it kills it with its children.
pub struct UserCommand(ChildTree);

impl UserCommand {
    /// Starts the command. `url` is the URL of Locust's web UI.
    ///
    /// # Errors
    /// The operating system cannot start it.
    pub fn start(words: &[OsString], url: Option<&str>) -> io::Result<Self> {
        let (program, args) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(args);
        match url {
            Some(url) => command.env(URL_VARIABLE, url),
            None => command.env_remove(URL_VARIABLE),
        };
        ChildTree::spawn(&mut command).map(Self)
    }

    /// Waits for its end. Returns its exit code: 128 plus the signal's number after a signal, as in a shell.
    ///
    /// # Errors
    /// The operating system does not tell the exit code.
    pub async fn wait(&mut self) -> io::Result<u8> {
        self.0.child.wait().await.map(code)
    }

    /// Passes a signal on, unless the terminal has done so.
    pub fn pass_on(&self, signal: u8) {
        self.0.signal(signal);
    }
}

#[cfg(unix)]
fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;

    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

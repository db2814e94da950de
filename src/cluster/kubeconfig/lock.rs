//! The lock file that kubectl puts beside a kubeconfig while it changes it.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::text::go::os_error;

/// How often to look whether the lock is free.
const PAUSE: Duration = Duration::from_millis(20);

/// A held lock; dropping it removes the file.
#[derive(Debug)]
pub(super) struct Lock(PathBuf);

impl Lock {
    /// Takes the lock of `file`. kubectl gives up at once when somebody else has it; waiting a
    /// little is enough, for it is held only while a file is written.
    ///
    /// # Errors
    /// Go's text for the lock file; with what to do about it when it stays.
    pub async fn acquire(file: &Path, patience: Duration) -> Result<Self, String> {
        let mut path = OsString::from(file);
        path.push(".lock");
        let path = PathBuf::from(path);
        let end = Instant::now() + patience;
        loop {
            let err = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => return Ok(Self(path)),
                Err(err) => err,
            };
            let problem = format!("open {}: {}", path.display(), os_error(&err));
            if err.kind() != io::ErrorKind::AlreadyExists {
                return Err(problem);
            }
            if Instant::now() >= end {
                return Err(format!(
                    "{problem}; another program is changing the kubeconfig, or ended while it did: \
                     if none is running, delete the lock file"
                ));
            }
            sleep(PAUSE).await;
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing could be done about a failure; the next program names the file that is left.
        let _ = fs::remove_file(&self.0);
    }
}

//! The lock file that kubectl creates beside a kubeconfig while it writes it.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::text::go::os_error;

/// The pause between two attempts to take the lock.
const PAUSE: Duration = Duration::from_millis(20);

/// A held lock. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct Lock(PathBuf);

impl Lock {
    /// Takes the lock of `file`. Waits for at most `timeout` while another program holds it;
    /// kubectl does not wait. A program holds the lock only while it writes the file.
    ///
    /// # Errors
    /// Go's text for the lock file, with advice if the file stays.
    pub async fn acquire(file: &Path, timeout: Duration) -> Result<Self, String> {
        let mut path = OsString::from(file);
        path.push(".lock");
        let path = PathBuf::from(path);
        let end = Instant::now() + timeout;
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
                    "{problem}; another program is writing the kubeconfig, or ended without removing \
                     the lock: if no such program is running, delete the lock file"
                ));
            }
            sleep(PAUSE).await;
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A failure is ignored. The next program reports the file.
        let _ = fs::remove_file(&self.0);
    }
}

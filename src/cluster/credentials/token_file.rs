//! A bearer token in a file that another program renews. In a pod, kubelet does so every hour.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};
use parking_lot::Mutex;
use secrecy::SecretString;

use crate::text::bounded;
use crate::text::go::os_error;

/// The age at which the file is read again, as in client-go's `transport/token_source.go`.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Larger than any header that a server accepts.
const MAX_SIZE: u64 = 1024 * 1024;

/// The file, the token to use if the file has none, and the last token that was read.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    fallback: Option<SecretString>,
    last: Mutex<Option<(Instant, SecretString)>>,
}

impl TokenFile {
    /// Reads the file a first time. Of a pipe, this is the only time.
    ///
    /// # Errors
    /// The file cannot be read and there is no fallback. The text is kubectl's.
    pub fn new(path: PathBuf, fallback: Option<SecretString>) -> Result<Self> {
        let file = Self { path, fallback, last: Mutex::new(None) };
        match file.read(|path| fs::File::open(path)) {
            Ok(token) => *file.last.lock() = Some((Instant::now(), token)),
            Err(err) if file.fallback.is_none() => return Err(err),
            Err(_) => {}
        }
        Ok(file)
    }

    /// The file's content, trimmed and at most a minute old. If the file can no longer be read, this is
    /// the last token, or the fallback if there was none.
    ///
    /// # Errors
    /// The file never had a token, and there is no fallback.
    pub fn token(&self) -> Result<SecretString> {
        let mut last = self.last.lock();
        if let Some((at, token)) = last.as_ref()
            && at.elapsed() < MAX_AGE
        {
            return Ok(token.clone());
        }
        // The command is running: a pipe would make all of it wait.
        match (self.read(bounded::open_regular), last.as_ref(), &self.fallback) {
            (Ok(token), _, _) => {
                *last = Some((Instant::now(), token.clone()));
                Ok(token)
            }
            (Err(_), Some((_, token)), _) | (Err(_), None, Some(token)) => Ok(token.clone()),
            (Err(err), None, None) => Err(err),
        }
    }

    /// Makes the next [`TokenFile::token`] read the file.
    pub fn expire(&self) {
        let mut last = self.last.lock();
        if let Some((at, _)) = last.as_mut()
            && let Some(earlier) = at.checked_sub(MAX_AGE)
        {
            *at = earlier;
        }
    }

    fn read(&self, open: fn(&Path) -> io::Result<fs::File>) -> Result<SecretString> {
        let path = self.path.display();
        let failed = |err| anyhow!("open {path}: {}", os_error(&err));
        let file = open(&self.path).map_err(failed)?;
        let Some(text) = bounded::read_text(file, MAX_SIZE).map_err(failed)? else {
            bail!("{path} is larger than {MAX_SIZE} bytes, too large for a token");
        };
        match text.trim() {
            "" => bail!("read empty token from file \"{path}\""),
            token => Ok(token.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn shown(file: &TokenFile) -> String {
        file.token().unwrap().expose_secret().to_owned()
    }

    #[test]
    fn a_renewed_token_is_read_and_the_last_one_outlives_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, " one\n").unwrap();
        let file = TokenFile::new(path.clone(), Some("other".into())).unwrap();
        assert_eq!(shown(&file), "one");
        fs::write(&path, "two").unwrap();
        assert_eq!(shown(&file), "one", "still fresh");
        file.expire();
        assert_eq!(shown(&file), "two");
        fs::remove_file(&path).unwrap();
        file.expire();
        assert_eq!(shown(&file), "two");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_once_and_its_token_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let (read, token) = std::sync::mpsc::channel();
        std::thread::spawn({
            let path = path.clone();
            move || {
                let file = TokenFile::new(path, None).unwrap();
                file.expire();
                read.send(shown(&file))
            }
        });
        fs::write(&path, "one\n").unwrap();
        let token = token.recv_timeout(Duration::from_secs(10));
        assert_eq!(token.as_deref(), Ok("one"), "the second read does not wait for a writer");
    }

    #[test]
    fn the_fallback_counts_only_if_the_file_has_no_token() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let text = |fallback: Option<&str>| {
            TokenFile::new(path.clone(), fallback.map(Into::into)).map(|file| shown(&file))
        };
        assert_eq!(text(Some("other")).unwrap(), "other");
        let missing = text(None).unwrap_err().to_string();
        assert_eq!(missing, format!("open {}: no such file or directory", path.display()));
        fs::write(&path, "\n").unwrap();
        assert_eq!(text(Some("other")).unwrap(), "other");
        assert!(text(None).unwrap_err().to_string().starts_with("read empty token from file"));
        fs::write(&path, "file").unwrap();
        assert_eq!(text(Some("other")).unwrap(), "file");
    }
}

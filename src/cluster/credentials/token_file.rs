//! A bearer token in a file that something else renews: kubelet does so hourly in a pod.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};
use parking_lot::Mutex;
use secrecy::SecretString;

use crate::text::bounded;
use crate::text::go::os_error;

/// As client-go `transport/token_source.go`: the file is read again after a minute.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// A token must fit into a header.
const MAX_SIZE: u64 = 1024 * 1024;

/// The file, the token to use when the file has none, and what was last read.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    fallback: Option<SecretString>,
    last: Mutex<Option<(Instant, SecretString)>>,
}

impl TokenFile {
    /// Reads the file a first time.
    ///
    /// # Errors
    /// The file cannot be read and there is no fallback; in kubectl's words.
    pub fn new(path: PathBuf, fallback: Option<SecretString>) -> Result<Self> {
        let file = Self { path, fallback, last: Mutex::new(None) };
        file.token()?;
        Ok(file)
    }

    /// The file's content, trimmed, at most a minute old. When the file can no longer be read,
    /// what it last said; without that, the fallback.
    ///
    /// # Errors
    /// The file has no token and never had one, and there is no fallback.
    pub fn token(&self) -> Result<SecretString> {
        let mut last = self.last.lock();
        if let Some((at, token)) = last.as_ref()
            && at.elapsed() < KEPT_FOR
        {
            return Ok(token.clone());
        }
        match (self.read(), last.as_ref(), &self.fallback) {
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
            && let Some(earlier) = at.checked_sub(KEPT_FOR)
        {
            *at = earlier;
        }
    }

    fn read(&self) -> Result<SecretString> {
        let path = self.path.display();
        let failed = |err| anyhow!("open {path}: {}", os_error(&err));
        let file = fs::File::open(&self.path).map_err(failed)?;
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
    fn a_renewed_token_is_picked_up_and_a_vanished_file_is_survived() {
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

    #[test]
    fn the_fallback_counts_only_when_the_file_has_nothing() {
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

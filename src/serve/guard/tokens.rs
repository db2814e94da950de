//! The tokens that give access, reloaded when their file changes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use parking_lot::{Mutex, MutexGuard};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::time::{Instant, sleep};

use super::super::log::log;
use super::token_list::{Entry, parse};
use crate::text::bounded;
use crate::text::quantity;

/// Time that the last tokens stay valid if the file disappears or is invalid, because a Secret is
/// mounted anew or an editor replaces the file. Then no token is valid: deleting the file revokes all
/// tokens.
const GRACE_PERIOD: Duration = Duration::from_secs(60);

/// Minimum time between two checks of the file.
const RELOAD_PERIOD: Duration = Duration::from_secs(1);

/// Time until the second look at a file that lacks tokens which were valid so far. A file that is rewritten
/// in place is empty or incomplete for a moment.
const SECOND_LOOK: Duration = Duration::from_millis(250);

/// Longest time that the tokens which the file lacks stay valid while the file changes at each look.
const MAX_REWRITE: Duration = Duration::from_secs(5);

/// Limit on the size of the file, in bytes. It is enough for hundreds of tokens.
const MAX_FILE: u64 = 64 * 1024;

#[derive(Debug)]
pub(super) struct Tokens {
    path: PathBuf,
    loaded: Mutex<LoadedFile>,
}

#[derive(Debug)]
struct LoadedFile {
    entries: Vec<Entry>,
    /// The contents that were read last, valid or not; `None` if the file could not be read.
    content: Option<SecretString>,
    /// The time since which the file is unusable.
    unusable_since: Option<Instant>,
    checked: Instant,
    /// A file that lacks tokens, until a second look shows the same file.
    reduced: Option<ReducedFile>,
    /// False for a pipe. It can be read only once.
    is_regular: bool,
}

/// A file that lacks tokens which were valid so far.
#[derive(Debug)]
struct ReducedFile {
    file: ReadFile,
    /// When tokens were first found to be missing.
    since: Instant,
}

/// The contents of the file, and the time of its last change.
#[derive(Debug)]
struct ReadFile {
    content: SecretString,
    modified: Option<SystemTime>,
}

impl Tokens {
    /// Reads the file.
    ///
    /// # Errors
    /// The file cannot be read, or is invalid. No error shows a part of its contents.
    pub(super) fn load(path: PathBuf) -> Result<Self> {
        let ReadFile { content, .. } = read(File::open(&path), &path)?;
        let name = || format!("--auth-token-file={}", path.display());
        let entries = parse(content.expose_secret()).with_context(name)?;
        if entries.is_empty() {
            bail!("{}: the file contains no token; create one with: openssl rand -hex 32", name());
        }
        if is_open_to_others(&path) {
            log(&format!(
                "all users of this machine can read {}; restrict it with: chmod 600",
                path.display()
            ));
        }
        let (content, checked) = (Some(content), Instant::now());
        let is_regular = path.metadata().is_ok_and(|metadata| metadata.is_file());
        let loaded = LoadedFile {
            entries,
            content,
            unusable_since: None,
            checked,
            reduced: None,
            is_regular,
        };
        Ok(Self { path, loaded: Mutex::new(loaded) })
    }

    /// Checks the file also while no requests come; never ends. Otherwise the grace period of a
    /// removed file would begin with the next request.
    pub(super) async fn follow(&self) {
        loop {
            let pause = self.current().pause();
            sleep(pause).await;
        }
    }

    /// The name of the token's owner. All tokens are compared in constant time; the time only depends
    /// on their lengths.
    pub(super) fn owner(&self, given: &str) -> Option<String> {
        let mut loaded = self.current();
        let owner = loaded.owner(given);
        // The token may be new in the file.
        if owner.is_none() && loaded.checked.elapsed() >= SECOND_LOOK {
            loaded.check(&self.path);
            return loaded.owner(given);
        }
        owner
    }

    /// The valid token that fulfils the condition.
    pub(super) fn find(&self, is_wanted: impl Fn(&str) -> bool) -> Option<SecretString> {
        let loaded = self.current();
        let mut tokens = loaded.entries.iter().map(|entry| &entry.token);
        tokens.find(|token| is_wanted(token.expose_secret())).cloned()
    }

    fn current(&self) -> MutexGuard<'_, LoadedFile> {
        let mut loaded = self.loaded.lock();
        if loaded.checked.elapsed() >= loaded.pause() {
            loaded.check(&self.path);
        }
        loaded
    }
}

impl LoadedFile {
    fn owner(&self, given: &str) -> Option<String> {
        let mut owner = None;
        for Entry { name, token } in &self.entries {
            let is_equal = token.expose_secret().as_bytes().ct_eq(given.as_bytes());
            if bool::from(is_equal) {
                owner = Some(name);
            }
        }
        owner.cloned()
    }

    /// Minimum time until the next check.
    fn pause(&self) -> Duration {
        if self.reduced.is_some() { SECOND_LOOK } else { RELOAD_PERIOD }
    }

    fn check(&mut self, path: &Path) {
        self.checked = Instant::now();
        self.reload(path);
    }

    fn reload(&mut self, path: &Path) {
        if !self.is_regular {
            return;
        }
        let file = match read(bounded::open_regular(path), path) {
            Ok(file) => file,
            Err(error) => {
                self.reduced = None;
                let is_new = self.content.take().is_some();
                return self.set_unusable(is_new, &format!("{error:#}"));
            }
        };
        let last = self.content.as_ref().map(ExposeSecret::expose_secret);
        let is_new = last != Some(file.content.expose_secret());
        let read = if is_new { Some(parse(file.content.expose_secret())) } else { None };
        let reduced = self.reduced.take();
        if let Some(Ok(entries)) = &read
            && self.lacks_tokens(entries)
            && reduced.as_ref().is_none_or(|reduced| !reduced.is_confirmed_by(&file))
        {
            let since = reduced.map_or_else(Instant::now, |reduced| reduced.since);
            self.reduced = Some(ReducedFile { file, since });
            return;
        }
        self.content = Some(file.content);
        match read {
            None if self.unusable_since.is_none() => {}
            None => self.set_unusable(false, ""),
            Some(Err(error)) => self.set_unusable(true, &format!("{}: {error:#}", path.display())),
            Some(Ok(entries)) => {
                let (count, path) = (entries.len(), path.display());
                self.entries = entries;
                self.unusable_since = None;
                log(&match count {
                    0 => format!("{path} contains no token any more: no token is valid"),
                    _ => format!("reloaded {} from {path}", quantity(count, "token")),
                });
            }
        }
    }

    /// True if a token that is valid now is not in `entries`.
    fn lacks_tokens(&self, entries: &[Entry]) -> bool {
        let has = |token: &SecretString| {
            entries.iter().any(|entry| entry.token.expose_secret() == token.expose_secret())
        };
        self.entries.iter().any(|entry| !has(&entry.token))
    }

    fn set_unusable(&mut self, is_new: bool, why: &str) {
        let since = *self.unusable_since.get_or_insert_with(Instant::now);
        if is_new {
            let seconds = GRACE_PERIOD.as_secs();
            log(&format!(
                "the token file cannot be used; the last tokens stay valid for at most {seconds} s: {why}"
            ));
        }
        if since.elapsed() >= GRACE_PERIOD && !std::mem::take(&mut self.entries).is_empty() {
            log("no token is valid until the token file can be used again");
        }
    }
}

impl ReducedFile {
    /// True if the file has not changed since the first look, or if it has changed for too long.
    fn is_confirmed_by(&self, file: &ReadFile) -> bool {
        let is_same = self.file.modified == file.modified
            && self.file.content.expose_secret() == file.content.expose_secret();
        is_same || self.since.elapsed() >= MAX_REWRITE
    }
}

/// True if all users of the machine can read the file. It is only logged, because a mounted Secret is
/// often readable on purpose.
#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}

/// Reads the opened file. `path` is for the error.
fn read(file: io::Result<File>, path: &Path) -> Result<ReadFile> {
    let name = || format!("reading --auth-token-file={}", path.display());
    let file = file.with_context(name)?;
    let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
    match bounded::read_text(file, MAX_FILE).with_context(name)? {
        Some(content) => Ok(ReadFile { content: content.into(), modified }),
        None => bail!("{}: the file is larger than 64 KB", name()),
    }
}

#[cfg(test)]
mod tests;

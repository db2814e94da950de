//! The tokens that give access, reloaded when their file changes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use parking_lot::{Mutex, MutexGuard};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::time::{Instant, sleep};

use super::super::log::log;
use super::user_name::is_showable;
use crate::text::bounded;
use crate::text::terminal::conceal;

/// Time that the last tokens stay valid if the file disappears or is invalid, because a Secret is
/// mounted anew or an editor replaces the file. Then no token is valid: deleting the file revokes all
/// tokens.
const GRACE_PERIOD: Duration = Duration::from_secs(60);

/// Minimum time between two checks of the file.
const RELOAD_PERIOD: Duration = Duration::from_secs(1);

/// Time between two checks while no requests come.
const IDLE_RELOAD_PERIOD: Duration = Duration::from_secs(5);

/// Limit on the size of the file, in bytes. It is enough for hundreds of tokens.
const MAX_FILE: u64 = 64 * 1024;

/// Minimum length of a token, in bytes. Shorter tokens can be guessed.
const MIN_TOKEN: usize = 16;

/// Longest name of a token, in bytes. Names are shown in the history and in the audit log.
const MAX_NAME: usize = 64;

/// Name of tokens without a name.
const DEFAULT_NAME: &str = "token";

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
    /// False for a pipe. It can be read only once.
    is_regular: bool,
}

#[derive(Debug)]
struct Entry {
    name: String,
    token: SecretString,
}

impl Tokens {
    /// Reads the file.
    ///
    /// # Errors
    /// The file cannot be read, or is invalid. No error shows a part of its contents.
    pub(super) fn load(path: PathBuf) -> Result<Self> {
        let content = read(&path)?;
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
        let loaded = LoadedFile { entries, content, unusable_since: None, checked, is_regular };
        Ok(Self { path, loaded: Mutex::new(loaded) })
    }

    /// Checks the file also while no requests come; never ends. Otherwise the grace period of a
    /// removed file would begin with the next request.
    pub(super) async fn follow(&self) {
        loop {
            sleep(IDLE_RELOAD_PERIOD).await;
            drop(self.current());
        }
    }

    /// The name of the token's owner. All tokens are compared in constant time; the time only depends
    /// on their lengths.
    pub(super) fn owner(&self, given: &str) -> Option<String> {
        let loaded = self.current();
        let mut owner = None;
        for Entry { name, token } in &loaded.entries {
            let is_equal = token.expose_secret().as_bytes().ct_eq(given.as_bytes());
            if bool::from(is_equal) {
                owner = Some(name);
            }
        }
        owner.cloned()
    }

    fn current(&self) -> MutexGuard<'_, LoadedFile> {
        let mut loaded = self.loaded.lock();
        if loaded.checked.elapsed() >= RELOAD_PERIOD {
            loaded.checked = Instant::now();
            loaded.reload(&self.path);
        }
        loaded
    }
}

impl LoadedFile {
    fn reload(&mut self, path: &Path) {
        if !self.is_regular {
            return;
        }
        let content = match read_regular_file(path) {
            Ok(content) => content,
            Err(error) => {
                let is_new = self.content.take().is_some();
                return self.set_unusable(is_new, &format!("{error:#}"));
            }
        };
        let last = self.content.as_ref().map(ExposeSecret::expose_secret);
        let is_new = last != Some(content.expose_secret());
        let read = if is_new { Some(parse(content.expose_secret())) } else { None };
        self.content = Some(content);
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
                    1 => format!("reloaded 1 token from {path}"),
                    _ => format!("reloaded {count} tokens from {path}"),
                });
            }
        }
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

/// Reads the file, unless it is a pipe or a directory now. Opening a pipe would block until a writer
/// comes.
fn read_regular_file(path: &Path) -> Result<SecretString> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => {
            bail!("--auth-token-file={} is not a regular file any more", path.display())
        }
        _ => read(path),
    }
}

fn read(path: &Path) -> Result<SecretString> {
    let name = || format!("reading --auth-token-file={}", path.display());
    let file = File::open(path).with_context(name)?;
    match bounded::read_text(file, MAX_FILE).with_context(name)? {
        Some(content) => Ok(content.into()),
        None => bail!("{}: the file is larger than 64 KB", name()),
    }
}

/// Reads one token per line, with an optional name before it. `#` begins a comment line.
fn parse(content: &str) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let number = index + 1;
        let words: Vec<_> = line.split_whitespace().collect();
        let (name, token) = match words.as_slice() {
            [] => continue,
            [first, ..] if first.starts_with('#') => continue,
            [token] => (DEFAULT_NAME, *token),
            [name, token] => (*name, *token),
            _ => bail!("line {number} must be TOKEN or NAME TOKEN"),
        };
        if name.len() > MAX_NAME {
            bail!("the name in line {number} is longer than {MAX_NAME} bytes");
        }
        if !is_showable(name) {
            bail!("the name in line {number} contains characters that cannot be shown");
        }
        if token.len() < MIN_TOKEN {
            bail!(
                "the token in line {number} is shorter than {MIN_TOKEN} characters; create \
                 one with: openssl rand -hex 32"
            );
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("the token in line {number} contains characters other than visible ASCII");
        }
        if entries.iter().any(|entry| entry.token.expose_secret() == token) {
            bail!("the token in line {number} repeats an earlier one");
        }
        conceal(token);
        entries.push(Entry { name: name.to_owned(), token: token.into() });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const ALICE: &str = "alice-s-token-0123456789";
    const BOB: &str = "bobby-s-token-0123456789";

    #[test]
    fn tokens_may_have_names_and_lines_may_be_comments() {
        let entries = parse(&format!("# access\n\nalice {ALICE}\r\n  {BOB}  \n")).unwrap();
        let read: Vec<_> =
            entries.iter().map(|entry| (&*entry.name, entry.token.expose_secret())).collect();
        assert_eq!(read, [("alice", ALICE), ("token", BOB)]);
    }

    #[test]
    fn an_invalid_file_is_refused_without_showing_its_contents() {
        for (content, expected) in [
            ("short-secret", "the token in line 1 is shorter than 16"),
            ("a b secret-secret-secret", "line 1 must be"),
            ("secret-secret-secret\nsecret-secret-secret", "the token in line 2 repeats"),
            ("secret-secret-secrét", "the token in line 1 contains characters"),
            ("al\u{202e}ice secret-secret-secret", "the name in line 1 contains characters that"),
        ] {
            let error = parse(content).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    fn file(content: &str) -> (tempfile::TempDir, PathBuf, Tokens) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        std::fs::write(&path, content).unwrap();
        let tokens = Tokens::load(path.clone()).unwrap();
        (directory, path, tokens)
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_is_reloaded_and_an_invalid_one_has_a_grace_period() {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        assert_eq!((tokens.owner(""), tokens.owner(&ALICE[1..])), (None, None));
        std::fs::write(&path, "broken").unwrap();
        advance(RELOAD_PERIOD).await;
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        std::fs::remove_file(&path).unwrap();
        advance(RELOAD_PERIOD).await;
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        std::fs::write(&path, format!("bob {BOB}")).unwrap();
        advance(RELOAD_PERIOD).await;
        assert_eq!(tokens.owner(ALICE), None);
        assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"));
        for is_there in [true, false] {
            if is_there {
                std::fs::write(&path, "broken").unwrap();
            } else {
                std::fs::remove_file(&path).unwrap();
            }
            advance(RELOAD_PERIOD).await;
            assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"));
            advance(GRACE_PERIOD).await;
            assert_eq!(tokens.owner(BOB), None, "the grace period is over");
            std::fs::write(&path, format!("bob {BOB}")).unwrap();
            advance(RELOAD_PERIOD).await;
            assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"), "the file is valid again");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_without_tokens_revokes_all_of_them() {
        for content in ["", "# nothing"] {
            let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
            std::fs::write(&path, content).unwrap();
            advance(RELOAD_PERIOD).await;
            assert_eq!(tokens.owner(ALICE), None, "{content:?}");
            let error = format!("{:#}", Tokens::load(path).unwrap_err());
            assert!(error.contains("the file contains no token"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_grace_period_also_ends_without_requests() {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        std::fs::remove_file(&path).unwrap();
        tokio::select! {
            () = tokens.follow() => {}
            () = sleep(GRACE_PERIOD + 2 * IDLE_RELOAD_PERIOD) => {}
        }
        assert_eq!(tokens.owner(ALICE), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_in_place_of_the_file_counts_as_missing() {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        advance(RELOAD_PERIOD).await;
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        advance(GRACE_PERIOD).await;
        assert_eq!(tokens.owner(ALICE), None);
    }

    #[cfg(unix)]
    fn make_pipe(path: &Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn a_pipe_is_read_once_and_its_tokens_stay_valid() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        make_pipe(&path);
        let tokens = std::thread::scope(|scope| {
            scope.spawn(|| std::fs::write(&path, format!("alice {ALICE}")).unwrap());
            Tokens::load(path.clone()).unwrap()
        });
        std::fs::remove_file(&path).unwrap();
        for _ in 0..2 {
            advance(GRACE_PERIOD).await;
            assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        }
    }

    /// Opening a pipe blocks until a writer comes, and all answers would wait for it.
    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_the_file_does_not_block() {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        std::fs::remove_file(&path).unwrap();
        make_pipe(&path);
        let (answered, answer) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tokens.loaded.lock().reload(&path);
                answered.send(())
            });
            let in_time = answer.recv_timeout(Duration::from_secs(10));
            // If it blocks after all, a writer releases it.
            if in_time.is_err() {
                drop(std::fs::OpenOptions::new().write(true).open(&path));
            }
            assert!(in_time.is_ok());
        });
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
    }

    #[test]
    fn the_error_names_a_file_that_is_too_large_or_missing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        std::fs::write(&path, "x".repeat(65 * 1024)).unwrap();
        let error = format!("{:#}", Tokens::load(path).unwrap_err());
        assert!(error.ends_with("the file is larger than 64 KB"), "{error}");
        let error = format!("{:#}", Tokens::load("/missing/tokens".into()).unwrap_err());
        assert!(error.starts_with("reading --auth-token-file=/missing/tokens: "), "{error}");
    }
}

//! The tokens that let somebody in, read again when their file changes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::time::{Instant, sleep};

use super::super::log::log;
use super::is_showable;
use crate::text::bounded;
use crate::text::terminal::conceal;

/// While the file cannot be used (a Secret is mounted anew, an editor replaces it), the last tokens
/// hold for so long. Then nobody is let in: who deletes a file means something by it.
const GRACE: Duration = Duration::from_secs(60);

/// Between looks at the file.
const PERIOD: Duration = Duration::from_secs(1);

/// The same while nobody asks.
const UNASKED: Duration = Duration::from_secs(5);

/// Room for hundreds of tokens.
const LARGEST_FILE: u64 = 64 * 1024;

/// Shorter ones can be guessed.
const SHORTEST_TOKEN: usize = 16;

/// In the history, and in the audit line.
const LONGEST_NAME: usize = 64;

/// The name of a token without one.
const NAMELESS: &str = "token";

/// The file, and what was in it last.
#[derive(Debug)]
pub(super) struct Tokens {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    entries: Vec<Entry>,
    /// As read last, good or bad; none when it could not be read.
    content: Option<SecretString>,
    /// Since when the file cannot be used.
    unusable: Option<Instant>,
    looked: Instant,
    /// Whether it can be read more than once.
    is_plain: bool,
}

/// One token.
#[derive(Debug)]
struct Entry {
    name: String,
    token: SecretString,
}

impl Tokens {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or holds something else than tokens; no error shows any of it.
    pub(super) fn load(path: PathBuf) -> Result<Self> {
        let content = read(&path)?;
        let what = || format!("--auth-token-file={}", path.display());
        let entries = parse(content.expose_secret()).with_context(what)?;
        if entries.is_empty() {
            bail!("{}: there is no token in it; make one by: openssl rand -hex 32", what());
        }
        if is_open_to_others(&path) {
            log(&format!(
                "everybody on this machine can read {}; chmod 600 makes it its owner's alone",
                path.display()
            ));
        }
        let (content, looked) = (Some(content), Instant::now());
        let is_plain = path.metadata().is_ok_and(|metadata| metadata.is_file());
        let state = State { entries, content, unusable: None, looked, is_plain };
        Ok(Self { path, state: Mutex::new(state) })
    }

    /// Looks at the file though nobody asks: a token that was taken away an hour ago must not be
    /// good for a last minute when it is shown.
    pub(super) async fn follow(&self) {
        loop {
            sleep(UNASKED).await;
            drop(self.current());
        }
    }

    /// Whose token it is. All are compared, so that the time tells nothing but lengths.
    pub(super) fn owner(&self, given: &str) -> Option<String> {
        let state = self.current();
        let mut owner = None;
        for Entry { name, token } in &state.entries {
            let is_equal = token.expose_secret().as_bytes().ct_eq(given.as_bytes());
            if bool::from(is_equal) {
                owner = Some(name);
            }
        }
        owner.cloned()
    }

    fn current(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= PERIOD {
            state.looked = Instant::now();
            state.look(&self.path);
        }
        state
    }
}

impl State {
    fn look(&mut self, path: &Path) {
        // A pipe gives its content once.
        if !self.is_plain {
            return;
        }
        let content = match read_plain(path) {
            Ok(content) => content,
            Err(error) => {
                let is_news = self.content.take().is_some();
                return self.is_unusable(is_news, &format!("{error:#}"));
            }
        };
        let last = self.content.as_ref().map(ExposeSecret::expose_secret);
        let is_news = last != Some(content.expose_secret());
        let read = if is_news { Some(parse(content.expose_secret())) } else { None };
        self.content = Some(content);
        match read {
            None if self.unusable.is_none() => {}
            None => self.is_unusable(false, ""),
            Some(Err(error)) => self.is_unusable(true, &format!("{}: {error:#}", path.display())),
            Some(Ok(entries)) => {
                let (count, path) = (entries.len(), path.display());
                self.entries = entries;
                self.unusable = None;
                log(&match count {
                    0 => format!("no token is in {path} any more: nobody is let in"),
                    1 => format!("1 token was read anew from {path}"),
                    _ => format!("{count} tokens were read anew from {path}"),
                });
            }
        }
    }

    fn is_unusable(&mut self, is_news: bool, why: &str) {
        let since = *self.unusable.get_or_insert_with(Instant::now);
        if is_news {
            let seconds = GRACE.as_secs();
            log(&format!("the last tokens hold for {seconds} s more at the most: {why}"));
        }
        if since.elapsed() >= GRACE && !std::mem::take(&mut self.entries).is_empty() {
            log("nobody is let in, until there is a file with tokens again");
        }
    }
}

/// Only worth a note: whoever mounts a Secret may mean it so.
#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}

/// Opening a pipe would wait for somebody who writes.
fn read_plain(path: &Path) -> Result<SecretString> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => {
            bail!("--auth-token-file={} is no plain file any more", path.display())
        }
        _ => read(path),
    }
}

fn read(path: &Path) -> Result<SecretString> {
    let what = || format!("reading --auth-token-file={}", path.display());
    let file = File::open(path).with_context(what)?;
    match bounded::read_text(file, LARGEST_FILE).with_context(what)? {
        Some(content) => Ok(content.into()),
        None => bail!("{}: it is larger than 64 KB", what()),
    }
}

/// One token on each line, with a name before it or without; `#` begins a comment.
fn parse(content: &str) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let number = index + 1;
        let words: Vec<_> = line.split_whitespace().collect();
        let (name, token) = match words.as_slice() {
            [] => continue,
            [first, ..] if first.starts_with('#') => continue,
            [token] => (NAMELESS, *token),
            [name, token] => (*name, *token),
            _ => bail!("line {number} is neither TOKEN nor NAME TOKEN"),
        };
        if name.len() > LONGEST_NAME {
            bail!("the name in line {number} is longer than {LONGEST_NAME} bytes");
        }
        if !is_showable(name) {
            bail!("the name in line {number} holds characters that cannot be shown");
        }
        if token.len() < SHORTEST_TOKEN {
            bail!(
                "the token in line {number} is shorter than {SHORTEST_TOKEN} characters; make one \
                 by: openssl rand -hex 32"
            );
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("the token in line {number} holds something else than visible ASCII characters");
        }
        if entries.iter().any(|entry| entry.token.expose_secret() == token) {
            bail!("the token in line {number} was there before");
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
    const NOBODY: &str = "nobody-s-token-0123456789";

    #[test]
    fn tokens_have_names_and_lines_may_be_comments() {
        let entries = parse(&format!("# who may\n\nalice {ALICE}\r\n  {NOBODY}  \n")).unwrap();
        let read: Vec<_> =
            entries.iter().map(|entry| (&*entry.name, entry.token.expose_secret())).collect();
        assert_eq!(read, [("alice", ALICE), ("token", NOBODY)]);
    }

    #[test]
    fn what_is_no_token_is_refused_and_never_shown() {
        for (content, expected) in [
            ("short-secret", "the token in line 1 is shorter than 16"),
            ("a b secret-secret-secret", "line 1 is neither"),
            ("secret-secret-secret\nsecret-secret-secret", "the token in line 2 was there before"),
            ("secret-secret-secrét", "the token in line 1 holds something else"),
            ("al\u{202e}ice secret-secret-secret", "the name in line 1 holds characters that"),
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
    async fn the_file_is_read_again_and_a_bad_one_changes_nothing_for_a_while() {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        assert_eq!((tokens.owner(""), tokens.owner(&ALICE[1..])), (None, None));
        std::fs::write(&path, "broken").unwrap();
        advance(PERIOD).await;
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        std::fs::remove_file(&path).unwrap();
        advance(PERIOD).await;
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        std::fs::write(&path, format!("bob {NOBODY}")).unwrap();
        advance(PERIOD).await;
        assert_eq!(tokens.owner(ALICE), None);
        assert_eq!(tokens.owner(NOBODY).as_deref(), Some("bob"));
        for is_there in [true, false] {
            if is_there {
                std::fs::write(&path, "broken").unwrap();
            } else {
                std::fs::remove_file(&path).unwrap();
            }
            advance(PERIOD).await;
            assert_eq!(tokens.owner(NOBODY).as_deref(), Some("bob"));
            advance(GRACE).await;
            assert_eq!(tokens.owner(NOBODY), None, "it was long enough");
            std::fs::write(&path, format!("bob {NOBODY}")).unwrap();
            advance(PERIOD).await;
            assert_eq!(tokens.owner(NOBODY).as_deref(), Some("bob"), "and is in order again");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_without_any_token_lets_nobody_in() {
        for content in ["", "# nothing"] {
            let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
            std::fs::write(&path, content).unwrap();
            advance(PERIOD).await;
            assert_eq!(tokens.owner(ALICE), None, "{content:?}");
            let error = format!("{:#}", Tokens::load(path).unwrap_err());
            assert!(error.contains("there is no token in it"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_without_a_file_runs_though_nobody_asks() {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        std::fs::remove_file(&path).unwrap();
        tokio::select! {
            () = tokens.follow() => {}
            () = sleep(GRACE + 2 * UNASKED) => {}
        }
        assert_eq!(tokens.owner(ALICE), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_file_any_more_is_as_good_as_gone() {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        advance(PERIOD).await;
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        advance(GRACE).await;
        assert_eq!(tokens.owner(ALICE), None);
    }

    #[cfg(unix)]
    fn make_pipe(path: &Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn a_pipe_is_read_once_and_what_it_gave_holds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        make_pipe(&path);
        let tokens = std::thread::scope(|scope| {
            scope.spawn(|| std::fs::write(&path, format!("alice {ALICE}")).unwrap());
            Tokens::load(path.clone()).unwrap()
        });
        std::fs::remove_file(&path).unwrap();
        for _ in 0..2 {
            advance(GRACE).await;
            assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
        }
    }

    /// Opening a pipe waits for somebody who writes: all answers would wait with it.
    #[cfg(unix)]
    #[test]
    fn a_pipe_in_its_place_holds_nobody_up() {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        std::fs::remove_file(&path).unwrap();
        make_pipe(&path);
        let (answered, answer) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tokens.state.lock().unwrap().look(&path);
                answered.send(())
            });
            let in_time = answer.recv_timeout(Duration::from_secs(10));
            // Should it hang after all, a writer sets it free again.
            if in_time.is_err() {
                drop(std::fs::OpenOptions::new().write(true).open(&path));
            }
            assert!(in_time.is_ok());
        });
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
    }

    #[test]
    fn a_file_that_is_too_large_or_missing_is_said_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        std::fs::write(&path, "x".repeat(65 * 1024)).unwrap();
        let error = format!("{:#}", Tokens::load(path).unwrap_err());
        assert!(error.ends_with("it is larger than 64 KB"), "{error}");
        let error = format!("{:#}", Tokens::load("/missing/tokens".into()).unwrap_err());
        assert!(error.starts_with("reading --auth-token-file=/missing/tokens: "), "{error}");
    }
}

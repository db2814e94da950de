//! A question on the terminal.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Result, bail};
use tokio::sync::oneshot;

use crate::text::terminal::say;

/// Asks before a change with these effects on a running test. Without a terminal, prints them as warnings.
/// Does neither with `--yes`, which is `is_confirmed`, or without effects.
///
/// # Errors
/// The answer is not yes.
pub async fn confirm(effects: &[String], is_confirmed: bool) -> Result<()> {
    if effects.is_empty() || is_confirmed {
        return Ok(());
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        effects.iter().for_each(|text| say(&format!("Warning: {text}")));
        return Ok(());
    }
    effects.iter().for_each(|text| say(text));
    match ask("Continue? [y/N] ").await.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("nothing was changed, since the answer was not yes; --yes skips the question"),
    }
}

/// Prints the question on stderr, and reads the answer from stdin: one line. Both must be a terminal.
///
/// Input that was typed before the question is discarded: it is not an answer. If the future is dropped,
/// the program can exit without waiting for the input. The shell reads what the user types afterwards.
async fn ask(question: &str) -> String {
    drop_typed_ahead();
    let mut line = OpenLine::print(question);
    let (sender, receiver) = oneshot::channel();
    // A blocking thread of the runtime would keep the program from ending.
    let reading = std::thread::Builder::new().spawn(move || {
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        drop(sender.send(answer));
    });
    let answer = match reading {
        Ok(_) => receiver.await.unwrap_or_default(),
        Err(_) => String::new(),
    };
    line.is_ended = answer.ends_with('\n');
    answer
}

/// The unfinished line with the question. Dropping it prints a newline if the user has not pressed Enter.
struct OpenLine {
    is_ended: bool,
}

impl OpenLine {
    fn print(text: &str) -> Self {
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
        Self { is_ended: false }
    }
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        if !self.is_ended {
            let _ = writeln!(std::io::stderr().lock());
        }
    }
}

#[cfg(unix)]
fn drop_typed_ahead() {
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
}

#[cfg(not(unix))]
fn drop_typed_ahead() {}

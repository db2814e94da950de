//! `locustctl completion SHELL`: prints the script that completes command lines in the shell. The
//! script asks locustctl for candidates; the answers are made here as well.

mod bash;
mod candidates;
mod engine;

use std::ffi::OsString;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap_complete::Shell;
use clap_complete::env::{Elvish, Fish, Powershell, Shells, Zsh};

use crate::cli::{self, CompletionArgs};
use crate::output::{self, Failed};
use crate::text::terminal;

/// The environment variable with the name of the shell that asks. Only its script sets it.
const VARIABLE: &str = "LOCUSTCTL_COMPLETE";

/// The time limit of an answer.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// The part of [`TIME_LIMIT`] that is reserved for the end, such as killing a credential plugin.
const CLEAN_UP_TIME: Duration = Duration::from_millis(100);

const SHELLS: Shells<'static> = Shells(&[&bash::Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// Prints the script of a shell.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &CompletionArgs) -> Result<(), Failed> {
    let script = match args.is_static {
        true => cli::completion_script(args.shell),
        false => dynamic_script(args.shell)?,
    };
    Ok(output::write_stdout(&script)?)
}

fn dynamic_script(shell: Shell) -> anyhow::Result<String> {
    let name = shell.to_string();
    let Some(shell) = SHELLS.completer(&name) else {
        anyhow::bail!("{name} has no dynamic completion; try --static");
    };
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "locustctl", "locustctl", "locustctl", &mut script)?;
    Ok(String::from_utf8(script)?)
}

/// The answer to a completion script. `None` if no script asks. `argv` is `PROGRAM -- WORDS…`, with
/// the words of the line that is being typed.
///
/// Returns within a second and prints nothing to stderr. It leaves out what cannot be read.
pub fn answer(argv: &[OsString]) -> Option<String> {
    let shell = std::env::var_os(VARIABLE)?;
    let [_, separator, words @ ..] = argv else { return None };
    if separator != "--" || words.is_empty() {
        return None;
    }
    terminal::silence();
    std::panic::set_hook(Box::new(|_| {}));
    let (words, started) = (words.to_vec(), Instant::now());
    let (done, answer) = mpsc::channel();
    // A thread, since reading a file can block forever and cannot be cancelled.
    std::thread::spawn(move || {
        let shell = SHELLS.completer(shell.to_str()?)?;
        let answer = engine::answer(shell, words, started + TIME_LIMIT - CLEAN_UP_TIME);
        done.send(answer.unwrap_or_default()).ok()
    });
    Some(answer.recv_timeout(TIME_LIMIT).unwrap_or_default())
}

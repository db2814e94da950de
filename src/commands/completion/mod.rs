//! `locustctl completion SHELL`: the script that makes the shell complete our command line; and
//! the answers when that script asks what may stand at the cursor.

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

/// Which shell asks; set by its script alone.
const VARIABLE: &str = "LOCUSTCTL_COMPLETE";

/// Nobody waits longer at a prompt.
const LONGEST: Duration = Duration::from_secs(1);

/// Of that, for tidying up: a credential plugin is killed before we end.
const LAST_MOMENT: Duration = Duration::from_millis(100);

const SHELLS: Shells<'static> = Shells(&[&bash::Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// Prints the script of a shell.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &CompletionArgs) -> Result<(), Failed> {
    let script = match args.is_static {
        true => cli::completion_script(args.shell),
        false => asking_script(args.shell)?,
    };
    Ok(output::write_stdout(&script)?)
}

fn asking_script(shell: Shell) -> anyhow::Result<String> {
    let name = shell.to_string();
    let Some(shell) = SHELLS.completer(&name) else {
        anyhow::bail!("{name} cannot ask back; try --static");
    };
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "locustctl", "locustctl", "locustctl", &mut script)?;
    Ok(String::from_utf8(script)?)
}

/// What a shell's script is to be told; `None` when no script asks. `argv` is
/// `PROGRAM -- WORDS…`, the words those of the line being typed.
///
/// Ends within a second, and says nothing on stderr: whatever cannot be had is left out.
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
    // Reading a file can take for ever as well, and cannot be broken off.
    std::thread::spawn(move || {
        let shell = SHELLS.completer(shell.to_str()?)?;
        let answer = engine::answer(shell, words, started + LONGEST - LAST_MOMENT);
        done.send(answer.unwrap_or_default()).ok()
    });
    Some(answer.recv_timeout(LONGEST).unwrap_or_default())
}

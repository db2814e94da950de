//! `locustctl completion SHELL`: the script that makes the shell complete our command line.

use std::io::Write;

use anyhow::Context;
use clap_complete::Shell;

use crate::cli;
use crate::output::Failed;

/// Prints the script of `shell`.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(shell: Shell) -> Result<(), Failed> {
    match std::io::stdout().write_all(&cli::completion_script(shell)) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result.context("writing the completion script")?),
    }
}

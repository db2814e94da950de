//! `locustctl completion SHELL`: the script that makes the shell complete our command line.

use clap_complete::Shell;

use crate::cli;
use crate::output::{self, Failed};

/// Prints the script of `shell`.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(shell: Shell) -> Result<(), Failed> {
    Ok(output::write_stdout(&cli::completion_script(shell))?)
}

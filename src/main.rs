//! The `locustctl` binary: parses the command line, runs the command, returns the exit code.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use locustctl::{Cli, Failed, Refusal, program_name};

fn main() -> ExitCode {
    let argv: Vec<_> = std::env::args_os().collect();
    if let Some(answer) = locustctl::complete(&argv) {
        let _ = std::io::stdout().write_all(answer.as_bytes());
        return ExitCode::SUCCESS;
    }
    let program = program_name(argv.first());
    match Cli::read(argv, program) {
        Ok(cli) => match run(cli) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => {
                print_error(&locustctl::render(&failed));
                ExitCode::from(failed.exit_code())
            }
        },
        Err(Refusal::Information(text)) => {
            // Ignore the error: the reader can close the pipe early.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(Refusal::Mistake { text, code }) => {
            print_error(&text);
            ExitCode::from(code)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failed> {
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // One thread is enough to wait for one server. More threads would cost more than they save.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the asynchronous runtime")?;
    let result = runtime.block_on(locustctl::run(cli));
    // Do not wait for a name lookup that hangs.
    runtime.shutdown_background();
    // The tasks that ended just now may have logged something.
    locustctl::flush_stderr();
    result
}

fn print_error(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

//! The subcommands: one file or folder for each. They connect the other modules and print the
//! results.

mod completion;
mod connection;
mod default_target;
mod events;
mod follow_up;
mod hints;
mod locust;
mod question;
mod rebalance;
mod run;
mod sandbox;
mod sandbox_options;
mod scale;
mod serve;
mod signals;
mod status;
mod target;
mod version;

pub use completion::answer as complete;

use crate::cli::{Cli, Command, SandboxArgs};
use crate::output::Failed;
use crate::sandbox::Options;

/// Runs the subcommand.
///
/// # Errors
/// All errors, for [`crate::output::render`].
pub async fn run(cli: Cli) -> Result<(), Failed> {
    match cli.command {
        Command::Scale(args) => scale::run(cli.global, *args).await,
        Command::Status(args) => status::run(cli.global, args).await,
        Command::Rebalance(args) => rebalance::run(cli.global, args).await,
        Command::Run(args) => run::run(cli.global, *args).await,
        Command::Serve(args) => serve::run(cli.global, *args).await,
        Command::Sandbox(args) => {
            let options = sandbox_options::with_flags(args.into(), &cli.global)?;
            sandbox::run(options).await
        }
        Command::Version(args) => version::run(cli.global, args).await,
        Command::Completion(args) => completion::run(&args),
    }
}

impl From<SandboxArgs> for Options {
    fn from(args: SandboxArgs) -> Self {
        let pod_ready_after = args.pod_ready_after.positive().unwrap_or_default();
        let latency = args.latency.positive().unwrap_or_default();
        let (locust_release, port) = (args.locust_release, args.port);
        Self { pod_ready_after, latency, locust_release, port, ..Self::default() }
    }
}

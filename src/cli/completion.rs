//! Arguments of `completion`.

use clap::Args;
use clap_complete::Shell;

/// Print the completion script for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  source <(locustctl completion bash)\n  locustctl completion fish | source"
)]
pub struct CompletionArgs {
    /// Print a static script. It completes flags, but no names of contexts, namespaces or objects
    #[arg(long = "static")]
    pub is_static: bool,
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

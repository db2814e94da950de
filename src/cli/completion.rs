//! Arguments of `completion`.

use clap::Args;
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  # bash: load the completion in this shell, or in every new shell
  source <(locustctl completion bash)
  echo 'source <(locustctl completion bash)' >> ~/.bashrc

  # zsh: write the script to a directory of $fpath
  locustctl completion zsh > \"${fpath[1]}/_locustctl\"

  # fish
  locustctl completion fish > ~/.config/fish/completions/locustctl.fish

  # PowerShell
  locustctl completion powershell | Out-String | Invoke-Expression";

/// Print the completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionArgs {
    /// Print a static script. It completes flags, but no names of contexts, namespaces or objects
    #[arg(long = "static")]
    pub is_static: bool,
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

//! Flags of `version`.

use clap::Args;

use super::value;

/// Print the versions of locustctl and of the Kubernetes server
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub struct VersionArgs {
    /// Print only the version of locustctl, without asking the server
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub client: bool,
    /// Print in this format instead of text
    #[arg(short, long, value_name = "FORMAT", allow_hyphen_values = true,
          value_parser = value::text_with_suggestions(&["json", "yaml"]))]
    pub output: Option<String>,
}

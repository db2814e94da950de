//! Flags of `status`.

use clap::{ArgAction, Args};

use super::locust::LocustArgs;
use super::value;

/// Show the cluster, the replicas, autoscalers, and the running test
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub struct StatusArgs {
    /// Print in this format instead of text
    #[arg(short, long, value_name = "FORMAT", allow_hyphen_values = true,
          value_parser = value::text_with_suggestions(&["json", "yaml"]))]
    pub output: Option<String>,
    /// Repeat every two seconds until Ctrl-C
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub watch: bool,
    /// Show every Locust of the cluster: the workers, the test and its users
    #[arg(short = 'A', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub all_namespaces: bool,
    /// The flags for Locust's master.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// The workers: TYPE NAME or TYPE/NAME [default: $LOCUSTCTL_TARGET, else deployment/locust-slave; if
    /// it does not exist, the only workers of the namespace]
    #[arg(value_name = "TARGET", action = ArgAction::Append)]
    pub target: Vec<String>,
}

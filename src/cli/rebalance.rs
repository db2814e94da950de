//! Flags of `rebalance`.

use clap::Args;

use super::locust::LocustArgs;
use super::value;

const EXAMPLES: &str = "\
Examples:
  # Redistribute the users of the running test
  locustctl rebalance

  # Watch the running test until Ctrl-C, and redistribute its users when workers leave
  locustctl rebalance --watch

  # Use other names for the workers and for the master's Service
  locustctl rebalance --locust=service/load-master deployment/load-workers";

/// Redistribute the users of a running test that has lost users or has idle workers
#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub struct RebalanceArgs {
    /// The flags for Locust's master.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// Watch the test until Ctrl-C, and redistribute its users when workers leave
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub watch: bool,
    /// Skip the question before a rebalance that starts many users at once, or resets the statistics of the
    /// test. Without a terminal, skip the warning. No effect with --watch
    #[arg(short = 'y', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub yes: bool,
    /// The workers: TYPE NAME or TYPE/NAME [default: $LOCUSTCTL_TARGET, else deployment/locust-slave; if
    /// it does not exist, on a terminal, the only workers of the namespace]
    #[arg(value_name = "TARGET", action = clap::ArgAction::Append)]
    pub target: Vec<String>,
}

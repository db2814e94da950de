//! Flags of `run`.

use std::ffi::OsString;

use clap::{ArgAction, Args};

use super::locust::LocustArgs;
use super::value;
use crate::text::go;

const EXAMPLES: &str = "\
Examples:
  # Scale to twenty workers, run a command when they are connected to Locust, and put the old number back
  locustctl run --replicas=20 -- ./load-test.sh

  # The command finds Locust at $LOCUSTCTL_LOCUST_URL
  locustctl run --replicas=20 -- sh -c 'curl -sf \"$LOCUSTCTL_LOCUST_URL\"'

  # Check everything, and change nothing
  locustctl run --replicas=20 --dry-run -- ./load-test.sh";

/// Run a command of your own with more workers, and put the old number of workers back
#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub struct RunArgs {
    /// The number of workers for the time of the run. Without it, nothing is scaled
    #[arg(long, value_name = "COUNT", value_parser = value::go_int(), allow_hyphen_values = true)]
    pub replicas: Option<i64>,
    /// Keep the new number of workers after the run
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub keep: bool,
    /// Wait at most this long if a test is running; without it, run refuses to start beside a running test
    #[arg(long, value_name = "DURATION", default_value = "0s", hide_default_value = true,
          value_parser = value::go_duration(), allow_hyphen_values = true)]
    pub wait_for_idle: go::Duration,
    /// Time limit of each phase that waits: for the pods, for the workers, for a server that does not answer
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = value::go_duration(),
          allow_hyphen_values = true)]
    pub timeout: go::Duration,
    /// Check everything that comes before the run, and change nothing
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub dry_run: bool,
    /// Flags that say how to reach Locust's master.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// The workers: TYPE NAME or TYPE/NAME [default: $LOCUSTCTL_TARGET, else deployment/locust-slave]
    #[arg(value_name = "TARGET", action = ArgAction::Append)]
    pub target: Vec<String>,
    /// The command, with its arguments. Its exit code is that of run; a failure of locustctl is 125
    #[arg(value_name = "COMMAND", last = true, action = ArgAction::Append,
          value_hint = clap::ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

//! Flags of `run`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::locust::LocustArgs;
use super::value::{self, KeyValue, Seconds};
use crate::run::Condition;
use crate::text::go;

/// The exit code if locustctl itself fails beside a command, whose exit codes are passed on. `env` and `timeout` of
/// GNU coreutils use the same code.
pub const OWN_FAILURE: u8 = 125;

/// The name of the subcommand.
pub(super) const NAME: &str = "run";

/// True if the canonical command line is that of `run … -- COMMAND`.
pub(super) fn has_command(argv: &[OsString]) -> bool {
    argv.get(1).is_some_and(|name| name == NAME) && has_words_after_dashes(argv)
}

/// True if a command follows `--`.
pub(super) fn has_words_after_dashes(argv: &[OsString]) -> bool {
    argv.iter().skip_while(|word| *word != "--").nth(1).is_some()
}

const EXAMPLES: &str = "\
Examples:
  # Test with 1000 users on twenty workers for ten minutes, then put the old number of workers back.
  # The exit code is 99 if any request failed
  locustctl run --replicas=20 -u 1000 -r 50 -t 10m

  # Fail if the 95th percentile is above 800 ms, or if more than 1% of the requests failed
  locustctl run --replicas=20 -u 1000 -r 50 -t 10m --fail-if 'p95 > 800ms' --fail-if 'failures > 1%'

  # Write Locust's own report, and the results for a CI system
  locustctl run -u 1000 -r 50 -t 10m --html report.html --junit results.xml --markdown results.md

  # End the test early if more than half of the requests fail
  locustctl run -u 1000 -r 50 -t 10m --abort-if 'failures > 50%'

  # Run a command on twenty workers that are connected to Locust, then put the old number back
  locustctl run --replicas=20 -- ./load-test.sh

  # The command finds Locust at $LOCUSTCTL_LOCUST_URL
  locustctl run --replicas=20 -- sh -c 'curl -sf \"$LOCUSTCTL_LOCUST_URL\"'

  # Check everything, and change nothing
  locustctl run --replicas=20 --dry-run -- ./load-test.sh";

/// Scale the workers, run a load test or a command, and put the old number of workers back
#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub struct RunArgs {
    /// The number of workers during the run. Without --replicas and --users-per-worker, nothing is scaled
    #[arg(long, value_name = "COUNT", value_parser = value::go_int(), allow_hyphen_values = true)]
    pub replicas: Option<i64>,
    /// Derive the number of workers from --users: one worker for this many users
    #[arg(long, value_name = "COUNT", value_parser = value::count(), allow_hyphen_values = true)]
    pub users_per_worker: Option<u32>,
    /// The number of users
    #[arg(short, long, value_name = "COUNT", value_parser = value::count(),
          allow_hyphen_values = true)]
    pub users: Option<u32>,
    /// Users to start per second [default: 1]
    #[arg(short = 'r', long, value_name = "RATE", value_parser = value::spawn_rate(),
          allow_hyphen_values = true)]
    pub spawn_rate: Option<f64>,
    /// The run time: 20s, 10m, 1h30m, or a number of seconds. Required unless a LoadTestShape runs. Locust gets it
    /// as well, so the test ends even if locustctl is killed
    #[arg(short = 't', long, value_name = "TIME", value_parser = value::run_time(),
          allow_hyphen_values = true)]
    pub run_time: Option<Seconds>,
    /// The host to test [default: that of the locustfile]
    #[arg(short = 'H', long, value_name = "URL", allow_hyphen_values = true)]
    pub host: Option<String>,
    /// A user class to run; can be repeated. Needs a master with --class-picker
    #[arg(long, value_name = "NAME", allow_hyphen_values = true, action = ArgAction::Append)]
    pub user_class: Vec<String>,
    /// The LoadTestShape class to run. Needs a master with --class-picker
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub shape_class: Option<String>,
    /// A custom option of the locustfile: KEY=VALUE; can be repeated
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true,
          value_parser = value::key_value(), action = ArgAction::Append)]
    pub option: Vec<KeyValue>,
    // The brackets are not links.
    #[allow(rustdoc::broken_intra_doc_links)]
    /// Fail the test if its final results meet this condition: '[NAME: ]METRIC OP VALUE', as in 'p95 > 800ms' or
    /// 'GET /login: failures > 1%'; can be repeated. METRIC is a percentile (p50 to p100), min, max, avg, median,
    /// rps, requests, failures or users. Without --fail-if, any failed request fails the test
    #[arg(long, value_name = "CONDITION", allow_hyphen_values = true, action = ArgAction::Append)]
    pub fail_if: Vec<Condition>,
    /// End the test as soon as this condition is met, and fail it; can be repeated. The form is that of --fail-if
    #[arg(long, value_name = "CONDITION", allow_hyphen_values = true, action = ArgAction::Append)]
    pub abort_if: Vec<Condition>,
    /// Write Locust's own report to this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::file())]
    pub html: Option<PathBuf>,
    /// Write Locust's CSV files. Their names begin with this prefix: PREFIX_stats.csv, PREFIX_stats_history.csv,
    /// PREFIX_failures.csv, PREFIX_exceptions.csv
    #[arg(long, value_name = "PREFIX", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::file())]
    pub csv: Option<PathBuf>,
    /// Write the whole report as JSON to this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::file())]
    pub json_file: Option<PathBuf>,
    /// Write the conditions as test cases in JUnit's XML to this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::file())]
    pub junit: Option<PathBuf>,
    /// Append a summary in Markdown to this file, for example "$GITHUB_STEP_SUMMARY"
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::file())]
    pub markdown: Option<PathBuf>,
    /// Print the whole report in this format instead of the summary: json
    #[arg(short, long, value_name = "FORMAT", value_parser = ["json"], hide_possible_values = true)]
    pub output: Option<String>,
    /// Keep the new number of workers after the run. With a command, also keep a test that it left running
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub keep: bool,
    /// Wait at most this long until no test is running and no other run uses the workers. Without this flag, a
    /// running test or another run is an error
    #[arg(long, value_name = "DURATION", default_value = "0s", hide_default_value = true,
          value_parser = value::go_duration(), allow_hyphen_values = true)]
    pub wait_for_idle: go::Duration,
    /// Time limit of each wait: for the pods, for the workers, for a server that does not answer
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = value::go_duration(),
          allow_hyphen_values = true)]
    pub timeout: go::Duration,
    /// Check the flags, the workers and Locust, let the API server check the new number, and change nothing
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub dry_run: bool,
    /// The flags for Locust's master.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// The workers: TYPE NAME or TYPE/NAME [default: $LOCUSTCTL_TARGET, else deployment/locust-slave; if
    /// it does not exist, on a terminal, the only workers of the namespace]
    #[arg(value_name = "TARGET", action = ArgAction::Append)]
    pub target: Vec<String>,
    /// The command to run, with its arguments. The exit code is that of the command, or 125 if locustctl itself fails
    #[arg(value_name = "COMMAND", last = true, action = ArgAction::Append,
          value_hint = clap::ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

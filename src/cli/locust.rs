//! Flags that name Locust's master, and flags that redistribute a test's users.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::value;

pub(super) const REBALANCE_EXAMPLES: &str = "\
Examples:
  # Give the running test its lost users back
  locustctl rebalance

  # Keep the users of the running test until Ctrl-C, whatever takes workers away
  locustctl rebalance --watch

  # With other names for the workers and for the master's Service
  locustctl rebalance --locust=service/load-master deployment/load-workers";

/// Where Locust's master is.
#[derive(Debug, Args)]
pub struct LocustArgs {
    /// Where Locust's master is: a URL, service/NAME[:PORT][/PATH] through the API server, auto, or none
    #[arg(
        long,
        value_name = "WHERE",
        env = "LOCUSTCTL_LOCUST",
        hide_env = true,
        allow_hyphen_values = true
    )]
    pub locust: Option<String>,
    /// File with the Cookie header of a browser that is logged in to Locust
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub locust_cookie_file: Option<PathBuf>,
    /// File with the Authorization header for a proxy in front of Locust: "Bearer TOKEN" or "Basic …"
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub locust_auth_file: Option<PathBuf>,
    /// PEM file with the certificate authority of --locust=https://…; Locust is then verified with
    /// this file alone
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub locust_certificate_authority: Option<PathBuf>,
}

impl LocustArgs {
    /// Any of these flags was given.
    pub fn is_any_given(&self) -> bool {
        let Self { locust, locust_cookie_file, locust_auth_file, locust_certificate_authority } =
            self;
        let files = [locust_cookie_file, locust_auth_file, locust_certificate_authority];
        locust.is_some() || files.into_iter().any(Option::is_some)
    }
}

/// How `scale` redistributes the users of a running test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rebalance {
    /// All lost users at once
    Auto,
    /// The lost users at the test's spawn rate
    Ramp,
    /// Not at all; locustctl only reports what is wrong
    Never,
}

/// When `serve` redistributes the users of a running test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServeRebalance {
    /// After a change that was made through serve
    Auto,
    /// Also when workers left for any other reason
    Always,
    /// Never; serve only shows what is wrong
    Never,
}

/// What `rebalance` takes.
#[derive(Debug, Args)]
pub struct RebalanceArgs {
    /// Where Locust's master is.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// Watch the test until Ctrl-C, and redistribute its users whenever workers have left
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub watch: bool,
    /// The target that runs the workers: TYPE NAME or TYPE/NAME
    /// [default: $LOCUSTCTL_TARGET, else deployment/locust-slave]
    #[arg(value_name = "TARGET", action = clap::ArgAction::Append)]
    pub target: Vec<String>,
}

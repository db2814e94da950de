//! Flags that say where Locust's master is, and what may be done there.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::value;

/// Where Locust's master is.
#[derive(Debug, Args)]
pub struct LocustArgs {
    /// Where Locust's master is: a URL, service/NAME[:PORT][/PATH] by way of the API server, auto, or none
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
    /// File with the Authorization header for a proxy in front of Locust: Bearer TOKEN, or Basic …
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub locust_auth_file: Option<PathBuf>,
    /// PEM file with the authority that signed the certificate of --locust=https://…; the system's
    /// authorities are then not trusted for Locust
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub locust_certificate_authority: Option<PathBuf>,
}

impl LocustArgs {
    /// Whether any of these flags was given.
    pub fn is_any_given(&self) -> bool {
        let Self { locust, locust_cookie_file, locust_auth_file, locust_certificate_authority } =
            self;
        let files = [locust_cookie_file, locust_auth_file, locust_certificate_authority];
        locust.is_some() || files.into_iter().any(Option::is_some)
    }
}

/// Whether a running test is given its users back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rebalance {
    /// Where that is safe.
    Auto,
    /// It is only said.
    Never,
}

/// What `rebalance` takes.
#[derive(Debug, Args)]
pub struct RebalanceArgs {
    /// Where Locust's master is.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// The workers, by which the master is looked for: TYPE NAME, or TYPE/NAME
    /// [default: $LOCUSTCTL_TARGET, else deployment/locust-slave]
    #[arg(value_name = "TARGET", action = clap::ArgAction::Append)]
    pub target: Vec<String>,
}

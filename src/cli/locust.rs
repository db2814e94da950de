//! Flags that name Locust's master, and flags that redistribute a test's users.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::value;

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

//! The flags for Locust's master, and the values of `--rebalance`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::value;

/// The address of Locust's master, and how to log in to it.
#[derive(Debug, Args)]
pub struct LocustArgs {
    // The brackets are not links.
    #[allow(rustdoc::broken_intra_doc_links)]
    /// Address of Locust's master: a URL, service/NAME[:PORT][/PATH] or pod/NAME[:PORT][/PATH] (through
    /// the API server), auto (look for it), or none (no Locust; not allowed for rebalance, nor for run without
    /// a COMMAND). Without a value: auto [default: $LOCUSTCTL_LOCUST; else none for scale, and auto for other commands]
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "auto",
        value_name = "ADDRESS",
        env = "LOCUSTCTL_LOCUST",
        hide_env = true,
        allow_hyphen_values = true
    )]
    pub locust: Option<String>,
    /// File with the value of the Cookie header of a browser that is logged in to Locust. Needs
    /// --locust=URL
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub locust_cookie_file: Option<PathBuf>,
    /// File with the value of the Authorization header for a proxy in front of Locust: "Bearer
    /// TOKEN" or "Basic …". Needs --locust=URL
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub locust_auth_file: Option<PathBuf>,
    /// PEM file with the certificate authorities for --locust=https://…. Only these are trusted
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub locust_certificate_authority: Option<PathBuf>,
}

impl LocustArgs {
    /// True if one of these flags was given.
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
    /// Start all lost users at once
    Auto,
    /// Start the lost users at the test's spawn rate
    Ramp,
    /// Do not start users; locustctl only reports problems
    Never,
}

/// When `serve` redistributes the users of a running test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServeRebalance {
    /// After a change through serve
    Auto,
    /// After a change through serve, and when workers leave for another reason
    Always,
    /// Never automatically; the button on the page still works
    Never,
}

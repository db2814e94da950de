//! What may be typed behind `serve`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::locust::{LocustArgs, ServeRebalance};
use super::value;

const EXAMPLES: &str = "\
Examples:
  # A page for deployment/locust-slave, for yourself: http://127.0.0.1:8088/
  locustctl serve

  # To try it without a cluster
  locustctl serve --sandbox --open

  # In front of Locust's own page, with a panel for the workers in it
  locustctl serve --locust-ui

  # Keep the users of a running test, whatever takes workers away
  locustctl serve --rebalance=always

  # For the team, with a login and encrypted
  locustctl serve --listen=0.0.0.0:8088 --auth-token-file=tokens --tls-cert=tls.crt \\
    --tls-key=tls.key --allowed-host=workers.example.com

  # The same change by a program
  curl -X PUT -H 'Content-Type: application/json' -d '{\"replicas\": 3}' \\
    http://127.0.0.1:8088/api/scale";

/// Serve a web page and an HTTP API to view and change the number of workers
#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 takes any that is free
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8088",
        allow_hyphen_values = true
    )]
    pub listen: String,
    /// Refuse fewer replicas than these
    #[arg(long, value_name = "COUNT", default_value = "0", value_parser = value::go_int(),
          allow_hyphen_values = true)]
    pub min_replicas: i64,
    /// Refuse more replicas than these
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = value::go_int(),
          allow_hyphen_values = true)]
    pub max_replicas: i64,
    /// Open the page in the browser
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub open: bool,
    /// Who may: none lets everybody who reaches the address; needed beyond loopback when no other
    /// way is given
    #[arg(long, value_name = "WAY", value_enum)]
    pub auth: Option<Auth>,
    /// File with the tokens that let somebody in, one on each line: TOKEN, or NAME TOKEN
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub auth_token_file: Option<PathBuf>,
    /// Header in which a trusted proxy says who somebody is, as X-Forwarded-User
    #[arg(long, value_name = "HEADER", allow_hyphen_values = true)]
    pub auth_proxy_header: Option<String>,
    /// Addresses of proxies that are trusted, as 10.0.0.0/8; may be repeated
    #[arg(long, value_name = "CIDR", allow_hyphen_values = true, action = ArgAction::Append)]
    pub trusted_proxy: Vec<String>,
    /// Host name under which the page is reached, besides localhost; may be repeated
    #[arg(long, value_name = "HOST", allow_hyphen_values = true, action = ArgAction::Append)]
    pub allowed_host: Vec<String>,
    /// Certificate file, to serve over TLS; read again when it changes
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub tls_cert: Option<PathBuf>,
    /// Key file of the certificate
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub tls_key: Option<PathBuf>,
    /// Stand in front of Locust's own web UI, and put a panel for the workers into its page
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub locust_ui: bool,
    /// Where Locust's master is.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// When serve redistributes the users of a running test that has lost some
    #[arg(long, value_name = "WHEN", default_value = "auto", value_enum)]
    pub rebalance: ServeRebalance,
    /// TYPE NAME, or TYPE/NAME [default: $LOCUSTCTL_TARGET, else deployment/locust-slave]
    #[arg(value_name = "TARGET", action = ArgAction::Append)]
    pub target: Vec<String>,
}

/// Ways to decide who may, that need nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Everybody may.
    None,
}

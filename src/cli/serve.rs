//! Flags of `serve`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::locust::{LocustArgs, ServeRebalance};
use super::value;

const EXAMPLES: &str = "\
Examples:
  # Serve a page for deployment/locust-slave at http://127.0.0.1:8088/, for this machine only
  locustctl serve

  # Try it without a cluster
  locustctl serve --sandbox --open

  # Serve Locust's web UI with a panel for the workers
  locustctl serve --locust-ui

  # Redistribute the users of a running test when workers leave for any reason
  locustctl serve --rebalance=always

  # Serve a team, with authentication and TLS
  locustctl serve --listen=0.0.0.0:8088 --auth-token-file=tokens --tls-cert=tls.crt \\
    --tls-key=tls.key --allowed-host=workers.example.com

  # Change the number of workers through the HTTP API
  curl -X PUT -H 'Content-Type: application/json' -d '{\"replicas\": 3}' \\
    http://127.0.0.1:8088/api/scale";

/// Serve a web page and an HTTP API to view and change the number of workers
#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 means any free port
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8088",
        allow_hyphen_values = true
    )]
    pub listen: String,
    /// Refuse to scale to fewer replicas
    #[arg(long, value_name = "COUNT", default_value = "0", value_parser = value::go_int(),
          allow_hyphen_values = true)]
    pub min_replicas: i64,
    /// Refuse to scale to more replicas
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = value::go_int(),
          allow_hyphen_values = true)]
    pub max_replicas: i64,
    /// Open the page in the browser
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub open: bool,
    /// Access control. With --auth=none, anyone who can reach the address has access. Without
    /// other authentication, serve needs --auth=none to listen beyond loopback
    #[arg(long, value_name = "MODE", value_enum)]
    pub auth: Option<Auth>,
    /// File with bearer tokens, one on each line: TOKEN or NAME TOKEN
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub auth_token_file: Option<PathBuf>,
    /// File with the key that signs sessions, at least 32 characters. With it, a restart of serve signs
    /// no one out
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub session_key_file: Option<PathBuf>,
    /// Header with the user name from a trusted proxy, such as X-Forwarded-User
    #[arg(long, value_name = "HEADER", allow_hyphen_values = true)]
    pub auth_proxy_header: Option<String>,
    /// Addresses of trusted proxies, such as 10.0.0.0/8; can be repeated
    #[arg(long, value_name = "CIDR", allow_hyphen_values = true, action = ArgAction::Append)]
    pub trusted_proxy: Vec<String>,
    /// Host name of the page, in addition to localhost; can be repeated
    #[arg(long, value_name = "HOST", allow_hyphen_values = true, action = ArgAction::Append)]
    pub allowed_host: Vec<String>,
    /// Let pages of other sites start, stop and change tests in Locust's web UI. Only Locust's own page
    /// may do so by default
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub allow_cross_site: bool,
    /// Certificate file for TLS. It is read again when it changes
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub tls_cert: Option<PathBuf>,
    /// Private key file of the certificate
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub tls_key: Option<PathBuf>,
    /// Serve Locust's web UI, with a panel for the workers in its page
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub locust_ui: bool,
    /// The flags for Locust's master.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// Existing ConfigMap in the namespace of the workers, for the history. Without it, a restart clears
    /// the history
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub history_configmap: Option<String>,
    /// Lease in the namespace of the workers. If several replicas of serve run, only the holder of the
    /// Lease redistributes the users of a running test automatically
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub lease: Option<String>,
    /// When to redistribute the users of a running test
    #[arg(long, value_name = "WHEN", default_value = "auto", value_enum)]
    pub rebalance: ServeRebalance,
    /// The workers: TYPE NAME or TYPE/NAME [default: $LOCUSTCTL_TARGET, else deployment/locust-slave; if
    /// it does not exist, the only workers of the namespace]
    #[arg(value_name = "TARGET", action = ArgAction::Append)]
    pub target: Vec<String>,
}

/// Access control without tokens or a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Allow anyone who can reach the address
    None,
}

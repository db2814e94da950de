//! Flags that every subcommand takes.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::ignored::IgnoredArgs;
use super::sandbox::Trouble;
use super::secret::Secret;
use super::typed_flags::TypedFlags;
use super::value;
use crate::cluster::kuberc::PluginPolicy;
use crate::sandbox::Layout;

/// The global flags of kubectl, and those of the simulated cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Use a simulated cluster, which ends with this command
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_default_value = true, hide_possible_values = true)]
    pub sandbox: bool,
    /// The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm,
    /// locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]
    #[arg(long, global = true, value_name = "NAME|FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, hide_possible_values = true,
          value_parser = value::text_with_suggestions(Layout::NAMES))]
    pub layout: Option<String>,
    /// Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or
    /// room (no node has room for them)
    #[arg(
        long,
        global = true,
        value_name = "REASON",
        allow_hyphen_values = true,
        value_enum,
        hide_possible_values = true
    )]
    pub trouble: Option<Trouble>,
    /// Path to the kubeconfig file
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig context to use
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub context: Option<String>,
    /// The kubeconfig cluster to use
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub cluster: Option<String>,
    /// The kubeconfig user to use
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub user: Option<String>,
    /// The namespace to use
    #[arg(short, long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub namespace: Option<String>,
    /// Address and port of the Kubernetes API server
    #[arg(short, long, global = true, value_name = "URL", allow_hyphen_values = true)]
    pub server: Option<String>,
    /// Bearer token for the API server. Other users of this machine can see it in the process list;
    /// a kubeconfig hides it
    #[arg(long, global = true, value_name = "TOKEN", allow_hyphen_values = true)]
    pub token: Option<Secret>,
    /// User name for basic authentication
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub username: Option<String>,
    /// Password for basic authentication
    #[arg(long, global = true, value_name = "PASSWORD", allow_hyphen_values = true)]
    pub password: Option<Secret>,
    /// PEM file with the certificate authorities of the API server
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub certificate_authority: Option<PathBuf>,
    /// Client certificate file for TLS
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub client_certificate: Option<PathBuf>,
    /// Client key file for TLS
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    pub client_key: Option<PathBuf>,
    /// Do not verify the server's certificate. An attacker on the network can then read and change
    /// all traffic
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_possible_values = true)]
    pub insecure_skip_tls_verify: Option<bool>,
    /// Name to verify the server's certificate against, instead of its host name
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub tls_server_name: Option<String>,
    /// Act as this user
    #[arg(long = "as", global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub act_as: Option<String>,
    /// Act as a member of this group; can be repeated
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true,
          action = ArgAction::Append)]
    pub as_group: Vec<String>,
    /// Act as the user with this UID
    #[arg(long, global = true, value_name = "UID", allow_hyphen_values = true)]
    pub as_uid: Option<String>,
    /// Act with this extra attribute; can be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", allow_hyphen_values = true,
          action = ArgAction::Append)]
    pub as_user_extra: Vec<String>,
    /// Do not request compressed responses from the server
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_possible_values = true)]
    pub disable_compression: Option<bool>,
    /// Require the server to have Kubernetes 1.36, the version that locustctl follows
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_default_value = true, hide_possible_values = true)]
    pub match_server_version: bool,
    /// Exit with an error if the server sent warnings. The change is still made
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_default_value = true, hide_possible_values = true)]
    pub warnings_as_errors: bool,
    /// Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]
    #[arg(long, global = true, value_name = "DURATION", allow_hyphen_values = true)]
    pub request_timeout: Option<String>,
    /// Path to the kuberc file with kubectl's preferences. The environment variable KUBERC=off
    /// disables it [default: $KUBERC, else ~/.kube/kuberc]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    kuberc: Option<PathBuf>,
    /// The credential plugins that the kuberc allows.
    #[arg(skip)]
    pub plugin_policy: PluginPolicy,
    /// The flags, for commands that locustctl suggests.
    #[arg(skip)]
    pub typed: TypedFlags,
    /// Flags that have no effect.
    #[command(flatten)]
    pub ignored: IgnoredArgs,
    /// Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands
    #[arg(short, long = "v", global = true, value_name = "LEVEL", default_value = "0",
          value_parser = value::klog_level(), hide_default_value = true, allow_hyphen_values = true)]
    pub verbosity: i64,
}

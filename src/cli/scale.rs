//! What may be typed behind `scale`.

use clap::{ArgAction, Args};

use super::locust::{LocustArgs, Rebalance};
use super::value::{self, FileNames, RelativeCount};
use crate::text::go;

const EXAMPLES: &str = "\
Examples:
  # Three workers: deployment/locust-slave in the current namespace
  locustctl scale --replicas=3

  # The same, spelled out as for kubectl
  locustctl scale --replicas=3 deployment/locust-slave

  # Two workers more than there are now
  locustctl scale --by=+2

  # Twenty workers, and wait until they are ready, for three minutes at most
  locustctl scale --replicas=20 --wait --timeout=3m

  # Wait also until they are connected to Locust; a running test gets its lost users back
  locustctl scale --replicas=20 --wait --locust=auto

  # Take workers off a running test; the lost users start again at the test's spawn rate
  locustctl scale --replicas=1 --locust=auto --rebalance=ramp

  # Only if there is one worker now; checked by the server
  locustctl scale --current-replicas=1 --replicas=3 deployment/locust-slave

  # Several at once
  locustctl scale --replicas=5 deployment/locust-slave statefulset/locust-users

  # All that have a label; or what a manifest holds
  locustctl scale --replicas=0 deployment,statefulset -l role=worker
  locustctl scale --replicas=3 -f workers.yaml";

/// Set a new size for a Deployment, ReplicaSet, ReplicationController or StatefulSet
#[derive(Debug, Args)]
#[command(alias = "resize", args_override_self = true, after_help = EXAMPLES)]
pub struct ScaleArgs {
    /// The new number of replicas
    #[arg(long, value_name = "COUNT", value_parser = value::go_int(), allow_hyphen_values = true)]
    pub replicas: Option<i64>,
    /// Change the number of replicas by this much: +N or -N, never below 0
    #[arg(long, value_name = "±COUNT", value_parser = value::change(), allow_hyphen_values = true)]
    pub by: Option<RelativeCount>,
    /// Scale only if this is the present number of replicas; -1 means any
    #[arg(long, value_name = "COUNT", default_value = "-1", value_parser = value::go_int(),
          allow_hyphen_values = true, hide_default_value = true)]
    pub current_replicas: i64,
    /// Scale only if this is the present resource version
    #[arg(long, value_name = "VERSION", allow_hyphen_values = true)]
    pub resource_version: Option<String>,
    /// Scale all objects of the given types in the namespace
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub all: bool,
    /// Scale the objects of the given types that have these labels: a=b,c!=d,e in (f,g)
    #[arg(short = 'l', long, value_name = "LABELS", allow_hyphen_values = true)]
    pub selector: Option<String>,
    /// Scale the objects of this manifest: a file, a directory, a pattern, a URL, or - for stdin
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::AnyPath,
          value_parser = value::file_names(), allow_hyphen_values = true,
          action = ArgAction::Append)]
    pub filename: Vec<FileNames>,
    /// Scale the objects of the kustomization in this directory
    #[arg(short, long, value_name = "DIR", value_hint = clap::ValueHint::DirPath,
          allow_hyphen_values = true)]
    pub kustomize: Option<String>,
    /// Read the directories within the directories of -f as well
    #[arg(short = 'R', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub recursive: bool,
    /// Wait until the new pods are ready, and those that are too many are gone
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub wait: bool,
    /// How long to wait at most: 30s, 2m, 1h. Without --wait, wait only until the pods exist. 0 means
    /// 5m with --wait, and no wait without it. A change in steps has this time for each step
    #[arg(long, value_name = "DURATION", default_value = "0s", hide_default_value = true,
          value_parser = value::signed_go_duration(), allow_hyphen_values = true)]
    pub timeout: go::Duration,
    /// Where Locust's master is.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// With --locust, how a running test gets its lost users back: auto (all at once), ramp (at the
    /// test's spawn rate) or never
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub rebalance: Rebalance,
    /// With --locust, remove all pods at once, even if this release of Locust can break by it
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub at_once: bool,
    /// With --locust, do not ask before a running test loses workers
    #[arg(short = 'y', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub yes: bool,
    /// Note the command in the object's annotation kubernetes.io/change-cause
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool())]
    pub record: Option<bool>,
    /// What `record` notes: the command without its secrets.
    #[arg(skip)]
    pub change_cause: Option<String>,
    /// Change nothing: "client" says what would be done, "server" lets the server check it
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "none",
          default_missing_value = "unchanged", value_name = "WHERE",
          value_parser = value::suggested(&["none", "client", "server"]))]
    pub dry_run: String,
    /// Print the object, with its new count, in this format instead of the line
    #[arg(short, long, value_name = "FORMAT", allow_hyphen_values = true,
          value_parser = value::suggested(&["json", "yaml", "kyaml", "name", "go-template", "go-template-file",
              "template", "templatefile", "jsonpath", "jsonpath-as-json", "jsonpath-file"]))]
    pub output: Option<String>,
    /// Template for -o go-template or jsonpath, or the path of a file with it for -o …-file
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    pub template: Option<String>,
    /// Let templates pass over fields that are not there; otherwise they are errors
    #[arg(long, num_args = 0..=1, require_equals = true,
          default_value = "true", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_possible_values = true)]
    pub allow_missing_template_keys: bool,
    /// Keep metadata.managedFields in JSON and YAML
    #[arg(long, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_default_value = true, hide_possible_values = true)]
    pub show_managed_fields: bool,
    /// TYPE NAME…, or TYPE/NAME… [default: $LOCUSTCTL_TARGET, else deployment/locust-slave]
    #[arg(value_name = "TARGET", action = ArgAction::Append)]
    pub targets: Vec<String>,
}

//! Flags of `scale`.

use clap::{ArgAction, Args};

use super::locust::{LocustArgs, Rebalance};
use super::value::{self, FileNames, RelativeCount};
use crate::text::go;

const EXAMPLES: &str = "\
Examples:
  # Scale deployment/locust-slave in the current namespace to three workers
  locustctl scale --replicas=3

  # The same with an explicit target, which kubectl requires
  locustctl scale --replicas=3 deployment/locust-slave

  # Add two workers
  locustctl scale --by=+2

  # Scale to twenty workers, and wait until they are ready, for at most three minutes
  locustctl scale --replicas=20 --wait --timeout=3m

  # Also wait until they are connected to Locust, and redistribute the users of a running test
  locustctl scale --replicas=20 --locust

  # Remove workers from a running test, and restart the lost users at the test's spawn rate
  locustctl scale --replicas=1 --locust --rebalance=ramp

  # Scale only if there is one worker now; the server checks this
  locustctl scale --current-replicas=1 --replicas=3 deployment/locust-slave

  # Stop all workers for the night, and bring back the same number in the morning
  locustctl scale --replicas=0 --remember
  locustctl scale --restore

  # Scale several targets
  locustctl scale --replicas=5 deployment/locust-slave statefulset/locust-users

  # Scale the workers of Locust's own operator, or a Job
  locustctl scale --replicas=5 locusttest/demo
  locustctl scale --replicas=5 job/demo-worker

  # Scale all objects with a label, or the objects of your manifest
  locustctl scale --replicas=0 deployment,statefulset -l role=worker
  locustctl scale --replicas=3 -f FILE";

/// Set a new size for a Deployment, StatefulSet, ReplicaSet, ReplicationController, Job or LocustTest
#[derive(Debug, Args)]
#[command(alias = "resize", args_override_self = true, after_help = EXAMPLES)]
pub struct ScaleArgs {
    /// The new number of replicas. Required unless --by or --restore is given
    #[arg(long, value_name = "COUNT", value_parser = value::go_int(), allow_hyphen_values = true)]
    pub replicas: Option<i64>,
    /// Add (+N) or remove (-N) this many replicas. If the result is negative, scale to 0
    #[arg(long, value_name = "±COUNT", value_parser = value::relative_count(), allow_hyphen_values = true)]
    pub by: Option<RelativeCount>,
    /// Scale only if this is the current number of replicas; -1 means any number
    #[arg(long, value_name = "COUNT", default_value = "-1", value_parser = value::go_int(),
          allow_hyphen_values = true, hide_default_value = true)]
    pub current_replicas: i64,
    /// Scale only if this is the current resource version
    #[arg(long, value_name = "VERSION", allow_hyphen_values = true)]
    pub resource_version: Option<String>,
    /// Keep the old number in an annotation of the object, for --restore
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub remember: bool,
    /// Scale to the number that --remember has kept, and remove the annotation. It is an error if the
    /// current number is not the one that was set with --remember
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub restore: bool,
    /// Scale all objects of the given types in the namespace
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub all: bool,
    /// Scale the objects of the given types that match this label selector: a=b,c!=d,e in (f,g)
    #[arg(short = 'l', long, value_name = "LABELS", allow_hyphen_values = true)]
    pub selector: Option<String>,
    /// Scale the objects in these manifests: a file, a directory, a glob, a URL, or - for stdin
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::AnyPath,
          value_parser = value::file_names(), allow_hyphen_values = true,
          action = ArgAction::Append)]
    pub filename: Vec<FileNames>,
    /// Scale the objects of the kustomization in this directory
    #[arg(short, long, value_name = "DIR", value_hint = clap::ValueHint::DirPath,
          allow_hyphen_values = true)]
    pub kustomize: Option<String>,
    /// Also read the subdirectories of a directory given with -f
    #[arg(short = 'R', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub recursive: bool,
    /// Wait until the new pods are ready and the surplus pods are gone
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub wait: bool,
    /// Time limit for waiting: 30s, 2m, 1h. The default is 5m with --wait and with --locust; otherwise
    /// scale does not wait. With --timeout alone, scale waits until as many pods exist as requested, as kubectl does.
    /// With --locust, the limit applies to each wait: for the pods, for Locust's master, for the
    /// connected workers, for the users of the test, and for each step if pods are removed in steps
    #[arg(long, value_name = "DURATION", default_value = "0s", hide_default_value = true,
          value_parser = value::signed_go_duration(), allow_hyphen_values = true)]
    pub timeout: go::Duration,
    /// The flags for Locust's master.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// With --locust: how to redistribute the users of a running test: auto (all at once), ramp (at
    /// the test's spawn rate) or never [default: auto]
    #[arg(
        long,
        value_name = "MODE",
        value_enum,
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub rebalance: Rebalance,
    /// With --locust: remove all surplus pods in one step, even if this can break Locust's master
    /// (releases up to 2.46.5)
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub at_once: bool,
    /// With --locust: skip the question before a change that loses users of a running test, starts many of
    /// them at once, or resets its statistics. Without a terminal, skip the warning
    #[arg(short = 'y', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub yes: bool,
    /// Write the command into the object's annotation kubernetes.io/change-cause
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool())]
    pub record: Option<bool>,
    /// The text for `record`: the command without its secrets.
    #[arg(skip)]
    pub change_cause: Option<String>,
    /// Simulate the change: client (only print it), server (let the server check it) or none (make the
    /// change)
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "none",
          default_missing_value = "unchanged", value_name = "MODE",
          value_parser = value::text_with_suggestions(&["none", "client", "server"]))]
    pub dry_run: String,
    /// Print the changed object in this format, instead of one line for each target
    #[arg(short, long, value_name = "FORMAT", allow_hyphen_values = true,
          value_parser = value::text_with_suggestions(&["json", "yaml", "kyaml", "name", "go-template",
              "go-template-file", "template", "templatefile", "jsonpath", "jsonpath-as-json", "jsonpath-file"]))]
    pub output: Option<String>,
    /// Template for -o go-template or jsonpath. For -o go-template-file or jsonpath-file, the path of the
    /// template file
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    pub template: Option<String>,
    /// Ignore missing fields in templates. If false, a missing field is an error
    #[arg(long, num_args = 0..=1, require_equals = true,
          default_value = "true", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_possible_values = true)]
    pub allow_missing_template_keys: bool,
    /// Keep metadata.managedFields in JSON and YAML
    #[arg(long, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_default_value = true, hide_possible_values = true)]
    pub show_managed_fields: bool,
    /// The workers: TYPE NAME… or TYPE/NAME… [default: $LOCUSTCTL_TARGET, else deployment/locust-slave; if
    /// it does not exist, on a terminal, the only workers of the namespace]
    #[arg(value_name = "TARGET", action = ArgAction::Append)]
    pub targets: Vec<String>,
}

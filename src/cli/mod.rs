//! What may be typed: subcommands and flags in kubectl's grammar, with their help texts.
//!
//! No behaviour: values are read as far as their form goes, and what they mean is decided by
//! the command. Nothing below this layer sees a type of clap's.

mod change_cause;
mod grammar;
mod ignored;
mod locust;
mod partial;
mod preferences;
mod refusal;
mod scale;
mod secret;
mod serve;
mod typed_flags;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::styling::Styles;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

pub use ignored::IgnoredArgs;
pub use locust::{LocustArgs, Rebalance, RebalanceArgs, ServeRebalance};
pub use partial::Partial;
pub use refusal::Refusal;
pub use scale::ScaleArgs;
pub use serve::{Auth, ServeArgs};
pub use typed_flags::{TypedFlags, quoted};
pub use value::{Change, FileNames};

use crate::cluster::kuberc::PluginPolicy;
use crate::sandbox::LocustRelease;
use crate::text::go;

/// Everything that was typed.
#[derive(Debug, Parser)]
#[command(
    name = "locustctl",
    version,
    about = "Scale the workers of a Locust load test on Kubernetes",
    after_help = "\
A mirror of kubectl scale, which also says what became of it.
To try it without a cluster: locustctl --sandbox scale --replicas=3",
    styles = Styles::plain(),
    // The last of several wins, as in kubectl.
    args_override_self = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
)]
pub struct Cli {
    /// Flags that every subcommand takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set a new size for a Deployment, ReplicaSet, ReplicationController or StatefulSet
    #[command(alias = "resize", args_override_self = true, after_help = scale::EXAMPLES)]
    Scale(Box<ScaleArgs>),
    /// Show the cluster, the replicas, autoscalers, and the running test
    #[command(args_override_self = true)]
    Status(StatusArgs),
    /// Redistribute the users of a running test that has lost some
    #[command(args_override_self = true, after_help = locust::REBALANCE_EXAMPLES)]
    Rebalance(RebalanceArgs),
    /// Serve a web page and an HTTP API to view and change the number of workers
    #[command(args_override_self = true, after_help = serve::EXAMPLES)]
    Serve(Box<ServeArgs>),
    /// Run a simulated cluster on loopback, for kubectl and scripts
    #[command(args_override_self = true)]
    Sandbox(SandboxArgs),
    /// Print the completion script for a shell
    Completion(CompletionArgs),
}

/// Flags of kubectl's that say which cluster, as whom, and how much to say.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Use a simulated cluster that lives as long as this command
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_default_value = true, hide_possible_values = true)]
    pub sandbox: bool,
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
    /// The namespace for this request
    #[arg(short, long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub namespace: Option<String>,
    /// Address and port of the Kubernetes API server
    #[arg(short, long, global = true, value_name = "URL", allow_hyphen_values = true)]
    pub server: Option<String>,
    /// Bearer token for the API server; other users of this machine can see it in the process
    /// list, a kubeconfig keeps it to yourself
    #[arg(long, global = true, value_name = "TOKEN", allow_hyphen_values = true)]
    pub token: Option<Hidden>,
    /// Username for basic authentication
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    pub username: Option<String>,
    /// Password for basic authentication
    #[arg(long, global = true, value_name = "PASSWORD", allow_hyphen_values = true)]
    pub password: Option<Hidden>,
    /// File with the certificates of the authorities that may sign the server's certificate
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
    /// Do not verify the server's certificate: anybody on the way can read and change everything
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
    /// Act as a member of this group; may be repeated
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true,
          action = ArgAction::Append)]
    pub as_group: Vec<String>,
    /// Act as the user with this UID
    #[arg(long, global = true, value_name = "UID", allow_hyphen_values = true)]
    pub as_uid: Option<String>,
    /// Act with this extra attribute; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", allow_hyphen_values = true,
          action = ArgAction::Append)]
    pub as_user_extra: Vec<String>,
    /// Do not ask the server for compressed answers
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_possible_values = true)]
    pub disable_compression: Option<bool>,
    /// Require the server to be of the release of Kubernetes that locustctl mirrors
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_default_value = true, hide_possible_values = true)]
    pub match_server_version: bool,
    /// Fail when the server sent warnings; what was asked for is done all the same
    #[arg(long, global = true, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_name = "BOOL",
          value_parser = value::go_bool(), hide_default_value = true, hide_possible_values = true)]
    pub warnings_as_errors: bool,
    /// How long to wait for one answer of the server: 30, 30s, 2m; 0 waits for ever
    /// [default: 90s]
    #[arg(long, global = true, value_name = "DURATION", allow_hyphen_values = true)]
    pub request_timeout: Option<String>,
    /// Path to the kuberc file with kubectl's preferences; KUBERC=off in the environment does
    /// without one [default: $KUBERC, else ~/.kube/kuberc]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath,
          allow_hyphen_values = true, value_parser = value::path())]
    kuberc: Option<PathBuf>,
    /// Which credential plugins the kuberc lets run.
    #[arg(skip)]
    pub plugin_policy: PluginPolicy,
    /// For commands that are suggested.
    #[arg(skip)]
    pub typed: TypedFlags,
    /// Taken and not used.
    #[command(flatten)]
    pub ignored: IgnoredArgs,
    /// Verbosity of the log on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands
    #[arg(short, long = "v", global = true, value_name = "LEVEL", default_value = "0",
          value_parser = value::go_level(), hide_default_value = true, allow_hyphen_values = true)]
    pub verbosity: i64,
}

/// What `status` takes.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print in this format instead of a text
    #[arg(short, long, value_name = "FORMAT", allow_hyphen_values = true,
          value_parser = value::suggested(&["json", "yaml"]))]
    pub output: Option<String>,
    /// Show it again every two seconds, until Ctrl-C
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL", value_parser = value::go_bool(),
          hide_default_value = true, hide_possible_values = true)]
    pub watch: bool,
    /// Where Locust's master is.
    #[command(flatten)]
    pub locust: LocustArgs,
    /// TYPE NAME, or TYPE/NAME [default: $LOCUSTCTL_TARGET, else deployment/locust-slave]
    #[arg(value_name = "TARGET", action = ArgAction::Append)]
    pub target: Vec<String>,
}

/// What `sandbox` takes.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// How long a new pod takes until it is ready
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = value::go_duration(),
          allow_hyphen_values = true)]
    pub pod_ready_after: go::Duration,
    /// How long every answer takes, as from a cluster that is far away
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = value::go_duration(),
          allow_hyphen_values = true, hide_default_value = true)]
    pub latency: go::Duration,
    /// The release of Locust to simulate, from 2.22.0 on
    #[arg(long, value_name = "VERSION", default_value_t = LocustRelease::LATEST)]
    pub locust_release: LocustRelease,
    /// Port to listen on; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value = "0", hide_default_value = true)]
    pub port: u16,
}

/// What `completion` takes.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// Print a script that never asks back: it knows flags, but no names
    #[arg(long = "static")]
    pub is_static: bool,
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// A value that must not appear in a log or in an error.
#[derive(Clone)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<hidden>")
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The name under which the user runs us, for hints: `kubectl locust` when kubectl found us as
/// its plugin `kubectl-locust`, otherwise `locustctl`.
pub fn program_name(argv0: Option<&OsString>) -> &'static str {
    let base = argv0.map(std::path::Path::new).and_then(|path| path.file_stem());
    match base.and_then(|base| base.to_str()) {
        Some("kubectl-locust") => "kubectl locust",
        _ => "locustctl",
    }
}

impl Cli {
    /// Reads the command line, `argv[0]` included, with what the user's kuberc adds to it;
    /// `program` is the [`program_name`].
    ///
    /// # Errors
    /// What to print and where, in pflag's and cobra's words; a request for help is one too. A
    /// kuberc that cannot be followed.
    pub fn read(argv: Vec<OsString>, program: &str) -> Result<Self, Refusal> {
        // Scripts ask for it often, and it needs no grammar, which is half the cost of the answer.
        if let [_, only] = argv.as_slice()
            && (only == "--version" || only == "-V")
        {
            let version = env!("CARGO_PKG_VERSION");
            return Err(Refusal::Information(format!("locustctl {version}\n")));
        }
        // Taking the grammar apart would cost as much as building it, and the process is short.
        let command = &mut *std::mem::ManuallyDrop::new(Self::command());
        let argv = grammar::canonical(command, argv);
        let applied = preferences::apply(command, argv, program)?;
        let read = command.try_get_matches_from_mut(&applied.argv).and_then(|matches| {
            let mut cli = Self::from_arg_matches(&matches)?;
            if let Command::Scale(args) = &mut cli.command
                && args.record == Some(true)
            {
                args.change_cause = change_cause::describe(program, command, &matches);
            }
            Ok(cli)
        });
        let mut cli: Self = read.map_err(|error| {
            let alias = applied.alias.as_deref();
            Refusal::from_clap(&error, command, &applied.argv, program, alias)
        })?;
        cli.global.ignored.check_profile()?;
        cli.global.plugin_policy = applied.plugin_policy;
        cli.global.typed = TypedFlags::new(program, applied.argv);
        Ok(cli)
    }
}

/// The script of `shell` that never asks back, as `completions/` holds it.
pub fn completion_script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut completable_grammar(), "locustctl", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The grammar as clap's completion understands it rightly.
pub fn completable_grammar() -> clap::Command {
    let grammar = Cli::command();
    let subcommands: Vec<_> =
        grammar.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    let mut grammar = grammar.mut_args(completable);
    for subcommand in subcommands {
        grammar = grammar.mut_subcommand(subcommand, |subcommand| subcommand.mut_args(completable));
    }
    grammar
}

/// What the generated scripts would get wrong: they take the next word for the value of
/// `--sandbox[=BOOL]`, and offer files wherever nothing else is said.
fn completable(arg: clap::Arg) -> clap::Arg {
    if arg.is_require_equals_set() {
        let mut plain = clap::Arg::new(arg.get_id().clone()).action(ArgAction::SetTrue);
        plain = plain.long(&*arg.get_long().unwrap_or_default().to_owned().leak());
        plain = plain.global(arg.is_global_set()).hide(arg.is_hide_set());
        return plain.help(arg.get_help().cloned().unwrap_or_default());
    }
    match arg.get_value_hint() {
        clap::ValueHint::Unknown if arg.get_action().takes_values() => {
            arg.value_hint(clap::ValueHint::Other)
        }
        _ => arg,
    }
}

//! The check of the command line, before the first request.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::super::connection::{self, PreparedConnection};
use super::super::follow_up::FollowUp;
use super::super::locust::{location, require_locust};
use super::super::target::{Audience, RequestedTargets, only_one};
use crate::cli::{GlobalArgs, RunArgs};
use crate::locust::{Address, LocustLocation};
use crate::output::Failed;
use crate::process::{Lookup, is_executable, on_path};
use crate::run::{Condition, ReportFiles, TestStart};
use crate::scaling::{SelectionArgs, check_namespace};
use crate::text::go;
use crate::text::terminal::say;

/// The exit code of a command that does not exist, as in a shell.
const NOT_FOUND: u8 = 127;

/// The exit code of a command that cannot be executed, as in a shell.
const NOT_EXECUTABLE: u8 = 126;

/// The checked command line.
pub(super) struct Checked {
    pub plan: Plan,
    pub connection: PreparedConnection,
    pub requested: RequestedTargets,
    pub location: LocustLocation,
    pub follow_up: FollowUp,
}

/// The settings of the run, from its flags.
pub(super) struct Plan {
    /// `None` if nothing is scaled.
    pub replicas: Option<i32>,
    pub work: Work,
    /// Time limit of each phase that waits.
    pub timeout: go::Duration,
    /// Time limit for the end of another test; zero means no wait.
    pub idle_limit: Duration,
    /// The new count stays after the run.
    pub keeps_count: bool,
    pub is_dry_run: bool,
}

/// The work for which the workers are scaled.
pub(super) enum Work {
    /// A test of Locust.
    Test(Box<TestWork>),
    /// The user's command, with its arguments.
    Command(Vec<OsString>),
}

/// A test, and the conditions that judge it.
pub(super) struct TestWork {
    pub start: TestStart,
    /// `--fail-if`
    pub fail_if: Vec<Condition>,
    /// `--abort-if`
    pub abort_if: Vec<Condition>,
    pub files: ReportFiles,
    pub output: Output,
}

/// The form of the results on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A table and the verdict.
    Summary,
    /// `-o json`
    Json,
}

impl Plan {
    /// Time limit of each phase that waits.
    pub(super) fn limit(&self) -> Duration {
        self.timeout.positive().unwrap_or_default()
    }
}

impl Checked {
    /// Checks the flags and the kubeconfig.
    ///
    /// # Errors
    /// The first mistake.
    pub(super) fn new(global: GlobalArgs, args: RunArgs) -> Result<Self, Failed> {
        let location = location(&args.locust, &args.target, Address::Auto)?;
        let plan = Plan::new(&args)?;
        match &plan.work {
            Work::Test(_) => require_locust("a test", &location, &args.locust)?,
            Work::Command(words) => check_program(words)?,
        }
        let (typed, user) = (global.typed.clone(), global.user.clone());
        let prepared = connection::prepare(global);
        let connection = prepared.map_err(|error| with_hint(error, user.as_deref(), &args))?;
        let follow_up = FollowUp::new(typed, connection.namespace());
        let typed = SelectionArgs { args: &args.target, ..SelectionArgs::default() };
        let requested = RequestedTargets::new(&typed, Audience::Person)?;
        only_one("run", &requested.selection)?;
        check_namespace(connection.namespace())?;
        if let Work::Test(test) = &plan.work {
            warn_about_ramp_up(&test.start);
        }
        Ok(Self { plan, connection, requested, location, follow_up })
    }
}

impl Plan {
    fn new(args: &RunArgs) -> anyhow::Result<Self> {
        let work = match args.command.is_empty() {
            true => Work::Test(Box::new(test(args)?)),
            false => {
                refuse_test_flags(args)?;
                Work::Command(args.command.clone())
            }
        };
        if args.timeout.positive().is_none() {
            bail!("--timeout must be greater than 0: a run waits for pods and for workers");
        }
        Ok(Self {
            replicas: replicas(args)?,
            work,
            timeout: args.timeout,
            idle_limit: args.wait_for_idle.positive().unwrap_or_default(),
            keeps_count: args.keep,
            is_dry_run: args.dry_run,
        })
    }
}

fn replicas(args: &RunArgs) -> anyhow::Result<Option<i32>> {
    match (args.replicas, args.users_per_worker, args.users) {
        (None, None, _) => Ok(None),
        (Some(_), Some(_), _) => bail!("--replicas and --users-per-worker cannot be used together"),
        (None, Some(_), None) => bail!("--users-per-worker needs the number of users: -u/--users"),
        (None, Some(each), Some(users)) => match i32::try_from(users.div_ceil(each)) {
            Ok(count) => Ok(Some(count)),
            Err(_) => bail!(
                "--users-per-worker={each} and --users={users} would need {} workers, but the maximum is {}",
                users.div_ceil(each),
                i32::MAX
            ),
        },
        (Some(..1), None, _) => bail!("--replicas must be at least 1: a run needs workers"),
        (Some(count), None, _) => match i32::try_from(count) {
            Ok(count) => Ok(Some(count)),
            Err(_) => bail!("--replicas must not be greater than {}, was {count}", i32::MAX),
        },
    }
}

fn test(args: &RunArgs) -> anyhow::Result<TestWork> {
    if args.users.is_none() && args.spawn_rate.is_some() {
        bail!("--spawn-rate needs the number of users: -u/--users");
    }
    for (flag, value) in [("--host", &args.host), ("--shape-class", &args.shape_class)] {
        if value.as_ref().is_some_and(String::is_empty) {
            bail!("{flag} is empty: give a value, or leave out the flag");
        }
    }
    let start = TestStart {
        users: args.users.map(u64::from),
        spawn_rate: args.spawn_rate,
        run_time: args.run_time.map(|time| time.0),
        host: args.host.clone(),
        user_classes: args.user_class.clone(),
        shape_class: args.shape_class.clone(),
        options: args.option.iter().map(|one| (one.key.clone(), one.value.clone())).collect(),
    };
    let files = ReportFiles {
        html: args.html.clone(),
        csv_prefix: args.csv.clone(),
        json: args.json_file.clone(),
        junit: args.junit.clone(),
        markdown: args.markdown.clone(),
    };
    files.check().map_err(anyhow::Error::msg)?;
    let output = if args.output.is_some() { Output::Json } else { Output::Summary };
    if output == Output::Json {
        if args.dry_run {
            bail!("-o json cannot be used with --dry-run: without a test there is no report");
        }
        if let Some((flag, path)) = files.on_stdout() {
            let path = path.display();
            bail!("-o json and {flag} {path} both write to stdout: leave out one of them");
        }
    }
    let (fail_if, abort_if) = (args.fail_if.clone(), args.abort_if.clone());
    Ok(TestWork { start, fail_if, abort_if, files, output })
}

/// Warns if the run time is too short for all users to start.
fn warn_about_ramp_up(start: &TestStart) {
    if let (Some(ramp_up), Some(run_time)) = (start.ramp_up(), start.run_time())
        && ramp_up > run_time
    {
        say(&format!(
            "Warning: starting all users takes {} s at this spawn rate, but the run time is {} s",
            ramp_up.as_secs(),
            run_time.as_secs()
        ));
    }
}

/// Refuses the flags of a test if a command is given.
fn refuse_test_flags(args: &RunArgs) -> anyhow::Result<()> {
    let given = [
        ("--spawn-rate", args.spawn_rate.is_some()),
        ("--run-time", args.run_time.is_some()),
        ("--host", args.host.is_some()),
        ("--user-class", !args.user_class.is_empty()),
        ("--shape-class", args.shape_class.is_some()),
        ("--option", !args.option.is_empty()),
        ("--fail-if", !args.fail_if.is_empty()),
        ("--abort-if", !args.abort_if.is_empty()),
        ("--html", args.html.is_some()),
        ("--csv", args.csv.is_some()),
        ("--json-file", args.json_file.is_some()),
        ("--junit", args.junit.is_some()),
        ("--markdown", args.markdown.is_some()),
        ("--output", args.output.is_some()),
        ("--users", args.users.is_some() && args.users_per_worker.is_none()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => bail!(
            "{flag} cannot be used with a command after --: run starts a test only without a command"
        ),
        None => Ok(()),
    }
}

/// A hint for `--user=1000`, which names a user of the kubeconfig.
fn with_hint(error: anyhow::Error, user: Option<&str>, args: &RunArgs) -> anyhow::Error {
    match user {
        Some(user) if args.users.is_none() && user.parse::<u32>().is_ok() => anyhow!(
            "{error}\n--user={user} names a user of the kubeconfig; the number of Locust's users is --users={user}"
        ),
        _ => error,
    }
}

/// Refuses a program that does not exist or is not executable, before anything is scaled.
fn check_program(words: &[OsString]) -> Result<(), Failed> {
    let Some(program) = words.first() else { return Ok(()) };
    let name = program.to_string_lossy();
    let path = Path::new(program);
    let (code, problem) = match name.contains('/') {
        _ if cfg!(windows) => return Ok(()),
        false if on_path(&name) != Lookup::NotFound => return Ok(()),
        true if is_executable(path) => return Ok(()),
        true if path.is_dir() => (NOT_EXECUTABLE, "is a directory"),
        true if path.exists() => (NOT_EXECUTABLE, "is not executable"),
        _ => (NOT_FOUND, "was not found"),
    };
    let error = anyhow!("the command {} {problem}; nothing was changed", go::quote(&name));
    Err(Failed::with_code(code, vec![error]))
}

//! The check of the command line, before the first request.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::super::connection::{self, PreparedConnection};
use super::super::follow_up::FollowUp;
use super::super::locust::location;
use super::super::target::{Audience, RequestedTargets, only_one};
use crate::cli::{GlobalArgs, RunArgs};
use crate::locust::{Address, LocustLocation};
use crate::output::Failed;
use crate::process::{Lookup, on_path};
use crate::scaling::{SelectionArgs, check_namespace};
use crate::text::go;

/// The exit code of a command that does not exist, as in a shell.
const NOT_FOUND: u8 = 127;

/// The command line, checked.
pub(super) struct Checked {
    pub plan: Plan,
    pub connection: PreparedConnection,
    pub requested: RequestedTargets,
    pub location: LocustLocation,
    pub follow_up: FollowUp,
}

/// The meaning of the flags.
pub(super) struct Plan {
    /// `None` if nothing is scaled.
    pub replicas: Option<i32>,
    pub work: Work,
    /// Time limit of each phase that waits.
    pub timeout: go::Duration,
    /// How long to wait for the end of another test; zero if not at all.
    pub idle_limit: Duration,
    /// The new count stays after the run.
    pub keeps_count: bool,
    pub is_dry_run: bool,
}

/// What is done with the workers.
pub(super) enum Work {
    /// A command of the user's own, with its arguments.
    Command(Vec<OsString>),
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
        let location = location(&args.locust, Address::Auto)?;
        let plan = Plan::new(&args)?;
        let Work::Command(words) = &plan.work;
        check_program(words)?;
        let typed = global.typed.clone();
        let connection = connection::prepare(global)?;
        let follow_up = FollowUp::new(typed, connection.namespace());
        let typed = SelectionArgs { args: &args.target, ..SelectionArgs::default() };
        let requested = RequestedTargets::new(&typed, Audience::Person)?;
        only_one("run", &requested.selection)?;
        check_namespace(connection.namespace())?;
        Ok(Self { plan, connection, requested, location, follow_up })
    }
}

impl Plan {
    fn new(args: &RunArgs) -> anyhow::Result<Self> {
        let replicas = match args.replicas {
            None => None,
            Some(..1) => bail!("--replicas must be at least 1: a run needs workers"),
            Some(count) => match i32::try_from(count) {
                Ok(count) => Some(count),
                Err(_) => bail!("--replicas must not be greater than {}, was {count}", i32::MAX),
            },
        };
        if args.command.is_empty() {
            bail!(
                "the command is missing: give it after --, as in: locustctl run --replicas=20 -- ./load-test.sh"
            );
        }
        Ok(Self {
            replicas,
            work: Work::Command(args.command.clone()),
            timeout: args.timeout,
            idle_limit: args.wait_for_idle.positive().unwrap_or_default(),
            keeps_count: args.keep,
            is_dry_run: args.dry_run,
        })
    }
}

/// Refuses a program that does not exist, before anything is scaled.
fn check_program(words: &[OsString]) -> Result<(), Failed> {
    let Some(program) = words.first() else { return Ok(()) };
    let name = program.to_string_lossy();
    let exists = match name.contains('/') || cfg!(windows) {
        true => std::path::Path::new(program).exists() || cfg!(windows),
        false => on_path(&name) != Lookup::NotFound,
    };
    match exists {
        true => Ok(()),
        false => {
            let error =
                anyhow!("the command {} was not found; nothing was changed", go::quote(&name));
            Err(Failed::with_code(NOT_FOUND, vec![error]))
        }
    }
}

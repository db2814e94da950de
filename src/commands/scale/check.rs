//! The check of the command line, before the first request.

use anyhow::anyhow;

use super::super::connection::{self, PreparedConnection};
use super::super::follow_up::FollowUp;
use super::super::locust::location;
use super::super::target::Audience;
use super::flags;
use super::settings::Settings;
use super::target_source::TargetSource;
use super::waiting::WaitPlan;
use crate::cli::{GlobalArgs, ScaleArgs, quoted, suggested_command};
use crate::locust::Address;
use crate::output::{Failed, Format};
use crate::scaling::{DryRun, check_namespace};
use crate::text::terminal::say;

/// The command line, checked.
pub(super) struct Checked {
    pub settings: Settings,
    pub format: Format,
    pub source: TargetSource,
    pub connection: PreparedConnection,
}

impl Checked {
    /// Checks the flags and the kubeconfig.
    ///
    /// The checks run in kubectl's order. It decides which of several mistakes is reported.
    ///
    /// # Errors
    /// The first mistake.
    pub(super) fn new(global: GlobalArgs, args: ScaleArgs) -> Result<Self, Failed> {
        if args.replicas.is_none() && args.by.is_none() && !args.restore {
            return Err(missing_count(&global, &args).into());
        }
        if args.record.is_some() {
            say("Flag --record has been deprecated, --record will be removed in the future");
        }
        let dry_run = flags::dry_run(&args.dry_run)?;
        let format = flags::format(&args)?;
        let warnings_as_errors = global.warnings_as_errors;
        let is_namespace_given = global.namespace.as_deref().is_some_and(|name| !name.is_empty());
        let typed = global.typed.clone();
        let connection = connection::prepare(global)?;
        let follow_up = FollowUp::new(typed, connection.namespace());
        let goal = flags::goal(&args)?;
        let condition = flags::condition(&args)?;
        flags::refuse_without_locust(&args)?;
        let is_real = dry_run == DryRun::None;
        let location = match args.locust.is_any_given() && is_real {
            true => Some(location(&args.locust, &args.targets, Address::None)?),
            false => None,
        };
        // Workers connect only when their pods are ready.
        let with_locust = location.as_ref().is_some_and(|it| it.address != Address::None);
        let wait = match with_locust {
            true => Some(WaitPlan::until_ready(&args)),
            false => WaitPlan::new(&args).filter(|_| is_real),
        };
        let audience = match format {
            Format::Line => Audience::Person,
            _ => Audience::Program,
        };
        let source = TargetSource::new(&args, audience)?;
        check_namespace(connection.namespace())?;
        let connection =
            if source.reads_stdin() { connection.without_stdin()? } else { connection };
        let settings = Settings {
            args,
            dry_run,
            goal,
            condition,
            wait,
            location,
            warnings_as_errors,
            is_namespace_given,
            needs_object: format.needs_object(),
            audience,
            follow_up,
        };
        Ok(Self { settings, format, source, connection })
    }
}

/// kubectl's error for a missing `--replicas`. If a number stands among the targets, it was probably meant
/// as the count.
fn missing_count(global: &GlobalArgs, args: &ScaleArgs) -> anyhow::Error {
    const ERROR: &str = "required flag(s) \"replicas\" not set";
    let is_count = |target: &&String| target.parse::<i32>().is_ok();
    let Some(count) = args.targets.iter().find(is_count) else { return anyhow!(ERROR) };
    let flag = if count.starts_with('+') { "by" } else { "replicas" };
    let mut command = suggested_command(&global.typed, "scale", None);
    command.push_str(&format!(" --{flag}={count}"));
    for target in args.targets.iter().filter(|target| !is_count(target)) {
        command.push_str(&format!(" {}", quoted(target)));
    }
    anyhow!(
        "{ERROR}\nTo scale to {count}, run: {command}",
        count = match flag {
            "by" => format!("{} more", count.trim_start_matches('+')),
            _ => count.clone(),
        }
    )
}

//! The meaning of single flags of `scale`, with kubectl's error texts.

use anyhow::{Result, bail};

use super::settings::Goal;
use crate::cli::{Rebalance, RelativeCount, ScaleArgs};
use crate::cluster::api::Trace;
use crate::output::{Format, FormatArgs};
use crate::scaling::{Condition, DryRun, NewCount};
use crate::text::go;

/// `--dry-run`: `none`, `client`, `server`, or a boolean from the time before there were three.
pub(super) fn dry_run(text: &str) -> Result<DryRun> {
    let deprecated = |typed: &str, instead: &str| {
        let text = format!("{typed} and can be replaced with --dry-run={instead}.");
        Trace::warning("scale.rs", &text);
    };
    match text {
        "none" => return Ok(DryRun::None),
        "client" => return Ok(DryRun::Client),
        "server" => return Ok(DryRun::Server),
        "unchanged" => {
            deprecated("--dry-run is deprecated", "client");
            return Ok(DryRun::Client);
        }
        _ => {}
    }
    let (instead, dry_run) = match go::parse_bool(text) {
        Ok(true) => ("client", DryRun::Client),
        Ok(false) => ("none", DryRun::None),
        Err(_) => {
            bail!("Invalid dry-run value ({text}). Must be \"none\", \"server\", or \"client\".")
        }
    };
    deprecated(&format!("--dry-run={text} is deprecated (boolean value)"), instead);
    Ok(dry_run)
}

/// Refuses flags about a running test if the user did not ask locustctl to look at one.
pub(super) fn refuse_without_locust(args: &ScaleArgs) -> Result<()> {
    let flags = [("--rebalance", args.rebalance != Rebalance::Auto), ("--at-once", args.at_once)];
    match flags.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) if !args.locust.is_any_given() => {
            bail!("{flag} needs --locust: without it, scale does not look at the running test")
        }
        _ => Ok(()),
    }
}

/// The output format, with its template.
pub(super) fn format(args: &ScaleArgs) -> Result<Format> {
    Format::parse(&FormatArgs {
        output: args.output.clone(),
        template: args.template.clone(),
        allow_missing_template_keys: args.allow_missing_template_keys,
        show_managed_fields: args.show_managed_fields,
    })
}

pub(super) fn goal(args: &ScaleArgs) -> Result<Goal> {
    if !args.restore {
        let new = new_count(args)?;
        return Ok(if args.remember { Goal::Remember(new) } else { Goal::Count(new) });
    }
    let others = [
        ("--replicas", args.replicas.is_some(), "the number comes from the annotation"),
        ("--by", args.by.is_some(), "the number comes from the annotation"),
        ("--remember", args.remember, "--restore removes the annotation"),
        ("--current-replicas", args.current_replicas != -1, OWN_CONDITION),
        ("--resource-version", args.resource_version.is_some(), OWN_CONDITION),
    ];
    match others.iter().find(|(_, is_given, _)| *is_given) {
        Some((flag, _, why)) => bail!("--restore and {flag} cannot be used together: {why}"),
        None => Ok(Goal::Restore),
    }
}

const OWN_CONDITION: &str = "--restore needs the number that --remember set";

fn new_count(args: &ScaleArgs) -> Result<NewCount> {
    match (args.replicas, args.by) {
        (Some(_), Some(_)) => {
            bail!("--replicas and --by cannot be used together: give the new count, or the change")
        }
        (None, Some(RelativeCount(by))) => Ok(NewCount::By(by)),
        (None, None) | (Some(..0), _) => bail!(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0"
        ),
        (Some(count), None) => match i32::try_from(count) {
            Ok(count) => Ok(NewCount::Exactly(count)),
            Err(_) => bail!(
                "The --replicas=COUNT flag must not be greater than {}, was {count}",
                i32::MAX
            ),
        },
    }
}

pub(super) fn condition(args: &ScaleArgs) -> Result<Condition> {
    let replicas = match args.current_replicas {
        ..-1 => bail!("The --current-replicas must specify an integer of -1 or greater"),
        -1 => None,
        count => Some(count),
    };
    let resource_version = args.resource_version.clone().filter(|version| !version.is_empty());
    Ok(Condition { replicas, resource_version, is_of_step: false })
}

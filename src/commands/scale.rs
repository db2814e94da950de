//! `locustctl scale`: kubectl scale, with the old and the new count.

use std::io::Stdout;

use anyhow::{Result, anyhow, bail};

use super::connection::{self, Connection};
use super::signals::{self, Signal};
use super::target::targets;
use crate::api::Trace;
use crate::cli::{Change, GlobalArgs, ScaleArgs};
use crate::go;
use crate::output::{Failed, Format, Printer, ScaleResult};
use crate::scaling::{Condition, DryRun, NewCount, Order, Progress, check_namespace, scale};
use crate::terminal::say;

/// Scales everything that was named, and prints each result as it is known.
///
/// The order of the checks is kubectl's, since it decides which of several mistakes is reported.
///
/// # Errors
/// Everything that went wrong, in the order of the targets; the others were scaled all the same.
pub async fn run(global: GlobalArgs, args: ScaleArgs) -> Result<(), Failed> {
    if args.replicas.is_none() && args.by.is_none() {
        return Err(anyhow!("required flag(s) \"replicas\" not set").into());
    }
    let dry_run = dry_run(&args.dry_run)?;
    let format = Format::parse(args.output.as_deref())?;
    let warnings_as_errors = global.warnings_as_errors;
    let prepared = connection::prepare(global)?;
    let new = new_count(&args)?;
    let condition = condition(&args)?;
    let targets = targets(&args.targets)?;
    check_namespace(prepared.namespace())?;
    if condition.resource_version.is_some() && targets.len() > 1 {
        return Err(anyhow!("cannot use --resource-version with multiple resources").into());
    }
    let connection = prepared.open().await?;
    let printer = Printer::new(std::io::stdout(), format, dry_run);
    let order = |target| Order {
        target,
        namespace: connection.namespace.clone(),
        new,
        condition: condition.clone(),
        dry_run,
        with_object: format.needs_object(),
    };
    let orders: Vec<_> = targets.into_iter().map(order).collect();
    let (progress, mut tally) = (Progress::default(), Tally::default());
    tokio::select! {
        () = scale_all(&connection, printer, &orders, &progress, &mut tally) => {}
        signal = signals::first()? => return Err(tally.interrupted(signal, &progress, &orders)),
    }
    if !tally.errors.is_empty() {
        return Err(Failed::all(tally.errors));
    }
    match (warnings_as_errors, connection.client.warnings().count()) {
        (false, _) | (true, 0) => Ok(()),
        (true, 1) => Err(anyhow!("1 warning received").into()),
        (true, count) => Err(anyhow!("{count} warnings received").into()),
    }
}

async fn scale_all(
    connection: &Connection,
    mut printer: Printer<Stdout>,
    orders: &[Order],
    progress: &Progress,
    tally: &mut Tally,
) {
    for order in orders {
        tally.begun += 1;
        match scale(&connection.client, order, progress).await {
            Ok(scaled) => {
                let with_object = scaled.object.is_some();
                let result = ScaleResult {
                    target: &order.target,
                    old: scaled.old,
                    new: scaled.new,
                    object: scaled.object.as_ref(),
                };
                match printer.print(&result) {
                    Err(error) if with_object => tally.errors.push(error),
                    // As in kubectl no error, since it took place; but not without a word.
                    Err(error) => say(&format!("Warning: {error:#}: {}", printer.line(&result))),
                    Ok(()) => {}
                }
                for note in &scaled.notes {
                    say(&format!("Warning: {note}"));
                }
                if let Some(asked_for) = scaled.asked_for {
                    tally.errors.push(anyhow!(
                        "{} was asked for {asked_for} replicas, but the server made it {}",
                        order.target,
                        scaled.new
                    ));
                }
            }
            Err(problem) => tally.errors.push(problem.into()),
        }
    }
}

/// What has come of the targets so far.
#[derive(Default)]
struct Tally {
    errors: Vec<anyhow::Error>,
    begun: usize,
}

impl Tally {
    /// A signal came before everything was done.
    fn interrupted(self, signal: Signal, progress: &Progress, orders: &[Order]) -> Failed {
        let mut text = match progress.under_way() {
            Some(change) => format!(
                "interrupted: {change} was sent and may have been made, or be made yet; look at it \
                 with: locustctl status"
            ),
            None => "interrupted: no change was under way".to_owned(),
        };
        let rest: Vec<_> =
            orders.iter().skip(self.begun).map(|order| order.target.to_string()).collect();
        if !rest.is_empty() {
            text.push_str(&format!("; not begun: {}", rest.join(", ")));
        }
        let mut errors = self.errors;
        errors.push(anyhow!(text));
        Failed::by_signal(signal.number(), errors)
    }
}

/// kubectl's three ways, and what was typed before there were three.
fn dry_run(text: &str) -> Result<DryRun> {
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
    let (instead, way) = match go::parse_bool(text) {
        Ok(true) => ("client", DryRun::Client),
        Ok(false) => ("none", DryRun::None),
        Err(_) => {
            bail!("Invalid dry-run value ({text}). Must be \"none\", \"server\", or \"client\".")
        }
    };
    deprecated(&format!("--dry-run={text} is deprecated (boolean value)"), instead);
    Ok(way)
}

fn new_count(args: &ScaleArgs) -> Result<NewCount> {
    match (args.replicas, args.by) {
        (Some(_), Some(_)) => {
            bail!("--replicas and --by cannot be used together: give the new count, or the change")
        }
        (None, Some(Change(by))) => Ok(NewCount::By(by)),
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

fn condition(args: &ScaleArgs) -> Result<Condition> {
    let replicas = match args.current_replicas {
        ..-1 => bail!("The --current-replicas must specify an integer of -1 or greater"),
        -1 => None,
        count => Some(count),
    };
    let resource_version = args.resource_version.clone().filter(|version| !version.is_empty());
    Ok(Condition { replicas, resource_version })
}

//! `locustctl scale`: kubectl scale, with the old and the new count.

mod arguments;
mod display;
mod results;
mod swarm;
mod waiting;
mod wanted;

use anyhow::anyhow;

use self::results::Results;
use self::swarm::Swarm;
use self::waiting::Plan;
use self::wanted::Wanted;
use super::again::Again;
use super::connection;
use super::hints::hints;
use super::locust::whereabouts;
use super::signals;
use crate::api::Client;
use crate::cli::{GlobalArgs, ScaleArgs};
use crate::locust::Address;
use crate::output::{Failed, Format, Printer};
use crate::scaling::{
    DryRun, ObjectSource, Order, Progress, Resolved, Selected, check_namespace, scale_all,
};
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
    if args.record.is_some() {
        say("Flag --record has been deprecated, --record will be removed in the future");
    }
    let dry_run = arguments::dry_run(&args.dry_run)?;
    let format = arguments::format(&args)?;
    let warnings_as_errors = global.warnings_as_errors;
    let is_namespace_given = global.namespace.as_deref().is_some_and(|name| !name.is_empty());
    let typed = global.typed.clone();
    let prepared = connection::prepare(global)?;
    let again = Again::new(typed, prepared.namespace());
    let new = arguments::new_count(&args)?;
    let condition = arguments::condition(&args)?;
    let plan = Plan::new(&args).filter(|_| dry_run == DryRun::None);
    let is_locust_asked = args.locust.is_any_given() && dry_run == DryRun::None;
    let asked = is_locust_asked.then(|| whereabouts(&args.locust, Address::None)).transpose()?;
    let is_for_people = matches!(format, Format::Line);
    let wanted = Wanted::new(&args, !is_for_people)?;
    check_namespace(prepared.namespace())?;
    let prepared = if wanted.reads_stdin() { prepared.without_stdin()? } else { prepared };
    let wanted = wanted.read().await;
    let connection = prepared.open().await?;
    let client = &connection.client;
    let signal = signals::first()?;
    tokio::pin!(signal);

    let with_objects = format.needs_object();
    let resolved = tokio::select! {
        resolved = wanted.resolve(&connection, is_namespace_given, with_objects) => resolved?,
        signal = &mut signal => {
            let error = anyhow!("interrupted: nothing was changed");
            return Err(Failed::by_signal(signal.number(), vec![error]));
        }
    };
    let Resolved { selected, errors } = resolved;
    if condition.resource_version.is_some() && selected.len() > 1 {
        return Err(anyhow!("cannot use --resource-version with multiple resources").into());
    }
    if selected.is_empty() {
        return Err(nothing_selected(errors));
    }
    let order = |Selected { target, known, object }: Selected| Order {
        target,
        new,
        condition: condition.clone(),
        dry_run,
        object: match object {
            _ if !with_objects => ObjectSource::None,
            Some(object) => ObjectSource::Given(object),
            None => ObjectSource::Server,
        },
        known,
        limits: None,
        change_cause: args.change_cause.clone(),
    };
    let orders: Vec<_> = selected.into_iter().map(order).collect();
    let (swarm, unknown) = match &asked {
        Some(asked) => known(Swarm::look(client, asked, &orders).await),
        None => (None, None),
    };
    if let Some(swarm) = &swarm {
        swarm.confirm(&orders, args.yes)?;
    }
    let plan = match &swarm {
        Some(swarm) if swarm.is_running() => Some(Plan::until_ready(&args)),
        _ => plan,
    };
    let progress = Progress::default();
    let mut results =
        Results::new(&orders, Printer::new(std::io::stdout(), format, dry_run), errors);
    tokio::select! {
        () = scale_all(client, &orders, &progress, |index, outcome| results.take(index, outcome)) => {}
        signal = &mut signal => return Err(results.interrupted(signal, &progress, &again)),
    }
    let done = results.take_done();
    let (mut errors, missing) = results.into_errors();
    let targets: Vec<_> = done.iter().map(|done| done.target.clone()).collect();
    if let Some(plan) = plan.filter(|_| !done.is_empty()) {
        let (unmet, signal) = plan.carry_out(client, done, orders.len(), signal.as_mut()).await;
        let is_ready = unmet.is_empty();
        errors.extend(unmet);
        if let Some(signal) = signal {
            return Err(Failed::by_signal(signal.number(), errors));
        }
        if let Some(swarm) = swarm.filter(|_| is_ready && plan.is_until_ready()) {
            let limit = plan.limit();
            errors.extend(swarm.finish(client, &targets, limit, args.rebalance, &again).await);
        }
    }
    errors.extend(unknown);
    if !errors.is_empty() {
        let hints = match is_for_people {
            true => hints(client, &missing, &again, "scale").await,
            false => Vec::new(),
        };
        return Err(Failed::all(errors).with_hints(hints));
    }
    check_warnings(client, warnings_as_errors)
}

/// That Locust does not tell is said in the end: what was asked for is scaled all the same.
fn known<'a>(
    looked: anyhow::Result<Option<Swarm<'a>>>,
) -> (Option<Swarm<'a>>, Option<anyhow::Error>) {
    match looked {
        Ok(Some(swarm)) => (Some(swarm), None),
        Ok(None) => {
            say("Note: no Locust was found, so only the pods are looked at");
            (None, None)
        }
        Err(error) => {
            let text = "Locust cannot be asked; what was named was scaled all the same";
            (None, Some(error.context(text)))
        }
    }
}

fn nothing_selected(errors: Vec<anyhow::Error>) -> Failed {
    match errors.is_empty() {
        true => anyhow!("no objects passed to scale").into(),
        false => Failed::all(errors),
    }
}

fn check_warnings(client: &Client, warnings_as_errors: bool) -> Result<(), Failed> {
    match (warnings_as_errors, client.warnings().count()) {
        (false, _) | (true, 0) => Ok(()),
        (true, 1) => Err(anyhow!("1 warning received").into()),
        (true, count) => Err(anyhow!("{count} warnings received").into()),
    }
}

//! `locustctl scale`: kubectl scale, with the old and the new count.

mod arguments;
mod display;
mod results;
mod running_test;
mod stepping;
mod waiting;
mod wanted;

use anyhow::anyhow;

use self::results::Results;
use self::running_test::RunningTest;
use self::stepping::Stepping;
use self::waiting::Plan;
use self::wanted::Wanted;
use super::again::Again;
use super::connection;
use super::hints::hints;
use super::locust::location;
use super::signals::{self, Signal};
use crate::cli::{GlobalArgs, ScaleArgs};
use crate::cluster::api::Client;
use crate::locust::{Address, RampInProgress};
use crate::output::{Failed, Format, Printer};
use crate::scaling::{
    DryRun, ObjectSource, Order, Progress, Resolved, Selected, check_namespace, scale_all,
};
use crate::text::terminal::say;

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
    let location = is_locust_asked.then(|| location(&args.locust, Address::None)).transpose()?;
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
    let order = |Selected { target, listed, object }: Selected| Order {
        target,
        new,
        condition: condition.clone(),
        dry_run,
        object: match object {
            _ if !with_objects => ObjectSource::None,
            Some(object) => ObjectSource::Given(object),
            None => ObjectSource::Server,
        },
        listed,
        limits: None,
        change_cause: args.change_cause.clone(),
    };
    let orders: Vec<_> = selected.into_iter().map(order).collect();
    let interrupted = |signal: Signal| {
        let error = anyhow!("interrupted: nothing was changed");
        Failed::by_signal(signal.number(), vec![error])
    };
    let (test, unknown) = match &location {
        Some(location) => tokio::select! {
            looked = RunningTest::look(client, location, &orders) => known(looked),
            signal = &mut signal => return Err(interrupted(signal)),
        },
        None => (None, None),
    };
    if let Some(test) = &test {
        test.confirm_losses(&orders, &args)?;
    }
    let plan = match &test {
        Some(test) if test.is_running() => Some(Plan::until_ready(&args)),
        _ => plan,
    };
    let progress = Progress::default();
    let mut results =
        Results::new(&orders, Printer::new(std::io::stdout(), format, dry_run), errors);
    let steps: Vec<_> = (0..orders.len())
        .map(|index| test.as_ref().and_then(|test| test.steps(&orders, index, &args)))
        .collect();
    let is_sequence = test.as_ref().is_some_and(|test| test.needs_sequence(&orders, &args));
    let scaled = match (&test, is_sequence) {
        (Some(test), true) => {
            let limit = Plan::until_ready(&args).limit();
            let stepping = Stepping { client, test, orders: &orders, steps: &steps, limit };
            stepping.run(&progress, &mut results, signal.as_mut()).await
        }
        _ => tokio::select! {
            () = scale_all(client, &orders, &progress, |index, outcome| results.take(index, outcome)) => Ok(()),
            signal = &mut signal => Err(signal),
        },
    };
    if let Err(signal) = scaled {
        return Err(results.interrupted(signal, &progress, &again));
    }
    let done = results.take_done();
    let (mut errors, missing) = results.into_errors();
    let targets: Vec<_> = done.iter().map(|done| done.target.clone()).collect();
    if let Some(plan) = plan.filter(|_| !done.is_empty()) {
        let (unmet, signalled) = plan.carry_out(client, done, orders.len(), signal.as_mut()).await;
        let is_ready = unmet.is_empty();
        errors.extend(unmet);
        if let Some(signal) = signalled {
            return Err(Failed::by_signal(signal.number(), errors));
        }
        if let Some(test) = test.filter(|_| is_ready && plan.is_until_ready()) {
            let ramp = RampInProgress::default();
            let finish =
                test.redistribute_users(&targets, plan.limit(), args.rebalance, &ramp, &again);
            match ramp.or_signal(finish, signal.as_mut()).await {
                Ok(unmet) => errors.extend(unmet),
                Err(signal) => {
                    errors.push(anyhow!(
                        "interrupted: the workers were scaled, but the test may not have all its \
                         users"
                    ));
                    return Err(Failed::by_signal(signal.number(), errors));
                }
            }
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

/// A Locust that does not answer is an error in the end: the targets are scaled all the same.
fn known<'a>(
    looked: anyhow::Result<Option<RunningTest<'a>>>,
) -> (Option<RunningTest<'a>>, Option<anyhow::Error>) {
    match looked {
        Ok(test) => (test, None),
        Err(error) => {
            let text = "Locust could not be asked, so locustctl did not check the running test";
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

//! `locustctl scale`: kubectl scale, with the old and the new count.

mod autoscaling;
mod check;
pub(super) mod display;
mod flags;
mod locust_search;
mod ordered;
mod overtaken;
mod results;
mod running_test;
mod scaled;
mod second_master;
mod settings;
mod stepping;
mod target_source;
mod test_pods;
mod waiting;
pub(super) mod worker_display;

use std::pin::{Pin, pin};

use anyhow::anyhow;

use self::check::Checked;
use self::ordered::Ordered;
use self::scaled::Outcome;
use self::settings::Settings;
use super::default_target::{Purpose, WorkerSearch};
use super::hints::hints;
use super::signals::{self, Signal, unless_interrupted};
use super::target::Audience;
use crate::cli::{GlobalArgs, ScaleArgs};
use crate::cluster::api::Client;
use crate::output::{Failed, Format};
use crate::scaling::{Resolved, workload_of};

/// The state of the targets until the first PATCH.
const UNCHANGED: &str = "nothing was changed";

/// Scales all targets, and prints each result when it is known and its turn has come.
///
/// # Errors
/// All errors, in the order of the targets. An error with one target does not stop the others.
pub async fn run(global: GlobalArgs, args: ScaleArgs) -> Result<(), Failed> {
    let Checked { settings, format, source, connection } = Checked::new(global, args)?;
    let workers = source.worker_search();
    let mut signal = pin!(signals::first()?);
    let source = unless_interrupted(source.load(), signal.as_mut(), UNCHANGED).await?;
    let connection = unless_interrupted(connection.open(), signal.as_mut(), UNCHANGED).await??;
    let client = &connection.client;

    let resolving = source.resolve(&connection, &settings);
    let mut resolved = unless_interrupted(resolving, signal.as_mut(), UNCHANGED).await??;
    if settings.location.is_some() {
        let finding = find_before_locust(client, &workers, &mut resolved);
        unless_interrupted(finding, signal.as_mut(), UNCHANGED).await?;
    }
    let mut outcome = carry_out(client, &settings, format, resolved, signal.as_mut()).await?;
    if let [missing] = outcome.missing.as_slice() {
        let finding = workers.instead_of(client, &missing.target, Purpose::Change);
        if let Some(target) = unless_interrupted(finding, signal.as_mut(), UNCHANGED).await? {
            let format = flags::format(&settings.args)?;
            let resolved = Resolved::of(target);
            outcome = carry_out(client, &settings, format, resolved, signal.as_mut()).await?;
        }
    }

    if outcome.errors.is_empty() {
        return check_warnings(client, settings.warnings_as_errors);
    }
    if settings.audience == Audience::Program {
        return Err(Failed::all(outcome.errors));
    }
    let hints = hints(client, &outcome.missing, &workers, &settings.follow_up, "scale");
    tokio::select! {
        hints = hints => Err(Failed::all(outcome.errors).with_hints(hints)),
        signal = signal => Err(Failed::by_signal(signal.number(), outcome.errors)),
    }
}

/// Replaces a default target that does not exist before Locust is asked about it. Without Locust, the
/// change itself shows that the target does not exist, and costs no further request.
async fn find_before_locust(client: &Client, workers: &WorkerSearch, resolved: &mut Resolved) {
    if workers.is_default()
        && let [selected] = resolved.selected.as_mut_slice()
    {
        // The change reports an error of the target.
        let _ = workers.read(client, &mut selected.target, Purpose::Change, workload_of).await;
    }
}

/// Changes the targets, and waits as the flags say.
///
/// # Errors
/// Nothing was selected, the user does not confirm, or the signal came.
async fn carry_out(
    client: &Client,
    settings: &Settings,
    format: Format,
    resolved: Resolved,
    mut signal: Pin<&mut impl Future<Output = Signal>>,
) -> Result<Outcome, Failed> {
    let ordering = Ordered::new(client, settings, resolved);
    let ordered = unless_interrupted(ordering, signal.as_mut(), UNCHANGED).await??;
    unless_interrupted(ordered.confirm(), signal.as_mut(), UNCHANGED).await??;
    let scaled = ordered.scale(format, signal.as_mut()).await?;
    let waited = scaled.wait(signal.as_mut()).await?;
    waited.redistribute_users(signal.as_mut()).await
}

fn check_warnings(client: &Client, warnings_as_errors: bool) -> Result<(), Failed> {
    match (warnings_as_errors, client.warnings().count()) {
        (false, _) | (true, 0) => Ok(()),
        (true, 1) => Err(anyhow!("1 warning received").into()),
        (true, count) => Err(anyhow!("{count} warnings received").into()),
    }
}

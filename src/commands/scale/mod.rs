//! `locustctl scale`: kubectl scale, with the old and the new count.

mod autoscaling;
mod check;
pub(super) mod display;
mod flags;
mod ordered;
mod results;
mod running_test;
mod scaled;
mod settings;
mod stepping;
mod target_source;
mod waiting;
pub(super) mod worker_display;

use std::pin::pin;

use anyhow::anyhow;

use self::check::Checked;
use self::ordered::Ordered;
use super::hints::hints;
use super::signals::{self, unless_interrupted};
use super::target::Audience;
use crate::cli::{GlobalArgs, ScaleArgs};
use crate::cluster::api::Client;
use crate::output::Failed;

/// The state of the targets until the first PATCH.
const UNCHANGED: &str = "nothing was changed";

/// Scales all targets, and prints each result when it is known and its turn has come.
///
/// # Errors
/// All errors, in the order of the targets. An error with one target does not stop the others.
pub async fn run(global: GlobalArgs, args: ScaleArgs) -> Result<(), Failed> {
    let Checked { settings, format, source, connection } = Checked::new(global, args)?;
    let mut signal = pin!(signals::first()?);
    let source = unless_interrupted(source.load(), signal.as_mut(), UNCHANGED).await?;
    let connection = unless_interrupted(connection.open(), signal.as_mut(), UNCHANGED).await??;
    let client = &connection.client;

    let resolving = source.resolve(&connection, &settings);
    let resolved = unless_interrupted(resolving, signal.as_mut(), UNCHANGED).await??;
    let ordering = Ordered::new(client, &settings, resolved);
    let ordered = unless_interrupted(ordering, signal.as_mut(), UNCHANGED).await??;
    unless_interrupted(ordered.confirm(), signal.as_mut(), UNCHANGED).await??;
    let scaled = ordered.scale(format, signal.as_mut()).await?;
    let scaled = scaled.warn_of_autoscalers(signal.as_mut()).await?;
    let waited = scaled.wait(signal.as_mut()).await?;
    let outcome = waited.redistribute_users(signal.as_mut()).await?;

    if outcome.errors.is_empty() {
        return check_warnings(client, settings.warnings_as_errors);
    }
    if settings.audience == Audience::Program {
        return Err(Failed::all(outcome.errors));
    }
    let hints = hints(client, &outcome.missing, &settings.follow_up, "scale");
    tokio::select! {
        hints = hints => Err(Failed::all(outcome.errors).with_hints(hints)),
        signal = signal => Err(Failed::by_signal(signal.number(), outcome.errors)),
    }
}

fn check_warnings(client: &Client, warnings_as_errors: bool) -> Result<(), Failed> {
    match (warnings_as_errors, client.warnings().count()) {
        (false, _) | (true, 0) => Ok(()),
        (true, 1) => Err(anyhow!("1 warning received").into()),
        (true, count) => Err(anyhow!("{count} warnings received").into()),
    }
}

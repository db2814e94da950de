//! `locustctl scale`: kubectl scale, with the old and the new count.

mod check;
mod display;
mod flags;
mod interruption;
mod ordered;
mod results;
mod running_test;
mod scaled;
mod settings;
mod stepping;
mod target_source;
mod waiting;

use std::pin::pin;

use anyhow::anyhow;

use self::check::Checked;
use self::interruption::unless_interrupted;
use self::ordered::Ordered;
use super::hints::hints;
use super::signals;
use super::target::Audience;
use crate::cli::{GlobalArgs, ScaleArgs};
use crate::cluster::api::Client;
use crate::output::Failed;

/// Scales all targets, and prints each result when it is known and its turn has come.
///
/// # Errors
/// All errors, in the order of the targets. An error with one target does not stop the others.
pub async fn run(global: GlobalArgs, args: ScaleArgs) -> Result<(), Failed> {
    let Checked { settings, format, source, connection } = Checked::new(global, args)?;
    let source = source.load().await;
    let connection = connection.open().await?;
    let client = &connection.client;
    let mut signal = pin!(signals::first()?);

    let resolving = source.resolve(&connection, &settings);
    let resolved = unless_interrupted(resolving, signal.as_mut()).await??;
    let ordering = Ordered::new(client, &settings, resolved);
    let ordered = unless_interrupted(ordering, signal.as_mut()).await??;
    ordered.confirm()?;
    let scaled = ordered.scale(format, signal.as_mut()).await?;
    let waited = scaled.wait(signal.as_mut()).await?;
    let outcome = waited.redistribute_users(signal.as_mut()).await?;

    if outcome.errors.is_empty() {
        return check_warnings(client, settings.warnings_as_errors);
    }
    let hints = match settings.audience {
        Audience::Person => hints(client, &outcome.missing, &settings.follow_up, "scale").await,
        Audience::Program => Vec::new(),
    };
    Err(Failed::all(outcome.errors).with_hints(hints))
}

fn check_warnings(client: &Client, warnings_as_errors: bool) -> Result<(), Failed> {
    match (warnings_as_errors, client.warnings().count()) {
        (false, _) | (true, 0) => Ok(()),
        (true, 1) => Err(anyhow!("1 warning received").into()),
        (true, count) => Err(anyhow!("{count} warnings received").into()),
    }
}

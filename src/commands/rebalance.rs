//! `locustctl rebalance`: gives a running test its users back.

use anyhow::anyhow;

use super::connection;
use super::locust::whereabouts;
use super::target::{Meant, only_one, resolve_one};
use crate::cli::{GlobalArgs, RebalanceArgs};
use crate::locust::Address;
use crate::output::{Failed, write_stdout};
use crate::scaling::{Typed, check_namespace, give_back};
use crate::terminal::harmless;

/// Looks whether the running test has lost users or a worker has none, and starts the same numbers
/// once more if that is safe.
///
/// # Errors
/// There is no Locust, it does not tell, or it is left to people.
pub async fn run(global: GlobalArgs, args: RebalanceArgs) -> Result<(), Failed> {
    let asked = whereabouts(&args.locust, Address::Auto)?;
    let prepared = connection::prepare(global)?;
    let meant = Meant::new(&Typed { args: &args.target, ..Typed::default() })?;
    only_one("rebalance", &meant.selection)?;
    check_namespace(prepared.namespace())?;
    let connection = prepared.open().await?;
    let target = resolve_one(&connection, &meant).await?;
    let master = asked.master(&connection.client, &target).await.map_err(anyhow::Error::from)?;
    let Some(master) = master else {
        return Err(anyhow!(
            "no Locust was found for {target} in namespace {}; say where its master is by --locust=URL \
             or --locust=service/NAME:PORT",
            target.namespace
        )
        .into());
    };
    let outcome = give_back(&master, None, true).await.map_err(anyhow::Error::from)?;
    match outcome.is_well() {
        true => Ok(write_stdout(&format!("{}\n", harmless(&outcome.to_string())))?),
        false => Err(anyhow!("{outcome}").into()),
    }
}

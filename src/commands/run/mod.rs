//! `locustctl run`: scales the workers, runs a test or a command, and puts the old number of workers back.

mod around;
mod check;
mod clean_up;
mod ended;
mod idle_limit;
mod interruptions;
mod progress;
mod scale_line;
mod site;
mod test;
mod undo;
mod workers;

use std::ffi::OsString;

use anyhow::{Error, anyhow, bail};

use self::check::{Checked, Plan, Work};
use self::clean_up::clean_up;
use self::ended::{Ended, conclude};
use self::idle_limit::IdleLimit;
use self::interruptions::{Haste, Interruptions};
use self::site::Site;
use self::undo::{TestToStop, Undo};
use super::default_target::{Purpose, WorkerSearch};
use super::follow_up::FollowUp;
use super::hints::unreadable;
use super::target::{RequestedTargets, resolve_one};
use crate::cli::{GlobalArgs, OWN_FAILURE, RunArgs};
use crate::cluster::api::Client;
use crate::cluster::lease::Holder;
use crate::locust::LocustLocation;
use crate::output::Failed;
use crate::run::{Locked, RunLock, Timeline};
use crate::scaling::{OwnPods, Target, pods_of};
use crate::text::terminal::{harmless, say};

/// The words for a run that ended before its first change.
const UNCHANGED: &str = "nothing was changed";

/// [`UNCHANGED`] as a sentence before another one.
const NOTHING_CHANGED: &str = "Nothing was changed. ";

/// Scales the workers, does the work, and puts the old count back.
///
/// # Errors
/// All errors, and the command's exit code if it is not 0.
pub async fn run(global: GlobalArgs, args: RunArgs) -> Result<(), Failed> {
    let has_command = !args.command.is_empty();
    let result = match Checked::new(global, args) {
        Ok(checked) => run_checked(checked).await,
        Err(failed) => Err(failed),
    };
    result.map_err(|failed| if has_command { failed.or_code(OWN_FAILURE) } else { failed })
}

async fn run_checked(checked: Checked) -> Result<(), Failed> {
    let Checked { plan, connection, requested, location, follow_up } = checked;
    let mut interruptions = Interruptions::new()?;
    let before_changes = |ended: Ended| ended.without_changes(UNCHANGED);
    let connection = interruptions.unless(connection.open()).await.map_err(before_changes)??;
    let target = interruptions.unless(resolve_one(&connection, &requested)).await;
    let mut target = target.map_err(before_changes)??;
    let reading = read_pods(&connection.client, &requested, &mut target, &follow_up);
    let own = interruptions.unless(reading).await.map_err(before_changes)??;
    let client = &connection.client;
    let find = Site::find(client, &target, own, &location);
    let mut site = interruptions.unless(find).await.map_err(before_changes)??;
    site.announce();
    let limit = IdleLimit::new(plan.idle_limit);
    let checks = async {
        if let Work::Test(test) = &plan.work {
            site.check_test(&plan, test).await?;
        }
        match site.check_idle(&plan, &limit, NOTHING_CHANGED).await {
            Ok(waited) => Ok(waited),
            Err(error) => Err(with_holder(error, client, &target).await),
        }
    };
    let waited_for_test = interruptions.unless(checks).await.map_err(before_changes)??;
    if plan.is_dry_run {
        return interruptions.unless(site.dry_run(&plan)).await.map_err(before_changes)?;
    }
    let locking = take_lock(client, &target, &limit);
    let (mut lock, waited_for_run) =
        interruptions.unless(locking).await.map_err(before_changes)??;
    let work = async {
        if waited_for_test || waited_for_run {
            let again = site_after_wait(client, &target, &plan, &location, &limit);
            site = interruptions.unless(again).await.map_err(before_changes)??;
        }
        match &plan.work {
            Work::Test(test) => {
                site.run_test(&plan, test, &limit, &follow_up, &mut interruptions).await
            }
            Work::Command(words) => {
                let interruptions = &mut interruptions;
                run_around(&site, &plan, words, &location, &follow_up, interruptions).await
            }
        }
    };
    let keep = async {
        match &mut lock {
            Some(lock) => lock.keep(client, |holder| say(&lost_lock(&target, holder))).await,
            None => std::future::pending().await,
        }
    };
    let result = tokio::select! {
        result = work => result,
        () = keep => Ok(()),
    };
    if let Some(lock) = &mut lock
        && interruptions.haste() < Haste::AtOnce
    {
        let _ = interruptions.unless(lock.release(client)).await;
    }
    result
}

/// Reads the pods of the workers. If nothing was named, `target` may become the only workers of the
/// namespace.
///
/// # Errors
/// The target cannot be read.
async fn read_pods(
    client: &Client,
    requested: &RequestedTargets,
    target: &mut Target,
    follow_up: &FollowUp,
) -> Result<OwnPods, Failed> {
    let workers = WorkerSearch::new(requested);
    match workers.read(client, target, Purpose::Change, pods_of).await {
        Ok(own) => Ok(own),
        Err(error) => Err(unreadable(client, target, error, &workers, follow_up, "run").await),
    }
}

/// Reads and checks the workers and Locust again: during a wait, another run may have put its old count back.
/// Waits again if somebody has started another test.
///
/// # Errors
/// The target or Locust cannot be read, or a test is running when the limit is over.
async fn site_after_wait<'a>(
    client: &'a Client,
    target: &'a Target,
    plan: &Plan,
    location: &LocustLocation,
    limit: &IdleLimit,
) -> anyhow::Result<Site<'a>> {
    loop {
        let site = Site::find(client, target, pods_of(client, target).await?, location).await?;
        if !site.check_idle(plan, limit, NOTHING_CHANGED).await? {
            if let Work::Test(test) = &plan.work {
                site.check_test(plan, test).await?;
            }
            return Ok(site);
        }
    }
}

/// Takes the Lease of the target. While another run holds it, waits until the limit is over. If this account has
/// no right to the Lease, prints a note and returns `None` instead of the lock. The second value is true if it
/// had to wait.
///
/// # Errors
/// Another run holds it, or the API server does not answer.
async fn take_lock(
    client: &Client,
    target: &Target,
    limit: &IdleLimit,
) -> anyhow::Result<(Option<RunLock>, bool)> {
    let mut lock = RunLock::new(target);
    let name = lock.name().to_owned();
    let mut has_waited = false;
    loop {
        let taken = lock.acquire(client).await;
        match taken.map_err(|error| anyhow!("taking the Lease {name}: {error}; {UNCHANGED}"))? {
            Locked::Yes { has_waited: at_last } => {
                return Ok((Some(lock), has_waited || at_last));
            }
            Locked::NotAvailable(why) => {
                say(&format!(
                    "Note: locustctl cannot take the Lease {name}, so it does not notice another run: {}",
                    harmless(&why)
                ));
                return Ok((None, has_waited));
            }
            Locked::ByOther(Holder { identity, since, .. }) if limit.left().is_zero() => bail!(
                "another run uses {target}: {identity} has held the Lease {name} since {since}. {NOTHING_CHANGED}{}",
                limit.advice("run")
            ),
            Locked::ByOther(Holder { identity, .. }) => {
                if !std::mem::replace(&mut has_waited, true) {
                    say(&format!("Waiting until {identity} releases the Lease {name}"));
                }
            }
        }
    }
}

/// The error that Locust is busy, with the run that holds the Lease of the target.
async fn with_holder(error: Error, client: &Client, target: &Target) -> Error {
    let mut lock = RunLock::new(target);
    match lock.holder(client).await {
        Some(Holder { identity, since, .. }) => {
            anyhow!("{error}. {identity} has held the Lease {} since {since}", lock.name())
        }
        None => error,
    }
}

fn lost_lock(target: &Target, holder: &Holder) -> String {
    format!(
        "Warning: another run has started to use {target}, because this one could not renew its Lease. \
         The other run is {}",
        holder.identity
    )
}

/// Runs the user's command while the workers are scaled up.
async fn run_around(
    site: &Site<'_>,
    plan: &Plan,
    words: &[OsString],
    location: &LocustLocation,
    follow_up: &FollowUp,
    interruptions: &mut Interruptions,
) -> Result<(), Failed> {
    let (mut undo, mut timeline) = (Undo::default(), Timeline::default());
    let result = match site.scale_up(plan, &mut undo, &mut timeline, interruptions).await {
        Ok(_) => {
            undo.test = TestToStop::OfCommand;
            site.run_command(words, location, interruptions).await
        }
        Err(ended) => Err(ended),
    };
    let cleaned = clean_up(site, plan, follow_up, undo, interruptions).await;
    conclude(result, cleaned.errors, interruptions.first())
}

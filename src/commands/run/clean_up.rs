//! Undoes the changes of a run, in every case.

use std::time::Duration;

use anyhow::{Error, anyhow};

use super::super::follow_up::FollowUp;
use super::check::Plan;
use super::interruptions::{Haste, Interruptions, SIGNAL_LIMIT};
use super::site::{Locust, Site};
use super::undo::{TestToStop, Undo};
use crate::output::sentence_of;
use crate::run::{
    OtherTest, PutBack, ReplacedCount, WasRunning, cancel_start, other_test, put_back, stop_test,
    until_idle,
};
use crate::scaling::{ScaleError, Target, count_text, pods_of};
use crate::text::quantity;
use crate::text::terminal::{harmless, on_one_line, say};

/// Time limit for Locust to stop a test.
const STOP_LIMIT: Duration = Duration::from_secs(90);

/// The result of [`clean_up`].
pub(super) struct CleanUp {
    /// Each error says how to do the same by hand.
    pub errors: Vec<Error>,
    /// `None` if the run had no count to put back, or if that failed.
    pub count: Option<PutBack>,
    /// `None` if there was no test to stop, or if that failed.
    pub test: Option<WasRunning>,
}

/// Stops the test of this run, and puts the old count back, both at the same time.
///
/// Workers are removed when Locust has stopped the test, when it does not answer, or after [`SIGNAL_LIMIT`]. The
/// masters of older releases break when several workers leave a running test (locust#3515). In every release, if
/// a worker leaves while the test stops, the master counts it as ready again.
///
/// If this run has no test to stop, and somebody else's test is running, no workers are removed.
pub(super) async fn clean_up(
    site: &Site<'_>,
    plan: &Plan,
    follow_up: &FollowUp,
    undo: Undo,
    interruptions: &mut Interruptions,
) -> CleanUp {
    let count = undo.count.filter(|_| !plan.keeps_count);
    let test = match undo.test {
        TestToStop::OfCommand if plan.keeps_count => TestToStop::None,
        test => test,
    };
    let locust = site.locust.as_ref().filter(|_| test != TestToStop::None);
    if interruptions.first().is_some() && (count.is_some() || locust.is_some()) {
        interruptions.announce();
    }
    let mut stopped = None;
    let mut restored = None;
    let stop = async {
        let result = match locust {
            Some(locust) => stop(locust, test, plan).await.map(Some),
            None => Ok(None),
        };
        stopped = Some(result);
    };
    let restore = async {
        let result = match count {
            Some(count) => {
                let other = match locust {
                    Some(locust) => {
                        until_idle(&locust.master, SIGNAL_LIMIT).await;
                        None
                    }
                    None => test_of_others(site, count).await,
                };
                match other {
                    Some(other) => Err(left_for(site.target, count, follow_up, &other)),
                    None => restore(site, count, plan, follow_up).await.map(Some),
                }
            }
            None => Ok(None),
        };
        restored = Some(result);
    };
    let mut work = Box::pin(async { tokio::join!(stop, restore) });
    while interruptions.haste() < Haste::AtOnce {
        tokio::select! {
            _ = &mut work => break,
            _ = interruptions.next() => interruptions.announce(),
        }
    }
    drop(work);
    let mut errors = Vec::new();
    let mut was_running = None;
    match stopped {
        Some(Ok(result)) => was_running = result,
        Some(Err(error)) => errors.push(error),
        None => errors.extend(locust.map(|locust| not_stopped(locust, "interrupted"))),
    }
    let mut put_back = None;
    match (restored, count) {
        (Some(Ok(result)), _) => put_back = result,
        (Some(Err(error)), _) => errors.push(error),
        (None, Some(count)) => {
            errors.push(not_restored(site.target, count, follow_up, "interrupted"));
        }
        (None, None) => {}
    }
    CleanUp { errors, count: put_back, test: was_running }
}

/// Stops the test, if it is still running.
async fn stop(locust: &Locust<'_>, test: TestToStop, plan: &Plan) -> Result<WasRunning, Error> {
    let limit = plan.limit().min(STOP_LIMIT);
    let stopped = match test {
        TestToStop::Starting => cancel_start(&locust.master, limit).await,
        _ => stop_test(&locust.master, limit).await,
    };
    if stopped == Ok(WasRunning::Yes) {
        say(match test {
            TestToStop::OfCommand => "The command left a test running, so locustctl stopped it",
            _ => "locustctl stopped the test",
        });
    }
    stopped.map_err(|error| not_stopped(locust, &error))
}

fn not_stopped(locust: &Locust<'_>, why: &str) -> Error {
    let place = locust.master.place();
    anyhow!(
        "{}",
        harmless(&format!(
            "stopping the test of Locust at {place}: {why}; if it is still running, press Stop in Locust's page"
        ))
    )
}

/// A test that somebody else runs on the workers, if the old count would remove some of them.
async fn test_of_others(site: &Site<'_>, count: ReplacedCount) -> Option<OtherTest> {
    let locust = site.locust.as_ref().filter(|_| count.was_raised())?;
    let other = other_test(&locust.master, SIGNAL_LIMIT).await?;
    // If somebody else has changed the count, it is not put back anyway.
    let now = pods_of(site.client, site.target).await;
    now.map_or(true, |own| own.replicas == count.new).then_some(other)
}

/// Puts the old count back, and says so.
async fn restore(
    site: &Site<'_>,
    count: ReplacedCount,
    plan: &Plan,
    follow_up: &FollowUp,
) -> Result<PutBack, Error> {
    let target = site.target;
    let (old, new) = (count_text(count.old), count.new);
    let result = put_back(site.client, target, count, plan.limit()).await;
    match &result {
        Ok(PutBack::Done) => say(&format!("{target} scaled back from {new} to {old}")),
        Ok(PutBack::Unchanged) => {}
        Ok(PutBack::AlreadyOld) => {
            say(&format!(
                "{target} is at {old}, as before the run, so locustctl did not scale it back"
            ));
        }
        Ok(PutBack::NoOldCount) => {
            say(&format!(
                "Warning: {target} had no number of replicas before, so it stays at {new}"
            ));
        }
        Ok(PutBack::Overtaken { now }) => say(&format!(
            "Warning: {target} stays at {}, because somebody else scaled it during the run. Before the run \
             it was at {old}",
            count_text(*now)
        )),
        Err(_) => {}
    }
    result.map_err(|error| {
        let text = match &error {
            ScaleError::Api(error) => sentence_of(error),
            error => error.to_string(),
        };
        not_restored(target, count, follow_up, &text)
    })
}

fn left_for(
    target: &Target,
    count: ReplacedCount,
    follow_up: &FollowUp,
    other: &OtherTest,
) -> Error {
    let command = follow_up.scale_command(target, count.new, count.old.unwrap_or_default());
    let OtherTest { state, users } = other;
    anyhow!(
        "putting the old number of workers back: somebody else's test uses the workers (state {}, {}); to do \
         it when that test has ended, run: {command}",
        on_one_line(state),
        quantity(users, "user")
    )
}

fn not_restored(target: &Target, count: ReplacedCount, follow_up: &FollowUp, why: &str) -> Error {
    let old = count.old.unwrap_or_default();
    let command = follow_up.scale_command(target, count.new, old);
    anyhow!("putting the old number of workers back: {why}; to do it by hand, run: {command}")
}

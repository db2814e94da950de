//! A scale that knows of Locust: what it would cost a running test is said before, and made good
//! after.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Error, anyhow, bail};

use super::super::locust::Asked;
use crate::api::Client;
use crate::cli::Rebalance;
use crate::locust::{Master, Stats};
use crate::scaling::{NewCount, Order, Target, give_back, settle};
use crate::terminal::{harmless, say};

/// Locust and its test, as they were before the scale.
pub(super) struct Swarm<'a> {
    master: Master<'a>,
    before: Stats,
}

impl<'a> Swarm<'a> {
    /// Looks at Locust. `None` when there is none.
    ///
    /// # Errors
    /// It was said where Locust is, and it does not tell.
    pub(super) async fn look(
        client: &'a Client,
        asked: &Asked,
        orders: &[Order],
    ) -> Result<Option<Self>, Error> {
        let Some(order) = orders.first() else { return Ok(None) };
        let Some(master) = asked.master(client, &order.target).await? else { return Ok(None) };
        let before = master.stats().await?;
        Ok(Some(Self { master, before }))
    }

    /// Whether a test is under way.
    pub(super) fn is_running(&self) -> bool {
        self.before.is_running()
    }

    /// Says what the scale costs a running test; on a terminal it is asked whether to go on.
    ///
    /// # Errors
    /// It was not meant so.
    pub(super) fn confirm(&self, orders: &[Order], is_meant: bool) -> Result<(), Error> {
        let Some(text) = cost(&self.before, orders).filter(|_| !is_meant) else { return Ok(()) };
        let is_asked = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if !is_asked {
            say(&format!("Warning: {text}"));
            return Ok(());
        }
        say(&text);
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "Go on? [y/N] ").and_then(|()| stderr.flush());
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => bail!("nothing was changed (--yes does not ask)"),
        }
    }

    /// Waits until Locust counts the workers, and gives the test its users back. What was done is
    /// said on stderr; what is wrong is given.
    pub(super) async fn finish(
        &self,
        client: &Client,
        targets: &[Target],
        limit: Duration,
        rebalance: Rebalance,
    ) -> Vec<Error> {
        let mut errors = Vec::new();
        match settle(client, &self.master, targets, limit).await {
            Ok(1) => say("Locust counts 1 worker"),
            Ok(count) => say(&format!("Locust counts {count} workers")),
            Err(unsettled) => errors.push(anyhow!("{}", harmless(&unsettled.to_string()))),
        }
        if !self.is_running() {
            return errors;
        }
        let before = Some(&self.before);
        match give_back(&self.master, before, rebalance == Rebalance::Auto).await {
            Ok(outcome) if outcome.is_well() || rebalance == Rebalance::Never => {
                say(&harmless(&outcome.to_string()));
            }
            Ok(outcome) => errors.push(anyhow!("{}", harmless(&outcome.to_string()))),
            Err(error) => errors.push(anyhow!(
                "the scale stands, but whether the test has its users is not known: {error}"
            )),
        }
        errors
    }
}

/// What a running test loses; `None` when nothing.
fn cost(before: &Stats, orders: &[Order]) -> Option<String> {
    let workers = i64::try_from(before.counted().count()).ok()?;
    let [order] = orders else { return None };
    if !before.is_running() || workers == 0 {
        return None;
    }
    let new = match order.new {
        NewCount::Exactly(count) => i64::from(count),
        NewCount::By(by) => workers.saturating_add(by).max(0),
    };
    let leaving = workers - new;
    if leaving <= 0 {
        return None;
    }
    let users = before.user_count;
    Some(match new {
        0 => format!("a test is running with {users} users: without workers it ends"),
        _ => format!(
            "a test is running with {users} users on {workers} workers; {leaving} of them will leave, \
             and up to 3 s of their statistics are lost"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locust::Worker;
    use crate::scaling::{Condition, DryRun, ObjectSource};

    fn order(new: NewCount) -> Order {
        Order {
            target: Target::for_test("locust-slave"),
            new,
            condition: Condition::default(),
            dry_run: DryRun::None,
            object: ObjectSource::None,
            known: None,
            limits: None,
            change_cause: None,
        }
    }

    #[test]
    fn what_a_running_test_loses_is_said() {
        let stats = |state: &str, workers: usize| Stats {
            state: state.to_owned(),
            user_count: 60,
            workers: Some(vec![Worker::default(); workers]),
            ..Stats::default()
        };
        let leave = "a test is running with 60 users on 5 workers; 4 of them will leave, and up to 3 s of their statistics are lost";
        let ends = "a test is running with 60 users: without workers it ends";
        for (before, new, expected) in [
            (stats("running", 5), NewCount::Exactly(1), Some(leave)),
            (stats("running", 5), NewCount::By(-4), Some(leave)),
            (stats("spawning", 5), NewCount::Exactly(0), Some(ends)),
            (stats("running", 5), NewCount::By(-9), Some(ends)),
            (stats("running", 5), NewCount::Exactly(5), None),
            (stats("running", 5), NewCount::Exactly(9), None),
            (stats("stopped", 5), NewCount::Exactly(0), None),
            (stats("running", 0), NewCount::Exactly(0), None),
        ] {
            assert_eq!(cost(&before, &[order(new)]).as_deref(), expected, "{new:?}");
        }
    }
}

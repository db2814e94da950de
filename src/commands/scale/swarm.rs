//! A scale that knows of Locust: what it would cost a running test is said before, and made good
//! after.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Error, anyhow, bail};

use super::super::again::Again;
use crate::api::Client;
use crate::cli::Rebalance;
use crate::locust::{Master, Stats, Worker, is_pod_of};
use crate::scaling::{
    Change, GivenBack, Order, Target, Test, Whereabouts, cost, give_back, may_hold_workers,
    ready_pods, settle,
};
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
        asked: &Whereabouts,
        orders: &[Order],
    ) -> Result<Option<Self>, Error> {
        // By the name of one of them it is found; not by that of the master itself.
        for order in orders {
            if let Some(master) = asked.master(client, &order.target).await? {
                let before = master.stats().await?;
                return Ok(Some(Self { master, before }));
            }
        }
        Ok(None)
    }

    /// Whether a test is under way.
    pub(super) fn is_running(&self) -> bool {
        self.before.is_running()
    }

    fn cost(&self, orders: &[Order]) -> Option<String> {
        let all = i64::try_from(self.before.counted().count()).ok()?;
        let test = Test { state: &self.before.state, users: self.before.user_count, workers: all };
        let changes: Vec<_> = orders.iter().map(|order| self.change(order)).collect();
        cost(test, &changes)
    }

    fn change(&self, order: &Order) -> Change {
        let own = self.before.counted().filter(|one| is_pod_of(one.pod(), &order.target.name));
        let pods: Vec<_> = own.map(Worker::pod).collect();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let workers = count(pods.len());
        let pods = count(pods.into_iter().collect::<BTreeSet<_>>().len());
        Change { workers, pods, new: order.new }
    }

    /// Says what the scale costs a running test; on a terminal it is asked whether to go on.
    ///
    /// # Errors
    /// It was not meant so.
    pub(super) fn confirm(&self, orders: &[Order], is_meant: bool) -> Result<(), Error> {
        let Some(text) = self.cost(orders).filter(|_| !is_meant) else { return Ok(()) };
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
        again: &Again,
    ) -> Vec<Error> {
        let mut errors = Vec::new();
        let targets: Vec<_> = targets.iter().filter(|target| may_hold_workers(target)).collect();
        let owners: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
        let pods = || ready_pods_of(client, &targets);
        match settle(&self.master, &owners, limit, pods).await {
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
                if matches!(outcome, GivenBack::NotAsked { .. })
                    && let Some(target) = targets.first()
                {
                    let command = again.command("rebalance", target);
                    say(&format!("{command} gives the test its users back"));
                }
            }
            Ok(outcome) => errors.push(anyhow!("{}", harmless(&outcome.to_string()))),
            Err(error) => errors.push(anyhow!(
                "the scale stands, but whether the test has its users is not known: {error}"
            )),
        }
        errors
    }
}

async fn ready_pods_of(client: &Client, targets: &[&Target]) -> Result<BTreeSet<String>, String> {
    let mut pods = BTreeSet::new();
    for target in targets {
        pods.extend(ready_pods(client, target).await.map_err(|error| error.to_string())?);
    }
    Ok(pods)
}

//! A scale during a running test: warns about losses before the change, and redistributes the users
//! after it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Error, anyhow, bail};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::super::follow_up::FollowUp;
use super::super::question;
use super::display::Display;
use super::test_pods::{TargetPods, max_leaving, ready_pods, unlisted};
use super::worker_display::WorkerDisplay;
use crate::cli;
use crate::cluster::api::Client;
use crate::locust::{
    LOOK_PERIOD, Look, Master, Outcome, PodChange, Rebalance, RebalanceMode, StartInProgress,
    StartMemory, Steps, Test, UserStart, Verdict, WorkerPods, breaks_by_leaving, breaks_by_one_pod,
    burst_warning, connected_text, cost, ends_test, follow_workers, judge, may_hold_workers,
    renewed_look, reset_warning, steps_for, steps_text, wait_for_workers, wait_until_moved,
    wait_until_spawned,
};
use crate::scaling::{Order, Target, Wait, WaitCondition, pods_of, wait};
use crate::text::go;
use crate::text::quantity;
use crate::text::terminal::{harmless, say};

/// The progress of [`RunningTest::redistribute_users`].
pub(super) struct RepairProgress {
    pub in_progress: StartInProgress,
    pub display: WorkerDisplay,
}

/// Locust and its test before the scale.
pub(super) struct RunningTest<'a> {
    client: &'a Client,
    master: Master<'a>,
    before: Look,
    /// The last look between two steps, if the test was started again or edited since `before`.
    renewed: Mutex<Option<Look>>,
    /// The replicas and the pods of each order's target.
    targets: Vec<TargetPods>,
    /// The targets that have connected workers.
    worker_targets: Vec<Target>,
}

impl<'a> RunningTest<'a> {
    /// The test at a look `before` the orders. `targets` has the pods of each order's target.
    pub(super) fn new(
        client: &'a Client,
        master: Master<'a>,
        before: Look,
        targets: Vec<TargetPods>,
        orders: &[Order],
    ) -> Self {
        let (renewed, worker_targets) = Default::default();
        let test = Self { client, master, before, renewed, targets, worker_targets };
        let worker_targets = test.targets_with_workers(orders);
        Self { worker_targets, ..test }
    }

    /// A test is starting its users, or has them.
    pub(super) fn is_running(&self) -> bool {
        self.before.is_running()
    }

    /// Prints what a running test loses by the scale. On a terminal it asks for confirmation.
    ///
    /// # Errors
    /// The user does not confirm, or the release breaks if several pods leave at once, and the pods
    /// cannot be listed.
    pub(super) async fn confirm_losses(
        &self,
        orders: &[Order],
        args: &cli::ScaleArgs,
    ) -> Result<(), Error> {
        if self.needs_sequence(orders, args)
            && let Some(unlisted) = unlisted(orders, &self.targets)
        {
            bail!("{}", harmless(&unlisted.refusal()));
        }
        let changes: Vec<_> =
            orders.iter().zip(&self.targets).map(|(order, own)| self.change(order, own)).collect();
        let workers = i64::try_from(self.before.worker_count())?;
        let test = Test { state: self.before.state(), users: self.before.users(), workers };
        let mut losses: Vec<_> = cost(test, &changes).into_iter().collect();
        losses.extend(breaks_by_one_pod(&self.before, &changes));
        let unlisted = unlisted(orders, &self.targets).filter(|_| self.is_running());
        losses.extend(unlisted.map(|unlisted| harmless(&unlisted.loss(test))));
        let steps: i64 = (0..orders.len())
            .filter_map(|index| self.steps(orders, index, args))
            .filter(|steps| steps.are_several())
            .map(Steps::count)
            .sum();
        if let Ok(steps @ 1..) = u64::try_from(steps) {
            let version = self.before.page.as_ref().map_or("", |page| &page.version);
            let ends = ends_test(test, &changes);
            say(&format!("Note: {}", harmless(&steps_text(version, steps, ends))));
        }
        let health = judge(&self.before, None, None);
        let moves_users = changes.iter().any(|change| change.moves_users())
            || (args.rebalance != cli::Rebalance::Never && health.needs_rebalance());
        if moves_users && !ends_test(test, &changes) {
            losses.extend(reset_warning(&self.before));
        }
        if args.rebalance != cli::Rebalance::Never {
            let start = match args.rebalance == cli::Rebalance::Ramp {
                true => UserStart::Ramp,
                false => UserStart::AtOnceWithRampHint,
            };
            losses.extend(burst_warning(&self.before, &health, &changes, start));
        }
        question::confirm(&losses, args.yes).await
    }

    fn targets_with_workers(&self, orders: &[Order]) -> Vec<Target> {
        let all = orders.iter().zip(&self.targets);
        let holders = all.filter(|(order, own)| self.change(order, own).workers > 0);
        let mut targets: Vec<Target> = Vec::new();
        for (order, _) in holders {
            if !targets.contains(&order.target) {
                targets.push(order.target.clone());
            }
        }
        targets
    }

    /// These targets, and the other ones that have workers of this Locust. Their pods together hold all
    /// workers of the orders.
    fn with_other_workers(&self, targets: &[Target]) -> Vec<Target> {
        let others = self.worker_targets.iter().filter(|other| !targets.contains(other));
        targets.iter().chain(others).cloned().collect()
    }

    fn change(&self, order: &Order, own: &TargetPods) -> PodChange {
        let pods = own.known().map(|own| WorkerPods::new(&own.pods));
        let owned = self
            .before
            .stats
            .connected()
            .filter(|worker| pods.as_ref().is_some_and(|pods| pods.owns(worker)));
        let host = |worker| pods.as_ref().map(|pods| pods.host_of(worker));
        let hosts: Vec<_> = owned.map(host).collect();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let workers = count(hosts.len());
        let pods = count(hosts.into_iter().collect::<BTreeSet<_>>().len());
        PodChange { workers, pods, new: order.new }
    }

    /// The steps of the order with this index; `None` if it can be made at once, even if another
    /// client changes the count first.
    pub(super) fn steps(
        &self,
        orders: &[Order],
        index: usize,
        args: &cli::ScaleArgs,
    ) -> Option<Steps> {
        let (order, pods) = (&orders[index], &self.targets[index]);
        let own = pods.known().filter(|_| !args.at_once && self.change(order, pods).workers > 0)?;
        steps_for(order, own.replicas, &self.before)
    }

    /// The pods of the target of the order with this index, before the change.
    pub(super) fn pods_before(&self, index: usize) -> &TargetPods {
        &self.targets[index]
    }

    /// The orders must be carried out one after another: together they remove two or more pods from a
    /// running test, and its release of Locust breaks by that.
    pub(super) fn needs_sequence(&self, orders: &[Order], args: &cli::ScaleArgs) -> bool {
        !args.at_once && max_leaving(orders, &self.targets) >= 2 && breaks_by_leaving(&self.before)
    }

    /// Waits until the target has only `count` pods, and the worker of the last pod that ended has left
    /// Locust.
    ///
    /// # Errors
    /// The reason, if this takes longer than the limit.
    pub(super) async fn wait_until_left(
        &self,
        target: &Target,
        count: i64,
        limit: Duration,
    ) -> Result<(), String> {
        let waits = [Wait { target: target.clone(), requested: count }];
        let mut display = Display::silent(&waits);
        let limit_of_go = go::Duration::from_std(limit);
        let outcomes =
            wait(self.client, &waits, WaitCondition::Ready, limit_of_go, &mut display).await;
        if let Some(Err(unmet)) = outcomes.into_iter().next() {
            return Err(unmet.to_string());
        }
        let all = self.with_other_workers(std::slice::from_ref(target));
        let pods = || ready_pods(self.client, &all);
        let settled = wait_for_workers(&self.master, &self.before, limit, pods).await;
        settled.map_err(|difference| difference.to_string())?;
        wait_until_spawned(&self.master, limit).await?;
        let pods = pods().await.ok();
        self.renew(self.with_earlier(pods)).await;
        Ok(())
    }

    /// Waits until workers that were removed before the orders have left Locust. If another worker left at the
    /// same time, the master of the releases that break would do so.
    ///
    /// # Errors
    /// The reason, if this takes longer than the limit.
    pub(super) async fn wait_for_removed(
        &self,
        orders: &[Order],
        limit: Duration,
    ) -> Result<(), String> {
        let end = Instant::now() + limit;
        let (mut is_first, mut is_told) = (true, false);
        loop {
            let why = match self.look_for_removed(orders).await {
                Ok(look) if look.are_workers_counted_only() => return Ok(()),
                Ok(look) if !look.has_current_workers() => {
                    "Locust's statistics do not show its current workers".to_owned()
                }
                Ok(look) if is_left(&look) => {
                    if !is_first || look.state() == "spawning" {
                        wait_until_moved(&self.master).await;
                        self.renew(look.pods).await;
                    }
                    return Ok(());
                }
                Ok(_) => {
                    if !std::mem::replace(&mut is_told, true) {
                        say("Waiting until workers that were removed earlier have left Locust");
                    }
                    "they are still connected".to_owned()
                }
                Err(why) => why,
            };
            if Instant::now() + LOOK_PERIOD > end {
                return Err(format!("after {}: {why}", go::Duration::from_std(limit)));
            }
            is_first = false;
            sleep(LOOK_PERIOD).await;
        }
    }

    /// Looks at the workers in the pods of all targets.
    async fn look_for_removed(&self, orders: &[Order]) -> Result<Look, String> {
        let mut seen: Vec<&Target> = Vec::new();
        let mut pods = Vec::new();
        for (Order { target, .. }, before) in orders.iter().zip(&self.targets) {
            if before.known().is_some() && may_hold_workers(target) && !seen.contains(&target) {
                seen.push(target);
                let own = pods_of(self.client, target).await.map_err(|error| error.to_string())?;
                pods.extend(own.pods);
            }
        }
        let pods = self.with_earlier(Some(WorkerPods::new(&pods)));
        let look = Look::take(&self.master, pods).await;
        look.map_err(|error| error.to_string())
    }

    /// Looks at the test again, because it may have been started again or edited.
    async fn renew(&self, pods: Option<WorkerPods>) {
        let last = self.last_before();
        if let Some(look) = renewed_look(&self.master, pods, &last).await {
            *self.renewed.lock() = Some(look);
        }
    }

    /// The last look at the test before it lost users.
    fn last_before(&self) -> Look {
        self.renewed.lock().clone().unwrap_or_else(|| self.before.clone())
    }

    /// These pods, with the names of the earlier ones.
    fn with_earlier(&self, pods: Option<WorkerPods>) -> Option<WorkerPods> {
        pods.map(|now| match &self.before.pods {
            Some(before) => now.remember(before),
            None => now,
        })
    }

    /// Waits until the workers are connected, and redistributes the users. Prints the result to stderr
    /// and returns the errors.
    pub(super) async fn redistribute_users(
        &self,
        targets: &[Target],
        limit: Duration,
        mode: cli::Rebalance,
        progress: &RepairProgress,
        follow_up: &FollowUp,
    ) -> Vec<Error> {
        let mut errors = Vec::new();
        let targets: Vec<_> =
            targets.iter().filter(|target| may_hold_workers(target)).cloned().collect();
        let all = self.with_other_workers(&targets);
        let pods = || ready_pods(self.client, &all);
        let mut settled = None;
        let RepairProgress { in_progress, display } = progress;
        let on_look = |difference: &_| display.update(difference);
        let connected = follow_workers(&self.master, &self.before, limit, pods, on_look).await;
        display.end();
        match connected {
            Ok(count) => {
                settled = Some(count);
                say(&connected_text(count));
            }
            Err(difference) => {
                errors.push(anyhow!("{}", harmless(&difference.to_string())));
                if difference.is_master_broken {
                    return errors;
                }
            }
        }
        let all_pods = self.with_earlier(pods().await.ok());
        // Without a test before the change, one may have been started since then.
        let before = self.is_running().then(|| self.last_before());
        let memory = StartMemory::of_user();
        let rebalance = Rebalance {
            master: &self.master,
            mode: match mode {
                cli::Rebalance::Auto => RebalanceMode::AtOnce,
                cli::Rebalance::Ramp => RebalanceMode::Ramp,
                cli::Rebalance::Never => RebalanceMode::Never,
            },
            before: before.as_ref(),
            known: None,
            limit,
            workers: settled,
            memory: Some(&memory),
            repeats: true,
            on_attempt: None,
            on_start: None,
            in_progress: Some(in_progress),
        };
        match rebalance.run(all_pods, &mut |text| say(&harmless(text))).await {
            Ok(outcome)
                if before.is_none() && matches!(outcome.health().verdict, Verdict::NoTest) => {}
            Ok(outcome) if outcome.is_well() => tell(&outcome),
            Ok(outcome @ Outcome::Disabled(_)) => {
                tell(&outcome);
                self.suggest_redistribution(&outcome, &targets, follow_up);
            }
            Ok(outcome) => errors.push(anyhow!("{}", harmless(&outcome.to_string()))),
            // A later rebalance would take the lower number for the wanted one.
            Err(error @ crate::locust::Error::HalfRamp { .. }) => {
                let error = harmless(&error.to_string());
                errors.push(anyhow!("the workers were scaled, but {error}"));
            }
            Err(_) if before.is_none() && !errors.is_empty() => {}
            // The workers are connected, and there was no test that could lose users.
            Err(error) if before.is_none() => say(&harmless(&format!(
                "Note: no test was running before the scale, and Locust does not answer now: {error}"
            ))),
            Err(error) => errors.push(self.unknown(&error, &targets, follow_up)),
        }
        errors
    }
}

impl RunningTest<'_> {
    /// The error if Locust did not answer after the change, with the next step.
    fn unknown(
        &self,
        error: &crate::locust::Error,
        targets: &[Target],
        follow_up: &FollowUp,
    ) -> Error {
        let text = harmless(&format!(
            "the workers were scaled, but locustctl cannot tell whether the test has its users: {error}"
        ));
        let subcommand = if self.before.shows_requested_users() { "rebalance" } else { "status" };
        match targets.first() {
            Some(target) => {
                let command = follow_up.command(subcommand, target);
                anyhow!("{text}. When Locust answers again, run: {command}")
            }
            None => anyhow!("{text}"),
        }
    }

    /// Prints how to redistribute the users later. A later command knows their number only from
    /// releases whose page shows it.
    fn suggest_redistribution(&self, outcome: &Outcome, targets: &[Target], follow_up: &FollowUp) {
        let Some(target) = targets.first() else { return };
        match outcome.health().wanted.filter(|_| !self.before.shows_requested_users()) {
            Some(wanted) => say(&format!(
                "To start the missing users, press Edit in Locust's page and enter {}",
                quantity(wanted, "user")
            )),
            None => {
                let command = follow_up.command("rebalance", target);
                say(&format!("To redistribute the users, run: {command}"));
            }
        }
    }
}

/// Prints the outcome. If users are missing until the next step of a LoadTestShape, it is a warning.
fn tell(outcome: &Outcome) {
    let text = harmless(&outcome.to_string());
    match outcome.health().is_alarming() && outcome.is_well() {
        true => say(&format!("Warning: {text}")),
        false => say(&text),
    }
}

/// No worker of a removed pod is connected.
fn is_left(look: &Look) -> bool {
    let table = look.table();
    table.gone.is_empty() && table.terminating.is_empty()
}

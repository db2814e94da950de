//! The workers and Locust's master before the run.

use anyhow::{Error, anyhow, bail};

use super::super::follow_up::NAME_THE_MASTER;
use super::check::{Plan, Work};
use super::idle_limit::IdleLimit;
use super::scale_line::scale_line;
use crate::cluster::api::Client;
use crate::locust::{Address, LocustLocation, Look, Master, Search, WorkerPods, foreign_text};
use crate::output::{Failed, write_stdout};
use crate::run::{Idle, PhaseKind, Waiting, set_count, wait_for_idle};
use crate::scaling::{DryRun, OwnPods, Target};
use crate::text::quantity;
use crate::text::terminal::{harmless, on_one_line, say};

/// The workers and Locust's master before the run.
pub(super) struct Site<'a> {
    pub client: &'a Client,
    pub target: &'a Target,
    /// The count before the run.
    pub replicas: i64,
    /// `None` with `--locust=none`.
    pub locust: Option<Locust<'a>>,
}

/// Locust's master, and its state before the run.
pub(super) struct Locust<'a> {
    pub master: Master<'a>,
    pub before: Look,
}

impl<'a> Site<'a> {
    /// Finds Locust's master, and takes a look at it. `own` are the pods of the workers.
    ///
    /// # Errors
    /// There is no Locust for the workers.
    pub(super) async fn find(
        client: &'a Client,
        target: &'a Target,
        own: OwnPods,
        location: &LocustLocation,
    ) -> Result<Self, Error> {
        let pods = WorkerPods::new(&own.pods);
        let locust = match find_master(client, target, location, &pods).await? {
            None => None,
            Some(master) => {
                let look = Look::take(&master, Some(pods)).await;
                let before = look.map_err(|error| anyhow!("{}: {error}", PhaseKind::Find))?;
                Some(Locust { master, before })
            }
        };
        Ok(Self { client, target, replicas: own.replicas, locust })
    }

    /// Prints which Locust is used.
    pub(super) fn announce(&self) {
        if let Some(Locust { master, .. }) = &self.locust {
            say(&on_one_line(&format!("Using Locust at {}", master.place())));
        }
    }

    /// Refuses to run beside another test, or waits for its end until the limit is over. Returns true if it had
    /// to wait. `note` is a sentence for the error.
    ///
    /// # Errors
    /// A test is running, or Locust does not answer.
    pub(super) async fn check_idle(
        &self,
        plan: &Plan,
        limit: &IdleLimit,
        note: &str,
    ) -> Result<bool, Error> {
        let mut has_waited = false;
        let Some(Locust { master, .. }) = &self.locust else { return Ok(has_waited) };
        let place = on_one_line(&master.place()).into_owned();
        let tell = |waiting: Waiting<'_>| {
            has_waited = true;
            say(&harmless(&match waiting {
                Waiting::Busy(state) => {
                    format!("Waiting until Locust at {place} is idle; its state is {state}")
                }
                Waiting::NoAnswer(error) => {
                    format!("Waiting until Locust at {place} answers: {error}")
                }
            }));
        };
        let idle = wait_for_idle(master, limit.left(), plan.limit(), tell).await;
        match idle.map_err(|error| anyhow!("{}: {error}", PhaseKind::Idle))? {
            Idle::Yes => Ok(has_waited),
            Idle::No { state, users } => bail!(
                "Locust at {place} is running a test: its state is {}, with {}. {note}{}",
                on_one_line(&state),
                quantity(users, "user"),
                limit.advice("test")
            ),
        }
    }

    /// Lets the server check the scale, and prints what the run would do.
    ///
    /// # Errors
    /// The server refuses the scale.
    pub(super) async fn dry_run(&self, plan: &Plan) -> Result<(), Failed> {
        if let Some(count) = plan.replicas {
            let scaled = set_count(self.client, self.target, count, DryRun::Server).await?;
            write_stdout(&format!("{}\n", scale_line(self.target, &scaled, " (server dry run)")))?;
        }
        let line = match &plan.work {
            Work::Command(words) => {
                let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
                format!("{} (dry run: the command was not run)", harmless(&words.join(" ")))
            }
            Work::Test(_) => "The test can be started (dry run: it was not started)".to_owned(),
        };
        Ok(write_stdout(&format!("{line}\n"))?)
    }
}

/// Finds Locust's master. Returns `None` with `--locust=none`.
async fn find_master<'a>(
    client: &'a Client,
    target: &Target,
    location: &LocustLocation,
    pods: &WorkerPods,
) -> Result<Option<Master<'a>>, Error> {
    let namespace = &target.namespace;
    let search = location.find(client, target, Some(pods)).await;
    match search.map_err(|error| anyhow!("{}: {error}", PhaseKind::Find))? {
        Search::Found(master) => Ok(Some(*master)),
        Search::Absent if location.address == Address::None => Ok(None),
        Search::Absent => {
            bail!("no Locust was found for {target} in namespace {namespace}; {NAME_THE_MASTER}")
        }
        Search::Foreign { place, workers } => {
            bail!("{}; {NAME_THE_MASTER}", foreign_text(&place, workers, target))
        }
    }
}

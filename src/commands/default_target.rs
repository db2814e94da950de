//! The workers to use if no target was named and the default target does not exist.

use std::io::IsTerminal;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::follow_up::{FollowUp, typed_name};
use super::target::RequestedTargets;
use crate::cluster::api::{Client, Error};
use crate::locust::{Installed, Survey, survey};
use crate::output::sentence_of;
use crate::scaling::Target;
use crate::text::terminal::{on_one_line, say};

/// Time limit of the LISTs.
const LIMIT: Duration = Duration::from_secs(10);

/// Maximum number of commands in the hints.
const MAX_COMMANDS: usize = 10;

/// The use that a command makes of workers that it found in place of the default target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The command only shows them, or shows them before a user changes them.
    Show,
    /// The command changes them at once. In a script, they must be named: while a Locust is being deployed, the
    /// only other Locust of the namespace can be that of another team.
    Change,
}

/// The search for workers in the namespace. It takes place once, and only if the default target does not
/// exist.
pub struct WorkerSearch {
    /// True if nothing was named.
    is_default: bool,
    /// The hint if the target was named by a variable.
    variable: Option<String>,
    found: OnceCell<Option<Survey>>,
}

impl WorkerSearch {
    pub fn new(requested: &RequestedTargets) -> Self {
        Self {
            is_default: requested.is_default(),
            variable: requested.hint_at_variable(),
            found: OnceCell::new(),
        }
    }

    /// A search for a command whose target was named.
    pub fn unused() -> Self {
        Self { is_default: false, variable: None, found: OnceCell::new() }
    }

    /// True if nothing was named, so the target is the default one.
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// The hint that the target was named by a variable, if it was.
    pub fn variable(&self) -> Option<&str> {
        self.variable.as_deref()
    }

    /// Reads the target. If it is the default one and does not exist, and exactly one object of the
    /// namespace is recognised as workers, reads that object instead, and `target` becomes that object.
    ///
    /// # Errors
    /// The target, or the object instead of it, cannot be read.
    pub async fn read<T>(
        &self,
        client: &Client,
        target: &mut Target,
        purpose: Purpose,
        read: impl AsyncFn(&Client, &Target) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let error = match read(client, target).await {
            Err(error) if is_missing(&error) => error,
            result => return result,
        };
        match self.instead_of(client, target, purpose).await {
            Some(found) => {
                *target = found;
                read(client, target).await
            }
            None => Err(error),
        }
    }

    /// The only workers of the namespace, with a note on stderr. `None` if the target was named, if there
    /// are no workers or several, if a LIST failed, or in a script that would change them.
    pub async fn instead_of(
        &self,
        client: &Client,
        missing: &Target,
        purpose: Purpose,
    ) -> Option<Target> {
        if !self.is_default || (purpose == Purpose::Change && !on_terminal()) {
            return None;
        }
        let survey = self.survey(client, &missing.namespace).await?;
        let mut workers = survey.workers();
        let (Some(only), None) = (workers.next(), workers.next()) else { return None };
        if !survey.errors.is_empty() {
            return None;
        }
        say(&on_one_line(&format!(
            "Note: {missing} does not exist. locustctl uses {}, the only workers of Locust in namespace {}",
            only.target, missing.namespace
        )));
        Some(only.target.clone())
    }

    /// The commands to type instead, one for each object that is recognised as workers, or why there are
    /// none.
    pub async fn hints(
        &self,
        client: &Client,
        missing: &Target,
        follow_up: &FollowUp,
        subcommand: &str,
    ) -> Vec<String> {
        let Some(survey) = self.survey(client, &missing.namespace).await else {
            return Vec::new();
        };
        let command = |installed: &Installed| {
            let target = &installed.target;
            let command = follow_up.command(subcommand, target);
            format!("{} looks like Locust workers: {command}", typed_name(target))
        };
        let mut hints: Vec<_> = survey.workers().take(MAX_COMMANDS).map(command).collect();
        if !self.is_default {
            // The user knows the name, and mistyped it.
        } else if let Some(error) = survey.errors.first() {
            let why = sentence_of(error);
            hints.push(format!("locustctl cannot look for other workers: {why}"));
        } else if hints.is_empty() {
            hints.push(format!(
                "No workers of Locust were found in namespace {}. To use another namespace, add \
                 --namespace=NAME; `locustctl status -A` lists those of all namespaces",
                missing.namespace
            ));
        }
        hints.iter().map(|hint| on_one_line(hint).into_owned()).collect()
    }

    async fn survey(&self, client: &Client, namespace: &str) -> Option<&Survey> {
        let look = || async { tokio::time::timeout(LIMIT, survey(client, namespace)).await.ok() };
        self.found.get_or_init(look).await.as_ref()
    }
}

/// A person can answer questions and read notes: stdin and stderr are a terminal.
pub fn on_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn is_missing(error: &Error) -> bool {
    error.status().is_some_and(|status| status.code == 404)
}

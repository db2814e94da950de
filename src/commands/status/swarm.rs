//! What Locust's master says, beside the pods that its workers should run in.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::api::Client;
use crate::locust::{Address, Error, Roster, Settings, Stats, Worker, roster};
use crate::scaling::{Target, Whereabouts, ready_pods};
use crate::terminal::{harmless, say};

/// The test and its workers; also part of the object of `-o json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Swarm {
    at: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    state: String,
    users: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    users_wanted: Option<f64>,
    requests_per_second: f64,
    failure_ratio: f64,
    workers: Vec<Row>,
    /// Ready pods that Locust does not count.
    not_counted: Vec<String>,
    /// Pods that are gone, though Locust counts a worker in them.
    gone: Vec<String>,
    #[serde(skip)]
    roster: Roster,
    /// Locust runs without workers.
    #[serde(skip)]
    is_alone: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    pod: String,
    state: String,
    users: i64,
    cpu_percent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<f64>,
}

/// Asks Locust; `None` when there is none, or it is not to be asked. Where it was only looked for,
/// that it does not tell is a note.
///
/// # Errors
/// It was said where Locust is, and it does not tell.
pub(super) async fn look(
    client: &Client,
    target: &Target,
    asked: &Whereabouts,
) -> Result<Option<Swarm>, Error> {
    match ask(client, target, asked).await {
        Err(error) if asked.address == Address::Auto => {
            say(&format!("Note: Locust cannot be asked: {error}"));
            Ok(None)
        }
        result => result,
    }
}

async fn ask(
    client: &Client,
    target: &Target,
    asked: &Whereabouts,
) -> Result<Option<Swarm>, Error> {
    let Some(master) = asked.master(client, target).await? else { return Ok(None) };
    let settings = master.settings().await?;
    let stats = master.stats().await?;
    let pods = match ready_pods(client, target).await {
        Ok(pods) => Some(pods),
        Err(error) => {
            say(&format!("Note: the pods of {target} cannot be looked at: {error}"));
            None
        }
    };
    Ok(Some(Swarm::new(master.place(), &stats, settings, pods.as_ref(), &target.name)))
}

impl Swarm {
    fn new(
        at: String,
        stats: &Stats,
        settings: Option<Settings>,
        pods: Option<&BTreeSet<String>>,
        target: &str,
    ) -> Self {
        let roster = roster(stats, pods, &[target]);
        let users = settings.as_ref().map_or(stats.user_count, |settings| settings.user_count);
        let told = settings.as_ref().filter(|settings| !settings.is_shaped());
        let wanted = told.and_then(|settings| settings.num_users);
        let row = |worker: &Worker| Row {
            pod: harmless(worker.pod()),
            state: harmless(&worker.state),
            users: worker.user_count,
            cpu_percent: worker.cpu_usage,
            memory_bytes: worker.memory_usage,
        };
        let mut workers: Vec<_> = stats.workers.iter().flatten().map(row).collect();
        workers.sort_by(|one, other| one.pod.cmp(&other.pod));
        Self {
            at,
            version: settings.map(|settings| harmless(&settings.version)).unwrap_or_default(),
            state: harmless(&stats.state),
            users,
            users_wanted: wanted.filter(|_| stats.is_running()),
            requests_per_second: stats.rate(),
            failure_ratio: stats.fail_ratio,
            workers,
            not_counted: roster.uncounted.clone(),
            gone: roster.orphaned.clone(),
            roster,
            is_alone: stats.workers.is_none(),
        }
    }

    /// Name and value, for the head of the text.
    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        let release = match self.version.as_str() {
            "" => String::new(),
            version => format!(", release {version}"),
        };
        let wanted = self.users_wanted.map(|wanted| format!(" of {wanted}")).unwrap_or_default();
        let test = format!(
            "{}, {}{wanted} users, {:.1} requests/s, {:.1} % failures",
            self.state,
            self.users,
            self.requests_per_second,
            self.failure_ratio * 100.0
        );
        let workers = match self.is_alone {
            true => "none: Locust runs in a single process".to_owned(),
            false => format!("{} counted by Locust", self.counted()),
        };
        vec![("Locust", format!("{}{release}", self.at)), ("Test", test), ("Workers", workers)]
    }

    fn counted(&self) -> usize {
        self.workers.iter().filter(|row| row.state != "missing").count()
    }

    /// The workers, one on each line.
    pub(super) fn table(&self) -> String {
        if self.workers.is_empty() {
            return String::new();
        }
        let longest = self.workers.iter().map(|row| row.pod.chars().count()).max().unwrap_or(0);
        let width = longest.max(6);
        let mut text = format!("\n{:<width$}  STATE     USERS  CPU    MEMORY\n", "WORKER");
        for Row { pod, state, users, cpu_percent, memory_bytes } in &self.workers {
            let memory = memory_bytes
                .map_or_else(|| "-".to_owned(), |bytes| format!("{:.0} MB", bytes / 1e6));
            let cpu = format!("{cpu_percent:.0} %");
            text.push_str(&format!("{pod:<width$}  {state:<8}  {users:<5}  {cpu:<5}  {memory}\n"));
        }
        text
    }

    /// What is not as it should be, in sentences.
    pub(super) fn warnings(&self) -> Vec<String> {
        let lost = self.users_wanted.filter(|_| self.has_lost_users()).map(|wanted| {
            format!("the test has {} of the {wanted} users that it wants", self.users)
        });
        self.roster.notes().into_iter().chain(lost).collect()
    }

    /// Whether `locustctl rebalance` has something to do.
    pub(super) fn needs_rebalance(&self) -> bool {
        // Fewer users than workers leave some idle anyhow.
        let are_enough = self.users_wanted.is_some_and(|wanted| wanted >= self.counted() as f64);
        self.has_lost_users() || (are_enough && !self.roster.idle.is_empty())
    }

    fn has_lost_users(&self) -> bool {
        let wanted = self.users_wanted.filter(|_| self.state == "running");
        wanted.is_some_and(|wanted| (self.users as f64) < wanted)
    }
}

//! The running test, and the workers with their pods.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::cluster::api::Client;
use crate::locust::{
    Address, Error, Health, LocustLocation, Look, Search, StartMemory, Verdict, Worker, WorkerPods,
    absent_text, examine, foreign_text, may_hold_workers,
};
use crate::scaling::{Target, pods_of};
use crate::text::quantity;
use crate::text::terminal::{on_one_line, say};

/// Locust caches its statistics for less than this time.
const CACHED: Duration = Duration::from_millis(2100);

/// The test and its workers, as a part of the status.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LocustStatus {
    #[serde(rename = "at")]
    address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    state: String,
    users: i64,
    #[serde(rename = "usersWanted", skip_serializing_if = "Option::is_none")]
    wanted_users: Option<u64>,
    requests_per_second: f64,
    failure_ratio: f64,
    workers: Vec<WorkerRow>,
    /// Ready pods without a connected worker.
    not_counted: Vec<String>,
    #[serde(skip)]
    connected: usize,
    #[serde(skip)]
    warnings: Vec<String>,
    #[serde(skip)]
    notes: Vec<String>,
    #[serde(skip)]
    needs_rebalance: bool,
    #[serde(skip)]
    is_single_process: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkerRow {
    pod: String,
    state: String,
    users: i64,
    cpu_percent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<f64>,
}

/// The result of a look at Locust.
pub(super) enum LocustLook {
    /// `--locust=none`, or the target cannot have workers.
    Skipped,
    /// The text says why there is no status, and what to do.
    Unknown(String),
    Found(Box<LocustStatus>),
}

/// Looks at Locust. With `--locust=auto`, a Locust that does not answer is no error.
///
/// # Errors
/// Locust does not answer at the given address.
pub(super) async fn look(
    client: &Client,
    target: &Target,
    location: &LocustLocation,
) -> Result<LocustLook, Error> {
    match ask(client, target, location).await {
        Err(error) if location.address == Address::Auto => {
            Ok(LocustLook::Unknown(on_one_line(&error.explanation()).into_owned()))
        }
        result => result,
    }
}

async fn ask(
    client: &Client,
    target: &Target,
    location: &LocustLocation,
) -> Result<LocustLook, Error> {
    if location.address == Address::None || !may_hold_workers(target) {
        return Ok(LocustLook::Skipped);
    }
    let own = pods_of(client, target).await;
    let pods = own.as_ref().ok().map(|own| WorkerPods::new(&own.pods));
    match location.find(client, target, pods.as_ref()).await? {
        Search::Found(master) => {
            if let Err(error) = own {
                say(&on_one_line(&format!("Note: the pods of {target} cannot be listed: {error}")));
            }
            let memory = StartMemory::of_user();
            let look = || examine(&master, pods.clone(), None, None, Some(&memory));
            let (mut now, mut health) = look().await?;
            // The statistics may be stale. A problem that they show may be solved by now.
            if !now.table().notes().is_empty() || !now.is_fresh() {
                tokio::time::sleep(CACHED).await;
                (now, health) = look().await?;
            }
            let status = LocustStatus::new(master.place(), &now, &health);
            Ok(LocustLook::Found(Box::new(status)))
        }
        Search::Absent => Ok(LocustLook::Unknown(absent_text(target))),
        Search::Foreign { place, workers } => {
            let text = foreign_text(&place, workers, target);
            Ok(LocustLook::Unknown(on_one_line(&text).into_owned()))
        }
    }
}

impl LocustLook {
    /// The status, if Locust was found.
    pub(super) fn status(&self) -> Option<&LocustStatus> {
        match self {
            Self::Found(status) => Some(status),
            Self::Skipped | Self::Unknown(_) => None,
        }
    }

    /// The reason why there is no status, although locustctl has looked for Locust.
    pub(super) fn problem(&self) -> Option<&str> {
        match self {
            Self::Unknown(problem) => Some(problem),
            Self::Skipped | Self::Found(_) => None,
        }
    }

    /// True if there is no status.
    pub(super) fn is_empty(&self) -> bool {
        self.status().is_none()
    }

    /// Names and values for the head of the text.
    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Skipped => Vec::new(),
            Self::Unknown(problem) => vec![("Locust", problem.clone())],
            Self::Found(status) => status.rows(),
        }
    }
}

impl Serialize for LocustLook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.status().serialize(serializer)
    }
}

impl LocustStatus {
    fn new(address: String, look: &Look, health: &Health) -> Self {
        let table = look.table();
        let harmless = |text: &str| on_one_line(text).into_owned();
        let row = |worker: &Worker| WorkerRow {
            pod: harmless(worker.host()),
            state: harmless(&worker.state),
            users: worker.user_count,
            cpu_percent: worker.cpu_usage,
            memory_bytes: worker.memory_usage,
        };
        let mut workers: Vec<_> = look.stats.workers.iter().flatten().map(row).collect();
        workers.sort_by(|one, other| one.pod.cmp(&other.pod));
        let (mut warnings, mut notes) = (look.worker_notes(), Vec::new());
        match &health.verdict {
            Verdict::Unknown(_) | Verdict::TooOld | Verdict::Surplus => {
                notes.push(health.to_string())
            }
            _ if health.is_alarming() => warnings.push(health.to_string()),
            _ => {}
        }
        if table.foreign > 0 {
            notes.push(format!("connected workers in other pods: {}", table.foreign));
        }
        if look.pods.as_ref().is_some_and(WorkerPods::are_counted_only) {
            notes.push(
                "the pods have hostNetwork, so locustctl can only count the workers".to_owned(),
            );
        }
        let version = look.page.as_ref().map(|page| harmless(&page.version));
        Self {
            address,
            version: version.unwrap_or_default(),
            state: harmless(look.state()),
            users: health.users,
            wanted_users: health.wanted,
            requests_per_second: look.rate(),
            failure_ratio: look.stats.fail_ratio,
            workers,
            not_counted: table.unconnected.iter().map(|pod| harmless(pod)).collect(),
            connected: health.workers,
            warnings: warnings.iter().map(|text| harmless(text)).collect(),
            notes: notes.iter().map(|text| harmless(text)).collect(),
            needs_rebalance: health.needs_rebalance(),
            is_single_process: look.stats.workers.is_none(),
        }
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let release = match self.version.as_str() {
            "" => String::new(),
            version => format!(", release {version}"),
        };
        let users = match self.wanted_users {
            Some(wanted) => format!("{} of {}", self.users, quantity(wanted, "user")),
            None => quantity(self.users, "user"),
        };
        let state = format!(
            "{}, {users}, {:.1} requests/s, {:.1} % failures",
            self.state,
            self.requests_per_second,
            self.failure_ratio * 100.0
        );
        let workers = match self.is_single_process {
            true => "none: Locust runs in a single process".to_owned(),
            false => format!("{} connected", self.connected),
        };
        vec![
            ("Locust", format!("{}{release}", self.address)),
            ("State", state),
            ("Workers", workers),
        ]
    }

    /// The workers, one per line.
    pub(super) fn table(&self) -> String {
        if self.workers.is_empty() {
            return String::new();
        }
        let longest = self.workers.iter().map(|row| row.pod.chars().count()).max().unwrap_or(0);
        let width = longest.max(6);
        let mut text = format!("\n{:<width$}  STATE     USERS  CPU    MEMORY\n", "WORKER");
        for WorkerRow { pod, state, users, cpu_percent, memory_bytes } in &self.workers {
            let memory = memory_bytes
                .map_or_else(|| "-".to_owned(), |bytes| format!("{:.0} MB", bytes / 1e6));
            let cpu = format!("{cpu_percent:.0} %");
            text.push_str(&format!("{pod:<width$}  {state:<8}  {users:<5}  {cpu:<5}  {memory}\n"));
        }
        text
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// `locustctl rebalance` would repair the test.
    pub(super) fn needs_rebalance(&self) -> bool {
        self.needs_rebalance
    }
}

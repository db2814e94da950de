//! Waits until the workers in the ready pods are connected to Locust's master.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::Error;
use super::health::MASTER_BROKEN;
use super::look::Look;
use super::master::Master;
use super::pods::{WorkerPods, WorkerTable};
use super::retry::retried;
use super::stats::Stats;
use super::timing::LOOK_PERIOD;

/// How long the workers must be the same. Locust caches the statistics for 2 seconds.
const STABLE: Duration = Duration::from_millis(2500);

/// How long the workers must be the same if no worker was connected before, so that the processes of a pod are
/// unknown.
const STABLE_AT_FIRST: Duration = Duration::from_secs(1);

/// How long the workers must be the same if pods have different numbers of workers. One of them may be gone:
/// Locust takes up to 4.5 s to notice a killed worker, and its container may be back earlier.
const STABLE_UNEVEN: Duration = Duration::from_secs(5);

/// How long the workers must be the same if they are only counted. The number does not show a worker that is late
/// to leave.
const STABLE_NUMBER: Duration = Duration::from_secs(10);

/// Time limit for Locust's own rebalance after a worker left.
const MOVE_LIMIT: Duration = Duration::from_secs(10);

/// The time between two looks at the master's log.
const LOG_PERIOD: Duration = Duration::from_secs(2);

/// The connected workers are not those of the ready pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkersDiffer {
    /// Workers that are connected.
    pub connected: usize,
    /// Ready pods without a connected worker.
    pub unconnected: Vec<String>,
    /// Pods that are gone or not ready, with a worker that is still connected.
    pub leftover: Vec<String>,
    /// Pods whose workers do not send heartbeats.
    pub missing: Vec<String>,
    /// The error of the last check, if it failed.
    pub failure: Option<CheckFailure>,
    /// The master no longer receives messages from its workers (locust#3515).
    pub is_master_broken: bool,
}

/// The reason why the workers and the pods could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckFailure {
    /// The pods cannot be listed, or not all of them are ready.
    #[error("{0}")]
    Pods(String),
    /// Locust's master did not answer, or refused.
    #[error("{0}")]
    Locust(String),
}

impl fmt::Display for WorkersDiffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_master_broken {
            return f.write_str(MASTER_BROKEN);
        }
        if let Some(why) = &self.failure
            && *self == (Self { failure: self.failure.clone(), ..Self::default() })
        {
            return match why {
                CheckFailure::Pods(why) => {
                    write!(f, "locustctl cannot compare the workers with the pods: {why}")
                }
                CheckFailure::Locust(why) => {
                    write!(f, "Locust's master did not answer in time: {why}")
                }
            };
        }
        write!(
            f,
            "the connected workers differ from the ready pods after the time limit: {}",
            connected_text(self.connected)
        )?;
        let lists = [
            ("ready, but not connected", &self.unconnected),
            ("connected, but the pod is gone or not ready", &self.leftover),
            ("workers without heartbeats", &self.missing),
        ];
        for (what, pods) in lists.iter().filter(|(_, pods)| !pods.is_empty()) {
            write!(f, "; {what}: {}", pods.join(", "))?;
        }
        match &self.failure {
            Some(why) => write!(f, "; the last check failed: {why}"),
            None => Ok(()),
        }
    }
}

impl WorkersDiffer {
    /// The difference in numbers, for a short line of progress.
    pub fn summary(&self) -> String {
        if let Some(why) = &self.failure {
            return format!("the last check failed: {why}");
        }
        let mut text = format!("{} connected", self.connected);
        let lists = [
            ("ready pod not connected", "ready pods not connected", &self.unconnected),
            ("other pod still connected", "other pods still connected", &self.leftover),
            ("pod without heartbeats", "pods without heartbeats", &self.missing),
        ];
        for (one, several, pods) in lists {
            match pods.len() {
                0 => {}
                1 => text.push_str(&format!(", 1 {one}")),
                count => text.push_str(&format!(", {count} {several}")),
            }
        }
        text
    }
}

/// `1 worker is connected to Locust`
pub fn connected_text(count: usize) -> String {
    match count {
        0 => "no worker is connected to Locust".to_owned(),
        1 => "1 worker is connected to Locust".to_owned(),
        count => format!("{count} workers are connected to Locust"),
    }
}

/// Waits until exactly the workers in the ready pods are connected, and returns their number. `before`
/// is Locust's state before the pods changed. `pods` lists the pods for each look.
///
/// # Errors
/// The difference at the end of the time limit, or when the master is broken.
pub async fn wait_for_workers<F: Future<Output = Result<WorkerPods, String>>>(
    master: &Master<'_>,
    before: &Look,
    limit: Duration,
    pods: impl Fn() -> F,
) -> Result<usize, WorkersDiffer> {
    follow_workers(master, before, limit, pods, |_| {}).await
}

/// [`wait_for_workers`], with a function `on_look` that gets the difference at each look.
///
/// # Errors
/// Those of [`wait_for_workers`].
pub async fn follow_workers<F: Future<Output = Result<WorkerPods, String>>>(
    master: &Master<'_>,
    before: &Look,
    limit: Duration,
    pods: impl Fn() -> F,
    on_look: impl Fn(&WorkersDiffer),
) -> Result<usize, WorkersDiffer> {
    let mut wait = WorkerWait::new(master, before);
    let end = Instant::now() + limit;
    let mut next_log = Instant::now() + LOG_PERIOD;
    loop {
        match wait.look(pods()).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(difference)) => wait.last = difference,
            Err(why) => wait.last.failure = Some(why),
        }
        on_look(&wait.last);
        if Instant::now() >= next_log {
            next_log += LOG_PERIOD;
            wait.last.is_master_broken = wait.is_master_broken().await;
        }
        if wait.last.is_master_broken || Instant::now() + LOOK_PERIOD > end {
            return Err(wait.last);
        }
        sleep(LOOK_PERIOD).await;
    }
}

struct WorkerWait<'a, 'b> {
    master: &'a Master<'b>,
    before: &'a Look,
    /// The workers before the change, and their pods.
    table: WorkerTable,
    /// Connected workers of each pod, and since when these are the same.
    stable: Option<(BTreeMap<String, usize>, Instant)>,
    last: WorkersDiffer,
}

impl<'a, 'b> WorkerWait<'a, 'b> {
    fn new(master: &'a Master<'b>, before: &'a Look) -> Self {
        let (table, last) = (before.table(), WorkersDiffer::default());
        Self { master, before, table, stable: None, last }
    }

    async fn look(
        &mut self,
        pods: impl Future<Output = Result<WorkerPods, String>>,
    ) -> Result<Result<usize, WorkersDiffer>, CheckFailure> {
        let text = |error: Error| CheckFailure::Locust(error.to_string());
        let mut pods = pods.await.map_err(CheckFailure::Pods)?;
        if let Some(earlier) = &self.before.pods {
            pods = pods.remember(earlier);
        }
        let page = self.master.page().await.map_err(text)?;
        let count = page.and_then(|page| usize::try_from(page.worker_count?).ok());
        // If the number is known beforehand, it is enough. It is never stale.
        if count.is_some() && self.table.expected(&pods) == count {
            return Ok(Ok(count.unwrap_or_default()));
        }
        let stats = self.master.stats().await.map_err(text)?;
        let table = WorkerTable::new(&stats, Some(&pods));
        let connected = count.unwrap_or_else(|| stats.connected().count());
        if self.is_complete(&stats, &table, &pods, connected) {
            return Ok(Ok(connected));
        }
        let WorkerTable { unconnected, leftover, missing, .. } = table;
        let difference =
            WorkersDiffer { connected, unconnected, leftover, missing, ..WorkersDiffer::default() };
        Ok(Err(difference))
    }

    /// Compares the workers' names with the pods. The names may be 2 seconds old.
    fn is_complete(
        &mut self,
        stats: &Stats,
        table: &WorkerTable,
        pods: &WorkerPods,
        connected: usize,
    ) -> bool {
        if stats.connected().count() != connected || !table.is_complete(pods) {
            self.stable = None;
            return false;
        }
        let is_counted_only = pods.are_counted_only();
        let each = table.processes_in_each();
        let is_expected = each.is_some() && each == self.table.processes_in_each();
        if !is_counted_only && is_expected && self.table.expected(pods).is_some() {
            return true;
        }
        // The number of processes per pod is unknown, so wait until the number of workers is
        // stable.
        let now = Instant::now();
        match &self.stable {
            Some((processes, since)) if *processes == table.processes => {
                let needed = match (self.table.processes.is_empty(), is_counted_only) {
                    (true, _) => STABLE_AT_FIRST,
                    (false, true) => STABLE_NUMBER,
                    (false, false) if each.is_none() => STABLE_UNEVEN,
                    (false, false) => STABLE,
                };
                now - *since >= needed
            }
            _ => {
                self.stable = Some((table.processes.clone(), now));
                pods.ready_count() == 0 && !is_counted_only
            }
        }
    }

    async fn is_master_broken(&self) -> bool {
        let log = self.master.log().await;
        log.is_ok_and(|log| log.is_some_and(|log| log.is_listener_dead()))
    }
}

/// Waits until Locust has ended its own rebalance after a worker left, so that the next worker may
/// leave. During the rebalance Locust's state is `spawning`, and its listener handles no other message.
///
/// # Errors
/// Locust does not answer, or it is still `spawning` at the end of the time limit.
pub async fn wait_until_spawned(master: &Master<'_>, limit: Duration) -> Result<(), String> {
    let end = Instant::now() + limit;
    let mut looks = 0;
    while looks < 3 {
        let page = retried(|| master.page()).await;
        let page = page.map_err(|error| error.to_string())?.unwrap_or_default();
        looks = looks_without_spawning(looks, &page.state, Instant::now() >= end)?;
        sleep(LOOK_PERIOD).await;
    }
    Ok(())
}

/// Waits until Locust has ended its own rebalance, for at most [`MOVE_LIMIT`]. That rebalance takes about one
/// second. A test that is `spawning` for longer is still starting its users.
pub async fn wait_until_moved(master: &Master<'_>) {
    let _ = wait_until_spawned(master, MOVE_LIMIT).await;
}

/// The number of looks in a row at which Locust is not `spawning`, after a look with this state.
///
/// # Errors
/// Locust is still `spawning` at the end of the time limit.
fn looks_without_spawning(looks: u32, state: &str, is_over: bool) -> Result<u32, String> {
    match (state == "spawning", is_over) {
        (true, true) => Err("Locust is still starting users".to_owned()),
        (true, false) => Ok(0),
        (false, _) => Ok(looks + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_limit_only_the_state_spawning_is_an_error() {
        assert_eq!(looks_without_spawning(2, "running", true), Ok(3));
        assert_eq!(looks_without_spawning(0, "stopped", true), Ok(1));
        assert_eq!(looks_without_spawning(2, "spawning", false), Ok(0));
        assert!(looks_without_spawning(2, "spawning", true).is_err());
    }

    #[test]
    fn the_summary_counts_the_pods_that_differ() {
        let mut difference = WorkersDiffer {
            connected: 1,
            unconnected: vec!["a".into(), "b".into()],
            leftover: vec!["c".into()],
            ..WorkersDiffer::default()
        };
        assert_eq!(
            difference.summary(),
            "1 connected, 2 ready pods not connected, 1 other pod still connected"
        );
        difference.failure = Some(CheckFailure::Pods("1 of 2 pods is ready".to_owned()));
        assert_eq!(difference.summary(), "the last check failed: 1 of 2 pods is ready");
    }

    #[test]
    fn the_message_names_the_pods_that_differ() {
        let difference = WorkersDiffer {
            connected: 1,
            unconnected: vec!["a".into(), "b".into()],
            leftover: vec!["c".into()],
            ..WorkersDiffer::default()
        };
        assert_eq!(
            difference.to_string(),
            "the connected workers differ from the ready pods after the time limit: 1 worker is connected to Locust; \
             ready, but not connected: a, b; connected, but the pod is gone or not ready: c"
        );
        let broken = WorkersDiffer { is_master_broken: true, ..difference };
        assert!(broken.to_string().contains("restart the master's pod"), "{broken}");
    }
}

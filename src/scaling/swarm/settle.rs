//! Until Locust's master counts the workers in the ready pods.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::locust::{Master, roster};

/// Between looks. Locust keeps its statistics for 2 seconds, its counts not at all.
const PERIOD: Duration = Duration::from_millis(250);

/// Why Locust's count of the workers is not that of the pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Workers that Locust counts.
    pub counted: i64,
    /// Ready pods that it does not count.
    pub uncounted: Vec<String>,
    /// Pods that are gone and still counted.
    pub orphaned: Vec<String>,
    /// Pods whose workers it has lost sight of.
    pub missing: Vec<String>,
    /// What went wrong at last.
    pub disturbance: Option<String>,
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.counted == 1 { "worker" } else { "workers" };
        write!(f, "Locust counts {} {noun}", self.counted)?;
        let lists = [
            ("ready, but not counted", &self.uncounted),
            ("gone, but still counted", &self.orphaned),
            ("missing", &self.missing),
        ];
        for (what, pods) in lists.iter().filter(|(_, pods)| !pods.is_empty()) {
            write!(f, "; {what}: {}", pods.join(", "))?;
        }
        match &self.disturbance {
            Some(why) => write!(f, "; it could not be asked lately: {why}"),
            None => Ok(()),
        }
    }
}

/// Waits until Locust counts exactly the workers in the ready pods, which `pods` tells anew for each
/// look; `owners` are the names of their Deployments. Gives how many workers that are.
///
/// # Errors
/// How it stands when the time is over.
pub async fn settle<F: Future<Output = Result<BTreeSet<String>, String>>>(
    master: &Master<'_>,
    owners: &[&str],
    limit: Duration,
    pods: impl Fn() -> F,
) -> Result<i64, Unsettled> {
    let end = Instant::now() + limit;
    let mut last = Unsettled::default();
    loop {
        match look(master, owners, pods()).await {
            Ok(Ok(counted)) => return Ok(counted),
            Ok(Err(unsettled)) => last = unsettled,
            Err(why) => last.disturbance = Some(why),
        }
        if Instant::now() + PERIOD > end {
            return Err(last);
        }
        sleep(PERIOD).await;
    }
}

async fn look(
    master: &Master<'_>,
    owners: &[&str],
    pods: impl Future<Output = Result<BTreeSet<String>, String>>,
) -> Result<Result<i64, Unsettled>, String> {
    let pods = pods.await?;
    let counted = master.worker_count().await.map_err(|error| error.to_string())?;
    let stats = master.stats().await.map_err(|error| error.to_string())?;
    let roster = roster(&stats, Some(&pods), owners);
    // The count is of now, the names may be of two seconds ago.
    let is_fresh = i64::try_from(stats.counted().count()) == Ok(counted);
    if is_fresh && roster.is_settled(&pods) {
        return Ok(Ok(counted));
    }
    let (uncounted, orphaned, missing) = (roster.uncounted, roster.orphaned, roster.missing);
    Ok(Err(Unsettled { counted, uncounted, orphaned, missing, disturbance: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_settled_is_said_by_name() {
        let unsettled = Unsettled {
            counted: 1,
            uncounted: vec!["a".into(), "b".into()],
            orphaned: vec!["c".into()],
            missing: Vec::new(),
            disturbance: None,
        };
        assert_eq!(
            unsettled.to_string(),
            "Locust counts 1 worker; ready, but not counted: a, b; gone, but still counted: c"
        );
    }
}

//! Locust after a scale: until its master counts the workers in the ready pods, and until a
//! running test has its users back.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Target;
use super::wait::{PODS, Pod, Workload, label_selector};
use crate::api::{self, About, Client, Listing};
use crate::locust::{
    Address, Error, Login, Master, Repair, Settings, Stats, Verdict, candidates, judge, roster,
};

/// Between looks. Locust itself keeps its statistics for 2 seconds, its counts not at all.
const PERIOD: Duration = Duration::from_millis(500);

/// For a test to get from starting users to having them, and for what Locust keeps to be fresh.
const PATIENCE: Duration = Duration::from_secs(10);

/// Finds Locust's master: at the address, or, for [`Address::Auto`], at the Services where it
/// usually is. `None` when it is at none of them, or is not to be asked.
///
/// # Errors
/// It is said where it is, and cannot be asked there.
pub async fn find_master<'a>(
    client: &'a Client,
    address: &Address,
    login: &Login,
    namespace: &str,
    workers: &str,
) -> Result<Option<Master<'a>>, Error> {
    if *address != Address::Auto {
        return Master::at(address, client, namespace, login);
    }
    for place in candidates(workers) {
        let Some(master) = Master::at(&place, client, namespace, login)? else { continue };
        match master.worker_count().await {
            Ok(_) => return Ok(Some(master)),
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The names of a target's ready pods.
///
/// # Errors
/// The target or its pods may not be read.
pub async fn ready_pods(client: &Client, target: &Target) -> Result<BTreeSet<String>, api::Error> {
    let resource = target.resource.plural_with_group();
    let about = About { verb: "get", resource, name: target.name.clone() };
    let object = client.get_object(&target.path(), &about).await?;
    let object: Workload = serde_json::from_value(object)
        .map_err(|error| api::Error::Unreadable(format!("the target cannot be read: {error}")))?;
    let Some(selector) = label_selector(&object.spec.selector) else { return Ok(BTreeSet::new()) };
    let listing =
        Listing { resource: &PODS, namespace: &target.namespace, labels: Some(&selector) };
    let pods = client.list::<Pod>(listing).await?;
    Ok(pods.iter().filter(|pod| pod.is_ready()).map(|pod| pod.name().to_owned()).collect())
}

/// Why Locust's count of the workers is not that of the pods.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Waits until Locust counts exactly the workers in the ready pods of these targets. Gives how many
/// that are.
///
/// # Errors
/// How it stands when the time is over.
pub async fn settle(
    client: &Client,
    master: &Master<'_>,
    targets: &[Target],
    limit: Duration,
) -> Result<i64, Unsettled> {
    let end = Instant::now() + limit;
    let mut last = Unsettled {
        counted: 0,
        uncounted: Vec::new(),
        orphaned: Vec::new(),
        missing: Vec::new(),
        disturbance: None,
    };
    loop {
        match look(client, master, targets).await {
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
    client: &Client,
    master: &Master<'_>,
    targets: &[Target],
) -> Result<Result<i64, Unsettled>, String> {
    let mut pods = BTreeSet::new();
    for target in targets {
        pods.extend(ready_pods(client, target).await.map_err(|error| error.to_string())?);
    }
    let stats = master.stats().await.map_err(|error| error.to_string())?;
    let counted = master.worker_count().await.map_err(|error| error.to_string())?;
    let owners: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
    let roster = roster(&stats, Some(&pods), &owners);
    // The count is of now, the names may be of two seconds ago.
    let is_fresh = i64::try_from(stats.counted().count()) == Ok(counted);
    if is_fresh && roster.is_settled(&pods) {
        return Ok(Ok(counted));
    }
    let (uncounted, orphaned, missing) = (roster.uncounted, roster.orphaned, roster.missing);
    Ok(Err(Unsettled { counted, uncounted, orphaned, missing, disturbance: None }))
}

/// What became of a test's users.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenBack {
    /// Nothing had to be done, for this reason.
    NotNeeded(String),
    /// They are back.
    Done {
        /// What was done.
        repair: Repair,
        /// Users afterwards.
        users: i64,
        /// Workers that carry them.
        workers: usize,
    },
    /// It is wrong, and it was not put right.
    ByHand {
        /// What is wrong.
        wrong: String,
        /// Why, and what to do.
        why: String,
    },
}

impl GivenBack {
    /// Whether nothing is left to be wished for.
    pub fn is_well(&self) -> bool {
        match self {
            Self::NotNeeded(_) => true,
            Self::Done { repair, users, .. } => i128::from(*users) >= i128::from(repair.users),
            Self::ByHand { .. } => false,
        }
    }
}

impl fmt::Display for GivenBack {
    /// `users 15 of 60, rebalanced to 60 on 1 worker`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNeeded(why) => f.write_str(why),
            Self::ByHand { wrong, why } => write!(f, "{wrong}, not rebalanced: {why}"),
            Self::Done { repair, users, workers } => {
                let Repair { users: wanted, now, idle, .. } = repair;
                let noun = if *workers == 1 { "worker" } else { "workers" };
                write!(f, "users {now} of {wanted}")?;
                if *idle > 0 {
                    let noun = if *idle == 1 { "worker" } else { "workers" };
                    write!(f, ", {idle} {noun} without any")?;
                }
                write!(f, ", rebalanced to {users} on {workers} {noun}")
            }
        }
    }
}

/// Gives a running test its users back, if it has lost any or a worker has none, and if that is
/// safe. `before` is how it was before the workers changed; without `may_repair` it is only judged.
///
/// # Errors
/// Locust does not tell, or refuses.
pub async fn give_back(
    master: &Master<'_>,
    before: Option<&Stats>,
    may_repair: bool,
) -> Result<GivenBack, Error> {
    let (now, settings) = fresh(master).await?;
    let repair = match judge(before, &now, settings.as_ref()) {
        Verdict::NotNeeded(why) => return Ok(GivenBack::NotNeeded(why)),
        Verdict::ByHand { wrong, why } => return Ok(GivenBack::ByHand { wrong, why }),
        Verdict::Repair(repair) => repair,
    };
    if !may_repair {
        let wrong = match repair.idle {
            0 => format!("users {} of {}", repair.now, repair.users),
            idle => format!("users {} of {}, {idle} workers without any", repair.now, repair.users),
        };
        let why = "that was not asked for (locustctl rebalance does it)".to_owned();
        return Ok(GivenBack::ByHand { wrong, why });
    }
    master.repair(&repair).await?;
    let (users, workers) = arrived(master, &repair).await?;
    Ok(GivenBack::Done { repair, users, workers })
}

/// How it is, of one moment: the statistics are kept by Locust for a while, the page is not.
async fn fresh(master: &Master<'_>) -> Result<(Stats, Option<Settings>), Error> {
    let end = Instant::now() + PATIENCE;
    loop {
        let settings = master.settings().await?;
        let mut stats = master.stats().await?;
        let Some(now) = &settings else { return Ok((stats, None)) };
        let counted = i64::try_from(stats.counted().count()).ok();
        let is_fresh = now.worker_count.is_none() || now.worker_count == counted;
        let is_steady = now.state != "spawning" && now.state == stats.state;
        if (is_fresh && is_steady) || Instant::now() >= end {
            stats.state.clone_from(&now.state);
            stats.user_count = now.user_count;
            return Ok((stats, settings));
        }
        sleep(PERIOD).await;
    }
}

/// Waits for the users; gives how many there are, and on how many workers.
async fn arrived(master: &Master<'_>, repair: &Repair) -> Result<(i64, usize), Error> {
    let end = Instant::now() + PATIENCE;
    loop {
        let settings = master.settings().await?.unwrap_or_default();
        if i128::from(settings.user_count) >= i128::from(repair.users) || Instant::now() >= end {
            let workers = usize::try_from(settings.worker_count.unwrap_or_default());
            return Ok((settings.user_count, workers.unwrap_or_default()));
        }
        sleep(PERIOD / 2).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_is_said_in_a_line() {
        let repair = |now, idle| Repair { users: 60, spawn_rate: 10.0, now, idle };
        for (given_back, expected, is_well) in [
            (
                GivenBack::Done { repair: repair(15, 0), users: 60, workers: 1 },
                "users 15 of 60, rebalanced to 60 on 1 worker",
                true,
            ),
            (
                GivenBack::Done { repair: repair(60, 2), users: 60, workers: 5 },
                "users 60 of 60, 2 workers without any, rebalanced to 60 on 5 workers",
                true,
            ),
            (
                GivenBack::Done { repair: repair(15, 1), users: 40, workers: 5 },
                "users 15 of 60, 1 worker without any, rebalanced to 40 on 5 workers",
                false,
            ),
            (
                GivenBack::ByHand { wrong: "users 15 of 60".into(), why: "because".into() },
                "users 15 of 60, not rebalanced: because",
                false,
            ),
        ] {
            assert_eq!(
                (given_back.to_string().as_str(), given_back.is_well()),
                (expected, is_well)
            );
        }
    }

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

//! Giving a running test its users back.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::locust::{Error, Master, Repair, Settings, Stats, Verdict, judge};

/// Between looks. Locust keeps its statistics for 2 seconds, its page not at all.
const PERIOD: Duration = Duration::from_millis(250);

/// For a test to get from starting users to having them, and for what Locust keeps to be fresh.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// It is wrong and could be put right, but that was not asked for.
    NotAsked {
        /// What is wrong.
        wrong: String,
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
            Self::NotAsked { .. } | Self::ByHand { .. } => false,
        }
    }
}

impl fmt::Display for GivenBack {
    /// `users 15 of 60, rebalanced to 60 on 1 worker`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNeeded(why) => f.write_str(why),
            Self::NotAsked { wrong } => {
                write!(f, "{wrong}, not rebalanced: that was not asked for")
            }
            Self::ByHand { wrong, why } => write!(f, "{wrong}, not rebalanced: {why}"),
            Self::Done { repair, users, workers } => {
                let noun = if *workers == 1 { "worker" } else { "workers" };
                write!(f, "{}, rebalanced to {users} on {workers} {noun}", wrong(repair))
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
        return Ok(GivenBack::NotAsked { wrong: wrong(&repair) });
    }
    // Time has passed since: a test that was stopped meanwhile must not be started.
    let repair = match judge_again(master, before, now).await? {
        Verdict::NotNeeded(why) => return Ok(GivenBack::NotNeeded(why)),
        Verdict::ByHand { wrong, why } => return Ok(GivenBack::ByHand { wrong, why }),
        Verdict::Repair(repair) => repair,
    };
    master.repair(&repair).await?;
    let (users, workers) = arrived(master, &repair).await?;
    Ok(GivenBack::Done { repair, users, workers })
}

fn wrong(repair: &Repair) -> String {
    let Repair { users: wanted, now, idle, .. } = repair;
    match idle {
        0 => format!("users {now} of {wanted}"),
        1 => format!("users {now} of {wanted}, 1 worker without any"),
        idle => format!("users {now} of {wanted}, {idle} workers without any"),
    }
}

/// How it is, of one moment: the statistics are kept by Locust for a while, the page is not.
async fn fresh(master: &Master<'_>) -> Result<(Stats, Option<Settings>), Error> {
    let end = Instant::now() + PATIENCE;
    loop {
        let settings = master.settings().await?;
        let mut stats = master.stats().await?;
        let Some(now) = &settings else { return Ok((stats, None)) };
        let counted = i64::try_from(stats.counted().count()).ok();
        // Lost users are seen by the page alone; only idle workers need the statistics.
        let is_fresh = now.worker_count.is_none() || now.worker_count == counted || now.is_short();
        let is_steady = now.state != "spawning" && now.state == stats.state;
        if (is_fresh && is_steady) || Instant::now() >= end {
            stats.state.clone_from(&now.state);
            stats.user_count = now.user_count;
            return Ok((stats, settings));
        }
        sleep(PERIOD).await;
    }
}

/// Judges by the page alone, which is of this moment, and by the workers as they were.
async fn judge_again(
    master: &Master<'_>,
    before: Option<&Stats>,
    mut now: Stats,
) -> Result<Verdict, Error> {
    let settings = master.settings().await?;
    if let Some(page) = &settings {
        now.state.clone_from(&page.state);
        now.user_count = page.user_count;
    }
    Ok(judge(before, &now, settings.as_ref()))
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
        sleep(PERIOD).await;
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
}

//! The result for a test's users.

use std::fmt;

use super::health::{Health, Verdict};
use super::start::KnownStart;

/// The result for a test's users.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing was sent.
    Left(Health),
    /// They could be given back, but that was not asked for.
    NotAsked(Health),
    /// They were given back, and are there.
    Repaired {
        /// Health before the rebalance.
        was: Health,
        /// Health now.
        now: Health,
        /// The start that was sent.
        sent: KnownStart,
    },
    /// The test does not have its users.
    Unconfirmed {
        /// Health before the rebalance, and the start that was sent; `None` if none was sent.
        sent: Option<(Health, KnownStart)>,
        /// Health now.
        now: Health,
    },
}

impl Outcome {
    /// The test has what it wants, or there is none.
    pub fn is_well(&self) -> bool {
        match self {
            Self::Left(health) => health.is_well(),
            Self::Repaired { .. } => true,
            Self::NotAsked(_) | Self::Unconfirmed { .. } => false,
        }
    }

    /// The start that was sent, if any.
    pub fn sent(&self) -> Option<&KnownStart> {
        match self {
            Self::Left(_) | Self::NotAsked(_) => None,
            Self::Repaired { sent, .. } => Some(sent),
            Self::Unconfirmed { sent, .. } => sent.as_ref().map(|(_, sent)| sent),
        }
    }

    /// Health now.
    pub fn health(&self) -> &Health {
        match self {
            Self::Left(now) | Self::NotAsked(now) => now,
            Self::Repaired { now, .. } | Self::Unconfirmed { now, .. } => now,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left(health) => write!(f, "{health}"),
            Self::NotAsked(health) => write!(f, "{health}; not redistributed (--rebalance=never)"),
            Self::Repaired { was, now, .. } => {
                let noun = if now.workers == 1 { "worker" } else { "workers" };
                let (users, workers) = (now.users, now.workers);
                let shortage = was.shortage().replace("the test has ", "the test had ");
                let shortage = shortage.replace(" have no users", " had no users");
                let shortage = shortage.replace(" has no users", " had no users");
                write!(f, "{shortage}; redistributed {users} users over {workers} {noun}")
            }
            Self::Unconfirmed { sent, now } => {
                if sent.is_some() {
                    f.write_str("locustctl asked Locust for the users again, but ")?;
                }
                f.write_str(&now.shortage())?;
                match &now.verdict {
                    Verdict::Unsafe(why) => write!(f, "; {why}"),
                    _ => Ok(()),
                }
            }
        }
    }
}

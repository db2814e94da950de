//! The result of a rebalance.

use std::fmt;

use super::health::{Health, Verdict};
use super::start::KnownStart;
use crate::text::quantity;

/// The next step after a rebalance that did not help.
const TRY_AGAIN: &str = "check the workers in Locust's page, then try again";

/// The side effect of a start with `--reset-stats`.
const RESET: &str = "Locust has reset its statistics, because it runs with --reset-stats";

const DISABLED: &str = "locustctl does not redistribute the users because of --rebalance=never";

/// The result of a rebalance.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// No start was sent: none was needed, or it was not safe.
    NothingSent(Health),
    /// A start was needed, but the caller did not allow one.
    Disabled(Health),
    /// A start was sent, and the test has all its users.
    Repaired {
        /// Health before the rebalance.
        was: Health,
        /// Health now.
        now: Health,
        /// The start that was sent.
        sent: KnownStart,
        /// Locust runs with `--reset-stats`, so it has reset its statistics after the start.
        is_reset: bool,
    },
    /// A start was sent, and then somebody else edited the test.
    Edited {
        /// The start that was sent.
        sent: KnownStart,
        /// Health now.
        now: Health,
        /// Locust runs with `--reset-stats`, so it has reset its statistics after the start.
        is_reset: bool,
    },
    /// A start was sent, and then the test ended.
    Ended {
        /// The start that was sent.
        sent: KnownStart,
        /// Health now.
        now: Health,
        /// Locust runs with `--reset-stats`, so it has reset its statistics after the start.
        is_reset: bool,
    },
    /// The test did not get all its users within the time limit.
    Unconfirmed {
        /// Health before the rebalance, and the start that was sent; `None` if none was sent.
        sent: Option<(Health, KnownStart)>,
        /// Health now.
        now: Health,
        /// Locust runs with `--reset-stats`, so it has reset its statistics after the start.
        is_reset: bool,
    },
}

impl Outcome {
    /// The test has its users, or no test is running.
    pub fn is_well(&self) -> bool {
        match self {
            Self::NothingSent(health)
            | Self::Edited { now: health, .. }
            | Self::Ended { now: health, .. } => health.is_well(),
            Self::Repaired { .. } => true,
            Self::Disabled(_) | Self::Unconfirmed { .. } => false,
        }
    }

    /// A start was sent, and the test has all its users.
    pub fn is_repaired(&self) -> bool {
        self.sent().is_some() && self.is_well() && !matches!(self, Self::Ended { .. })
    }

    /// The test did not get all its users, and no start was sent.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::Unconfirmed { sent: None, .. })
    }

    /// The start that was sent, if any.
    pub fn sent(&self) -> Option<&KnownStart> {
        match self {
            Self::NothingSent(_) | Self::Disabled(_) => None,
            Self::Repaired { sent, .. } | Self::Edited { sent, .. } | Self::Ended { sent, .. } => {
                Some(sent)
            }
            Self::Unconfirmed { sent, .. } => sent.as_ref().map(|(_, sent)| sent),
        }
    }

    /// Health now.
    pub fn health(&self) -> &Health {
        match self {
            Self::NothingSent(now) | Self::Disabled(now) => now,
            Self::Repaired { now, .. }
            | Self::Edited { now, .. }
            | Self::Ended { now, .. }
            | Self::Unconfirmed { now, .. } => now,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingSent(health) => write!(f, "{health}"),
            Self::Disabled(health) => {
                write!(f, "{health}; {DISABLED}")
            }
            Self::Repaired { was, now, is_reset, .. } => {
                let (users, workers) =
                    (quantity(now.users, "user"), quantity(now.workers, "worker"));
                let shortage = was.past_shortage();
                write!(f, "{shortage}; redistributed {users} over {workers}")?;
                write_reset(f, *is_reset)
            }
            Self::Edited { now, is_reset, .. } => {
                write!(
                    f,
                    "locustctl redistributed the users, and then somebody else edited the test: {now}"
                )?;
                write_reset(f, *is_reset)
            }
            Self::Ended { now, is_reset, .. } => {
                write!(f, "locustctl redistributed the users, and then the test ended: {now}")?;
                write_reset(f, *is_reset)
            }
            Self::Unconfirmed { sent, now, is_reset } => {
                if sent.is_some() {
                    f.write_str("locustctl redistributed the users, but ")?;
                }
                f.write_str(&now.shortage())?;
                if let Verdict::Unsafe(why) = &now.verdict {
                    write!(f, "; {why}")?;
                }
                write_reset(f, *is_reset)?;
                write!(f, "; {TRY_AGAIN}")
            }
        }
    }
}

fn write_reset(f: &mut fmt::Formatter<'_>, is_reset: bool) -> fmt::Result {
    if is_reset { write!(f, "; {RESET}") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{known, look};
    use super::super::health::judge;
    use super::*;

    fn health(users: i64, workers: usize, idle: usize) -> Health {
        let now = look("2.47.0", &[60]).with_num_users(60.0);
        Health { users, workers, idle, ..judge(&now, None, None) }
    }

    #[test]
    fn each_outcome_has_a_sentence() {
        let repaired = |was, workers| Outcome::Repaired {
            was,
            now: health(60, workers, 0),
            sent: known(60),
            is_reset: false,
        };
        let reset = Outcome::Repaired {
            was: health(15, 1, 0),
            now: health(60, 1, 0),
            sent: known(60),
            is_reset: true,
        };
        let edited = || Outcome::Edited { sent: known(60), now: health(60, 2, 0), is_reset: false };
        let unconfirmed = |users, idle| Outcome::Unconfirmed {
            sent: Some((health(15, 2, 0), known(60))),
            now: health(users, 2, idle),
            is_reset: false,
        };
        for (outcome, expected) in [
            (Outcome::NothingSent(health(60, 2, 0)), "the test has all its 60 users"),
            (
                repaired(health(15, 1, 0), 1),
                "the test had 15 of 60 users; redistributed 60 users over 1 worker",
            ),
            (
                reset,
                "the test had 15 of 60 users; redistributed 60 users over 1 worker; Locust has reset \
                 its statistics, because it runs with --reset-stats",
            ),
            (
                repaired(health(60, 4, 1), 4),
                "1 of 4 workers had no users; redistributed 60 users over 4 workers",
            ),
            (
                repaired(health(30, 4, 2), 4),
                "the test had 30 of 60 users, and 2 of 4 workers had no users; redistributed 60 \
                 users over 4 workers",
            ),
            (
                unconfirmed(15, 0),
                "locustctl redistributed the users, but the test has 15 of 60 users; check the \
                 workers in Locust's page, then try again",
            ),
            (
                unconfirmed(60, 1),
                "locustctl redistributed the users, but 1 of 2 workers has no users; check the \
                 workers in Locust's page, then try again",
            ),
            (
                unconfirmed(89, 0),
                "locustctl redistributed the users, but the test has 89 users instead of 60; check \
                 the workers in Locust's page, then try again",
            ),
            (
                Outcome::Unconfirmed { sent: None, now: health(15, 2, 0), is_reset: false },
                "the test has 15 of 60 users; check the workers in Locust's page, then try again",
            ),
            (
                Outcome::Unconfirmed {
                    sent: Some((health(15, 2, 0), known(60))),
                    now: health(15, 2, 0),
                    is_reset: true,
                },
                "locustctl redistributed the users, but the test has 15 of 60 users; Locust has reset its \
                 statistics, because it runs with --reset-stats; check the workers in Locust's page, then \
                 try again",
            ),
            (
                edited(),
                "locustctl redistributed the users, and then somebody else edited the test: the test has \
                 all its 60 users",
            ),
        ] {
            assert_eq!(outcome.to_string(), expected);
        }
        let idle = judge(&look("2.47.0", &[60, 0]).with_num_users(60.0), None, None);
        assert_eq!(
            Outcome::Disabled(idle).to_string(),
            "1 of 2 workers has no users; locustctl does not redistribute the users because of \
             --rebalance=never"
        );
    }

    #[test]
    fn an_outcome_is_a_success_only_if_the_test_has_its_users() {
        let now = || health(60, 1, 0);
        let repaired =
            Outcome::Repaired { was: now(), now: now(), sent: known(60), is_reset: false };
        let edited = Outcome::Edited { sent: known(60), now: now(), is_reset: false };
        let unconfirmed = Outcome::Unconfirmed { sent: None, now: now(), is_reset: false };
        for (outcome, expected, is_sent) in [
            (Outcome::NothingSent(now()), true, false),
            (Outcome::Disabled(now()), false, false),
            (repaired, true, true),
            (edited, true, true),
            (unconfirmed, false, false),
        ] {
            assert_eq!((outcome.is_well(), outcome.sent().is_some()), (expected, is_sent));
            assert_eq!(outcome.is_repaired(), expected && is_sent);
        }
    }
}

//! The simulated release of Locust, and how older releases differ from 2.47.0.

use std::{fmt, str::FromStr};

/// A release of Locust, such as `2.47.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocustRelease([u32; 3]);

impl LocustRelease {
    /// The latest release that the sandbox simulates.
    pub const LATEST: Self = Self([2, 47, 0]);

    /// `/stop` and `/stats/reset` are POST requests. In older releases they are GET requests.
    pub(super) fn stops_by_post(self) -> bool {
        self >= Self([2, 47, 0])
    }

    /// A start or a stop cancels the timer of an earlier run time.
    pub(super) fn cancels_timers(self) -> bool {
        self >= Self([2, 47, 0])
    }

    /// The form sets the page's `num_users`, and its numbers are checked. In older releases
    /// `num_users` is the master's `-u`, and an invalid number is an error 500.
    pub(super) fn saves_num_users(self) -> bool {
        self >= Self([2, 46, 7])
    }

    /// The master survives a `spawning_complete` message of a worker that has left. See
    /// <https://github.com/locustio/locust/issues/3515>.
    pub(super) fn survives_late_messages(self) -> bool {
        self >= Self([2, 46, 6])
    }

    /// `GET /worker-count` exists, and `/stats/requests` has `worker_count`.
    pub(super) fn reports_worker_count(self) -> bool {
        self >= Self([2, 37, 2])
    }

    /// `GET /logs` has the lines of the master and the workers. In older releases it is `{"logs":
    /// […]}`.
    pub(super) fn collects_logs(self) -> bool {
        self >= Self([2, 29, 0])
    }

    /// `/stats/failures/csv` has the times of the failures.
    pub(super) fn reports_failure_times(self) -> bool {
        self >= Self([2, 44, 0])
    }

    /// An unknown path is an error 404, and a wrong method an error 405. In older releases both are errors 500.
    pub(super) fn keeps_statuses(self) -> bool {
        self >= Self([2, 32, 2])
    }

    /// The rows of `/stats/requests` have `total_rps` and `total_fail_per_sec`.
    pub(super) fn reports_rates(self) -> bool {
        self >= Self([2, 31, 0])
    }

    /// The form sets the page's `spawn_rate`.
    pub(super) fn saves_spawn_rate(self) -> bool {
        self >= Self([2, 28, 0])
    }
}

impl fmt::Display for LocustRelease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(formatter, "{major}.{minor}.{patch}")
    }
}

impl FromStr for LocustRelease {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
        let numbers = numbers.and_then(|numbers| <[u32; 3]>::try_from(numbers).ok());
        match numbers.map(Self) {
            None => Err("must be a release such as 2.46.4".to_owned()),
            Some(release) if release < Self([2, 22, 0]) || release > Self::LATEST => {
                Err(format!("must be from 2.22.0 to {}", Self::LATEST))
            }
            Some(release) => Ok(release),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_from_2_22_to_the_latest_are_read() {
        for text in ["2.22.0", "2.46.4", "2.47.0"] {
            assert_eq!(
                text.parse::<LocustRelease>().map(|one| one.to_string()).as_deref(),
                Ok(text)
            );
        }
        for text in ["", "2", "2.46", "2.46.x", "v2.46.4", "2.46.4.1", "2.21.9", "2.47.1", "3.0.0"]
        {
            assert!(text.parse::<LocustRelease>().is_err(), "{text}");
        }
    }
}

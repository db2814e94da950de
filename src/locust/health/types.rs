//! Health of a running test, and the start that repairs it.

use super::super::run_time::TimeLimit;
use super::super::start::Start;

/// Health of a running test.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// State of Locust's runner.
    pub state: String,
    /// Users that are running.
    pub users: i64,
    /// Users that the test should have; `None` if this is unknown, or no test is running.
    pub wanted: Option<u64>,
    /// Connected workers.
    pub workers: usize,
    /// Connected workers without users; 0 if the test should have fewer users than workers.
    pub idle: usize,
    pub verdict: Verdict,
}

/// The judgement on a test.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// No test is running.
    NoTest,
    /// The test has ended, although Locust reports that it is running.
    Ended,
    /// Locust has stopped the test during a change, because no worker was connected any more.
    WorkersLost,
    /// Locust runs in a single process, without workers.
    SingleProcess,
    /// locustctl does not judge the tests of this release.
    TooOld,
    /// The master no longer receives messages from its workers (locust#3515).
    MasterBroken,
    /// The connected workers do not run in the target's pods.
    Foreign,
    /// The test has all its users, and every worker has some.
    Healthy,
    /// Locust is still starting users.
    Starting,
    /// The test has more users than it should have: replaced users finish their tasks, or Locust
    /// has not noticed yet that a worker is gone.
    Surplus,
    /// A LoadTestShape sets the users, and some are missing until its next step.
    Shaped,
    /// Users are lost, or workers have none. Sending the same start again repairs this.
    Repairable(Repair),
    /// Users are lost, or workers have none, and the worker of a ready pod sends no heartbeats. It may come back with
    /// its users. The text says so.
    WorkerSilent(String),
    /// Users are lost, or workers have none, but a start could do harm. The text is the reason.
    Unsafe(String),
    /// The number of users that the test should have is unknown. The text is the reason.
    Unknown(String),
}

impl Verdict {
    /// True if the verdict may change by itself: workers report late, or Locust redistributes the users.
    pub fn may_change(&self) -> bool {
        match self {
            Self::Healthy
            | Self::Starting
            | Self::Surplus
            | Self::Repairable(_)
            | Self::WorkerSilent(_)
            | Self::Unsafe(_)
            | Self::Unknown(_) => true,
            Self::NoTest
            | Self::Ended
            | Self::WorkersLost
            | Self::SingleProcess
            | Self::TooOld
            | Self::MasterBroken
            | Self::Foreign
            | Self::Shaped => false,
        }
    }
}

/// The start that repairs a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    /// The numbers to send, without the run time.
    pub start: Start,
    /// The run time to send; see [`limit`](super::super::run_time::limit).
    pub limit: TimeLimit,
    /// Users that the test should have.
    pub wanted: u64,
}

impl Health {
    /// The test has fewer users than it should have.
    pub fn lacks_users(&self) -> bool {
        self.wanted.is_some_and(|wanted| i128::from(self.users) < i128::from(wanted))
    }

    /// The test has more users than it should have.
    pub fn has_surplus(&self) -> bool {
        self.wanted.is_some_and(|wanted| i128::from(self.users) > i128::from(wanted))
    }

    /// `locustctl rebalance` would repair the test.
    pub fn needs_rebalance(&self) -> bool {
        matches!(self.verdict, Verdict::Repairable(_))
    }

    /// The test has a problem that deserves a warning.
    pub fn is_alarming(&self) -> bool {
        use Verdict as V;
        match &self.verdict {
            V::WorkersLost
            | V::MasterBroken
            | V::Shaped
            | V::Repairable(_)
            | V::WorkerSilent(_)
            | V::Unsafe(_) => true,
            V::Unknown(_) => self.state == "running",
            V::NoTest
            | V::Ended
            | V::SingleProcess
            | V::TooOld
            | V::Foreign
            | V::Healthy
            | V::Starting
            | V::Surplus => false,
        }
    }

    /// The test has its users, or no test is running.
    pub fn is_well(&self) -> bool {
        use Verdict as V;
        matches!(
            self.verdict,
            V::NoTest | V::Ended | V::SingleProcess | V::Healthy | V::Starting | V::Shaped
        )
    }
}

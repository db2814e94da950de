//! Everything that the reports show.

use std::time::Duration;

use time::OffsetDateTime;

use super::super::results::{History, Results};
use super::super::verdict::Judgement;

/// A test, from its start to its verdict. The writers of all reports read only this.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The workers, such as `deployment/locust-slave`.
    pub target: String,
    pub namespace: String,
    /// The address of Locust's master: a URL, or `service/NAME`.
    pub locust: Option<String>,
    /// The release of Locust, such as `2.47.0`.
    pub release: Option<String>,
    pub test: TestSettings,
    /// Locust has begun the test.
    pub has_begun: bool,
    pub replicas: Replicas,
    /// The phases that were entered, in their order.
    pub phases: Vec<Phase>,
    pub judgement: Judgement,
    /// The final results; `None` if they could not be fetched.
    pub results: Option<Results>,
    /// Samples of the running test.
    pub history: History,
    /// Locust's own report, as it sent it; `None` if it was not requested or could not be fetched.
    pub html: Option<Vec<u8>>,
    /// Events that the reader of the results should know, in their order.
    pub notes: Vec<Note>,
    /// Failures of locustctl itself, such as a count that could not be put back. With one of them
    /// the exit code is 1.
    pub errors: Vec<String>,
}

/// The settings of the test.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestSettings {
    /// Users that were asked for; `None` for a LoadTestShape.
    pub users: Option<u64>,
    /// Users to start per second; `None` for a LoadTestShape.
    pub spawn_rate: Option<f64>,
    pub run_time: Option<Duration>,
    /// The tested host, if `--host` was given.
    pub host: Option<String>,
    pub user_classes: Vec<String>,
    pub shape_class: Option<String>,
    /// The lowest number of users after the ramp-up; `None` if the test never had all its users.
    pub lowest_users: Option<u64>,
}

/// The numbers of replicas of the workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replicas {
    /// The number before the test.
    pub old: Option<i64>,
    /// The number during the test; `None` without `--replicas`.
    pub new: Option<i64>,
    /// The number was put back.
    pub restored: bool,
}

/// A phase of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// A name such as `scale`.
    pub name: &'static str,
    pub started_at: OffsetDateTime,
    pub duration: Duration,
    /// The reason why the phase failed.
    pub error: Option<String>,
}

/// An event during the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    pub at: OffsetDateTime,
    pub text: String,
}

//! The state that viewers see. It is also the JSON of `/api/events`.

use serde::{Deserialize, Serialize};

use crate::scaling::Autoscaler;
pub use crate::scaling::Limits;

/// Limit on the entries of the history.
pub const MAX_HISTORY: usize = 50;

/// Limit on the listed pods. Further pods are only counted.
pub const MAX_PODS: usize = 200;

/// The state of the target, and its history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub target: TargetInfo,
    /// The allowed numbers of replicas.
    pub limits: Limits,
    pub connection: Connection,
    /// The counts; absent until they are known, and if the target does not exist.
    pub replicas: Option<Replicas>,
    /// The status of the workers in a few words.
    #[serde(rename = "standing")]
    pub summary: StatusSummary,
    /// The first pods by name, at most [`MAX_PODS`].
    pub pods: Vec<Pod>,
    /// The number of pods that are not listed.
    pub more_pods: usize,
    /// The error of reading the pods; absent if there was none.
    #[serde(rename = "podsUnknown")]
    pub pods_error: Option<String>,
    /// The reasons why pods do not start: one line each, with counts.
    #[serde(rename = "troubles")]
    pub start_failures: Vec<String>,
    /// The same lines, with the reasons in words.
    #[serde(rename = "reasons")]
    pub start_failures_in_words: Vec<String>,
    pub autoscalers: Vec<Autoscaler>,
    /// Locust, if it was found.
    pub locust: Option<Swarm>,
    /// The last changes, the latest first, at most [`MAX_HISTORY`].
    pub history: Vec<Change>,
    /// A text about the place of the history; empty if it is stored in the cluster.
    pub history_note: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetInfo {
    /// `deployment.apps`
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub namespace: String,
    /// The address of the API server.
    pub cluster: String,
    /// The kubeconfig context, if there is one.
    pub context: Option<String>,
    /// True for the simulated cluster of `--sandbox`.
    pub simulated: bool,
}

/// The connection to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connection {
    pub state: ConnectionState,
    /// A text for people: the problem and its consequence. Empty if there is no problem.
    pub message: String,
    /// Start of this state, RFC 3339 in UTC.
    pub since: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionState {
    /// The API server has not answered yet.
    Connecting,
    /// The state is up to date.
    Connected,
    /// The API server does not answer. The last known state is shown.
    Lost,
    /// The API server answers with an error that is not temporary, such as 401 or 403.
    Refused,
    /// The API server answers, and the target does not exist.
    #[serde(rename = "missing")]
    TargetMissing,
}

/// The counts of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replicas {
    /// `spec.replicas`
    pub desired: i64,
    /// The number of pods.
    pub current: i64,
    /// The number of ready pods; absent if only the scale is known.
    pub ready: Option<i64>,
    /// The controller has finished: the desired pods exist and are ready, and no others exist.
    pub settled: bool,
}

/// The status of the workers in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusSummary {
    /// For example `1 of 3 ready`.
    pub text: String,
    #[serde(rename = "look")]
    pub style: StatusStyle,
}

/// How the page highlights the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StatusStyle {
    /// The counts are not known.
    Unknown,
    Settled,
    /// Pods start or terminate.
    #[serde(rename = "moving")]
    Pending,
    /// Pods do not start.
    Stuck,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pod {
    pub name: String,
    /// `Running`, `Pending`, `Terminating`, or the reason why it does not start, such as
    /// `ImagePullBackOff`.
    pub state: String,
    /// The state, as the page shows it.
    pub text: String,
    #[serde(rename = "look")]
    pub style: PodStyle,
    pub ready: bool,
    /// An explanation of the state; may be empty.
    pub message: String,
    /// Time of creation, RFC 3339.
    pub created: String,
}

/// How the page highlights a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PodStyle {
    Ready,
    /// The pod starts or terminates.
    #[serde(rename = "wait")]
    Pending,
    /// The pod cannot become ready without a correction.
    #[serde(rename = "bad")]
    Failed,
}

/// The test and its workers, as Locust's master reports them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Swarm {
    /// The address of the master: `service/locust-master`, or a URL.
    #[serde(rename = "at")]
    pub address: String,
    /// The problem, empty if Locust answers. While there is a problem, the other fields hold the last
    /// answer.
    pub problem: String,
    /// `ready`, `spawning`, `running`, `stopped`, …; empty before the first answer.
    pub state: String,
    /// The number of connected workers.
    pub workers: i64,
    /// The number of connected workers in the target's pods.
    #[serde(rename = "ownWorkers")]
    pub target_workers: i64,
    /// The number of users now.
    pub users: i64,
    /// The number of users that a running test should have, if known.
    #[serde(rename = "usersWanted")]
    pub desired_users: Option<i64>,
    /// Requests per second, rounded to tenths.
    pub requests_per_second: f64,
    /// Share of failed requests, from 0 to 1, rounded to thousandths.
    pub failure_ratio: f64,
    /// Warnings, as sentences.
    pub notes: Vec<String>,
    /// A rebalance is needed and safe: the test has lost users, or a worker has none.
    pub needs_rebalance: bool,
}

/// The result of the check of a running test after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCheck {
    pub stage: Stage,
    /// A text for people, for example `the test had 15 of 60 users; redistributed 60 users over 1 worker`
    pub text: String,
}

/// Progress of the check that a running test has its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The workers are not settled yet.
    Waiting,
    /// The test has its users, or it has ended.
    #[serde(rename = "well")]
    Passed,
    /// Users are missing, or locustctl could not check.
    #[serde(rename = "wrong")]
    Failed,
}

/// One change of the count, or a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Increases by one with each change.
    pub id: u64,
    /// RFC 3339 in UTC.
    #[serde(rename = "at")]
    pub time: String,
    /// The person or account that made the change, if known.
    #[serde(rename = "who")]
    pub changed_by: String,
    /// The count before.
    pub old: Option<i64>,
    /// The requested count, or the observed one.
    pub new: Option<i64>,
    pub outcome: Outcome,
    /// A sentence for people; may be empty.
    pub message: String,
    /// The check of a running test after the change; absent if no test was running or Locust was not
    /// found.
    pub users: Option<UserCheck>,
}

/// The result of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The API server confirmed the change.
    Scaled,
    /// The target already had this count.
    Unchanged,
    /// The API server refused the change, or it could not be sent.
    Failed,
    /// The answer was lost. The message says what the count is now.
    Unknown,
    /// Another client made the change.
    Observed,
}

impl StatusStyle {
    /// The name in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Settled => "settled",
            Self::Pending => "moving",
            Self::Stuck => "stuck",
        }
    }
}

impl PodStyle {
    /// The name in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Pending => "wait",
            Self::Failed => "bad",
        }
    }
}

impl Stage {
    /// The name in the JSON and in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Passed => "well",
            Self::Failed => "wrong",
        }
    }
}

impl Outcome {
    /// The name in the JSON, in the audit log and in the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scaled => "scaled",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Observed => "observed",
        }
    }
}

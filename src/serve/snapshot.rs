//! Everything that a viewer sees at one moment; also the JSON of `/api/events`.

use serde::Serialize;

use crate::scaling::Autoscaler;
pub use crate::scaling::Limits;

/// Changes that are remembered.
pub const LONGEST_HISTORY: usize = 50;

/// Pods that are shown one by one; the others are only counted.
pub const MOST_PODS: usize = 200;

/// The state of the target, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// What is scaled.
    pub target: TargetInfo,
    /// How many replicas may be asked for.
    pub limits: Limits,
    /// Whether what is shown can be trusted to be the present.
    pub connection: Connection,
    /// The counts; absent until they were seen once, and when the target does not exist.
    pub replicas: Option<Replicas>,
    /// The first pods by name, at most [`MOST_PODS`].
    pub pods: Vec<Pod>,
    /// Pods that are not listed.
    pub more_pods: usize,
    /// Why the pods are not known, when they are not.
    pub pods_unknown: Option<String>,
    /// Why pods do not start: a line for each reason, with counts.
    pub troubles: Vec<String>,
    /// Who else changes the count.
    pub autoscalers: Vec<Autoscaler>,
    /// Locust itself, where it was found.
    pub locust: Option<Swarm>,
    /// What happened before, the latest first; at most [`LONGEST_HISTORY`].
    pub history: Vec<Change>,
}

/// What is scaled, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetInfo {
    /// `deployment.apps`
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The API server's address.
    pub cluster: String,
    /// The kubeconfig context, if there is one.
    pub context: Option<String>,
}

/// Whether the cluster can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// How it is.
    pub state: Link,
    /// For people: what is wrong and what is done about it; empty when nothing is.
    pub message: String,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
}

/// How it stands with the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Link {
    /// Nothing was heard yet.
    Connecting,
    /// All is seen as it happens.
    Connected,
    /// The API server does not answer; the last state seen is shown.
    Lost,
    /// The API server refuses.
    Refused,
    /// The API server answers, and the target does not exist.
    Missing,
}

/// The counts of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replicas {
    /// `spec.replicas`
    pub desired: i64,
    /// Pods that are there.
    pub current: i64,
    /// Pods that are ready; absent where only the scale is known.
    pub ready: Option<i64>,
    /// Nothing is left to wait for.
    pub settled: bool,
}

/// One pod of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// `Running`, `Pending`, `Terminating`, or the reason why it does not start, as
    /// `ImagePullBackOff`.
    pub state: String,
    /// Whether it is ready.
    pub ready: bool,
    /// What the state means, when there is more to say.
    pub message: String,
    /// When it was made, RFC 3339.
    pub created: String,
}

/// What Locust's master tells of the test and its workers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Swarm {
    /// Where it was found: `service/locust-master`, or a URL.
    pub at: String,
    /// Why Locust does not answer now; empty when it answers. The other fields are then its last
    /// answer.
    pub problem: String,
    /// `ready`, `spawning`, `running`, `stopped`, …; empty before it has told anything.
    pub state: String,
    /// Workers that are connected to the master.
    pub workers: i64,
    /// Those of them that are in the target's pods.
    pub own_workers: i64,
    /// Users right now.
    pub users: i64,
    /// Users that a running test wants; `None` where that is not known.
    pub users_wanted: Option<i64>,
    /// Warnings, in sentences.
    pub notes: Vec<String>,
    /// A rebalance is needed and safe: the test has lost users, or a worker has none.
    pub needs_rebalance: bool,
}

/// What a change meant for a running test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Users {
    /// How it stands.
    pub stage: Stage,
    /// For people: `the test had 15 of 60 users; redistributed 60 users over 1 worker`
    pub text: String,
}

/// How it stands with a running test's users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The workers are not settled yet.
    Waiting,
    /// Nothing is left to be wished for.
    Well,
    /// Something is wrong that was not put right.
    Wrong,
}

/// One change of the count, or an attempt at one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Rises by one with each.
    pub id: u64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Who, as far as is known.
    pub who: String,
    /// The count before.
    pub old: Option<i64>,
    /// The count that was asked for, or that was seen.
    pub new: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
    /// For people, in a sentence; empty when the rest says it all.
    pub message: String,
    /// What it meant for a running test; absent when none was running, or Locust is not known.
    pub users: Option<Users>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The server confirmed it.
    Scaled,
    /// The count was that already.
    Unchanged,
    /// The server refused, or the request was not one that could be carried out.
    Failed,
    /// The answer was lost; the message says what stands there now.
    Unknown,
    /// It was seen in the cluster and did not come from here.
    Observed,
}

impl Stage {
    /// As in the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Well => "well",
            Self::Wrong => "wrong",
        }
    }
}

impl Outcome {
    /// As in the JSON, in the audit line and in the metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scaled => "scaled",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Observed => "observed",
        }
    }
}

//! Why pods do not start: their waiting reasons, counted.

use serde::Deserialize;

use super::workload::Condition;
use crate::api::{Client, Error, Listing, Resource};

/// A message is told as far as it fits on a few lines.
const LONGEST_MESSAGE: usize = 300;

/// Of different reasons.
const MOST_REASONS: usize = 8;

/// The type of pods.
pub const PODS: Resource = Resource {
    group: std::borrow::Cow::Borrowed(""),
    version: std::borrow::Cow::Borrowed("v1"),
    plural: std::borrow::Cow::Borrowed("pods"),
    singular: std::borrow::Cow::Borrowed("pod"),
    kind: std::borrow::Cow::Borrowed("Pod"),
    namespaced: true,
};

/// Lists the pods that `selector` selects, and says what each sort of trouble is, with how many of
/// them have it. The list may be forbidden; then there is no more to say than that.
///
/// # Errors
/// Any of [`Error`].
pub async fn of_pods(
    client: &Client,
    namespace: &str,
    selector: &str,
) -> Result<Vec<String>, Error> {
    let listing = Listing { resource: &PODS, namespace, labels: Some(selector) };
    Ok(troubles(&client.list::<Pod>(listing).await?))
}

/// What is kept of a pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    metadata: Metadata,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: String,
    creation_timestamp: String,
    deletion_timestamp: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: String,
    reason: String,
    message: String,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<Container>,
    container_statuses: Vec<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
    message: String,
}

impl Pod {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// When it was made, RFC 3339; empty when the server does not say.
    pub fn created(&self) -> &str {
        &self.metadata.creation_timestamp
    }

    /// Whether it is ready, and not about to leave.
    pub fn is_ready(&self) -> bool {
        self.metadata.deletion_timestamp.is_none() && self.is("Ready")
    }

    /// How it is, as `kubectl get pods` puts it: the phase, or why it does not start; and what
    /// there is to say of that.
    pub fn state(&self) -> (&str, String) {
        if self.metadata.deletion_timestamp.is_some() {
            return ("Terminating", String::new());
        }
        let (state, message) = self.trouble().unwrap_or((&self.status.phase, ""));
        (state, shortened(message).trim_start_matches(": ").to_owned())
    }

    fn is(&self, kind: &str) -> bool {
        self.status.conditions.iter().any(|c| c.kind == kind && c.status == "True")
    }

    /// What keeps it from being ready; `None` when nothing does, or when it is leaving.
    fn trouble(&self) -> Option<(&str, &str)> {
        let Status { phase, reason, message, conditions, .. } = &self.status;
        if self.metadata.deletion_timestamp.is_some() || self.is("Ready") || phase == "Succeeded" {
            return None;
        }
        if phase == "Failed" {
            return Some((if reason.is_empty() { "Failed" } else { reason }, message));
        }
        let unscheduled =
            conditions.iter().find(|c| c.kind == "PodScheduled" && c.status == "False");
        if let Some(condition) = unscheduled {
            return Some((&condition.reason, &condition.message));
        }
        let containers =
            self.status.init_container_statuses.iter().chain(&self.status.container_statuses);
        let waiting = containers.filter_map(|container| container.state.waiting.as_ref());
        // That others wait for an init container, or for nothing special, tells the least.
        let (usual, telling): (Vec<_>, Vec<_>) = waiting.partition(|waiting| {
            matches!(waiting.reason.as_str(), "PodInitializing" | "ContainerCreating" | "")
        });
        match (telling.first(), usual.first()) {
            (Some(waiting), _) => Some((&waiting.reason, &waiting.message)),
            (None, Some(waiting)) if !waiting.reason.is_empty() => Some((&waiting.reason, "")),
            _ if phase == "Running" => Some(("running, but not ready", "")),
            _ => Some((phase, "")),
        }
    }
}

/// A line for each reason, the most frequent one first; of the messages only the first, since the
/// others are the same but for the pods' names.
pub fn troubles<'a>(pods: impl IntoIterator<Item = &'a Pod>) -> Vec<String> {
    let mut reasons: Vec<(&str, &str, usize)> = Vec::new();
    for (reason, message) in pods.into_iter().filter_map(Pod::trouble) {
        match reasons.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, _, count)) => *count += 1,
            None => reasons.push((reason, message, 1)),
        }
    }
    reasons.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
    let line = |(reason, message, count): &(&str, &str, usize)| {
        let pods = if *count == 1 { "pod" } else { "pods" };
        format!("{count} {pods}: {reason}{}", shortened(message))
    };
    reasons.iter().take(MOST_REASONS).map(line).collect()
}

/// `: message`, on one line, or nothing.
pub fn shortened(message: &str) -> String {
    let words: Vec<_> = message.split_whitespace().collect();
    let text = words.join(" ");
    match text.len() {
        0 => String::new(),
        1..=LONGEST_MESSAGE => format!(": {text}"),
        _ => format!(": {}…", &text[..text.floor_char_boundary(LONGEST_MESSAGE)]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn waiting(reason: &str, message: &str) -> Value {
        json!({"status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
            "containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}})
    }

    fn lines(pods: Vec<Value>) -> Vec<String> {
        let pods: Vec<Pod> =
            pods.into_iter().map(|pod| serde_json::from_value(pod).unwrap()).collect();
        troubles(&pods)
    }

    #[test]
    fn each_reason_is_told_once_with_its_count() {
        let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        let unscheduled = json!({"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled",
            "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available:\n 3 Insufficient cpu."}]}});
        let leaving = json!({"metadata": {"deletionTimestamp": "2026-11-23T16:48:32Z"}, "status": {"phase": "Pending"}});
        assert_eq!(
            lines(vec![
                ready,
                unscheduled,
                waiting("ImagePullBackOff", "Back-off pulling image \"x\""),
                waiting("ImagePullBackOff", "another"),
                leaving,
            ]),
            [
                "2 pods: ImagePullBackOff: Back-off pulling image \"x\"",
                "1 pod: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.",
            ]
        );
    }

    #[test]
    fn a_pod_is_told_by_what_tells_most() {
        let with_init = json!({"status": {"phase": "Pending",
            "initContainerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
            "containerStatuses": [{"state": {"waiting": {"reason": "PodInitializing"}}}]}});
        for (pod, expected) in [
            (with_init, "1 pod: CrashLoopBackOff"),
            (waiting("ContainerCreating", ""), "1 pod: ContainerCreating"),
            (json!({"status": {"phase": "Running"}}), "1 pod: running, but not ready"),
            (json!({"status": {"phase": "Pending"}}), "1 pod: Pending"),
            (
                json!({"status": {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}}),
                "1 pod: Evicted: low on memory",
            ),
        ] {
            assert_eq!(lines(vec![pod.clone()]), [expected], "{pod}");
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        assert_eq!(shortened(&"ü".repeat(500)).len(), 2 + 300 + "…".len());
        assert_eq!(shortened(" \n"), "");
    }
}

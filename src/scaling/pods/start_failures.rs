//! The reasons why pods do not start, with the number of pods for each.

use std::fmt;

use super::pod::Pod;
use super::state::PodState;
use crate::scaling::status_condition::message_suffix;
use crate::text::quantity;

/// Maximum number of shown reasons.
const MAX_REASONS: usize = 8;

/// A reason why pods do not start. It is displayed with the reason's name, as `ImagePullBackOff`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFailure {
    /// The number of pods with this reason.
    count: usize,
    reason: PodState,
    /// The message of one pod after a colon: the messages of the others differ only in the pods' names.
    /// Empty if it has none.
    suffix: String,
}

impl StartFailure {
    /// The text with an explanation of the reason instead of its name, if there is one.
    pub fn in_words(&self) -> String {
        match &self.reason {
            PodState::Stuck(name) => self.with_reason(words(name).unwrap_or(name)),
            _ => self.to_string(),
        }
    }

    fn with_reason(&self, reason: &str) -> String {
        let Self { count, suffix, .. } = self;
        format!("{}: {reason}{suffix}", quantity(count, "pod"))
    }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_reason(&self.reason.to_string()))
    }
}

/// The meaning of a reason of the kubelet (`pkg/kubelet/images/types.go`, `pkg/kubelet/container`) or of
/// the scheduler.
fn words(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "ErrImagePull" | "ImagePullBackOff" => "the image cannot be pulled",
        "ErrImageNeverPull" => "the image is not on the node, and its pull policy is Never",
        "InvalidImageName" => "the name of the image is not valid",
        "CrashLoopBackOff" => "the container ends again and again",
        "CreateContainerConfigError" => "the configuration of the container is not valid",
        "CreateContainerError" => "the container cannot be created",
        "RunContainerError" => "the container cannot be started",
        "OOMKilled" => "the container needs more memory than its limit",
        "Unschedulable" => "no node can run the pod",
        "Evicted" => "the node has removed the pod",
        _ => return None,
    })
}

/// One failure for each reason, the most frequent reason first.
pub fn start_failures<'a>(pods: impl IntoIterator<Item = &'a Pod>) -> Vec<StartFailure> {
    let mut reasons: Vec<(PodState, &str, usize)> = Vec::new();
    for (reason, message) in pods.into_iter().filter_map(Pod::start_failure) {
        match reasons.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, _, count)) => *count += 1,
            None => reasons.push((reason, message, 1)),
        }
    }
    reasons.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
    let failure = |(reason, message, count)| {
        let suffix = message_suffix(message);
        StartFailure { count, reason, suffix }
    };
    reasons.into_iter().take(MAX_REASONS).map(failure).collect()
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
        start_failures(&pods).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn known_reasons_are_put_into_words() {
        let in_words = |pod: Value| {
            let pod: Pod = serde_json::from_value(pod).unwrap();
            start_failures([&pod])[0].in_words()
        };
        for (reason, message, expected) in [
            ("ErrImagePull", "not found", "1 pod: the image cannot be pulled: not found"),
            ("CrashLoopBackOff", "", "1 pod: the container ends again and again"),
            ("SomethingNew", "x", "1 pod: SomethingNew: x"),
        ] {
            assert_eq!(in_words(waiting(reason, message)), expected);
        }
    }

    #[test]
    fn each_reason_has_one_line_with_the_number_of_pods() {
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
    fn the_most_specific_reason_is_chosen() {
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
}

//! Why pods do not start: the reasons, with the number of pods for each.

use super::pod::Pod;
use super::state::PodState;
use crate::scaling::status_condition::message_suffix;

/// Maximum number of shown reasons.
const MAX_REASONS: usize = 8;

/// A line for each reason, the most frequent reason first. Each line has the message of one pod: the
/// messages of the others differ only in the pods' names.
pub fn start_failures<'a>(pods: impl IntoIterator<Item = &'a Pod>) -> Vec<String> {
    let mut reasons: Vec<(PodState, &str, usize)> = Vec::new();
    for (reason, message) in pods.into_iter().filter_map(Pod::start_failure) {
        match reasons.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, _, count)) => *count += 1,
            None => reasons.push((reason, message, 1)),
        }
    }
    reasons.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
    let line = |(reason, message, count): &(PodState, &str, usize)| {
        let pods = if *count == 1 { "pod" } else { "pods" };
        format!("{count} {pods}: {reason}{}", message_suffix(message))
    };
    reasons.iter().take(MAX_REASONS).map(line).collect()
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
        start_failures(&pods)
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

//! Why pods do not start: their waiting reasons, counted.

use super::pod::{Pod, list};
use crate::cluster::api::{Client, Error};

/// A message is told as far as it fits on a few lines.
const LONGEST_MESSAGE: usize = 300;

/// Of different reasons.
const MOST_REASONS: usize = 8;

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
    Ok(troubles(&list(client, namespace, selector).await?))
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

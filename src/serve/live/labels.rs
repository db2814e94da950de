//! The texts of the page about the workers and about each pod, and how the page highlights them.

use super::super::snapshot::{PodStyle, Replicas, StatusStyle, StatusSummary};
use crate::scaling::PodState;

/// The status of the workers in a few words. `is_stuck` is true if pods do not start; `are_connected` if
/// Locust, where there is one, has them all.
pub(super) fn status_summary(
    replicas: Option<Replicas>,
    is_stuck: bool,
    are_connected: bool,
) -> StatusSummary {
    let Some(Replicas { desired, current, ready, settled }) = replicas else {
        return StatusSummary { text: "Unknown".to_owned(), style: StatusStyle::Unknown };
    };
    if settled {
        let (text, style) = match (desired, are_connected) {
            (0, _) => ("Scaled to 0", StatusStyle::Settled),
            (_, true) => ("All ready", StatusStyle::Settled),
            (_, false) => ("All ready, not all connected to Locust", StatusStyle::Pending),
        };
        return StatusSummary { text: text.to_owned(), style };
    }
    let progress = match ready {
        Some(ready) => format!("{ready} of {desired} ready"),
        None => format!("{current} of {desired} created"),
    };
    match is_stuck {
        true => StatusSummary { text: progress, style: StatusStyle::Stuck },
        false if current > desired => {
            let text = format!("{} terminating", current - desired);
            StatusSummary { text, style: StatusStyle::Pending }
        }
        false => StatusSummary { text: progress, style: StatusStyle::Pending },
    }
}

/// The text for a pod in this state, and how the page highlights it.
pub(super) fn pod_style(is_ready: bool, state: &PodState) -> (String, PodStyle) {
    if is_ready {
        return ("Ready".to_owned(), PodStyle::Ready);
    }
    match state {
        PodState::ContainerCreating | PodState::PodInitializing => {
            ("Starting".to_owned(), PodStyle::Pending)
        }
        PodState::NotReady => ("Not ready".to_owned(), PodStyle::Pending),
        PodState::Stuck(reason) => (reason.clone(), PodStyle::Failed),
        PodState::Unreported
        | PodState::Pending
        | PodState::Running
        | PodState::Succeeded
        | PodState::Terminating => (state.to_string(), PodStyle::Pending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_describes_the_workers_in_a_few_words() {
        use StatusStyle::{Pending, Settled, Stuck, Unknown};
        let counts =
            |desired, current, ready, settled| Some(Replicas { desired, current, ready, settled });
        for (replicas, is_stuck, text, style) in [
            (None, false, "Unknown", Unknown),
            (counts(3, 3, Some(3), true), false, "All ready", Settled),
            (counts(0, 0, Some(0), true), false, "Scaled to 0", Settled),
            (counts(3, 1, Some(1), false), false, "1 of 3 ready", Pending),
            (counts(1, 3, Some(3), false), false, "2 terminating", Pending),
            (counts(3, 1, None, false), false, "1 of 3 created", Pending),
            (counts(3, 3, Some(1), false), true, "1 of 3 ready", Stuck),
        ] {
            let expected = StatusSummary { text: text.to_owned(), style };
            assert_eq!(status_summary(replicas, is_stuck, true), expected, "{replicas:?}");
        }
        for (replicas, style) in
            [(counts(3, 3, Some(3), true), Pending), (counts(0, 0, Some(0), true), Settled)]
        {
            assert_eq!(status_summary(replicas, false, false).style, style, "{replicas:?}");
        }
    }

    #[test]
    fn pods_have_a_text_and_a_style() {
        let stuck = PodState::Stuck("ImagePullBackOff".to_owned());
        for (is_ready, state, text, style) in [
            (true, PodState::Running, "Ready", PodStyle::Ready),
            (false, PodState::Running, "Running", PodStyle::Pending),
            (false, PodState::ContainerCreating, "Starting", PodStyle::Pending),
            (false, PodState::Terminating, "Terminating", PodStyle::Pending),
            (false, PodState::NotReady, "Not ready", PodStyle::Pending),
            (false, stuck, "ImagePullBackOff", PodStyle::Failed),
        ] {
            assert_eq!(pod_style(is_ready, &state), (text.to_owned(), style), "{state}");
        }
    }
}

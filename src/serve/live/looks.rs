//! The texts and the looks of the page: the standing of the workers, and the state of each pod.

use super::super::snapshot::{PodLook, Replicas, Standing, StandingLook};
use crate::scaling::PodState;

/// The state of the workers in a few words. `is_stuck` tells that pods do not start.
pub(super) fn standing(replicas: Option<Replicas>, is_stuck: bool) -> Standing {
    let Some(Replicas { desired, current, ready, settled }) = replicas else {
        return Standing { text: "Unknown".to_owned(), look: StandingLook::Unknown };
    };
    if settled {
        let text = if desired == 0 { "Scaled to 0" } else { "All ready" };
        return Standing { text: text.to_owned(), look: StandingLook::Settled };
    }
    let progress = match ready {
        Some(ready) => format!("{ready} of {desired} ready"),
        None => format!("{current} of {desired} created"),
    };
    match is_stuck {
        true => Standing { text: progress, look: StandingLook::Stuck },
        false if current > desired => {
            let text = format!("{} terminating", current - desired);
            Standing { text, look: StandingLook::Moving }
        }
        false => Standing { text: progress, look: StandingLook::Moving },
    }
}

/// The text and the look of a pod in this state.
pub(super) fn pod_look(is_ready: bool, state: &PodState) -> (String, PodLook) {
    if is_ready {
        return ("Ready".to_owned(), PodLook::Ready);
    }
    match state {
        PodState::ContainerCreating | PodState::PodInitializing => {
            ("Starting".to_owned(), PodLook::Wait)
        }
        PodState::NotReady => ("Not ready".to_owned(), PodLook::Wait),
        PodState::Stuck(reason) => (reason.clone(), PodLook::Bad),
        PodState::Unreported
        | PodState::Pending
        | PodState::Running
        | PodState::Succeeded
        | PodState::Terminating => (state.to_string(), PodLook::Wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standing_describes_the_workers_in_a_few_words() {
        use StandingLook::{Moving, Settled, Stuck, Unknown};
        let counts =
            |desired, current, ready, settled| Some(Replicas { desired, current, ready, settled });
        for (replicas, is_stuck, text, look) in [
            (None, false, "Unknown", Unknown),
            (counts(3, 3, Some(3), true), false, "All ready", Settled),
            (counts(0, 0, Some(0), true), false, "Scaled to 0", Settled),
            (counts(3, 1, Some(1), false), false, "1 of 3 ready", Moving),
            (counts(1, 3, Some(3), false), false, "2 terminating", Moving),
            (counts(3, 1, None, false), false, "1 of 3 created", Moving),
            (counts(3, 3, Some(1), false), true, "1 of 3 ready", Stuck),
        ] {
            let expected = Standing { text: text.to_owned(), look };
            assert_eq!(standing(replicas, is_stuck), expected, "{replicas:?}");
        }
    }

    #[test]
    fn pods_have_a_text_and_a_look() {
        let stuck = PodState::Stuck("ImagePullBackOff".to_owned());
        for (is_ready, state, text, look) in [
            (true, PodState::Running, "Ready", PodLook::Ready),
            (false, PodState::Running, "Running", PodLook::Wait),
            (false, PodState::ContainerCreating, "Starting", PodLook::Wait),
            (false, PodState::Terminating, "Terminating", PodLook::Wait),
            (false, PodState::NotReady, "Not ready", PodLook::Wait),
            (false, stuck, "ImagePullBackOff", PodLook::Bad),
        ] {
            assert_eq!(pod_look(is_ready, &state), (text.to_owned(), look), "{state}");
        }
    }
}

//! What is known of each wait so far.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::WaitError;
use super::readiness::{Readiness, WorkloadKind, readiness};
use super::request::{Observer, Wait};
use crate::cluster::api::Error;
use crate::scaling::status_condition::message_suffix;
use crate::scaling::workload::{Workload, label_selector};

/// Collects what the looks at the targets bring, and ends each wait as soon as it is decided.
pub(super) struct Tracker<'a> {
    waits: &'a [Wait],
    state: Mutex<State<'a>>,
}

struct State<'a> {
    slots: Vec<Slot>,
    observer: &'a mut dyn Observer,
    noted: Vec<String>,
}

/// One wait.
#[derive(Default)]
pub(super) struct Slot {
    pub outcome: Option<Result<(), WaitError>>,
    pub last: Option<Readiness>,
    /// Of its pods.
    pub selector: Option<String>,
    /// Why its controller cannot make pods.
    pub failure: Option<String>,
    /// Since when its deadline was missed at the first look: an old story. Empty when it was not.
    old_deadline: Option<String>,
    /// Why it could not be looked at lately.
    pub disturbance: Option<Error>,
}

impl<'a> Tracker<'a> {
    pub(super) fn new(waits: &'a [Wait], observer: &'a mut dyn Observer) -> Self {
        let slots = waits.iter().map(|_| Slot::default()).collect();
        let state = State { slots, observer, noted: Vec::new() };
        Self { waits, state: Mutex::new(state) }
    }

    pub(super) fn wait(&self, index: usize) -> &'a Wait {
        &self.waits[index]
    }

    pub(super) fn is_pending(&self, index: usize) -> bool {
        self.lock().slots[index].outcome.is_none()
    }

    pub(super) fn pending(&self, members: &[usize]) -> Vec<usize> {
        let state = self.lock();
        members.iter().copied().filter(|index| state.slots[*index].outcome.is_none()).collect()
    }

    /// Something that the user should know, once.
    pub(super) fn note(&self, text: String) {
        let mut state = self.lock();
        if !state.noted.contains(&text) {
            state.observer.note(&text);
            state.noted.push(text);
        }
    }

    /// An object of a built-in kind, as it is now.
    pub(super) fn seen(&self, index: usize, kind: WorkloadKind, object: &Workload) {
        let wait = self.wait(index);
        let mut state = self.lock();
        let slot = &mut state.slots[index];
        if slot.outcome.is_some() {
            return;
        }
        slot.selector = label_selector(&object.spec.selector);
        slot.failure = object
            .replica_failure()
            .map(|failure| format!("{}{}", failure.reason, message_suffix(&failure.message)));
        let missed = object.missed_deadline();
        let since = missed.map(|condition| condition.last_update_time.clone()).unwrap_or_default();
        let old = slot.old_deadline.get_or_insert_with(|| since.clone());
        let given_up = missed.filter(|_| *old != since).map(|condition| WaitError::GivenUp {
            target: wait.target.to_string(),
            why: condition.message.clone(),
            standing: None,
            reasons: Vec::new(),
        });
        let now = readiness(kind, object, wait.wanted);
        state.look(index, wait, now);
        let slot = &mut state.slots[index];
        if let Some(unmet) = given_up
            && slot.outcome.is_none()
        {
            slot.outcome = Some(Err(unmet));
        }
    }

    /// A target of which only the scale is known.
    pub(super) fn seen_scale(&self, index: usize, now: Readiness, selector: String) {
        let wait = self.wait(index);
        let mut state = self.lock();
        state.slots[index].selector = Some(selector).filter(|selector| !selector.is_empty());
        state.look(index, wait, now);
    }

    pub(super) fn end(&self, index: usize, outcome: Result<(), WaitError>) {
        self.lock().slots[index].outcome.get_or_insert(outcome);
    }

    pub(super) fn deleted(&self, index: usize) {
        let Wait { target, wanted } = self.wait(index);
        let target = target.to_string();
        self.end(index, Err(WaitError::Deleted { target, wanted: *wanted }));
    }

    pub(super) fn unknown(&self, index: usize, cause: Error) {
        let Wait { target, wanted } = self.wait(index);
        let target = target.to_string();
        self.end(index, Err(WaitError::Unknown { target, wanted: *wanted, cause }));
    }

    /// It cannot be looked at for now, or can again.
    pub(super) fn disturbed(&self, index: usize, error: Option<Error>) {
        self.lock().slots[index].disturbance = error;
    }

    pub(super) fn into_slots(self) -> Vec<Slot> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).slots
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State<'_> {
    fn look(&mut self, index: usize, wait: &Wait, now: Readiness) {
        let slot = &mut self.slots[index];
        slot.disturbance = None;
        if slot.last.as_ref() != Some(&now) {
            self.observer.seen(index, &now);
        }
        if now.desired != wait.wanted {
            let (target, wanted) = (wait.target.to_string(), wait.wanted);
            slot.outcome = Some(Err(WaitError::Overtaken { target, wanted, now: now.desired }));
        } else if now.done {
            slot.outcome = Some(Ok(()));
        }
        slot.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scaling::Target;

    struct Nobody;

    impl Observer for Nobody {
        fn seen(&mut self, _: usize, _: &Readiness) {}
        fn note(&mut self, _: &str) {}
    }

    fn deployment(replicas: i64, ready: i64, missed_at: Option<&str>) -> Workload {
        let condition = |at: &str| {
            json!({"type": "Progressing", "status": "False", "lastUpdateTime": at,
            "reason": "ProgressDeadlineExceeded", "message": "ReplicaSet \"a-1\" has timed out progressing."})
        };
        serde_json::from_value(json!({
            "metadata": {"generation": 1}, "spec": {"replicas": replicas},
            "status": {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": ready,
                "availableReplicas": ready, "conditions": missed_at.map(condition).into_iter().collect::<Vec<_>>()},
        }))
        .unwrap()
    }

    fn outcome_of(looks: &[Workload]) -> Option<Result<(), String>> {
        let waits = [Wait { target: Target::for_test("a"), wanted: 3 }];
        let mut nobody = Nobody;
        let tracker = Tracker::new(&waits, &mut nobody);
        looks.iter().for_each(|look| tracker.seen(0, WorkloadKind::Deployment, look));
        let outcome = tracker.into_slots().remove(0).outcome;
        outcome.map(|outcome| outcome.map_err(|unmet| unmet.to_string()))
    }

    #[test]
    fn only_a_deadline_that_is_missed_while_waiting_ends_the_wait() {
        let missed = |at| deployment(3, 1, Some(at));
        let given_up = Some(Err(
            "deployment.apps/a does not get ready: ReplicaSet \"a-1\" has timed out progressing."
                .to_owned(),
        ));
        for (looks, expected) in [
            (vec![missed("T1")], None),
            (vec![missed("T1"), missed("T1")], None),
            (vec![missed("T1"), missed("T2")], given_up.clone()),
            (vec![deployment(3, 1, None), missed("T1")], given_up),
            (vec![missed("T1"), deployment(3, 3, None)], Some(Ok(()))),
        ] {
            assert_eq!(outcome_of(&looks), expected, "{looks:?}");
        }
    }

    #[test]
    fn who_is_overtaken_is_told_by_whose_count() {
        let overtaken =
            "deployment.apps/a was scaled to 3, but somebody else scaled it to 5 meanwhile";
        assert_eq!(
            outcome_of(&[deployment(3, 1, None), deployment(5, 1, None), deployment(3, 3, None)]),
            Some(Err(overtaken.to_owned()))
        );
    }
}

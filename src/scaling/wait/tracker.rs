//! Keeps the state of each wait, and decides when it ends.

use parking_lot::{Mutex, MutexGuard};

use super::error::WaitError;
use super::readiness::{Readiness, WorkloadKind, readiness};
use super::request::{Observer, Wait};
use crate::cluster::api::Error;
use crate::scaling::status_condition::message_suffix;
use crate::scaling::workload::{Workload, label_selector};

/// The states of all waits. A wait ends as soon as a new state of its target decides it.
pub(super) struct Tracker<'a> {
    waits: &'a [Wait],
    inner: Mutex<Inner<'a>>,
}

struct Inner<'a> {
    states: Vec<WaitState>,
    observer: &'a mut dyn Observer,
    noted: Vec<String>,
}

/// The state of one wait.
#[derive(Default)]
pub(super) struct WaitState {
    pub outcome: Option<Result<(), WaitError>>,
    pub last: Option<Readiness>,
    /// The selector of the target's pods.
    pub selector: Option<String>,
    /// The reason why the controller cannot create pods.
    pub failure: Option<String>,
    /// The time of a missed deadline in the first object: that was before the scale. Empty if the
    /// deadline was not missed then.
    old_deadline: Option<String>,
    /// The reason why the last read of the target failed.
    pub read_error: Option<Error>,
}

impl<'a> Tracker<'a> {
    pub(super) fn new(waits: &'a [Wait], observer: &'a mut dyn Observer) -> Self {
        let states = waits.iter().map(|_| WaitState::default()).collect();
        let inner = Inner { states, observer, noted: Vec::new() };
        Self { waits, inner: Mutex::new(inner) }
    }

    pub(super) fn wait(&self, index: usize) -> &'a Wait {
        &self.waits[index]
    }

    pub(super) fn is_pending(&self, index: usize) -> bool {
        self.lock().states[index].outcome.is_none()
    }

    pub(super) fn pending(&self, members: &[usize]) -> Vec<usize> {
        let inner = self.lock();
        members.iter().copied().filter(|index| inner.states[*index].outcome.is_none()).collect()
    }

    /// Passes a sentence to the user; the same sentence only once.
    pub(super) fn note(&self, text: String) {
        let mut inner = self.lock();
        if !inner.noted.contains(&text) {
            inner.observer.note(&text);
            inner.noted.push(text);
        }
    }

    /// Updates the wait with the present object of a built-in kind.
    pub(super) fn update(&self, index: usize, kind: WorkloadKind, object: &Workload) {
        let wait = self.wait(index);
        let mut inner = self.lock();
        let state = &mut inner.states[index];
        if state.outcome.is_some() {
            return;
        }
        state.selector = label_selector(&object.spec.selector);
        state.failure = object
            .replica_failure()
            .map(|failure| format!("{}{}", failure.reason, message_suffix(&failure.message)));
        let missed = object.missed_deadline();
        let since = missed.map(|condition| condition.last_update_time.clone()).unwrap_or_default();
        let old = state.old_deadline.get_or_insert_with(|| since.clone());
        let given_up = missed.filter(|_| *old != since).map(|condition| WaitError::GivenUp {
            target: wait.target.to_string(),
            why: condition.message.clone(),
            readiness: None,
            reasons: Vec::new(),
        });
        let now = readiness(kind, object, wait.requested);
        inner.update(index, wait, now);
        let state = &mut inner.states[index];
        if let Some(error) = given_up
            && state.outcome.is_none()
        {
            state.outcome = Some(Err(error));
        }
        if let Some(since) = object.deleted_since()
            && state.outcome.is_none()
        {
            let (target, requested) = (wait.target.to_string(), wait.requested);
            state.outcome = Some(Err(WaitError::BeingDeleted { target, requested, since }));
        }
    }

    /// Updates the wait of a custom resource. Only its scale is known.
    pub(super) fn update_from_scale(&self, index: usize, now: Readiness, selector: String) {
        let wait = self.wait(index);
        let mut inner = self.lock();
        inner.states[index].selector = Some(selector).filter(|selector| !selector.is_empty());
        inner.update(index, wait, now);
    }

    pub(super) fn end(&self, index: usize, outcome: Result<(), WaitError>) {
        self.lock().states[index].outcome.get_or_insert(outcome);
    }

    pub(super) fn deleted(&self, index: usize) {
        let Wait { target, requested } = self.wait(index);
        let target = target.to_string();
        self.end(index, Err(WaitError::Deleted { target, requested: *requested }));
    }

    pub(super) fn unknown(&self, index: usize, cause: Error) {
        let Wait { target, requested } = self.wait(index);
        let target = target.to_string();
        self.end(index, Err(WaitError::Unknown { target, requested: *requested, cause }));
    }

    /// Keeps the error of the last read of a target, or clears it.
    pub(super) fn set_read_error(&self, index: usize, error: Option<Error>) {
        self.lock().states[index].read_error = error;
    }

    pub(super) fn into_states(self) -> Vec<WaitState> {
        self.inner.into_inner().states
    }

    fn lock(&self) -> MutexGuard<'_, Inner<'a>> {
        self.inner.lock()
    }
}

impl Inner<'_> {
    fn update(&mut self, index: usize, wait: &Wait, now: Readiness) {
        let state = &mut self.states[index];
        state.read_error = None;
        if state.last.as_ref() != Some(&now) {
            self.observer.readiness_changed(index, &now);
        }
        if now.desired != now.requested {
            let (target, requested) = (wait.target.to_string(), wait.requested);
            state.outcome = Some(Err(WaitError::Overtaken { target, requested, now: now.desired }));
        } else if now.done {
            state.outcome = Some(Ok(()));
        }
        state.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scaling::Target;

    struct IgnoreAll;

    impl Observer for IgnoreAll {
        fn readiness_changed(&mut self, _: usize, _: &Readiness) {}
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

    fn outcome_of(objects: &[Workload]) -> Option<Result<(), String>> {
        let waits = [Wait { target: Target::for_test("a"), requested: 3 }];
        let mut observer = IgnoreAll;
        let tracker = Tracker::new(&waits, &mut observer);
        objects.iter().for_each(|object| tracker.update(0, WorkloadKind::Deployment, object));
        let outcome = tracker.into_states().remove(0).outcome;
        outcome.map(|outcome| outcome.map_err(|error| error.to_string()))
    }

    #[test]
    fn a_deadline_missed_before_the_wait_does_not_end_it() {
        let missed = |at| deployment(3, 1, Some(at));
        let given_up = Some(Err(
            "deployment.apps/a did not become ready: ReplicaSet \"a-1\" has timed out progressing."
                .to_owned(),
        ));
        for (objects, expected) in [
            (vec![missed("T1")], None),
            (vec![missed("T1"), missed("T1")], None),
            (vec![missed("T1"), missed("T2")], given_up.clone()),
            (vec![deployment(3, 1, None), missed("T1")], given_up),
            (vec![missed("T1"), deployment(3, 3, None)], Some(Ok(()))),
        ] {
            assert_eq!(outcome_of(&objects), expected, "{objects:?}");
        }
    }

    #[test]
    fn the_deletion_of_the_object_ends_the_wait_unless_it_is_ready() {
        let deleted = |ready| {
            let mut object = deployment(3, ready, None);
            object.metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".to_owned());
            object
        };
        let text = "deployment.apps/a was scaled to 3, but its deletion began at \
                    2026-01-01T00:00:00Z, so no new pods will start";
        assert_eq!(outcome_of(&[deleted(1)]), Some(Err(text.to_owned())));
        assert_eq!(outcome_of(&[deleted(3)]), Some(Ok(())));
    }

    #[test]
    fn a_scale_by_another_client_ends_the_wait() {
        let overtaken = "deployment.apps/a was scaled to 3, but then another client scaled it to 5";
        assert_eq!(
            outcome_of(&[deployment(3, 1, None), deployment(5, 1, None), deployment(3, 3, None)]),
            Some(Err(overtaken.to_owned()))
        );
    }
}

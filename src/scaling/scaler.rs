//! Scales one target, and finds out the outcome even if an answer is lost.
//!
//! A JSON Patch tests the old count before it sets the new one. So the server guarantees that the
//! reported old count is the one that was replaced.

use std::time::Duration;

use serde_json::{Value, json};

use super::count_location::{CountLocation, ignores_changes};
use super::lost_answer::known_state;
use super::missing::explain_missing;
use super::order::{
    ATTEMPTS, Condition, DryRun, ListedObject, NewCount, ObjectSource, Order, ScaleError, Scaled,
};
use super::remembered_count::{Annotation, AnnotationChange};
use super::restored_count::not_restored;
use super::send::{PatchResult, send};
use super::{Progress, current_scale::CurrentScale};
use crate::cluster::api::{Client, Error, Status};

/// Carries out one order. It takes one request if the old count is a precondition or comes from a
/// LIST, and two requests otherwise. `index` is the order's index in `progress`.
///
/// # Errors
/// [`ScaleError`]. If the answer to a PATCH was lost, the message says what the server has now.
pub async fn scale(
    client: &Client,
    order: &Order,
    progress: &Progress,
    index: usize,
) -> Result<Scaled, ScaleError> {
    Scaler::new(client, order, progress, index).run().await
}

/// A PATCH that was sent, but whose outcome is unknown.
struct UnansweredPatch {
    seen: CurrentScale,
    new: i64,
    cause: Error,
}

struct Scaler<'a> {
    client: &'a Client,
    order: &'a Order,
    progress: &'a Progress,
    index: usize,
    path: String,
}

impl<'a> Scaler<'a> {
    fn new(client: &'a Client, order: &'a Order, progress: &'a Progress, index: usize) -> Self {
        Self { client, order, progress, index, path: order.target.path() }
    }

    async fn run(&self) -> Result<Scaled, ScaleError> {
        if ignores_changes(&self.order.target.resource) {
            return Err(ScaleError::Ignored { target: self.order.target.to_string() });
        }
        if let ObjectSource::Given(object) = &self.order.object
            && self.order.target.resource.is_counted_in_print()
            && object.get("spec").is_some_and(|spec| !spec.is_object())
        {
            return Err(ScaleError::NoSpec);
        }
        if self.order.dry_run == DryRun::Client {
            return self.dry_run().await;
        }
        let mut unclear = None;
        let result = self.try_all(&mut unclear).await;
        let result = match (result, unclear) {
            // The first PATCH may have been applied, even if a later attempt failed.
            (Err(problem), Some(lost)) if !matches!(problem, ScaleError::AnswerLost { .. }) => {
                match self.look_again(&lost).await {
                    Ok(now) => self.conclude_after(problem, lost, now.replicas),
                    Err(unknown) => Err(unknown),
                }
            }
            (result, _) => result,
        };
        self.progress.set(self.index, None);
        result
    }

    /// On return, `unclear` holds a PATCH whose outcome is still unknown.
    async fn try_all(&self, unclear: &mut Option<UnansweredPatch>) -> Result<Scaled, ScaleError> {
        let mut seen = match self.known_count().or_else(|| self.given_count()) {
            Some(seen) => seen,
            None => self.read().await?,
        };
        let mut refusal = None;
        for attempt in 0..ATTEMPTS {
            self.pause(attempt).await;
            self.check(&seen)?;
            let new = self.new_count(seen.replicas)?;
            let error = match self.patch(&seen, new).await {
                Ok(held) => {
                    let mut scaled = self.scaled(seen, new, held.count);
                    scaled.notes.extend(held.notes);
                    return Ok(scaled);
                }
                Err(error) => error,
            };
            if error.status().is_some_and(is_lost_race) {
                let tested = seen.replicas;
                seen = self.read().await?;
                if let Some(unclear) = unclear.take_if(|unclear| seen.is(unclear.new)) {
                    return self.conclude(unclear, seen.replicas);
                }
                // The server refused although the count is the tested one: it was not only a race.
                refusal = (seen.replicas == tested).then_some(error);
            } else if error.may_have_been_applied() && self.order.dry_run == DryRun::None {
                let lost = UnansweredPatch { seen, new, cause: error };
                seen = self.look_again(&lost).await?;
                let pause = self.requested_pause(&lost, seen.replicas);
                let Some(pause) = pause.filter(|_| attempt + 1 < ATTEMPTS) else {
                    return self.conclude(lost, seen.replicas);
                };
                tokio::time::sleep(pause).await;
                seen = self.look_again(&lost).await?;
                if seen.replicas != lost.seen.replicas {
                    return self.conclude(lost, seen.replicas);
                }
                *unclear = Some(lost);
            } else {
                return Err(self.explain(error).await);
            }
        }
        self.check(&seen)?;
        Err(match refusal {
            Some(error) => ScaleError::Api(error),
            None => {
                ScaleError::LostRaces { target: self.order.target.to_string(), last: seen.replicas }
            }
        })
    }

    /// The count from the LIST.
    fn known_count(&self) -> Option<CurrentScale> {
        if self.order.annotation_change == Some(AnnotationChange::Remember) {
            // The list has no annotations.
            return None;
        }
        let ListedObject { replicas, resource_version, object, annotation } =
            self.order.listed.clone()?;
        Some(CurrentScale {
            replicas: Some(replicas),
            resource_version: Some(resource_version),
            object: object.or_else(|| self.given_object()),
            notes: Vec::new(),
            annotation,
        })
    }

    fn given_object(&self) -> Option<Value> {
        match &self.order.object {
            ObjectSource::Given(object) => Some(object.clone()),
            ObjectSource::None | ObjectSource::Server => None,
        }
    }

    /// The count from `--current-replicas`. It does not have to be read, since the PATCH tests it.
    fn given_count(&self) -> Option<CurrentScale> {
        let condition = &self.order.condition;
        let must_read = matches!(self.order.object, ObjectSource::Server);
        if must_read
            || condition.resource_version.is_some()
            || self.order.annotation_change.is_some()
        {
            return None;
        }
        let replicas = Some(condition.replicas?);
        let object = self.given_object();
        let (notes, annotation) = (Vec::new(), Annotation::default());
        Some(CurrentScale { replicas, resource_version: None, object, notes, annotation })
    }

    async fn dry_run(&self) -> Result<Scaled, ScaleError> {
        let seen = match self.known_count() {
            Some(seen) => seen,
            None => self.read().await?,
        };
        let new = self.new_count(seen.replicas)?;
        let mut failed = Vec::new();
        if let Err(problem) = self.check(&seen) {
            failed.push(format!("the condition would not hold: {problem}"));
        }
        failed.extend(seen.notes.iter().cloned());
        let mut scaled = self.scaled(seen, new, new);
        scaled.notes.extend(failed);
        Ok(scaled)
    }

    async fn read(&self) -> Result<CurrentScale, ScaleError> {
        let subject = self.order.target.request_subject("get");
        let result = CurrentScale::read(self.client, self.order, &self.path, &subject).await;
        match result {
            Ok(seen) => Ok(seen),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Checks the preconditions in kubectl's order: the count first, then the resource version.
    fn check(&self, seen: &CurrentScale) -> Result<(), ScaleError> {
        let condition = &self.order.condition;
        if let Some(expected) = condition.replicas
            && !seen.is(expected)
        {
            return Err(ScaleError::ReplicasDiffer { expected, was: seen.replicas });
        }
        if let (Some(expected), Some(was)) = (&condition.resource_version, &seen.resource_version)
            && expected != was
        {
            return Err(ScaleError::VersionDiffers {
                expected: expected.clone(),
                was: was.clone(),
            });
        }
        if self.order.annotation_change == Some(AnnotationChange::Restore) {
            let restored = seen.annotation.to_restore(seen.replicas);
            restored.map_err(|why| not_restored(&self.order.target, why))?;
        }
        Ok(())
    }

    fn new_count(&self, old: Option<i64>) -> Result<i64, ScaleError> {
        let new = self.requested_count(old)?;
        match self.order.limits {
            Some(limits) if !limits.allow(new) => {
                let target = self.order.target.to_string();
                Err(ScaleError::BeyondLimits { target, new, limits })
            }
            _ => Ok(new),
        }
    }

    fn requested_count(&self, old: Option<i64>) -> Result<i64, ScaleError> {
        match self.order.new {
            NewCount::Exactly(count) => Ok(count.into()),
            NewCount::By(by) => {
                let target = || self.order.target.to_string();
                let Some(old) = old else {
                    return Err(ScaleError::NothingToChange { target: target(), by });
                };
                let new = old.saturating_add(by).max(0);
                if new > i64::from(i32::MAX) {
                    return Err(ScaleError::TooMany { target: target(), old, by });
                }
                Ok(new)
            }
        }
    }

    /// Sends the PATCH. Returns what the server has afterwards.
    async fn patch(&self, seen: &CurrentScale, new: i64) -> Result<PatchResult, Error> {
        let dry_run = self.order.dry_run == DryRun::Server;
        let change = format!("the change of {} from {} to {new}", self.order.target, seen.count());
        // An earlier PATCH of this order may still be applied, even if this one is refused.
        let is_open = self.progress.is_under_way(self.index);
        let tell = |is_under_way: bool| {
            if !dry_run && !is_open {
                self.progress.set(self.index, is_under_way.then(|| change.clone()));
            }
        };
        let result = send(self.client, self.order, seen, new, &tell).await;
        // Without a clear answer, the change stays in `progress` until its outcome is known.
        if !result.as_ref().is_err_and(Error::may_have_been_applied) {
            self.progress.set(self.index, None);
        }
        result
    }

    fn scaled(&self, seen: CurrentScale, new: i64, held: i64) -> Scaled {
        let object = seen.object.map(|object| self.with_count(object, held));
        let mut notes = Vec::new();
        if let NewCount::By(by) = self.order.new
            && let Some(old) = seen.replicas
            && old.saturating_add(by) < 0
        {
            notes.push(format!("{} was at {old} and cannot go below 0", self.order.target));
        }
        let requested = (held != new).then_some(new);
        Scaled { old: seen.replicas, new: held, object, notes, requested }
    }

    /// Sets the new count in the object. As in kubectl, only in the types of its own groups. kubectl
    /// does not scale the types that have the count in a field of their own.
    fn with_count(&self, mut object: Value, count: i64) -> Value {
        let location = self.order.count_location();
        if (self.order.target.resource.is_counted_in_print() || location != CountLocation::Scale)
            && let Some(fields) = object.as_object_mut()
            && let Some(spec) = fields.entry("spec").or_insert_with(|| json!({})).as_object_mut()
        {
            spec.insert(location.field().to_owned(), count.into());
        }
        object
    }

    /// Reads the count after a PATCH without a clear answer.
    async fn look_again(&self, lost: &UnansweredPatch) -> Result<CurrentScale, ScaleError> {
        self.read().await.map_err(|failed| {
            let (target, old, new) = (&self.order.target, lost.seen.count(), lost.new);
            let known_state = format!(
                "locustctl cannot tell if {target} was scaled from {old} to {new}; check it before you \
                 try again. Reading it failed too: {failed}"
            );
            ScaleError::AnswerLost { cause: lost.cause.clone(), known_state }
        })
    }

    /// Decides the outcome of a PATCH without a clear answer by the count that the server has now.
    fn conclude(&self, lost: UnansweredPatch, now: Option<i64>) -> Result<Scaled, ScaleError> {
        let UnansweredPatch { seen, new, cause } = lost;
        let target = &self.order.target;
        // Another client may have set the same count. A plain `--replicas=N` has reached its goal.
        // With `--by` or a precondition we cannot tell whether our own PATCH made the change.
        let has_reached_goal = matches!(self.order.new, NewCount::Exactly(_))
            && self.order.annotation_change.is_none()
            && self.has_no_precondition();
        if now == Some(new) && (has_reached_goal || seen.is(new)) {
            let note = format!(
                "the answer to the change of {target} was lost ({cause}), but it has {new} \
                 replicas now"
            );
            let mut scaled = self.scaled(seen, new, new);
            scaled.notes.push(note);
            return Ok(scaled);
        }
        let known_state = known_state(&self.order.target, seen.replicas, new, now, &cause);
        Err(ScaleError::AnswerLost { cause, known_state })
    }

    /// The outcome if a later attempt has failed for another reason. That reason comes first.
    fn conclude_after(
        &self,
        problem: ScaleError,
        lost: UnansweredPatch,
        now: Option<i64>,
    ) -> Result<Scaled, ScaleError> {
        match problem {
            ScaleError::Api(cause) if now != Some(lost.new) => {
                let known_state =
                    known_state(&self.order.target, lost.seen.replicas, lost.new, now, &lost.cause);
                Err(ScaleError::AnswerLost { cause, known_state })
            }
            _ => self.conclude(lost, now),
        }
    }

    /// The pause before the next attempt, if the server sent a `Retry-After` and changed nothing.
    /// There is no next attempt with `--by` or a precondition of the user. The first PATCH may still be applied
    /// later: a relative change would then be made twice, and a precondition would fail because of
    /// our own change.
    fn requested_pause(&self, lost: &UnansweredPatch, now: Option<i64>) -> Option<Duration> {
        let is_repeatable = matches!(self.order.new, NewCount::Exactly(_))
            && self.has_no_precondition()
            && now == lost.seen.replicas;
        lost.cause.status()?.retry_after.filter(|_| is_repeatable)
    }

    /// The user has given no precondition.
    fn has_no_precondition(&self) -> bool {
        self.order.condition.is_of_step || self.order.condition == Condition::default()
    }

    async fn explain(&self, error: Error) -> ScaleError {
        ScaleError::Api(explain_missing(self.client, &self.order.target, error).await)
    }

    /// Waits a random time before the third and each later attempt, because other clients that lost
    /// the same race retry too.
    async fn pause(&self, attempt: u32) {
        if attempt > 1 {
            let longest = 10 << attempt.min(6);
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=longest))).await;
        }
    }
}

fn is_lost_race(status: &Status) -> bool {
    status.is_failed_test() || status.is_conflict()
}

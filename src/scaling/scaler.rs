//! One scale, from the first request to the truth about its outcome.
//!
//! The count is changed by a JSON Patch that tests the old count before it adds the new one, so
//! the server itself guarantees that the old count which we report is the one that was replaced.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::Target;
use super::order::{ATTEMPTS, DryRun, NewCount, Order, Problem, Scaled};
use crate::api::{About, Client, Error, FailureKind, PatchKind, Request, Status};

/// Carries out one order: one request when the old count is given as a condition, two otherwise.
///
/// # Errors
/// [`Problem`]; whatever it is, the message says what the server is known to hold.
pub async fn scale(client: &Client, order: &Order) -> Result<Scaled, Problem> {
    Scaler::new(client, order).run().await
}

/// The count as it was last seen, with what goes with it.
struct Seen {
    replicas: i64,
    /// Absent when the count was only given as a condition.
    resource_version: Option<String>,
    object: Option<Value>,
}

struct Scaler<'a> {
    client: &'a Client,
    order: &'a Order,
    path: String,
}

impl<'a> Scaler<'a> {
    fn new(client: &'a Client, order: &'a Order) -> Self {
        let path = order.target.resource.path(&order.namespace, &order.target.name);
        Self { client, order, path }
    }

    async fn run(&self) -> Result<Scaled, Problem> {
        if self.order.dry_run == DryRun::Client {
            return self.only_say().await;
        }
        let mut seen = match self.given_count() {
            Some(seen) => seen,
            None => self.read().await?,
        };
        let mut refusal = None;
        for attempt in 0..ATTEMPTS {
            self.pause(attempt).await;
            self.check(&seen)?;
            let new = self.new_count(seen.replicas)?;
            match self.patch(&seen, new).await {
                Ok(held) => return Ok(self.scaled(seen, new, held)),
                Err(error) if error.status().is_some_and(is_lost_race) => {
                    let tested = seen.replicas;
                    seen = self.read().await?;
                    self.check(&seen)?;
                    // Refused although the count is what was tested: not, or not only, a race.
                    refusal = (seen.replicas == tested).then_some(error);
                }
                Err(error) if error.may_have_been_applied() => {
                    match self.find_out(seen, new, error).await {
                        Err(Problem::Api(error)) if attempt + 1 < ATTEMPTS => {
                            let Some(pause) = self.asked_pause(&error) else {
                                return Err(Problem::Api(error));
                            };
                            tokio::time::sleep(pause).await;
                            seen = self.read().await?;
                        }
                        result => return result,
                    }
                }
                Err(error) => return Err(self.explain(error).await),
            }
        }
        Err(match refusal {
            Some(error) => Problem::Api(error),
            None => {
                Problem::LostRaces { target: self.order.target.to_string(), last: seen.replicas }
            }
        })
    }

    /// `--current-replicas` says the old count, so nothing needs to be read: the PATCH itself
    /// tests it.
    fn given_count(&self) -> Option<Seen> {
        let condition = &self.order.condition;
        if self.order.with_object || condition.resource_version.is_some() {
            return None;
        }
        let replicas = condition.replicas?;
        Some(Seen { replicas, resource_version: None, object: None })
    }

    async fn only_say(&self) -> Result<Scaled, Problem> {
        let seen = self.read().await?;
        let new = self.new_count(seen.replicas)?;
        let mut unmet = Vec::new();
        if let Err(problem) = self.check(&seen) {
            unmet.push(format!("the condition would not hold: {problem}"));
        }
        let mut scaled = self.scaled(seen, new, new);
        scaled.notes.extend(unmet);
        Ok(scaled)
    }

    async fn read(&self) -> Result<Seen, Problem> {
        let about = self.about("get");
        let result = match self.order.with_object {
            true => self.client.get_object(&self.path, &about).await.and_then(seen_in_object),
            false => self.client.get_scale(&self.path, &about).await.map(|scale| Seen {
                replicas: scale.replicas.into(),
                resource_version: Some(scale.resource_version),
                object: None,
            }),
        };
        match result {
            Ok(seen) => Ok(seen),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// kubectl's order: the count first, then the version.
    fn check(&self, seen: &Seen) -> Result<(), Problem> {
        let condition = &self.order.condition;
        if let Some(expected) = condition.replicas
            && expected != seen.replicas
        {
            return Err(Problem::ReplicasDiffer { expected, was: seen.replicas });
        }
        if let (Some(expected), Some(was)) = (&condition.resource_version, &seen.resource_version)
            && expected != was
        {
            return Err(Problem::VersionDiffers { expected: expected.clone(), was: was.clone() });
        }
        Ok(())
    }

    fn new_count(&self, old: i64) -> Result<i64, Problem> {
        match self.order.new {
            NewCount::Exactly(count) => Ok(count.into()),
            NewCount::By(by) => {
                let new = old.saturating_add(by).max(0);
                if new > i64::from(i32::MAX) {
                    let target = self.order.target.to_string();
                    return Err(Problem::TooMany { target, old, by });
                }
                Ok(new)
            }
        }
    }

    /// Gives the count that the server has afterwards.
    async fn patch(&self, seen: &Seen, new: i64) -> Result<i64, Error> {
        let (kind, patch) = match &self.order.condition.resource_version {
            Some(version) => (
                PatchKind::Merge,
                json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": new}}),
            ),
            None => (PatchKind::Json, tested_patch(seen.replicas, new)),
        };
        let dry_run = self.order.dry_run == DryRun::Server;
        let about = self.about("patch");
        let scale = self.client.patch_scale(&self.path, kind, &patch, dry_run, &about).await?;
        Ok(scale.replicas.into())
    }

    fn scaled(&self, seen: Seen, new: i64, held: i64) -> Scaled {
        let mut object = seen.object;
        if let Some(count) = object.as_mut().and_then(|object| object.pointer_mut("/spec/replicas"))
        {
            *count = held.into();
        }
        let mut notes = Vec::new();
        if let NewCount::By(by) = self.order.new
            && seen.replicas.saturating_add(by) < 0
        {
            notes.push(format!(
                "{} has only {} replicas: scaled to 0",
                self.order.target, seen.replicas
            ));
        }
        let asked_for = (held != new).then_some(new);
        Scaled { old: seen.replicas, new: held, object, notes, asked_for }
    }

    /// The PATCH was sent and there is no clear answer: what the server holds decides.
    async fn find_out(&self, seen: Seen, new: i64, cause: Error) -> Result<Scaled, Problem> {
        if self.order.dry_run == DryRun::Server {
            return Err(Problem::Api(cause));
        }
        let (target, old) = (&self.order.target, seen.replicas);
        let now = match self.read().await {
            Ok(now) => now.replicas,
            Err(failed) => {
                let truth = format!(
                    "whether {target} was scaled from {old} to {new} is not known, \
                     since reading it again failed too: {failed}"
                );
                return Err(Problem::AnswerLost { cause, truth });
            }
        };
        if now == new {
            let lost = format!(
                "the answer to the change of {target} was lost ({cause}); the server has {now} now"
            );
            let mut scaled = self.scaled(seen, new, new);
            scaled.notes.push(lost);
            return Ok(scaled);
        }
        // The server itself refused, and nothing was changed: its own words say it all.
        if now == old && cause.status().is_some_and(|status| status.code != 504) {
            return Err(Problem::Api(cause));
        }
        let is_done_with = matches!(&cause, Error::Failure(failure)
            if failure.kind != FailureKind::Connection || !failure.text.contains("deadline"));
        let truth = match (now == old, is_done_with) {
            (true, true) => format!("{target} is still at {now}: it was not scaled to {new}"),
            (true, false) => {
                format!("{target} is still at {now}; the server may yet scale it to {new}")
            }
            (false, _) => format!(
                "{target} is at {now} now: somebody else changed it; whether it was scaled from \
                 {old} to {new} before is not known"
            ),
        };
        Err(Problem::AnswerLost { cause, truth })
    }

    /// After a refusal that changed nothing the server may be asked again if it wishes. But not
    /// for a relative change: should the first one come to pass all the same, it would be made
    /// twice.
    fn asked_pause(&self, refusal: &Error) -> Option<Duration> {
        match self.order.new {
            NewCount::Exactly(_) => refusal.status()?.retry_after,
            NewCount::By(_) => None,
        }
    }

    /// As kubectl: when a whole namespace is missing, that is what is said.
    async fn explain(&self, error: Error) -> Problem {
        let namespace = self.order.namespace.as_str();
        let is_about_target = error.status().is_some_and(|status| {
            status.is_not_found()
                && status.details.as_ref().is_some_and(|about| about.name == self.order.target.name)
        });
        if is_about_target && namespace != "default" {
            let resource = "namespaces".to_owned();
            let about = About { verb: "get", resource, name: namespace.to_owned() };
            let path = format!("/api/v1/namespaces/{namespace}");
            let request = Request {
                method: Method::GET,
                path: &path,
                query: &[],
                content: None,
                about: &about,
            };
            if let Ok(reply) = self.client.send(request).await {
                let status = Status::from_reply(&reply, &about);
                if reply.status == 404 && status.is_not_found() {
                    return Problem::Api(Error::Status(Box::new(status)));
                }
            }
        }
        Problem::Api(error)
    }

    /// The first retry comes at once; then others, who lost the same race, are given way.
    async fn pause(&self, attempt: u32) {
        if attempt > 1 {
            let longest = 10 << attempt.min(6);
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=longest))).await;
        }
    }

    fn about(&self, verb: &'static str) -> About {
        let Target { resource, name } = &self.order.target;
        About { verb, resource: resource.plural.to_owned(), name: name.clone() }
    }
}

fn is_lost_race(status: &Status) -> bool {
    status.is_failed_test() || status.is_conflict()
}

/// At zero the server leaves the field out, so the test there is for `null`: one for the number 0
/// would fail. `add` sets a field that is absent as well as one that is there.
fn tested_patch(old: i64, new: i64) -> Value {
    let tested = if old == 0 { Value::Null } else { old.into() };
    json!([
        {"op": "test", "path": "/spec/replicas", "value": tested},
        {"op": "add", "path": "/spec/replicas", "value": new},
    ])
}

fn seen_in_object(object: Value) -> Result<Seen, Error> {
    let count = &object["spec"]["replicas"];
    let replicas = match count {
        // The API server fills it in; only a foreign server could leave it out.
        Value::Null => 0,
        count => count.as_i64().filter(|count| *count >= 0).ok_or_else(|| {
            Error::Unreadable(format!(
                "the server's object has {count} in spec.replicas, which is no count"
            ))
        })?,
    };
    let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    Ok(Seen { replicas, resource_version: Some(version), object: Some(object) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_tested_as_null_since_the_server_leaves_it_out() {
        assert_eq!(
            tested_patch(0, 2).to_string(),
            r#"[{"op":"test","path":"/spec/replicas","value":null},{"op":"add","path":"/spec/replicas","value":2}]"#
        );
        assert_eq!(
            tested_patch(3, 0).to_string(),
            r#"[{"op":"test","path":"/spec/replicas","value":3},{"op":"add","path":"/spec/replicas","value":0}]"#
        );
    }
}

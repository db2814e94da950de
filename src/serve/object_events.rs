//! Each change as a Kubernetes Event on the target, which `kubectl describe` shows. The cluster keeps Events
//! for an hour by default.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::live::HistoryEntry;
use super::log::{log, now};
use super::snapshot::Outcome;
use crate::cluster::api::{Client, RequestSubject, escape_segment};
use crate::scaling::Target;
use crate::text::terminal::{on_one_line, printable};

/// Limit on the Events that wait to be sent.
const MAX_WAITING: usize = 64;

/// Time limit for sending one Event. A slow API server must not keep the later ones.
const LIMIT: Duration = Duration::from_secs(10);

/// Longest message, in characters: the limit of `events.k8s.io/v1`.
const MAX_MESSAGE: usize = 1000;

/// Events that wait to be sent. Adding one never waits.
#[derive(Debug, Default)]
pub(super) struct ObjectEvents {
    waiting: Mutex<VecDeque<Value>>,
    added: Notify,
}

impl ObjectEvents {
    /// Adds the Event of a change that was made here. `uid` is the target's. Without it, `kubectl
    /// describe` does not find the Event.
    pub(super) fn add(&self, target: &Target, uid: &str, entry: &HistoryEntry) {
        if let Some(event) = event(target, uid, entry) {
            let mut waiting = self.waiting.lock();
            if waiting.len() >= MAX_WAITING {
                waiting.pop_front();
            }
            waiting.push_back(event);
            self.added.notify_one();
        }
    }

    /// Sends the Events; never ends. A failure is only logged: the history has the change too.
    pub(super) async fn send(&self, client: &Client, namespace: &str) {
        let mut last = String::new();
        loop {
            while let Some(event) = self.next() {
                let error = create(client, namespace, &event).await;
                let text =
                    error.map(|error| format!("Events of changes cannot be created: {error}"));
                let text = printable(&text.unwrap_or_default());
                if text != last {
                    if !text.is_empty() {
                        log(&text);
                    }
                    last = text;
                }
            }
            self.added.notified().await;
        }
    }

    /// Sends the Events that wait, before the server stops.
    pub(super) async fn send_last(&self, client: &Client, namespace: &str) {
        while let Some(event) = self.next() {
            if create(client, namespace, &event).await.is_some() {
                return;
            }
        }
    }

    fn next(&self) -> Option<Value> {
        self.waiting.lock().pop_front()
    }
}

/// Creates one Event, and returns why that failed.
async fn create(client: &Client, namespace: &str, event: &Value) -> Option<String> {
    let path = format!("/api/v1/namespaces/{}/events", escape_segment(namespace));
    let subject =
        RequestSubject { verb: "create", resource: "events".to_owned(), name: String::new() };
    match timeout(LIMIT, client.create_object(&path, event, &subject)).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("the API server did not answer within {} s", LIMIT.as_secs())),
    }
}

/// The Event of a change, as client-go's `tools/record` builds it; `None` if nothing was changed.
fn event(target: &Target, uid: &str, entry: &HistoryEntry) -> Option<Value> {
    let HistoryEntry { changed_by: who, old, new, message, .. } = entry;
    let count = |count: &Option<i64>| count.map_or_else(|| "?".to_owned(), |c| c.to_string());
    let from_to = format!("from {} to {}", count(old), count(new));
    let (kind, reason, text) = match entry.outcome {
        Outcome::Scaled => ("Normal", "Scaled", format!("{who} scaled {from_to}")),
        Outcome::Failed => ("Warning", "ScaleFailed", format!("{who} could not scale {from_to}")),
        Outcome::Unknown => (
            "Warning",
            "ScaleUnknown",
            format!("{who} tried to scale {from_to}, and the result is not known"),
        ),
        Outcome::Unchanged | Outcome::Observed => return None,
    };
    let text = if message.is_empty() { text } else { format!("{text}: {message}") };
    let text: String = on_one_line(&printable(&text)).chars().take(MAX_MESSAGE).collect();
    let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos();
    let base: String = target.name.chars().take(200).collect();
    let (namespace, time) = (&target.namespace, now());
    let mut involved = json!({
        "apiVersion": target.resource.api_version(), "kind": target.resource.kind,
        "name": target.name, "namespace": namespace,
    });
    if !uid.is_empty() {
        involved["uid"] = json!(uid);
    }
    Some(json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": { "name": format!("{base}.{nanoseconds:x}"), "namespace": namespace },
        "involvedObject": involved, "type": kind, "reason": reason, "message": text,
        "source": { "component": "locustctl" }, "reportingComponent": "locustctl",
        "firstTimestamp": time, "lastTimestamp": time, "count": 1,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(outcome: Outcome, message: &str) -> HistoryEntry {
        HistoryEntry {
            changed_by: "alice".to_owned(),
            old: None,
            intermediate: Vec::new(),
            new: Some(3),
            outcome,
            message: message.to_owned(),
        }
    }

    #[test]
    fn only_changes_that_may_have_been_made_and_failures_are_events() {
        let target = Target::for_test("workers");
        let event = |outcome, message: &str| event(&target, "1-2", &entry(outcome, message));
        assert!(event(Outcome::Unchanged, "").is_none() && event(Outcome::Observed, "").is_none());
        let scaled = event(Outcome::Scaled, "").unwrap();
        assert_eq!((&scaled["type"], &scaled["reason"]), (&json!("Normal"), &json!("Scaled")));
        assert_eq!(scaled["message"], "alice scaled from ? to 3");
        assert_eq!(scaled["involvedObject"]["uid"], "1-2");
        let failed = event(Outcome::Failed, &"\u{1b}x\n".repeat(900)).unwrap();
        let text = failed["message"].as_str().unwrap();
        assert!(text.starts_with("alice could not scale from ? to 3: "), "{text}");
        assert!(text.chars().count() == MAX_MESSAGE && !text.contains(['\n', '\u{1b}']), "{text}");
    }

    #[test]
    fn the_oldest_events_are_dropped_when_too_many_wait() {
        let events = ObjectEvents::default();
        let target = Target::for_test("workers");
        for _ in 0..MAX_WAITING + 10 {
            events.add(&target, "", &entry(Outcome::Scaled, ""));
        }
        assert_eq!(events.waiting.lock().len(), MAX_WAITING);
    }
}

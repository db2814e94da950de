//! Watches: one JSON event per line, until the timeout.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, timeout_at},
};

use super::{
    custom,
    list::View,
    object,
    query::Query,
    shared::Shared,
    status::Failure,
    store::{Change, Event, Store},
    table::{self, IncludeObject},
};

/// The timeout in seconds if the client sets none.
const DEFAULT_TIMEOUT: u64 = 30 * 60;

#[derive(Debug)]
pub(super) struct Watch {
    view: View,
    /// Send table rows instead of objects.
    table: Option<IncludeObject>,
    columns_sent: bool,
    /// The changes up to this version have been sent.
    sent_version: u64,
    /// Send the present objects first.
    from_now: bool,
    /// Send a bookmark after the present objects.
    mark_initial_end: bool,
    /// Send a bookmark at the end.
    bookmarks: bool,
    deadline: Instant,
}

impl Watch {
    pub(super) fn new(
        view: View,
        table: Option<IncludeObject>,
        query: &Query,
    ) -> Result<Self, Failure> {
        let seconds = query.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
        let seconds =
            seconds.filter(|seconds| *seconds > 0).unwrap_or(DEFAULT_TIMEOUT).min(24 * 3600);
        let version = query.get("resourceVersion").unwrap_or("");
        let sent_version = match version {
            "" => 0,
            number => number.parse().map_err(|_| {
                let message = format!("Invalid value: {number:?}: strconv.ParseUint: parsing {number:?}: invalid syntax");
                Failure::bad_request(format!("resourceVersion: {message}"))
            })?,
        };
        let initial = query.flag("sendInitialEvents");
        Ok(Self {
            view,
            table,
            columns_sent: false,
            sent_version,
            from_now: sent_version == 0 || initial,
            mark_initial_end: initial,
            bookmarks: query.flag("allowWatchBookmarks"),
            deadline: Instant::now() + Duration::from_secs(seconds),
        })
    }

    /// Sends events until the client leaves, the timeout is over, or the history has a gap.
    pub(super) async fn run(mut self, shared: Arc<Shared>, lines: mpsc::Sender<Bytes>) {
        let (mut changes, mut batch) = {
            let state = shared.lock();
            let changes = state.store.subscribe();
            (changes, self.initial(&state.store))
        };
        let mut broken = false;
        loop {
            for line in batch {
                match timeout_at(self.deadline, lines.send(line)).await {
                    Ok(Ok(())) => {}
                    _ => return,
                }
            }
            if broken {
                return;
            }
            changes.borrow_and_update();
            (batch, broken) = self.next(&shared.lock().store);
            if !batch.is_empty() {
                continue;
            }
            let changed = tokio::select! {
                changed = timeout_at(self.deadline, changes.changed()) => changed,
                () = lines.closed() => return,
            };
            match changed {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => {
                    if self.bookmarks {
                        // A client that does not read does not need it.
                        let _ = lines.try_send(self.bookmark(false));
                    }
                    return;
                }
            }
        }
    }

    fn initial(&mut self, store: &Store) -> Vec<Bytes> {
        if !self.from_now {
            return Vec::new();
        }
        self.sent_version = store.version();
        let present: Vec<Arc<Value>> =
            self.view.all(store).map(|(_, object)| Arc::clone(object)).collect();
        let mut lines: Vec<Bytes> =
            present.iter().map(|object| self.line("ADDED", object)).collect();
        if self.mark_initial_end && self.bookmarks {
            lines.push(self.bookmark(true));
        }
        lines
    }

    fn bookmark(&self, initial_end: bool) -> Bytes {
        let kind = self.view.kind;
        let mut object = json!({
            "kind": kind.kind, "apiVersion": kind.api_version(),
            "metadata": { "resourceVersion": self.sent_version.to_string() },
        });
        if initial_end {
            object["metadata"]["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        if kind.plural == "deployments" {
            // Go writes these fields even if they are empty.
            let template = json!({ "metadata": {}, "spec": { "containers": null } });
            object["spec"] =
                json!({ "replicas": 0, "selector": null, "template": template, "strategy": {} });
            object["status"] = json!({});
        }
        written("BOOKMARK", &object)
    }

    /// The events since the last call, and true if the watch is over.
    fn next(&mut self, store: &Store) -> (Vec<Bytes>, bool) {
        let events: Vec<Event> = match store.changes_after(self.sent_version) {
            Ok(events) => events.cloned().collect(),
            Err(failure) => return (vec![written("ERROR", &failure.status())], true),
        };
        self.sent_version = store.version().max(self.sent_version);
        (events.iter().filter_map(|event| self.translate(event)).collect(), false)
    }

    /// An event as this watch sees it. An object that is no longer selected is reported as deleted.
    fn translate(&mut self, event: &Event) -> Option<Bytes> {
        let was = event.before.as_ref().is_some_and(|before| self.view.shows(&event.key, before));
        let is = event.change != Change::Deleted && self.view.shows(&event.key, &event.object);
        let kind = match (was, is) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        Some(self.line(kind, &event.object))
    }

    fn line(&mut self, kind: &str, object: &Value) -> Bytes {
        let Some(include) = self.table else {
            return written(kind, &custom::in_version(self.view.kind, object));
        };
        let metadata =
            json!({ "resourceVersion": object::text(object, "/metadata/resourceVersion") });
        let columns = !std::mem::replace(&mut self.columns_sent, true);
        let row = table::of(
            self.view.kind.stored_as(),
            std::iter::once(object),
            &metadata,
            include,
            columns,
        );
        written(kind, &row)
    }
}

fn written(kind: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n"))
}

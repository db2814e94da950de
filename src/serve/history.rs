//! Keeps the history in a ConfigMap, so that a restart does not lose it and all replicas show the same one.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::backend::Backend;
use super::log::log;
use super::record;
use crate::cluster::api::{Client, Error, RequestSubject, Status, escape_segment};
use crate::text::terminal::printable;

/// The key in the ConfigMap.
const KEY: &str = "history";

/// Time between two looks at the ConfigMap while nothing changes here. Other replicas write it too.
const PERIOD: Duration = Duration::from_secs(30);

/// Changes within this time are written together.
const DELAY: Duration = Duration::from_millis(500);

/// Time limit of one synchronization.
const LIMIT: Duration = Duration::from_secs(15);

/// Time limit of the last one, when the server stops.
const LAST_LIMIT: Duration = Duration::from_secs(2);

/// Maximum number of attempts, if other clients write the ConfigMap.
const MAX_ATTEMPTS: usize = 5;

/// The text on the page while the history is only in memory.
const IN_MEMORY: &str = "Kept in memory: a restart clears it.";

#[derive(Debug, thiserror::Error)]
enum HistoryError {
    #[error("{0}")]
    Api(#[from] Error),
    #[error("its key \"{KEY}\" does not contain a history of locustctl ({0}); remove that key")]
    Invalid(String),
    #[error("other clients keep changing it")]
    Contended,
    #[error("the API server did not answer within {} s", LIMIT.as_secs())]
    NoAnswer,
}

/// The ConfigMap with the history.
struct HistoryStore<'a> {
    backend: &'a Backend,
    name: &'a str,
    path: String,
}

/// Reads and writes the history when it changes, and periodically; never ends.
pub(super) async fn follow_history(backend: &Backend) {
    let live = &backend.live;
    let Some(store) = HistoryStore::of(backend) else {
        live.set_history_note(IN_MEMORY);
        return std::future::pending().await;
    };
    let mut last = None;
    loop {
        let result = timeout(LIMIT, store.synchronize()).await;
        let error = result.unwrap_or(Err(HistoryError::NoAnswer)).err();
        let text = error.as_ref().map(|error| store.explain(error));
        live.set_history_note(if text.is_some() { IN_MEMORY } else { "" });
        if last.as_ref() != Some(&text) {
            log(&match &text {
                Some(text) => text.clone(),
                None => format!("the history is kept in the ConfigMap {}", store.name),
            });
            last = Some(text);
        }
        if timeout(PERIOD, live.history_changed()).await.is_ok() {
            sleep(DELAY).await;
        }
    }
}

/// Writes the last changes before the server stops.
pub(super) async fn write_history(backend: &Backend) {
    if let Some(store) = HistoryStore::of(backend) {
        let result = timeout(LAST_LIMIT, store.synchronize()).await;
        if let Err(error) = result.unwrap_or(Err(HistoryError::NoAnswer)) {
            log(&store.explain(&error));
        }
    }
}

impl<'a> HistoryStore<'a> {
    fn of(backend: &'a Backend) -> Option<Self> {
        let name = backend.shared.history_configmap.as_deref()?;
        let namespace = escape_segment(&backend.target.namespace);
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/{}", escape_segment(name));
        Some(Self { backend, name, path })
    }

    /// Reads the stored changes, and adds those that are missing. The resourceVersion is the condition: if
    /// another replica was faster, its changes are read first.
    async fn synchronize(&self) -> Result<(), HistoryError> {
        let Backend { client, live, .. } = self.backend;
        for _ in 0..MAX_ATTEMPTS {
            let object = client.get_object(&self.path, &self.request_subject("get")).await?;
            let stored = object["data"][KEY].as_str().unwrap_or_default();
            let merged = live.merge_history(record::read(stored).map_err(HistoryError::Invalid)?);
            let text = record::write(&merged);
            if text == stored {
                return Ok(());
            }
            match self.write(client, &object, &text).await {
                Err(error) if error.status().is_some_and(Status::is_conflict) => {}
                result => return Ok(result?),
            }
        }
        Err(HistoryError::Contended)
    }

    async fn write(&self, client: &Client, object: &Value, text: &str) -> Result<(), Error> {
        let version = &object["metadata"]["resourceVersion"];
        let patch = json!({ "metadata": { "resourceVersion": version }, "data": { KEY: text } });
        client.merge_object(&self.path, &patch, &self.request_subject("patch")).await.map(drop)
    }

    fn explain(&self, error: &HistoryError) -> String {
        let text = format!(
            "the history is only in memory, because the ConfigMap {} cannot be used: {error}; serve tries \
             again",
            self.name
        );
        printable(&text)
    }

    fn request_subject(&self, verb: &'static str) -> RequestSubject {
        RequestSubject { verb, resource: "configmaps".to_owned(), name: self.name.to_owned() }
    }
}

//! WATCH: events of objects. A watch continues after a broken connection, and after the server has dropped
//! old events.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::client::Client;
use super::exchange::{Reply, Request};
use super::list::ListFilter;
use super::scale::read_object;
use super::stream::{LineStream, StreamReply};
use super::{Error, Listing, RequestSubject, Resource, Status};

/// The server ends each watch after this time, and we open the next one. A dead connection is
/// noticed after this time at the latest.
const WATCH_DURATION: Duration = Duration::from_secs(60);

/// The time for the end of a watch to arrive.
const GRACE: Duration = Duration::from_secs(15);

/// A watch that ends sooner is opened again only after a pause. If it had no events, a proxy on the
/// way may hold them back, so the objects are listed again.
const MIN_WATCH_DURATION: Duration = Duration::from_secs(5);

/// The longest pause between attempts.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The objects to watch.
#[derive(Debug, Clone, Copy)]
pub struct WatchTarget<'a> {
    pub resource: &'a Resource,
    /// The namespace. Ignored for a type without namespaces.
    pub namespace: &'a str,
    /// One object; `None` for all objects.
    pub name: Option<&'a str>,
    /// The label selector that limits the objects.
    pub labels: Option<&'a str>,
}

/// An event of a watch.
#[derive(Debug)]
pub enum WatchEvent<T> {
    /// The complete list, at the beginning and after a gap. An object that is not in it no longer exists.
    Present(Vec<T>),
    /// An object was added or changed.
    Changed(T),
    /// An object was deleted. Holds its last state.
    Deleted(T),
    /// The watch is interrupted for this reason, and tried again.
    Interrupted(Error),
    /// The watch works again.
    Resumed,
}

/// A watch. `T` holds the needed fields of an object.
pub struct Watch<'a, T> {
    client: &'a Client,
    watched: WatchTarget<'a>,
    /// The resource version up to which all events were seen; `None` when the objects must be
    /// listed again.
    version: Option<String>,
    stream: Option<Box<LineStream>>,
    opened: Instant,
    /// True until the stream has its first event.
    is_silent: bool,
    /// The number of failures since the last event.
    failures: u32,
    is_interrupted: bool,
    /// The pause that the server asked for before the next attempt.
    server_pause: Option<Duration>,
    kept: ListFilter<'a, T>,
}

impl Client {
    /// Watches objects from their current state on. [`Watch::next`] sends the first request.
    pub fn watch<'a, T: DeserializeOwned>(&'a self, watched: WatchTarget<'a>) -> Watch<'a, T> {
        Watch {
            client: self,
            watched,
            version: None,
            stream: None,
            opened: Instant::now(),
            is_silent: true,
            failures: 0,
            is_interrupted: false,
            server_pause: None,
            kept: ListFilter::default(),
        }
    }
}

impl<'a, T: DeserializeOwned> Watch<'a, T> {
    /// Keeps only the objects for which `is_kept` is true in a [`WatchEvent::Present`], and at most
    /// `max_objects` of them. The list is not held as a whole. Events are not limited.
    pub fn keeping(
        self,
        is_kept: impl Fn(&T) -> bool + Send + Sync + 'a,
        max_objects: usize,
    ) -> Watch<'a, T> {
        Self { kept: ListFilter { is_kept: Box::new(is_kept), max_objects }, ..self }
    }

    /// Waits for the next event. A transient error, such as a broken connection or a busy server,
    /// is reported as an event, and the watch is tried again with growing pauses. After a broken
    /// connection and after `410 Gone` the objects are listed again.
    ///
    /// # Errors
    /// Errors that are not transient: a refusal, or an unreadable reply.
    pub async fn next(&mut self) -> Result<WatchEvent<T>, Error> {
        loop {
            let result = match (&mut self.stream, &self.version) {
                (Some(stream), _) => {
                    let line = stream.next(WATCH_DURATION + GRACE).await;
                    self.handle_line(line)
                }
                (None, Some(version)) => {
                    let version = version.clone();
                    self.back_off().await;
                    self.open(&version).await.map(|()| self.take_resumed())
                }
                (None, None) => {
                    self.back_off().await;
                    self.list_present().await.map(|present| Some(WatchEvent::Present(present)))
                }
            };
            match result {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => {
                    self.stream = None;
                    self.failures += 1;
                    if is_gone(&error) {
                        self.version = None;
                        continue;
                    }
                    if !error.is_transient() {
                        return Err(error);
                    }
                    if error.status().is_none() {
                        // The server may have been restored from a backup. Then its versions are lower than `self.version`,
                        // and it sends no events until it reaches `self.version`.
                        self.version = None;
                    }
                    self.is_interrupted = true;
                    self.server_pause = error.status().and_then(|status| status.retry_after);
                    return Ok(WatchEvent::Interrupted(error));
                }
            }
        }
    }

    /// Reads the objects that exist now, and the version to watch from.
    async fn list_present(&mut self) -> Result<Vec<T>, Error> {
        let WatchTarget { resource, namespace, name, labels } = self.watched;
        let Some(name) = name else {
            let listing = Listing { resource, namespace, labels };
            let (items, version) = self.client.list_with_version(listing, &self.kept).await?;
            self.version = Some(version);
            return Ok(items);
        };
        let subject = self.request_subject("get");
        let object = match self.client.get_object(&resource.path(namespace, name), &subject).await {
            Err(error) if error.status().is_some_and(Status::is_not_found) => return Ok(Vec::new()),
            object => object?,
        };
        let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        let object = serde_json::from_value(object).map_err(|error| unreadable(&error))?;
        self.version = Some(version);
        Ok(vec![object])
    }

    fn take_resumed(&mut self) -> Option<WatchEvent<T>> {
        std::mem::take(&mut self.is_interrupted).then_some(WatchEvent::Resumed)
    }

    async fn open(&mut self, version: &str) -> Result<(), Error> {
        let WatchTarget { resource, namespace, name, labels } = self.watched;
        let seconds = WATCH_DURATION.as_secs().to_string();
        let field = name.map(|name| format!("metadata.name={name}"));
        let mut query = vec![
            ("watch", "1"),
            ("resourceVersion", version),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", &seconds),
        ];
        query.extend(field.as_deref().map(|field| ("fieldSelector", field)));
        query.extend(labels.map(|labels| ("labelSelector", labels)));
        let (path, subject) = (resource.collection(namespace), self.request_subject("watch"));
        let request = Request {
            method: Method::GET,
            path: &path,
            query: &query,
            accept: None,
            content: None,
            subject: &subject,
        };
        match self.client.open(&request, WATCH_DURATION + GRACE).await? {
            StreamReply::Lines(stream) => {
                self.stream = Some(stream);
                (self.opened, self.is_silent) = (Instant::now(), true);
                Ok(())
            }
            StreamReply::Refused(reply) => Err(refusal(&reply, &subject)),
        }
    }

    fn handle_line(
        &mut self,
        line: Result<Option<Vec<u8>>, Error>,
    ) -> Result<Option<WatchEvent<T>>, Error> {
        let Some(line) = line? else {
            self.stream = None;
            if self.opened.elapsed() < MIN_WATCH_DURATION {
                self.failures += 1;
                self.version.take_if(|_| self.is_silent);
            }
            return Ok(None);
        };
        let (version, event) = read_event(&line)?;
        (self.failures, self.is_silent) = (0, false);
        if let Some(version) = version {
            self.version = Some(version);
        }
        Ok(event)
    }

    /// Waits before the next attempt. The first attempt comes at once, the others after growing
    /// pauses.
    async fn back_off(&mut self) {
        let asked = self.server_pause.take().unwrap_or_default();
        let Some(power) = self.failures.checked_sub(1) else { return };
        let pause = Duration::from_millis(100 << power.min(6)).min(MAX_PAUSE);
        let text =
            format!("Watching {} again, attempt {}", self.watched.resource.plural, power + 1);
        self.client.trace().info(4, "watch.rs", &text);
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0).max(asked)).await;
    }

    fn request_subject(&self, verb: &'static str) -> RequestSubject {
        let WatchTarget { resource, name, .. } = self.watched;
        let name = name.unwrap_or_default().to_owned();
        RequestSubject { verb, resource: resource.plural.to_string(), name }
    }
}

fn refusal(reply: &Reply, subject: &RequestSubject) -> Error {
    match read_object(reply, subject) {
        Err(error) => error,
        Ok(_) => Error::Unreadable("the server answered a watch with an object".to_owned()),
    }
}

/// True if the server has forgotten the events since our version.
fn is_gone(error: &Error) -> bool {
    error.status().is_some_and(|status| status.code == 410)
}

#[derive(Deserialize)]
struct EventHead {
    #[serde(rename = "type")]
    kind: String,
    object: EventHeadObject,
}

#[derive(Deserialize)]
struct EventHeadObject {
    #[serde(default)]
    metadata: EventHeadMetadata,
}

#[derive(Deserialize, Default)]
struct EventHeadMetadata {
    #[serde(rename = "resourceVersion")]
    resource_version: Option<String>,
}

#[derive(Deserialize)]
struct EventBody<T> {
    object: T,
}

/// Reads one line as an event; for fuzzing.
pub(super) fn try_event(line: &[u8]) {
    let _ = read_event::<serde_json::Value>(line);
}

/// Reads one line: the resource version that it reaches, and its event.
fn read_event<T: DeserializeOwned>(
    line: &[u8],
) -> Result<(Option<String>, Option<WatchEvent<T>>), Error> {
    let head: EventHead = serde_json::from_slice(line).map_err(|error| unreadable(&error))?;
    let version = head.object.metadata.resource_version.filter(|version| !version.is_empty());
    let object = || match serde_json::from_slice::<EventBody<T>>(line) {
        Ok(body) => Ok(body.object),
        Err(error) => Err(unreadable(&error)),
    };
    let event = match head.kind.as_str() {
        "ADDED" | "MODIFIED" => Some(WatchEvent::Changed(object()?)),
        "DELETED" => Some(WatchEvent::Deleted(object()?)),
        "BOOKMARK" => None,
        "ERROR" => return Err(error_event(line)),
        other => {
            let what = other.escape_debug();
            return Err(Error::Unreadable(format!(
                "the server's watch has an event of the unknown type \"{what}\""
            )));
        }
    };
    Ok((version, event))
}

/// The error in an event of type ERROR.
fn error_event(line: &[u8]) -> Error {
    let object = serde_json::from_slice::<EventBody<Value>>(line).map(|body| body.object);
    let text = object.unwrap_or_default().to_string();
    match Status::decode(text.as_bytes()) {
        Some(status) => Error::Status(Box::new(status)),
        None => {
            Error::Unreadable("the server's watch has an error event without a Status".to_owned())
        }
    }
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::Unreadable(format!("an event of the server's watch cannot be read: {error}"))
}

#[cfg(test)]
mod tests;

//! WATCH: what happens to objects, as it happens, over broken connections and forgotten history.

use std::marker::PhantomData;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::client::Client;
use super::exchange::{Reply, Request};
use super::scale::read_object;
use super::stream::{LineStream, Opened};
use super::{About, Error, Listing, Resource, Status};

/// After so long the server ends each watch, and it is asked again: a connection that has died
/// without a word is noticed soon enough.
const LASTS: Duration = Duration::from_secs(60);

/// For the server's end to arrive.
const GRACE: Duration = Duration::from_secs(15);

/// A watch that ended sooner is not asked for again at once. If it has told nothing, something on
/// the way may keep it from telling: then everything is looked at anew.
const SHORTEST: Duration = Duration::from_secs(5);

/// Between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What to watch.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'a> {
    /// The type.
    pub resource: &'a Resource,
    /// The namespace; of no meaning where the type has none.
    pub namespace: &'a str,
    /// One object alone; all of them otherwise.
    pub name: Option<&'a str>,
    /// Of all of them, those that a label selector selects.
    pub labels: Option<&'a str>,
}

/// What a watch tells.
#[derive(Debug)]
pub enum WatchEvent<T> {
    /// All objects that there are now, at the beginning and after a gap: others are gone.
    Present(Vec<T>),
    /// An object was added or changed.
    Changed(T),
    /// An object was deleted; this is what it was last.
    Deleted(T),
    /// Nothing can be seen for now, for this reason; it is tried again.
    Disturbed(Error),
    /// It can be seen again.
    Resumed,
}

/// A watch; `T` is what is kept of each object.
pub struct Watch<'a, T> {
    client: &'a Client,
    watched: Watched<'a>,
    /// Everything up to it was seen; none when everything must be looked at anew.
    version: Option<String>,
    stream: Option<Box<LineStream>>,
    opened: Instant,
    /// Whether the stream has told nothing yet.
    is_silent: bool,
    /// Since something was last seen.
    failures: u32,
    is_disturbed: bool,
    /// For the next attempt, as the server wishes.
    asked_pause: Option<Duration>,
    kept: PhantomData<fn() -> T>,
}

impl Client {
    /// Watches objects, from what they are now on. The first request is sent by [`Watch::next`].
    pub fn watch<'a, T: DeserializeOwned>(&'a self, watched: Watched<'a>) -> Watch<'a, T> {
        Watch {
            client: self,
            watched,
            version: None,
            stream: None,
            opened: Instant::now(),
            is_silent: true,
            failures: 0,
            is_disturbed: false,
            asked_pause: None,
            kept: PhantomData,
        }
    }
}

impl<T: DeserializeOwned> Watch<'_, T> {
    /// Waits for what happens next. What passes (a broken connection, a busy server) is told and
    /// tried again, with growing pauses; after a broken connection and after `410 Gone` everything is
    /// looked at anew.
    ///
    /// # Errors
    /// What does not pass: a refusal, or an answer that is none.
    pub async fn next(&mut self) -> Result<WatchEvent<T>, Error> {
        loop {
            let result = match (&mut self.stream, &self.version) {
                (Some(stream), _) => {
                    let line = stream.next(LASTS + GRACE).await;
                    self.take(line)
                }
                (None, Some(version)) => {
                    let version = version.clone();
                    self.rest().await;
                    self.open(&version).await.map(|()| self.resumed())
                }
                (None, None) => {
                    self.rest().await;
                    self.look().await.map(|present| Some(WatchEvent::Present(present)))
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
                    if !error.passes() {
                        return Err(error);
                    }
                    if error.status().is_none() {
                        // Whoever answers next may be a server that was set back, to which our
                        // version lies in the future: it would tell nothing until then.
                        self.version = None;
                    }
                    self.is_disturbed = true;
                    self.asked_pause = error.status().and_then(|status| status.retry_after);
                    return Ok(WatchEvent::Disturbed(error));
                }
            }
        }
    }

    /// All that is there now, and from where to watch on.
    async fn look(&mut self) -> Result<Vec<T>, Error> {
        let Watched { resource, namespace, name, labels } = self.watched;
        let Some(name) = name else {
            let listing = Listing { resource, namespace, labels };
            let (items, version) = self.client.list_with_version(listing).await?;
            self.version = Some(version);
            return Ok(items);
        };
        let about = self.about("get");
        let object = match self.client.get_object(&resource.path(namespace, name), &about).await {
            Err(error) if error.status().is_some_and(Status::is_not_found) => return Ok(Vec::new()),
            object => object?,
        };
        let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        let object = serde_json::from_value(object).map_err(|error| unreadable(&error))?;
        self.version = Some(version);
        Ok(vec![object])
    }

    fn resumed(&mut self) -> Option<WatchEvent<T>> {
        std::mem::take(&mut self.is_disturbed).then_some(WatchEvent::Resumed)
    }

    async fn open(&mut self, version: &str) -> Result<(), Error> {
        let Watched { resource, namespace, name, labels } = self.watched;
        let seconds = LASTS.as_secs().to_string();
        let field = name.map(|name| format!("metadata.name={name}"));
        let mut query = vec![
            ("watch", "1"),
            ("resourceVersion", version),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", &seconds),
        ];
        query.extend(field.as_deref().map(|field| ("fieldSelector", field)));
        query.extend(labels.map(|labels| ("labelSelector", labels)));
        let (path, about) = (resource.collection(namespace), self.about("watch"));
        let request = Request {
            method: Method::GET,
            path: &path,
            query: &query,
            accept: None,
            content: None,
            about: &about,
        };
        match self.client.open(&request, LASTS + GRACE).await? {
            Opened::Lines(stream) => {
                self.stream = Some(stream);
                (self.opened, self.is_silent) = (Instant::now(), true);
                Ok(())
            }
            Opened::Refused(reply) => Err(refusal(&reply, &about)),
        }
    }

    fn take(
        &mut self,
        line: Result<Option<Vec<u8>>, Error>,
    ) -> Result<Option<WatchEvent<T>>, Error> {
        let Some(line) = line? else {
            self.stream = None;
            if self.opened.elapsed() < SHORTEST {
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

    /// The first attempt comes at once, the others after longer and longer pauses.
    async fn rest(&mut self) {
        let asked = self.asked_pause.take().unwrap_or_default();
        let Some(power) = self.failures.checked_sub(1) else { return };
        let pause = Duration::from_millis(100 << power.min(6)).min(LONGEST_PAUSE);
        let text =
            format!("Watching {} again, attempt {}", self.watched.resource.plural, power + 1);
        self.client.trace().info(4, "watch.rs", &text);
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0).max(asked)).await;
    }

    fn about(&self, verb: &'static str) -> About {
        let Watched { resource, name, .. } = self.watched;
        let name = name.unwrap_or_default().to_owned();
        About { verb, resource: resource.plural.to_string(), name }
    }
}

fn refusal(reply: &Reply, about: &About) -> Error {
    match read_object(reply, about) {
        Err(error) => error,
        Ok(_) => Error::Unreadable("the server answered a watch with an object".to_owned()),
    }
}

/// The server has forgotten what happened since the version that was seen.
fn is_gone(error: &Error) -> bool {
    error.status().is_some_and(|status| status.code == 410)
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    object: HeadObject,
}

#[derive(Deserialize)]
struct HeadObject {
    #[serde(default)]
    metadata: HeadMetadata,
}

#[derive(Deserialize, Default)]
struct HeadMetadata {
    #[serde(rename = "resourceVersion")]
    resource_version: Option<String>,
}

#[derive(Deserialize)]
struct Body<T> {
    object: T,
}

/// One line: how far it leads, and what it tells, if anything.
fn read_event<T: DeserializeOwned>(
    line: &[u8],
) -> Result<(Option<String>, Option<WatchEvent<T>>), Error> {
    let head: Head = serde_json::from_slice(line).map_err(|error| unreadable(&error))?;
    let version = head.object.metadata.resource_version.filter(|version| !version.is_empty());
    let object = || match serde_json::from_slice::<Body<T>>(line) {
        Ok(body) => Ok(body.object),
        Err(error) => Err(unreadable(&error)),
    };
    let event = match head.kind.as_str() {
        "ADDED" | "MODIFIED" => Some(WatchEvent::Changed(object()?)),
        "DELETED" => Some(WatchEvent::Deleted(object()?)),
        "BOOKMARK" => None,
        "ERROR" => return Err(told(line)),
        other => {
            let what = other.escape_debug();
            return Err(Error::Unreadable(format!("the server's watch tells of \"{what}\"")));
        }
    };
    Ok((version, event))
}

/// The Status in an event of type ERROR.
fn told(line: &[u8]) -> Error {
    let object = serde_json::from_slice::<Body<Value>>(line).map(|body| body.object);
    let text = object.unwrap_or_default().to_string();
    match Status::decode(text.as_bytes()) {
        Some(status) => Error::Status(Box::new(status)),
        None => Error::Unreadable("the server's watch tells of an error, but not which".to_owned()),
    }
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::Unreadable(format!("what the server tells of an object cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(Option<String>, String), String> {
        match read_event::<Value>(line.as_bytes()) {
            Ok((version, event)) => Ok((
                version,
                match event {
                    None => "nothing".to_owned(),
                    Some(WatchEvent::Changed(object)) => format!("changed {}", object["spec"]),
                    Some(WatchEvent::Deleted(object)) => format!("deleted {}", object["spec"]),
                    Some(other) => format!("{other:?}"),
                },
            )),
            Err(error) if is_gone(&error) => Err("gone".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn events_are_read_with_the_version_that_they_lead_to() {
        let line = |kind: &str| {
            format!(
                r#"{{"type":"{kind}","object":{{"metadata":{{"resourceVersion":"7"}},"spec":1}}}}"#
            )
        };
        let seven = |what: &str| Ok((Some("7".to_owned()), what.to_owned()));
        for (kind, expected) in [
            ("ADDED", seven("changed 1")),
            ("MODIFIED", seven("changed 1")),
            ("DELETED", seven("deleted 1")),
            ("BOOKMARK", seven("nothing")),
            ("OTHER", Err("the server's watch tells of \"OTHER\"".to_owned())),
        ] {
            assert_eq!(read(&line(kind)), expected, "{kind}");
        }
        assert_eq!(read(r#"{"type":"ADDED","object":{}}"#), Ok((None, "changed null".to_owned())));
    }

    #[test]
    fn errors_and_what_is_no_event_are_told_apart() {
        let gone = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (2)","reason":"Expired","code":410}}"#;
        assert_eq!(read(gone), Err("gone".to_owned()));
        for (line, expected) in [
            (
                r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"no","code":403}}"#,
                "no",
            ),
            (
                r#"{"type":"ERROR","object":{}}"#,
                "the server's watch tells of an error, but not which",
            ),
            (
                r#"{"type":"ADDED"}"#,
                "what the server tells of an object cannot be read: missing field `object` at line 1 column 16",
            ),
            (
                "<html>",
                "what the server tells of an object cannot be read: expected value at line 1 column 1",
            ),
        ] {
            assert_eq!(read(line), Err(expected.to_owned()), "{line}");
        }
    }
}

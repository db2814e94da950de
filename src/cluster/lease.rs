//! Leases (`coordination.k8s.io/v1`): at most one process holds a name at a time, by the rules of client-go's
//! leader election (`tools/leaderelection`).

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::time::{Instant, timeout};

use super::api::{Client, Error, RequestSubject, Status, escape_segment};
use crate::text::terminal::on_one_line;

/// Maximum number of attempts, if other clients write the same Lease.
const MAX_ATTEMPTS: usize = 3;

/// Largest number that the API stores in a Lease.
const MAX_NUMBER: u64 = i32::MAX as u64;

/// Longest identity that is kept, in characters. The API has no limit.
const MAX_IDENTITY: usize = 128;

/// A Lease that this process holds or wants to hold.
#[derive(Debug)]
pub struct Lease {
    collection: String,
    name: String,
    /// The identity of this process. No other process may have it.
    holder: String,
    duration: Duration,
    /// The latest record, and the local time at which it was first seen. The clocks of other machines are not used.
    seen: Option<(Record, Instant)>,
    /// The end of the time in which this process may act as the holder.
    held_until: Option<Instant>,
}

/// The result of an attempt to hold a Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// This process holds the Lease: see [`Lease::held_until`].
    Held,
    HeldBy(Holder),
    /// This account may not read or write the Lease. The text is the API server's.
    NotAllowed(String),
}

/// The process that holds a Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its identity, safe to show.
    pub identity: String,
    /// The time at which it began to hold the Lease, RFC 3339; empty if the Lease does not tell.
    pub since: String,
    /// Time until this process may take the Lease, if the holder does not renew it.
    pub expires_in: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    #[error("{0}")]
    Api(Error),
    #[error("the API server did not answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    #[error("other clients keep changing the Lease; try again")]
    Contended,
}

/// The fields of a Lease that its holder writes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    holder: String,
    acquired: Value,
    renewed: Value,
    seconds: u64,
    transitions: u64,
}

impl Lease {
    /// `duration` is the time after which others may take the Lease if `holder` does not renew it. The
    /// Lease stores whole seconds. client-go's default is 15 s, and it renews the Lease every 2 s.
    pub fn new(namespace: &str, name: &str, holder: String, duration: Duration) -> Self {
        let namespace = escape_segment(namespace);
        Self {
            collection: format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"),
            name: name.to_owned(),
            holder,
            duration,
            seen: None,
            held_until: None,
        }
    }

    /// An identity that no other process has: the host name and a random part, as client-go's examples
    /// build it.
    pub fn identity() -> String {
        let host = std::env::var("HOSTNAME").unwrap_or_default();
        let host = if host.is_empty() { "locustctl" } else { &host };
        format!("{host}_{:016x}", fastrand::u64(..))
    }

    /// Takes the Lease if nobody holds it, or renews it. It creates a Lease that does not exist.
    ///
    /// # Errors
    /// The API server does not answer in a third of the duration, or refuses for another reason than
    /// missing rights.
    pub async fn acquire(&mut self, client: &Client) -> Result<Holding, LeaseError> {
        let limit = self.duration / 3;
        let attempt = timeout(limit, self.try_acquire(client)).await;
        match attempt.unwrap_or(Err(LeaseError::NoAnswer(limit))) {
            Err(LeaseError::Api(Error::Status(status))) if status.code == 403 => {
                self.held_until = None;
                Ok(Holding::NotAllowed(status.message))
            }
            result => result,
        }
    }

    /// The end of the time in which this process may act as the holder: two thirds of the duration after the
    /// last renewal. client-go's default `RenewDeadline` has the same proportion.
    pub fn held_until(&self) -> Option<Instant> {
        self.held_until
    }

    /// The other process that holds the Lease or has not released it; `None` if the Lease is free. With an
    /// `expires_in` of zero, its time is over.
    ///
    /// # Errors
    /// The errors of [`Self::acquire`], and missing rights.
    pub async fn look(&mut self, client: &Client) -> Result<Option<Holder>, LeaseError> {
        let limit = self.duration / 3;
        let read = timeout(limit, self.read(client)).await;
        let Some(lease) = read.unwrap_or(Err(LeaseError::NoAnswer(limit)))? else {
            return Ok(None);
        };
        Ok(self.holder(&Record::of(&lease)))
    }

    /// Releases the Lease, if this process holds it, so that others need not wait.
    ///
    /// # Errors
    /// The errors of [`Self::acquire`], and missing rights. Then others get the Lease when it has expired.
    pub async fn release(&mut self, client: &Client) -> Result<(), LeaseError> {
        let limit = self.duration / 3;
        self.held_until = None;
        timeout(limit, self.try_release(client)).await.unwrap_or(Err(LeaseError::NoAnswer(limit)))
    }

    async fn try_acquire(&mut self, client: &Client) -> Result<Holding, LeaseError> {
        for _ in 0..MAX_ATTEMPTS {
            let sent = Instant::now();
            let written = match self.read(client).await? {
                None => self.create(client).await,
                Some(lease) => {
                    let record = Record::of(&lease);
                    if let Some(holder) = self.other_holder(&record) {
                        self.held_until = None;
                        return Ok(Holding::HeldBy(holder));
                    }
                    self.write(client, lease, &self.own_record(&record)).await
                }
            };
            match written {
                Ok(lease) => {
                    self.see(&Record::of(&lease));
                    self.held_until = Some(sent + self.duration * 2 / 3);
                    return Ok(Holding::Held);
                }
                Err(error) if is_lost_race(&error) => {}
                Err(error) => return Err(LeaseError::Api(error)),
            }
        }
        Err(LeaseError::Contended)
    }

    async fn try_release(&mut self, client: &Client) -> Result<(), LeaseError> {
        let Some(lease) = self.read(client).await? else { return Ok(()) };
        let record = Record::of(&lease);
        if record.holder != self.holder {
            return Ok(());
        }
        let now = now();
        // client-go writes a duration of one second at the release, because the API refuses zero.
        let free = Record {
            holder: String::new(),
            acquired: now.clone(),
            renewed: now,
            seconds: 1,
            ..record
        };
        match self.write(client, lease, &free).await {
            Ok(_) => Ok(()),
            // Another process has the Lease already.
            Err(error) if is_lost_race(&error) => Ok(()),
            Err(error) => Err(LeaseError::Api(error)),
        }
    }

    /// The Lease, or `None` if it does not exist.
    async fn read(&self, client: &Client) -> Result<Option<Value>, LeaseError> {
        match client.get_object(&self.path(), &self.request_subject("get")).await {
            Ok(lease) => Ok(Some(lease)),
            Err(error) if error.status().is_some_and(Status::is_not_found) => Ok(None),
            Err(error) => Err(LeaseError::Api(error)),
        }
    }

    async fn create(&self, client: &Client) -> Result<Value, Error> {
        let now = now();
        let record = Record {
            holder: self.holder.clone(),
            acquired: now.clone(),
            renewed: now,
            seconds: self.seconds(),
            transitions: 0,
        };
        let mut lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": self.name },
        });
        record.write_to(&mut lease);
        client.create_object(&self.collection, &lease, &self.request_subject("create")).await
    }

    /// Writes the record into the Lease that was read. Its resourceVersion is the condition.
    async fn write(
        &self,
        client: &Client,
        mut lease: Value,
        record: &Record,
    ) -> Result<Value, Error> {
        record.write_to(&mut lease);
        client.replace_object(&self.path(), &lease, &self.request_subject("update")).await
    }

    /// The other process that holds the Lease, unless its time is over.
    fn other_holder(&mut self, record: &Record) -> Option<Holder> {
        self.holder(record).filter(|holder| !holder.expires_in.is_zero())
    }

    /// The other process in the record.
    fn holder(&mut self, record: &Record) -> Option<Holder> {
        let since = self.see(record);
        let duration = Duration::from_secs(record.seconds);
        let expires_in = duration.saturating_sub(since.elapsed());
        let is_other = !record.holder.is_empty() && record.holder != self.holder;
        is_other.then(|| Holder {
            identity: shown(&record.holder),
            since: shown(record.acquired.as_str().unwrap_or_default()),
            expires_in,
        })
    }

    /// Notes the record, and returns the time at which it was first seen.
    fn see(&mut self, record: &Record) -> Instant {
        match &self.seen {
            Some((seen, since)) if seen == record => *since,
            _ => {
                let now = Instant::now();
                self.seen = Some((record.clone(), now));
                now
            }
        }
    }

    /// The record of this process, after the present one.
    fn own_record(&self, present: &Record) -> Record {
        let now = now();
        let is_renewal = present.holder == self.holder;
        let acquired = if is_renewal { present.acquired.clone() } else { now.clone() };
        Record {
            holder: self.holder.clone(),
            acquired,
            renewed: now,
            seconds: self.seconds(),
            transitions: (present.transitions + u64::from(!is_renewal)).min(MAX_NUMBER),
        }
    }

    /// `leaseDurationSeconds`. The API refuses zero.
    fn seconds(&self) -> u64 {
        self.duration.as_secs().max(1)
    }

    fn path(&self) -> String {
        format!("{}/{}", self.collection, escape_segment(&self.name))
    }

    fn request_subject(&self, verb: &'static str) -> RequestSubject {
        RequestSubject { verb, resource: "leases".to_owned(), name: self.name.clone() }
    }
}

impl Record {
    /// Reads a Lease. Missing and invalid fields count as empty, so that a broken Lease can be taken.
    fn of(lease: &Value) -> Self {
        let spec = &lease["spec"];
        let number = |field: &str| spec[field].as_u64().unwrap_or(0).min(MAX_NUMBER);
        Self {
            holder: spec["holderIdentity"].as_str().unwrap_or_default().to_owned(),
            acquired: spec["acquireTime"].clone(),
            renewed: spec["renewTime"].clone(),
            seconds: number("leaseDurationSeconds"),
            transitions: number("leaseTransitions"),
        }
    }

    fn write_to(&self, lease: &mut Value) {
        if !lease["spec"].is_object() {
            lease["spec"] = json!({});
        }
        let spec = &mut lease["spec"];
        spec["holderIdentity"] = json!(self.holder);
        spec["acquireTime"] = self.acquired.clone();
        spec["renewTime"] = self.renewed.clone();
        spec["leaseDurationSeconds"] = json!(self.seconds);
        spec["leaseTransitions"] = json!(self.transitions);
    }
}

/// Reads an object as a Lease, and writes the record of another process into it; for `fuzz/`.
#[doc(hidden)]
pub fn try_lease(mut object: Value) {
    let mut lease = Lease::new("default", "fuzz", "this".to_owned(), Duration::from_secs(15));
    let present = Record::of(&object);
    let _ = lease.other_holder(&present);
    let own = lease.own_record(&present);
    own.write_to(&mut object);
    assert_eq!(Record::of(&object), own);
}

/// True if another client wrote the Lease first.
fn is_lost_race(error: &Error) -> bool {
    error.status().is_some_and(|status| status.is_conflict() || status.reason == "AlreadyExists")
}

fn shown(text: &str) -> String {
    on_one_line(text).chars().take(MAX_IDENTITY).collect()
}

/// The present time as a `MicroTime` of the API.
fn now() -> Value {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    Value::from(OffsetDateTime::now_utc().format(form).unwrap_or_default())
}

#[cfg(test)]
mod tests;

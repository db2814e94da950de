//! One client for one API server: one connection, kept; every answer bounded in size and time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use parking_lot::Mutex;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, USER_AGENT,
};

use super::address::{address, authority};
use super::admission::Admission;
use super::event::{Event, PauseReason};
use super::exchange::{Options, Reply, Request, Timeout};
use super::exchange_log::{Log, Timing, conceal_credential};
use super::transport::Transport;
use super::warning::Warnings;
use super::{About, Error, Failure, Trace, impersonation, retry, user_agent};
use crate::cluster::body::{BodyError, read_body};
use crate::cluster::credentials::Credentials;
use crate::cluster::kubeconfig::{Cluster, Impersonation};

/// Larger than any object that etcd stores, smaller than what hurts.
pub(super) const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// The client. Requests share one connection where the server speaks HTTP/2; otherwise each that
/// is under way has its own, and they are kept for the next ones.
pub struct Client {
    cluster: Cluster,
    /// Made anew when the client certificate changes.
    transport: Mutex<Arc<Transport>>,
    pub(super) credentials: Credentials,
    pub(super) impersonation: HeaderMap,
    warnings: Warnings,
    pub(super) admission: Admission,
    pub(super) options: Options,
}

/// An answer of which the headers have come.
pub(super) struct Begun {
    pub response: reqwest::Response,
    /// The server's `host:port`, for messages.
    pub authority: String,
    url: String,
}

impl Client {
    /// Prepares everything; makes no connection yet.
    ///
    /// # Errors
    /// A server address, certificate, name or proxy that cannot be used.
    pub fn new(
        cluster: &Cluster,
        credentials: Credentials,
        act_as: &Impersonation,
        options: Options,
    ) -> Result<Self> {
        let transport = Transport::new(cluster, credentials.identity(), options.timeout.limit())?;
        Ok(Self {
            cluster: cluster.clone(),
            transport: Mutex::new(Arc::new(transport)),
            credentials,
            impersonation: impersonation::headers(act_as)?,
            warnings: Warnings::default(),
            admission: Admission::default(),
            options,
        })
    }

    /// The warnings that the server has sent so far. Each was reported as an [`Event::Warning`].
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// Where to log.
    pub fn trace(&self) -> Trace {
        self.options.trace
    }

    /// Whether every request tells the server how long it may take.
    pub(super) fn tells_timeout(&self) -> bool {
        self.options.timeout.parameter().is_some()
    }

    /// Sends one request and reads the whole answer, whatever its status.
    ///
    /// It waits for its turn when many are under way already. It is sent again, as client-go would,
    /// after a pause that the server asked for and, if it only reads, after a broken connection;
    /// also when the server is too busy (429) and asks for no pause; but never when it may have been carried out. After a 401 the credentials are renewed where
    /// they can be, and it is sent once more.
    ///
    /// # Errors
    /// [`Error::Failure`] without a whole answer, [`Error::Unprepared`] when there are no
    /// credentials to send, [`Error::Unreadable`] for a redirect.
    pub async fn send(&self, request: Request<'_>) -> Result<Reply, Error> {
        self.send_and_tell(request, &|_| {}).await
    }

    /// The same; `is_under_way` is told when the request is sent, and when it was certainly not
    /// carried out and waits to be sent again.
    pub(super) async fn send_and_tell(
        &self,
        request: Request<'_>,
        is_under_way: &(dyn Fn(bool) + Sync),
    ) -> Result<Reply, Error> {
        let (mut attempt, mut renewed) = (0, false);
        loop {
            let admitted = self.admission.enter().await;
            is_under_way(true);
            let result = self.send_once(&request).await;
            drop(admitted);
            if result.as_ref().is_ok_and(|reply| matches!(reply.status, 401 | 429)) {
                is_under_way(false);
            }
            let is_unknown = result.as_ref().is_ok_and(|reply| reply.status == 401);
            if is_unknown && !renewed && self.credentials.renew().await {
                renewed = true;
                continue;
            }
            let Some(pause) = retry::pause(&request.method, &result, attempt) else {
                self.admission.open();
                return result;
            };
            attempt += 1;
            let is_turned_away = result.as_ref().is_ok_and(|reply| reply.status == 429);
            let is_news = !is_turned_away || self.admission.close(pause);
            if is_news && pause > Duration::from_secs(1) {
                let is_asked = result.is_ok_and(|reply| reply.asked_pause().is_some());
                let reason = if is_asked { PauseReason::RetryAfter } else { PauseReason::Busy };
                (self.options.on_event)(Event::Pause { length: pause, reason });
            }
            let text = format!("Sending {} again in {pause:?}, retry {attempt}", request.path);
            self.options.trace.info(4, "client.rs", &text);
            tokio::time::sleep(pause).await;
        }
    }

    async fn send_once(&self, request: &Request<'_>) -> Result<Reply, Error> {
        let begun = self.begin(request, self.options.timeout, None).await?;
        self.finish(begun, request.about).await
    }

    /// Sends one request and waits for the headers of its answer. `longest` is for answers that
    /// may last longer than the time for one request.
    pub(super) async fn begin(
        &self,
        request: &Request<'_>,
        timeout: Timeout,
        longest: Option<Duration>,
    ) -> Result<Begun, Error> {
        let authorization = self.credentials.authorization().await.map_err(unprepared)?;
        let transport = self.transport().map_err(unprepared)?;
        if let Some(authorization) = &authorization {
            conceal_credential(authorization);
        }
        let shown = address(&transport.server, request, timeout);
        let verb = request.method.as_str();
        let log = Log { trace: self.options.trace, verb, url: shown.as_str() };

        let dialled = address(&transport.dialled, request, timeout);
        let headers = self.headers(request, authorization, &transport);
        let body = request.content.as_ref().map(|(_, body)| body.clone()).unwrap_or_default();
        log.request(&headers, &body);
        let prepared = transport.http.request(request.method.clone(), dialled);
        let mut prepared = prepared.headers(headers).body(body);
        if let Some(longest) = longest {
            prepared = prepared.timeout(longest);
        }
        let response = self.await_headers(prepared, &transport, &log).await?;
        Ok(Begun { response, authority: authority(&transport.server), url: shown.into() })
    }

    /// Reads the whole answer.
    pub(super) async fn finish(&self, begun: Begun, about: &About) -> Result<Reply, Error> {
        let reply = self.read(begun.response, about, &begun.authority).await?;
        self.options.trace.body("Response Body", &reply.body);
        refuse_redirect(&reply, &begun.url)?;
        Ok(reply)
    }

    /// The connections to use; others than before when a credential plugin has given another
    /// certificate.
    pub(super) fn transport(&self) -> Result<Arc<Transport>> {
        let mut transport = self.transport.lock();
        let identity = self.credentials.identity();
        let is_same = match (&identity, &transport.identity) {
            (Some(new), Some(old)) => Arc::ptr_eq(new, old),
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            let limit = self.options.timeout.limit();
            *transport = Arc::new(Transport::new(&self.cluster, identity, limit)?);
        }
        Ok(Arc::clone(&transport))
    }

    async fn await_headers(
        &self,
        prepared: reqwest::RequestBuilder,
        transport: &Transport,
        log: &Log<'_>,
    ) -> Result<reqwest::Response, Error> {
        let connections = &transport.connections;
        let (before, started) = (connections.opened().count, Instant::now());
        let result = prepared.send().await;
        let opened = connections.opened();
        let connecting = (opened.count > before).then_some(opened.took);
        let timing = Timing { took: started.elapsed(), connecting };
        match result {
            Ok(response) => {
                log.response(&response, timing);
                self.warnings.report(response.headers(), self.options.on_event);
                Ok(response)
            }
            Err(error) => {
                log.failure(timing);
                let (authority, connected) = (authority(&transport.server), opened.count > 0);
                Err(Error::Failure(Failure::from_request(&error, &authority, connected)))
            }
        }
    }

    fn headers(
        &self,
        request: &Request<'_>,
        authorization: Option<HeaderValue>,
        transport: &Transport,
    ) -> HeaderMap {
        let mut headers = self.impersonation.clone();
        let accept = request.accept.unwrap_or("application/json");
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Ok(value) = HeaderValue::from_str(&user_agent::text()) {
            headers.insert(USER_AGENT, value);
        }
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some((media_type, _)) = &request.content {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        self.name_host(&mut headers, transport);
        headers
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        about: &About,
        authority: &str,
    ) -> Result<Reply, Error> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        match read_body(response, LARGEST_ANSWER).await {
            Ok(body) => Ok(Reply { status, headers, body }),
            Err(BodyError::TooLarge) => {
                let what = about.in_words();
                Err(Error::Failure(Failure::too_large(&what, LARGEST_ANSWER, status)))
            }
            Err(BodyError::Broken(error)) => {
                Err(Error::Failure(Failure::from_body(&error, authority, status)))
            }
        }
    }
}

pub(super) fn unprepared(error: anyhow::Error) -> Error {
    Error::Unprepared(Arc::new(error))
}

/// client-go would follow it; the credentials would go along.
fn refuse_redirect(reply: &Reply, url: &str) -> Result<(), Error> {
    if !(300..400).contains(&reply.status) {
        return Ok(());
    }
    let to = match reply.headers.get(LOCATION).and_then(|to| to.to_str().ok()) {
        Some(to) => format!(" to {to:?}"),
        None => String::new(),
    };
    Err(Error::Unreadable(format!(
        "the server answered {url} with a redirect ({}){to}, which is not followed since the \
         credentials would go along; put the right address into --server or the kubeconfig",
        reply.status
    )))
}

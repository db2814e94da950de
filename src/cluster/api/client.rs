//! The client of one API server. It keeps its connections, and bounds every reply in size and time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hyper::http;
use parking_lot::Mutex;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, USER_AGENT,
};

use super::admission::ConcurrencyLimit;
use super::event::{Event, PauseReason};
use super::exchange::{Options, Reply, Request, Timeout};
use super::exchange_log::{ExchangeLog, Timing, conceal_credential};
use super::http::{HttpRequest, Limit, RequestBody, Resend};
use super::transport::Transport;
use super::warning::Warnings;
use super::{Error, Failure, RequestSubject, Trace, impersonation, retry, user_agent};
use crate::cluster::body::{BodyError, Budget, read_within};
use crate::cluster::credentials::Credentials;
use crate::cluster::kubeconfig::{Cluster, Impersonation};

/// Larger than any object that etcd stores, and small enough to keep in memory.
pub(super) const MAX_REPLY_SIZE: usize = 8 * 1024 * 1024;

/// The client. Requests share one connection if the server speaks HTTP/2. Otherwise each request
/// that is under way has its own connection, and later requests use it again.
pub struct Client {
    cluster: Cluster,
    /// Replaced when the client certificate changes.
    transport: Mutex<Arc<Transport>>,
    pub(super) credentials: Credentials,
    pub(super) impersonation: HeaderMap,
    warnings: Warnings,
    pub(super) concurrency: ConcurrencyLimit,
    pub(super) options: Options,
}

/// A reply whose headers have arrived, and whose body is still to be read.
pub(super) struct PendingReply {
    pub response: reqwest::Response,
    /// The server's `host:port`, for messages.
    pub authority: String,
    url: String,
}

impl Client {
    /// Prepares the client, without opening a connection.
    ///
    /// # Errors
    /// The server's address, a certificate, a name or the proxy is invalid.
    pub fn new(
        cluster: &Cluster,
        credentials: Credentials,
        act_as: &Impersonation,
        options: Options,
    ) -> Result<Self> {
        let transport = Transport::new(cluster, credentials.identity())?;
        Ok(Self {
            cluster: cluster.clone(),
            transport: Mutex::new(Arc::new(transport)),
            credentials,
            impersonation: impersonation::headers(act_as)?,
            warnings: Warnings::default(),
            concurrency: ConcurrencyLimit::default(),
            options,
        })
    }

    /// The warnings that the server has sent so far. Each was reported as an [`Event::Warning`].
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// The log of requests and replies.
    pub fn trace(&self) -> Trace {
        self.options.trace
    }

    /// The budget of the replies in memory.
    pub fn budget(&self) -> &'static Budget {
        self.options.budget
    }

    /// True if every request has the parameter `timeout`.
    pub(super) fn sends_timeout(&self) -> bool {
        self.options.timeout.parameter().is_some()
    }

    /// Sends one request and reads the whole reply, whatever its status.
    ///
    /// The request waits for its turn when many others are under way. The client follows client-go
    /// and sends it again after a pause that the server asked for, and a GET also after a broken
    /// connection. It also sends it again when the server is too busy (429) and asks for no pause.
    /// It never sends it again when the server may have carried it out. After a 401, the client
    /// renews the credentials if it can, and sends the request once more.
    ///
    /// # Errors
    /// [`Error::Failure`] without a whole reply, [`Error::NoCredentials`] without credentials,
    /// [`Error::Unreadable`] for a redirect.
    pub async fn send(&self, request: Request<'_>) -> Result<Reply, Error> {
        self.send_with_progress(request, &|_| {}).await
    }

    /// Does the same as [`Self::send`]. Calls `on_progress(true)` when it sends the request, and
    /// `on_progress(false)` when the server has certainly not carried it out and it waits to be
    /// sent again.
    pub(super) async fn send_with_progress(
        &self,
        request: Request<'_>,
        on_progress: &(dyn Fn(bool) + Sync),
    ) -> Result<Reply, Error> {
        let (mut attempt, mut renewed) = (0, false);
        loop {
            let permit = self.concurrency.acquire().await;
            on_progress(true);
            let result = self.send_once(&request, on_progress).await;
            drop(permit);
            if result.as_ref().is_ok_and(|reply| matches!(reply.status, 401 | 429)) {
                on_progress(false);
            }
            let is_unknown = result.as_ref().is_ok_and(|reply| reply.status == 401);
            if is_unknown && !renewed && self.credentials.renew().await {
                renewed = true;
                continue;
            }
            let Some(pause) = retry::pause(&request.method, &result, attempt) else {
                self.concurrency.raise_limit();
                return result;
            };
            attempt += 1;
            let is_turned_away = result.as_ref().is_ok_and(|reply| reply.status == 429);
            let is_new = !is_turned_away || self.concurrency.start_pause(pause);
            if is_new && pause > Duration::from_secs(1) {
                let is_requested = result.is_ok_and(|reply| reply.requested_pause().is_some());
                let reason = if is_requested { PauseReason::RetryAfter } else { PauseReason::Busy };
                (self.options.on_event)(Event::Pause { length: pause, reason });
            }
            let text = format!("Sending {} again in {pause:?}, retry {attempt}", request.path);
            self.options.trace.info(4, "client.rs", &text);
            tokio::time::sleep(pause).await;
        }
    }

    async fn send_once(
        &self,
        request: &Request<'_>,
        on_progress: &(dyn Fn(bool) + Sync),
    ) -> Result<Reply, Error> {
        let timeout = self.options.timeout;
        let pending = self.send_for_headers(request, timeout, timeout.limit(), on_progress).await?;
        self.read_reply(pending, request.subject).await
    }

    /// Sends one request and waits for the headers of the reply. `limit` is the limit for the whole
    /// reply. `on_progress` is called as by [`Self::send_with_progress`].
    pub(super) async fn send_for_headers(
        &self,
        request: &Request<'_>,
        timeout: Timeout,
        limit: Option<Duration>,
        on_progress: &(dyn Fn(bool) + Sync),
    ) -> Result<PendingReply, Error> {
        let authorization = self.credentials.authorization().await.map_err(no_credentials)?;
        let transport = self.transport().map_err(no_credentials)?;
        if let Some(authorization) = &authorization {
            conceal_credential(authorization);
        }
        let server = &transport.server;
        let target = server.target(request, timeout);
        let url = server.display_url(&target);
        let verb = request.method.as_str();
        let log = ExchangeLog { trace: self.options.trace, verb, url: &url };

        let mut head = http::Request::new(()).into_parts().0;
        head.method = request.method.clone();
        head.uri = server.uri(&target).map_err(Error::Failure)?;
        head.headers = self.headers(request, authorization);
        let body = request.content.as_ref().map(|(_, body)| body.clone()).unwrap_or_default();
        log.request(&head.headers, &body);
        let on_resend = |step: Resend| {
            on_progress(step == Resend::Sending);
            self.report_resend(step, request.path);
        };
        let (authority, limit) = (server.authority(), Limit::from(limit));
        let body = RequestBody::Whole(body.into());
        let prepared = HttpRequest { head, body, limit, authority, on_resend: &on_resend };
        let response = self.await_headers(prepared, &transport, &log).await?;
        Ok(PendingReply { response, authority: authority.to_owned(), url })
    }

    /// Reports that a request is sent again because the server has not processed it.
    fn report_resend(&self, step: Resend, path: &str) {
        let Resend::Pause(length) = step else { return };
        let text = format!("The server has not processed {path}: sending it again in {length:?}");
        self.options.trace.info(4, "client.rs", &text);
        if length > Duration::from_secs(1) {
            let reason = PauseReason::NotProcessed;
            (self.options.on_event)(Event::Pause { length, reason });
        }
    }

    /// Reads the whole reply.
    pub(super) async fn read_reply(
        &self,
        pending: PendingReply,
        subject: &RequestSubject,
    ) -> Result<Reply, Error> {
        let reply = self.read(pending.response, subject, &pending.authority).await?;
        self.options.trace.body("Response Body", &reply.body);
        refuse_redirect(&reply, &pending.url)?;
        Ok(reply)
    }

    /// The connections to use. They are replaced when a credential plugin has returned another
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
            *transport = Arc::new(Transport::new(&self.cluster, identity)?);
        }
        Ok(Arc::clone(&transport))
    }

    async fn await_headers(
        &self,
        prepared: HttpRequest<'_>,
        transport: &Transport,
        log: &ExchangeLog<'_>,
    ) -> Result<reqwest::Response, Error> {
        let connections = transport.http.connections();
        let (before, started) = (connections.stats().count, Instant::now());
        let result = transport.http.send(prepared).await;
        let stats = connections.stats();
        let connecting = (stats.count > before).then_some(stats.took);
        let timing = Timing { took: started.elapsed(), connecting };
        match result {
            Ok(response) => {
                log.response(&response, timing);
                self.warnings.report(response.headers(), self.options.on_event);
                Ok(response)
            }
            Err(failure) => {
                log.failure(timing);
                Err(Error::Failure(failure.explained(&transport.handshakes)))
            }
        }
    }

    fn headers(&self, request: &Request<'_>, authorization: Option<HeaderValue>) -> HeaderMap {
        let mut headers = self.impersonation.clone();
        let accept = request.accept.unwrap_or("application/json");
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Ok(value) = HeaderValue::from_str(&user_agent::value()) {
            headers.insert(USER_AGENT, value);
        }
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some((media_type, _)) = &request.content {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        headers
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        subject: &RequestSubject,
        authority: &str,
    ) -> Result<Reply, Error> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        match read_within(reqwest::Body::from(response), MAX_REPLY_SIZE, self.budget()).await {
            Ok(body) => Ok(Reply { status, headers, body }),
            Err(BodyError::TooLarge) => {
                let what = subject.in_words();
                Err(Error::Failure(Failure::too_large(&what, MAX_REPLY_SIZE, status)))
            }
            Err(BodyError::OverBudget) => {
                Err(Error::Failure(Failure::over_budget(&subject.in_words(), status)))
            }
            Err(BodyError::Broken(error)) => {
                Err(Error::Failure(Failure::from_body(&error, authority, status)))
            }
        }
    }
}

pub(super) fn no_credentials(error: anyhow::Error) -> Error {
    Error::NoCredentials(Arc::new(error))
}

/// client-go follows a redirect, and would send the credentials along.
fn refuse_redirect(reply: &Reply, url: &str) -> Result<(), Error> {
    if !(300..400).contains(&reply.status) {
        return Ok(());
    }
    let to = match reply.headers.get(LOCATION).and_then(|to| to.to_str().ok()) {
        Some(to) => format!(" to {to:?}"),
        None => String::new(),
    };
    Err(Error::Unreadable(format!(
        "the server answered {url} with a redirect ({}){to}; locustctl does not follow it because it \
         would send the credentials along: put the right address into --server or the kubeconfig",
        reply.status
    )))
}

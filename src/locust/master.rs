//! Locust's web API, as the master serves it (`locust/web.py`).

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, DATE, HeaderMap, HeaderValue, USER_AGENT,
};
use reqwest::{Method, Url};
use serde::Deserialize;
use time::format_description::well_known::Rfc2822;
use time::{OffsetDateTime, PrimitiveDateTime};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::address::{Address, ProxiedKind};
use super::error::Error;
use super::log::MasterLog;
use super::login::Login;
use super::master_command::MasterCommand;
use super::page::{AnswerTime, Page};
use super::report;
use super::route::{Route, asks_for_login, request_subject};
use super::start::Start;
use super::stats::Stats;
use crate::cluster::api::plain::{PlainClient, RequestBody, user_agent};
use crate::cluster::api::{self, Client, Failure, RelayRequest, Request};
use crate::cluster::body::{BodyError, Budget, WholeBody, read_within};
use crate::scaling::Target;
use crate::text::terminal::{harmless, masked};

/// Time limit for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Maximum size of an answer, in bytes. A page has some kilobytes; the statistics of thousands of
/// names have some megabytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Size from which an answer is parsed in another thread, in bytes.
const LARGE: usize = 1024 * 1024;

const ACCEPTED: &str = "application/json, text/html";

const FORM: &str = "application/x-www-form-urlencoded";

/// A client of Locust's master.
pub struct Master<'a> {
    address: Address,
    route: Route,
    sender: Sender<'a>,
    /// `None` if the target that runs the workers is unknown.
    command: Option<MasterCommand<'a>>,
    /// Start of a test by the master's log, and the start of its statistics.
    stats_start: Mutex<Option<(PrimitiveDateTime, OffsetDateTime)>>,
}

/// The client that sends the requests, one for each kind of [`Route`].
enum Sender<'a> {
    Direct {
        http: PlainClient,
        base: Url,
        login: Login,
        budget: &'static Budget,
    },
    Proxied {
        client: &'a Client,
        kind: ProxiedKind,
        name: String,
        page: String,
        cookie: Option<HeaderValue>,
    },
}

/// An answer with its whole body.
struct Reply {
    status: u16,
    answer_time: Option<AnswerTime>,
    body: WholeBody,
}

impl<'a> Master<'a> {
    /// A client for the master at this address; `None` if the address names no server. It sends
    /// no request.
    ///
    /// # Errors
    /// The system's trust roots cannot be read.
    pub fn at(
        address: &Address,
        client: &'a Client,
        namespace: &str,
        login: &Login,
    ) -> Result<Option<Self>, Error> {
        let Some(route) = Route::new(address, namespace) else { return Ok(None) };
        let sender = match &route {
            Route::Direct(base) => {
                let http = PlainClient::new(TIMEOUT, login.authorities.as_ref())
                    .map_err(Error::Failure)?;
                let (login, budget) = (login.clone(), client.budget());
                Sender::Direct { http, base: base.clone(), login, budget }
            }
            Route::Proxied { kind, name, prefix, base_path } => Sender::Proxied {
                client,
                kind: *kind,
                name: name.clone(),
                page: format!("{prefix}{}", base_path.trim_start_matches('/')),
                cookie: login.cookie.clone(),
            },
        };
        let (address, stats_start) = (address.clone(), Mutex::default());
        Ok(Some(Self { address, route, sender, command: None, stats_start }))
    }

    /// Sets the target that runs the workers. locustctl looks for the command of the master in its namespace.
    pub fn with_workers(self, client: &'a Client, target: &Target) -> Self {
        Self { command: Some(MasterCommand::new(client, target)), ..self }
    }

    /// True if the master may have been started with this run time, in seconds. The page then shows it even if no
    /// start has sent it. False if locustctl cannot find the command of the master.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn may_have_started_with(&self, run_time: u64) -> Result<bool, String> {
        match &self.command {
            Some(command) => command.may_have_run_time(&self.address, run_time).await,
            None => Ok(false),
        }
    }

    /// The address that was given.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The address in messages: a URL, `service/NAME`, or `pod/NAME`.
    pub fn place(&self) -> String {
        self.route.to_string()
    }

    /// `GET /stats/requests`; Locust caches its answer for 2 seconds.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn stats(&self) -> Result<Stats, Error> {
        let reply = self.ask(Method::GET, "stats/requests", None).await?;
        Stats::parse(&reply.body).ok_or_else(|| not_locust("stats/requests", &reply))
    }

    /// `GET /`: the page's values, with the time of the answer; `None` for releases before 2.16,
    /// without values in the page.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn page(&self) -> Result<Option<Page>, Error> {
        let Reply { answer_time, body, .. } = self.ask(Method::GET, "", None).await?;
        let page = parse(body, Page::parse).await;
        Ok(page.map(|page| Page { answer_time, ..page }))
    }

    /// `GET /logs`: the master's log; `None` if this release does not serve it.
    ///
    /// # Errors
    /// Locust does not answer, or asks for a login.
    pub async fn log(&self) -> Result<Option<MasterLog>, Error> {
        match self.ask(Method::GET, "logs", None).await {
            Ok(reply) => Ok(MasterLog::parse(&reply.body)),
            Err(error @ Error::NotLocust { .. }) if !error.is_of_gateway() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `GET /tasks`: the names of the test's user classes; `None` if this release does not serve
    /// them.
    ///
    /// # Errors
    /// Locust does not answer, or asks for a login.
    pub async fn running_classes(&self) -> Result<Option<Vec<String>>, Error> {
        #[derive(Deserialize)]
        struct Tasks {
            per_class: BTreeMap<String, serde::de::IgnoredAny>,
        }
        let reply = match self.ask(Method::GET, "tasks", None).await {
            Ok(reply) => reply,
            Err(error @ Error::NotLocust { .. }) if !error.is_of_gateway() => return Ok(None),
            Err(error) => return Err(error),
        };
        let tasks = serde_json::from_slice::<Tasks>(&reply.body).ok();
        Ok(tasks.map(|tasks| tasks.per_class.into_keys().collect()))
    }

    /// `GET /stats/report`: the start of the statistics, in full seconds. They start with the test, or with the
    /// report that a worker sent last before the test, and again when they are reset. `None` if this release
    /// does not report it. The report has about 1 MB, and reading it adds a point to the charts of Locust's
    /// page. So it is read only once for the test that began at `test`.
    ///
    /// # Errors
    /// Locust does not answer, or asks for a login.
    pub async fn stats_start(
        &self,
        test: PrimitiveDateTime,
    ) -> Result<Option<OffsetDateTime>, Error> {
        let known = *self.stats_start.lock();
        if let Some((_, start)) = known.filter(|(known, _)| test == *known) {
            return Ok(Some(start));
        }
        let start = self.read_stats_start().await?;
        *self.stats_start.lock() = start.map(|start| (test, start));
        Ok(start)
    }

    async fn read_stats_start(&self) -> Result<Option<OffsetDateTime>, Error> {
        let reply = match self.ask(Method::GET, "stats/report", None).await {
            Ok(reply) => reply,
            Err(error @ Error::NotLocust { .. }) if !error.is_of_gateway() => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(parse(reply.body, report::start_time).await)
    }

    /// `POST /swarm`: starts the users.
    ///
    /// # Errors
    /// Any of [`Error`]. Without an answer, Locust may have started the users nevertheless.
    pub async fn start(&self, start: &Start) -> Result<(), Error> {
        self.start_with(start.form()).await
    }

    /// `POST /swarm` with the fields of `form`: starts or edits a test.
    ///
    /// # Errors
    /// Those of [`Self::start`].
    pub async fn start_with(&self, form: String) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Answer {
            success: bool,
            #[serde(default)]
            message: String,
        }
        let reply = self.ask(Method::POST, "swarm", Some(form)).await?;
        let answer: Answer =
            serde_json::from_slice(&reply.body).map_err(|_| not_locust("swarm", &reply))?;
        match answer.success {
            true => Ok(()),
            false => Err(Error::Refused(harmless(&answer.message))),
        }
    }

    /// `GET` of a path with an optional query: the body of the answer.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn fetch(&self, path: &str) -> Result<Vec<u8>, Error> {
        Ok(self.ask(Method::GET, path, None).await?.body.into())
    }

    /// `/stop`: stops the test. It is a POST request from release 2.47.0 on, and a GET request before. Locust
    /// answers when the workers have stopped, so without an answer the test may have been stopped.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn stop(&self) -> Result<(), Error> {
        const PATH: &str = "stop";
        let reply = self.exchange(Method::POST, PATH, Some(String::new())).await?;
        match reply.status {
            405 => self.ask(Method::GET, PATH, None).await.map(drop),
            // Locust 2.25 gives the text of 405 with the status 500.
            500 if reply.body.starts_with(b"405 ") => {
                self.ask(Method::GET, PATH, None).await.map(drop)
            }
            _ => checked(PATH, reply).map(drop),
        }
    }

    async fn ask(&self, method: Method, path: &str, form: Option<String>) -> Result<Reply, Error> {
        checked(path, self.exchange(method, path, form).await?)
    }

    /// Sends a request. The answer can have any status.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        form: Option<String>,
    ) -> Result<Reply, Error> {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let reply = match &self.sender {
            Sender::Direct { http, base, login, budget } => {
                let sent = direct(http, base, login, method, (path, query), form).await?;
                let (response, authority) = sent;
                let failure = |error: reqwest::Error| Error::of_url(&error, &authority);
                read(response, path, budget, failure).await?
            }
            Sender::Proxied { client, page, cookie: Some(cookie), .. } => {
                let headers = headers(Some(cookie), None, form.is_some());
                let (prefix, path) = (page.clone(), path.to_owned());
                let body = form.unwrap_or_default().into();
                let query = query.map(str::to_owned);
                let relayed = RelayRequest { method, prefix, path, query, headers, body };
                let response = client.relay(&relayed, TIMEOUT).await.map_err(Error::Api)?;
                let response = self.route.without_refusal(response).await?;
                let failure = |error| Error::Failure(Failure::of_request(&error, "the API server"));
                read(response.into(), &relayed.path, client.budget(), failure).await?
            }
            Sender::Proxied { client, kind, name, page, cookie: None } => {
                let subject =
                    request_subject(if form.is_some() { "create" } else { "get" }, *kind, name);
                let pairs = query.into_iter().flat_map(|query| query.split('&'));
                let query: Vec<_> = pairs.filter_map(|pair| pair.split_once('=')).collect();
                let request = Request {
                    method,
                    path: &format!("{page}{path}"),
                    query: &query,
                    content: form.map(|form| (FORM, form.into_bytes())),
                    accept: Some(ACCEPTED),
                    subject: &subject,
                };
                let reply = client.send(request).await.map_err(Error::Api)?;
                if let Some(status) = api::Error::from_api_server(&reply, &subject) {
                    return Err(Error::Api(status));
                }
                Reply {
                    status: reply.status,
                    answer_time: answer_time(&reply.headers),
                    body: reply.body,
                }
            }
        };
        Ok(reply)
    }
}

fn checked(path: &str, reply: Reply) -> Result<Reply, Error> {
    match reply.status {
        200 => Ok(reply),
        status if asks_for_login(status) => Err(Error::Login),
        _ => Err(not_locust(path, &reply)),
    }
}

/// Parses a body. A large one is parsed in another thread, since this one has other requests to answer.
async fn parse<T: Send + 'static>(body: WholeBody, parse: fn(&str) -> Option<T>) -> Option<T> {
    let is_large = body.len() > LARGE;
    let parse = move || parse(&String::from_utf8_lossy(&body));
    match is_large {
        true => spawn_blocking(parse).await.ok()?,
        false => parse(),
    }
}

/// Sends a request, and returns the answer with the `host:port` of the server.
async fn direct(
    http: &PlainClient,
    base: &Url,
    login: &Login,
    method: Method,
    (path, query): (&str, Option<&str>),
    form: Option<String>,
) -> Result<(reqwest::Response, String), Error> {
    let authority = base.authority().to_owned();
    let mut url = base.join(path).unwrap_or_else(|_| base.clone());
    url.set_query(query);
    let headers = headers(login.cookie.as_ref(), login.authorization.as_ref(), form.is_some());
    let body = RequestBody::Whole(form.unwrap_or_default().into());
    let response = http.send(method, &url, headers, body).await.map_err(Error::of_failure)?;
    Ok((response, authority))
}

fn headers(
    cookie: Option<&HeaderValue>,
    authorization: Option<&HeaderValue>,
    has_form: bool,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    headers.insert(USER_AGENT, user_agent());
    headers.extend(cookie.map(|cookie| (COOKIE, cookie.clone())));
    headers.extend(authorization.map(|value| (AUTHORIZATION, value.clone())));
    if has_form {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
    }
    headers
}

async fn read(
    response: reqwest::Response,
    path: &str,
    budget: &'static Budget,
    failure: impl Fn(reqwest::Error) -> Error,
) -> Result<Reply, Error> {
    let status = response.status().as_u16();
    let answer_time = answer_time(response.headers());
    match read_within(reqwest::Body::from(response), MAX_ANSWER, budget).await {
        Ok(body) => Ok(Reply { status, answer_time, body }),
        Err(BodyError::TooLarge) => {
            let status = "more than 16 MB".to_owned();
            Err(Error::NotLocust { path: format!("/{path}"), status })
        }
        Err(BodyError::OverBudget) => {
            let status =
                "more than fits into the memory that locustctl has for answers now".to_owned();
            Err(Error::NotLocust { path: format!("/{path}"), status })
        }
        Err(BodyError::Broken(error)) => Err(failure(error)),
    }
}

/// The time of an answer that has just been received; `None` without a `Date` header.
fn answer_time(headers: &HeaderMap) -> Option<AnswerTime> {
    let by_server = OffsetDateTime::parse(headers.get(DATE)?.to_str().ok()?, &Rfc2822).ok()?;
    Some(AnswerTime { by_server, received: Instant::now() })
}

fn not_locust(path: &str, reply: &Reply) -> Error {
    let text = String::from_utf8_lossy(&reply.body);
    let text = masked(&text);
    let words: Vec<_> = text.split_whitespace().collect();
    let begin: String = words.join(" ").chars().take(60).collect();
    Error::NotLocust {
        path: format!("/{path}"),
        status: harmless(&format!("{} {begin:?}", reply.status)),
    }
}
